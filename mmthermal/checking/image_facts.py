"""What an image file holds: bits, channels, pages, orientation, level, gain, saturation, hash."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.checking.hashing import THUMBNAIL, Thumbnails, perceptual_hash, thumbnail
from mmthermal.common.display import read_image
from mmthermal.common.picture_header import picture_header


def _no_thumbnail() -> Thumbnails:
    return np.zeros((THUMBNAIL, THUMBNAIL), np.float32)


@dataclass(frozen=True)
class ImageFacts:
    """Measurements of one file.

    Args:
        path: of the file.
        problem: why it can't be read; empty if it can.
        width: in pixels, upright.
        height: in pixels, upright.
        channels: 1 for grey.
        grey: whether all channels (without alpha) are equal.
        dtype: of the pixels.
        pages: of a TIFF; else 1.
        orientation: EXIF's, 1 to 8; 1 is upright.
        low: smallest finite value.
        high: largest finite value.
        level: mean.
        spread: standard deviation.
        saturated: share of pixels that have the largest value, in [0, 1].
        nonfinite: number of NaN and infinite pixels.
        small: (32, 32) picture without level and gain.
        hash: perceptual hash.
    """

    path: str
    problem: str = ""
    width: int = 0
    height: int = 0
    channels: int = 1
    grey: bool = True
    dtype: str = ""
    pages: int = 1
    orientation: int = 1
    low: float = 0.0
    high: float = 0.0
    level: float = 0.0
    spread: float = 0.0
    saturated: float = 0.0
    nonfinite: int = 0
    small: Thumbnails = field(default_factory=_no_thumbnail, repr=False)
    hash: int = 0

    @property
    def blank(self) -> bool:
        """Whether all pixels have one value."""
        return self.low == self.high

    @property
    def bits(self) -> int:
        """8 where the values fill no more than 8 bits, whatever the file's type; else the type's.

        Floating point counts by its own width. Says nothing of a picture that is ``blank``.
        """
        dtype = np.dtype(self.dtype)
        if dtype.kind in "ui" and 0 <= self.low <= self.high < 256:
            return 8
        return 8 * dtype.itemsize


def read_pixels(path: str | Path, radiometric: str | None = None) -> NDArray:
    """Pixels with all bits and channels, upright.

    Args:
        path: an image file, or ``.npy``.
        radiometric: ``LoadThermalImage``'s: the unit of the temperatures that are read out of a
            JPEG in the place of its picture.

    Returns:
        (H, W) or (H, W, C); BGR(A) for colours.

    Raises:
        ImportError: if temperatures are asked for and flyr is not installed.
        ValueError: if it can't be read.
    """
    return read_image(str(path), radiometric=radiometric)


def measure(path: str | Path, radiometric: str | None = None) -> ImageFacts:
    """Measure one file; what goes wrong is in ``problem``."""
    name = str(path)
    if not Path(path).is_file():
        return ImageFacts(name, problem="missing")
    try:
        pixels = read_pixels(path, radiometric)
    except (OSError, ValueError, cv2.error) as error:
        return ImageFacts(name, problem=str(error) or type(error).__name__)
    if pixels.ndim not in (2, 3) or not pixels.size:
        return ImageFacts(name, problem=f"an array of shape {pixels.shape} is not a picture")
    temperatures = radiometric and Path(path).suffix.lower() in (".jpg", ".jpeg")
    # the header is that of the picture, which is not read
    pages, orientation = (1, 1) if temperatures else picture_header(Path(path).read_bytes())
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    colours = pixels.reshape(*pixels.shape[:2], channels)[..., : min(channels, 3)]
    grey = bool((colours == colours[..., :1]).all())
    plane = colours[..., 0] if grey else colours.mean(axis=2)
    finite = np.isfinite(plane)
    nonfinite = int(plane.size - finite.sum())
    values = plane[finite] if nonfinite else plane
    if not values.size:
        values = np.zeros(1)
    high = values.max()
    small = thumbnail(np.nan_to_num(plane, nan=float(values.mean())) if nonfinite else plane)
    return ImageFacts(
        path=name,
        width=pixels.shape[1],
        height=pixels.shape[0],
        channels=channels,
        grey=grey,
        dtype=pixels.dtype.name,
        pages=pages,
        orientation=orientation,
        low=float(values.min()),
        high=float(high),
        level=float(values.mean(dtype=np.float64)),
        spread=float(values.std(dtype=np.float64)),
        saturated=float((values == high).mean()) if high > values.min() else 0.0,
        nonfinite=nonfinite,
        small=small,
        hash=perceptual_hash(small),
    )


def measure_all(
    paths: Sequence[str | Path], *, workers: int = 2, radiometric: str | None = None
) -> list[ImageFacts]:
    """Measure many files, several at a time.

    Args:
        paths: of the files.
        workers: threads; decoding releases the interpreter's lock.
        radiometric: as :func:`read_pixels`.

    Raises:
        ImportError: as :func:`read_pixels`.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(partial(measure, radiometric=radiometric), paths))
