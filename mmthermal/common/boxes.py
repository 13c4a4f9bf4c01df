"""IoU of boxes in COCO's form: x, y of the top left corner, width and height, in pixels."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def box_iou(boxes: Floats, others: Floats, crowd: Bools | None = None) -> Floats:
    """IoU of boxes with others, bit by bit what ``pycocotools.mask.iou`` gives.

    Broadcasts: pairs of rows for equal leading shapes, a matrix for ``boxes[:, None]``.

    Args:
        boxes: (..., 4) boxes (x, y, width, height).
        others: (..., 4) boxes, likewise.
        crowd: (...) mask of the others; for those the intersection is divided by the box's own
            area instead of the union.

    Returns:
        (...) values in [0, 1]; 0 where a box has no area.
    """
    width = np.minimum(boxes[..., 0] + boxes[..., 2], others[..., 0] + others[..., 2])
    width = width - np.maximum(boxes[..., 0], others[..., 0])
    height = np.minimum(boxes[..., 1] + boxes[..., 3], others[..., 1] + others[..., 3])
    height = height - np.maximum(boxes[..., 1], others[..., 1])
    inter = np.where((width > 0) & (height > 0), width * height, 0.0)
    area = boxes[..., 2] * boxes[..., 3]
    union = area + others[..., 2] * others[..., 3] - inter
    if crowd is not None:
        union = np.where(crowd, area, union)
    iou: Floats = np.divide(inter, union, out=np.zeros_like(inter), where=inter > 0)
    return iou
