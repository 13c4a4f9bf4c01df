"""Boxes of the renderer: corners x0, y0, x1, y1 in native pixels."""

from collections.abc import Sequence

import numpy as np

from mmthermal.common.boxes import box_iou

Box = tuple[float, float, float, float]


def clip_box(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box inside an image of (W, H)."""
    x0, y0 = min(max(box[0], 0.0), size[0]), min(max(box[1], 0.0), size[1])
    x1, y1 = min(max(box[2], 0.0), size[0]), min(max(box[3], 0.0), size[1])
    return (x0, y0, x1, y1)


def share_inside(box: Box, size: tuple[int, int]) -> float:
    """Share of a box's area inside the image."""
    x0, y0, x1, y1 = clip_box(box, size)
    return (x1 - x0) * (y1 - y0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def largest_iou(box: Box, others: Sequence[Box]) -> float:
    """Largest IoU of a box with others, in [0, 1]; 0 if there are none."""
    if not others:
        return 0.0
    rows = np.array([box, *others], np.float64)
    rows[:, 2:] -= rows[:, :2]  # corners to width and height
    return float(box_iou(rows[:1], rows[1:]).max())
