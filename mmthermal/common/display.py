"""Pictures for people to look at: one reader, one gain control, one palette. Not for training."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.fileio import get
from numpy.typing import NDArray

from mmthermal.common.checks import check_range
from mmthermal.common.gain import percentile_stretch
from mmthermal.common.picture_header import upright
from mmthermal.common.radiometric import read_temperatures
from mmthermal.common.stored_form import check_decoded, is_cut_short

PALETTE = (
    (230, 97, 0),
    (26, 133, 255),
    (255, 194, 10),
    (212, 17, 89),
    (64, 176, 166),
    (240, 228, 66),
    (204, 121, 167),
    (153, 255, 51),
)
"""RGB; distinguishable on a grey picture, also for the colour-blind (after Okabe and Ito)."""


def class_colours(num_classes: int) -> list[tuple[int, int, int]]:
    """The colours of the classes, RGB; from the ninth class on they come again."""
    return [PALETTE[label % len(PALETTE)] for label in range(num_classes)]


def read_image(
    path: str,
    *,
    backend_args: dict | None = None,
    imdecode_backend: str = "cv2",
    radiometric: str | None = None,
) -> NDArray:
    """Read a picture with all its bits and channels, upright as its EXIF orientation says.

    Args:
        path: image file or NumPy array (``.npy``), on any backend of mmengine.
        backend_args: of the backend.
        imdecode_backend: that decodes it, as ``mmcv.imfrombytes``.
        radiometric: ``'celsius'`` or ``'kelvin'`` to read the temperatures in a radiometric JPEG;
            files of other kinds are read as they are.

    Returns:
        (H, W) or (H, W, C), BGR or BGRA, in the type of the file; float32 of temperatures.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if temperatures are asked for and flyr is not installed.
        ValueError: if it is not a picture that can be read with all its bands and bits.
    """
    content = get(path, backend_args=backend_args)
    suffix = path.lower().rpartition(".")[2]
    if radiometric and suffix in ("jpg", "jpeg"):
        return read_temperatures(content, unit=radiometric, name=f"the image {path}")
    if suffix == "npy":
        return _read_array(content, path)
    try:
        image = mmcv.imfrombytes(content, flag="unchanged", backend=imdecode_backend)
    except (cv2.error, OSError, ValueError):  # cv2's of an empty file
        image = None
    check_decoded(image, content, path, imdecode_backend)
    if image is None or is_cut_short(content):
        raise ValueError(f"the image {path} can't be read: it is broken, or not an image")
    return upright(image, content, path, imdecode_backend)


def _read_array(content: bytes, path: str) -> NDArray:
    """The array of a ``.npy`` file, if it may be an image."""
    try:
        array = np.asarray(np.load(BytesIO(content), allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise ValueError(f"the array {path} can't be read: {error}") from None
    if array.ndim not in (2, 3) or array.dtype.kind not in "uif" or not array.size:
        raise ValueError(
            f"the array {path} is {array.dtype} of shape {array.shape}, expected numbers of "
            "shape (H, W) or (H, W, C), with pixels"
        )
    return array


@dataclass(frozen=True)
class Look:
    """How a pipeline reads files, and by which gain control it shows them to the network.

    Attributes:
        radiometric: as :func:`read_image`.
        control: as :func:`to_display`.
        imdecode_backend: as :func:`read_image`.
    """

    radiometric: str | None = None
    control: Callable[[NDArray], NDArray] | None = None
    imdecode_backend: str = "cv2"


def look_of(transforms: Iterable[object]) -> Look:
    """What a person is shown of an image, so that it is what the network gets.

    Args:
        transforms: of a test pipeline.

    Returns:
        the first setting of each kind that they have.
    """
    steps = list(transforms)
    keys = ("radiometric", "display", "imdecode_backend")
    found = ([getattr(step, key, None) for step in steps] for key in keys)
    radiometric, control, backend = (next(filter(None, values), None) for values in found)
    return Look(radiometric, control, backend or "cv2")


def without_opacity(image: NDArray) -> NDArray:
    """A grey or a colour image without the channel that says how opaque it is.

    Args:
        image: (H, W) or (H, W, C) with 1 to 4 channels.

    Returns:
        (H, W), or (H, W, 3) of a colour image.

    Raises:
        ValueError: for another shape.
    """
    if image.ndim == 2:
        return image
    if image.ndim != 3 or not 1 <= image.shape[2] <= 4:
        raise ValueError(
            f"image has shape {image.shape}, expected (H, W), or (H, W, C) with 1 to 4 channels"
        )
    return image[..., 0] if image.shape[2] < 3 else image[..., :3]


def to_display(
    image: NDArray, *, tail: float = 0.5, control: Callable[[NDArray], NDArray] | None = None
) -> NDArray[np.uint8]:
    """An image of any depth as a screen shows it.

    Args:
        image: (H, W) or (H, W, C) with 1 to 4 channels, any numeric type; NaN counts as the
            minimum. The second of two and the fourth of four channels is opacity and left out.
        tail: percentage of the pixels rejected at either end, in [0, 50), by the linear gain
            control of thermal cameras.
        control: another gain control, from :mod:`mmthermal.common.gain`, for images of one
            channel.

    Returns:
        (H, W, 3), uint8; three equal channels for a grey image. An 8-bit colour image comes back
        as it is, in the same order of channels.

    Raises:
        ValueError: for another shape, or a tail out of range.
    """
    check_range("tail", tail, 0, 50, open_high=True)
    image = without_opacity(image)
    if image.ndim == 3 and image.dtype == np.uint8:
        return image
    if control is None or image.ndim == 3:
        control = partial(percentile_stretch, low=tail, high=100 - tail)
    # one control for all channels of a colour
    shown = control(image.reshape(len(image), -1)).reshape(image.shape)
    grey = np.clip(shown, 0, 255).round().astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)


def _enlarged_masks(masks: Any, factor: int) -> Any:
    """Masks of ground truth, in mmdet's classes, or of detections, (N, H, W)."""
    if hasattr(masks, "rescale"):
        return masks.rescale(factor)
    return torch.as_tensor(masks).repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def enlarge(
    image: NDArray[np.uint8], sample: DetDataSample, min_side: int
) -> tuple[NDArray[np.uint8], DetDataSample]:
    """Enlarge a picture, and boxes and masks of its sample, by a whole factor.

    Args:
        image: (H, W, 3).
        sample: sample with boxes in pixels of the image; it is not changed.
        min_side: the longer side comes to at least this many pixels.

    Returns:
        the enlarged picture and a copy of the sample with enlarged boxes.
    """
    factor = max(-(-min_side // max(image.shape[:2])), 1)
    size = (image.shape[1] * factor, image.shape[0] * factor)
    sample = sample.clone()
    for key in ("gt_instances", "pred_instances"):
        instances = sample.get(key)
        if instances is not None and "bboxes" in instances:
            instances = instances.clone()  # the sample's own copy holds the same instances
            instances.bboxes = instances.bboxes * factor
            if "masks" in instances:
                instances.masks = _enlarged_masks(instances.masks, factor)
            setattr(sample, key, instances)
    enlarged = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, dtype=np.uint8), sample
