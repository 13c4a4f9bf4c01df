"""Masks of warm or cold objects within their boxes, by a threshold on the temperature."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

MIN_SIDE = 4
"""Pixels; smaller objects have no shape to cut out."""
MIN_CONTRAST = 3.0
"""Mean difference to the background, in its own deviations, below which a mask is noise."""


def object_mask(
    image: NDArray[np.float32], box: NDArray, *, min_fill: float = 0.7, min_area: float = 0.35
) -> Mask | None:
    """The pixels of an object, where it stands out from what surrounds its box.

    The background is the median of a ring around the box; pixels that differ from it by more
    than Otsu's threshold, within ring and box, are the object; its largest connected part counts,
    without holes.

    Args:
        image: (H, W).
        box: (4,) corners in pixels.
        min_fill: share of the box's width and of its height that the mask must reach.
        min_area: share of the box's area that the mask must cover.

    Returns:
        (H, W) bool; None where the mask does not fill its box, is not to be told from noise, or
        is too small.
    """
    height, width = image.shape
    left, top = np.floor(box[:2] + 0.5).astype(int).clip(0)
    right, bottom = np.minimum(np.floor(box[2:] + 0.5).astype(int), (width, height))
    if min(right - left, bottom - top) < MIN_SIDE:
        return None
    margin = max(2, round(0.2 * max(right - left, bottom - top)))
    x0, y0 = max(left - margin, 0), max(top - margin, 0)
    window = image[y0 : bottom + margin, x0 : right + margin].astype(np.float64)
    inside = np.zeros(window.shape, bool)
    inside[top - y0 : bottom - y0, left - x0 : right - x0] = True
    ring = window[~inside]
    if not ring.size:
        return None
    background = float(np.median(ring))
    difference = np.abs(window - background)
    grey = np.clip(difference * (255 / max(float(difference.max()), 1e-12)), 0, 255)
    _, found = cv2.threshold(grey.round().astype(np.uint8), 0, 1, cv2.THRESH_OTSU)
    part = largest_part((found > 0) & inside)
    noise = 1.4826 * float(np.median(np.abs(ring - background)))
    if not part.any() or difference[part].mean() < MIN_CONTRAST * noise:
        return None
    first_x, first_y, end_x, end_y = extent(part)
    fills = (
        end_y - first_y >= min_fill * (bottom - top)
        and end_x - first_x >= min_fill * (right - left)
        and part.sum() >= min_area * inside.sum()
    )
    if not fills:
        return None
    mask = np.zeros(image.shape, bool)
    mask[y0 : y0 + window.shape[0], x0 : x0 + window.shape[1]] = part
    return mask


def largest_part(mask: Mask) -> Mask:
    """The largest connected part of a mask, without holes.

    Args:
        mask: (H, W).

    Returns:
        (H, W).
    """
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return mask
    filled = np.zeros(mask.shape, np.uint8)
    largest = max(outlines, key=lambda line: (cv2.contourArea(line), len(line)))
    return cv2.drawContours(filled, [largest], -1, 1, cv2.FILLED).astype(bool)


def extent(mask: Mask) -> NDArray[np.float32]:
    """The box around a mask.

    Args:
        mask: (H, W), not empty.

    Returns:
        (4,) corners, the right and lower ones beyond the last pixel.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def visible_box(box: NDArray[np.float32], whole: Mask, visible: Mask) -> NDArray[np.float32]:
    """The label of what is left of an object: each side moves only where its pixels are hidden.

    Args:
        box: (4,) label of the whole object.
        whole: (H, W), its pixels.
        visible: (H, W), those that nothing hides, not empty.

    Returns:
        (4,) corners, within ``box``.
    """
    before, after = extent(whole), extent(visible)
    moved = np.where(after == before, box, after)
    low, high = np.maximum(moved[:2], box[:2]), np.minimum(moved[2:], box[2:])
    return np.concatenate([low, high]).astype(np.float32)
