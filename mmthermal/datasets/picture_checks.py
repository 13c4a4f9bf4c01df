"""Is a loaded picture what its record says, and are its values numbers?"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.said_once import warn_once

SIZE = "image-size-differs"
NOT_FINITE = "nan-pixels"
MANY = 0.01
"""Share of pixels that are no numbers from which a picture is refused."""


def check_picture(
    image: NDArray, record: Mapping[str, Any], name: str, accept: Collection[str] = ()
) -> NDArray:
    """Check one loaded picture; what is doubtful is logged once.

    Args:
        image: as the file holds it, upright.
        record: sample of the data set, with ``height`` and ``width`` where they are known.
        name: of the file.
        accept: codes of errors to go on with.

    Returns:
        the picture; few pixels that are no numbers have the median of their neighbours.

    Raises:
        ValueError: for another size than the record's, no pixel, more than four channels, or many
            pixels that are NaN or infinite.
    """
    if not image.size:
        raise ValueError(
            f"the image {name} has the shape {image.shape}, no pixel: write it again, or take its "
            "record out"
        )
    if image.ndim not in (2, 3) or (image.ndim == 3 and not 1 <= image.shape[2] <= 4):
        raise ValueError(
            f"the image {name} has the shape {image.shape}: (H, W), or (H, W, C) with 1 to 4 "
            "channels is expected; write the channel that you mean as a grey picture"
        )
    _check_size(image, record, name, accept)
    if image.ndim == 3 and image.shape[2] in (2, 4) and np.ptp(image[..., -1]):
        warn_once(
            "alpha-channel",
            f"{name} has {image.shape[2]} channels, and the last is not the same everywhere: it is "
            "taken for opacity and not used. If it holds the thermal image, write it as a grey "
            "picture",
        )
    return _finite(image, name, accept) if image.dtype.kind == "f" else image


def _check_size(
    image: NDArray, record: Mapping[str, Any], name: str, accept: Collection[str]
) -> None:
    """Compare the size with the record's; a pixel more or less is only said."""
    width, height = record.get("width"), record.get("height")
    if not width or not height or min(width, height) <= 0:
        return
    own = (image.shape[1], image.shape[0])
    if own == (width, height):
        return
    words = (
        f"the image {name} is {own[0]} × {own[1]} pixels, upright, and {width} × {height} in the "
        "annotation file: boxes lie beside the objects"
    )
    if SIZE in accept or max(abs(own[0] - width), abs(own[1] - height)) <= 1:
        warn_once(SIZE, words)
        return
    raise ValueError(
        f"{words}. Give the pictures that the boxes were drawn in, or correct the records; or "
        f"LoadThermalImage(accept=[{SIZE!r}]) [{SIZE}]"
    )


def _finite(image: NDArray, name: str, accept: Collection[str]) -> NDArray:
    """Replace dead pixels, or refuse the picture."""
    bad = ~np.isfinite(image)
    if not bad.any():
        return image
    count, words = int(bad.sum()), f"of {image.size} pixels of {name} are NaN or infinite"
    if bad.all() or (count > MANY * image.size and NOT_FINITE not in accept):
        raise ValueError(
            f"{count} {words}: the network would see nothing else. Replace them by their "
            f"neighbours, or leave the frame out [{NOT_FINITE}]"
        )
    warn_once(NOT_FINITE, f"{count} {words}: they get the median of their neighbours")
    fixed = image.copy()
    middle = np.median(image[~bad])
    for place in np.argwhere(bad):
        window = tuple(slice(max(i - 2, 0), i + 3) for i in place[:2].tolist())
        near = image[window + tuple(place[2:])]
        good = near[np.isfinite(near)]
        fixed[tuple(place)] = np.median(good) if good.size else middle
    return fixed
