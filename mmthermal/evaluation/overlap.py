"""How much the ground truths of an image overlap.

Shapes: G ground truths of one image; boxes are COCO's (x, y, width, height) in pixels.
"""

import numpy as np
from numpy.typing import ArrayLike

from mmthermal.common.boxes import Floats, box_iou

OVERLAP_KEYS = ("iou", "iou_same", "iou_cross", "covered")
"""What :func:`largest_overlap` measures of each ground truth."""


def largest_overlap(
    boxes_xywh: ArrayLike, category_ids: ArrayLike, iscrowd: ArrayLike
) -> dict[str, Floats]:
    """Measure how much each ground truth of one image overlaps with the others.

    Crowd regions count neither as objects (their values are 0) nor as others. Boxes of no area
    overlap with nothing.

    Args:
        boxes_xywh: (G, 4) boxes, any finite values, width and height at least 0.
        category_ids: (G,) class ids.
        iscrowd: (G,) flags of crowd regions.

    Returns:
        (G,) arrays in [0, 1]: ``iou``, the largest IoU with another ground truth of any class;
        ``iou_same`` and ``iou_cross``, with one of the same class and of another class;
        ``covered``, the share of the box's own area that lies under the union of all others.

    Raises:
        ValueError: if the shapes do not fit or a box has a negative or non-finite value.
    """
    boxes = np.asarray(boxes_xywh, dtype=np.float64).reshape(-1, 4)
    classes, crowd = np.asarray(category_ids).ravel(), np.asarray(iscrowd).ravel().astype(bool)
    if not len(boxes) == len(classes) == len(crowd):
        raise ValueError(
            f"{len(boxes)} boxes, {len(classes)} category ids and {len(crowd)} crowd flags: "
            "one of each per ground truth is needed"
        )
    if not np.isfinite(boxes).all() or (boxes[:, 2:] < 0).any():
        raise ValueError("boxes must be finite with width and height of at least 0")
    result = {key: np.zeros(len(boxes)) for key in OVERLAP_KEYS}
    objects = np.flatnonzero(~crowd)
    if len(objects) < 2:
        return result
    boxes, classes = boxes[objects], classes[objects]
    iou = box_iou(boxes[:, None], boxes[None])
    np.fill_diagonal(iou, 0.0)
    same = classes[:, None] == classes[None]
    result["iou"][objects] = iou.max(axis=1)
    result["iou_same"][objects] = np.where(same, iou, 0.0).max(axis=1)
    result["iou_cross"][objects] = np.where(same, 0.0, iou).max(axis=1)
    touching = np.flatnonzero(iou.max(axis=1) > 0)  # the others keep an exact 0
    if touching.size:
        result["covered"][objects[touching]] = _covered_share(boxes[touching])
    return result


def _covered_share(boxes: Floats) -> Floats:
    """Share of each box that lies under the union of the others, exact for axis-parallel boxes.

    The edges cut the plane into cells; a cell that two or more boxes hold is covered for each of
    them, so one table of sums over such cells answers for all boxes.

    Args:
        boxes: (G, 4) boxes with positive areas.

    Returns:
        (G,) values in [0, 1].
    """
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    xs, x_inds = np.unique(corners[:, [0, 2]], return_inverse=True)
    ys, y_inds = np.unique(corners[:, [1, 3]], return_inverse=True)
    x_inds, y_inds = x_inds.reshape(-1, 2), y_inds.reshape(-1, 2)
    steps = np.zeros((len(ys), len(xs)), dtype=np.int64)
    for row, column, sign in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
        np.add.at(steps, (y_inds[:, row], x_inds[:, column]), sign)
    layers = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
    cells = np.diff(ys)[:, None] * np.diff(xs)[None]
    sums = np.zeros((len(ys), len(xs)))
    sums[1:, 1:] = np.where(layers >= 2, cells, 0.0).cumsum(axis=0).cumsum(axis=1)
    covered = (
        sums[y_inds[:, 1], x_inds[:, 1]]
        - sums[y_inds[:, 0], x_inds[:, 1]]
        - sums[y_inds[:, 1], x_inds[:, 0]]
        + sums[y_inds[:, 0], x_inds[:, 0]]
    )
    share: Floats = np.clip(covered / (boxes[:, 2] * boxes[:, 3]), 0.0, 1.0)
    return share
