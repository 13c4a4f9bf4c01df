"""Do all boxes of a COCO file have one wrong scale: in 0..1, as corners, of another picture."""

from collections.abc import Sequence

import numpy as np

from mmthermal.checking.finding import Finding, Severity, of_annotations
from mmthermal.checking.table import Table
from mmthermal.common.boxes import Bools

MANY = 0.5
"""Share of boxes from which a fault is taken for one of the whole file."""
_FEW = 0.01


def check_normalised(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes in 0..1, as YOLO has them.

    Args:
        table: the records.
        ids: (G,) annotation ids, for the examples.

    Returns:
        findings.
    """
    inside = (table.boxes >= 0).all(axis=1) & (table.boxes <= 1.001).all(axis=1)
    whole = (table.boxes == table.boxes.round()).all(axis=1)
    # a box of one pixel at the corner is none of them
    small: Bools = inside & (table.boxes[:, 2:] > 0).all(axis=1) & ~whole
    severity: Severity = "error" if small.mean() >= MANY else "warning"
    return of_annotations(
        severity,
        "normalised-boxes",
        small,
        ids,
        "lie in 0..1, as YOLO's do, instead of pixels",
        "multiply x and width by the image's width, y and height by its height "
        "(tools/convert.py yolo does so)",
    )


def check_corners(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes that look like two corners instead of a corner and a size.

    Args:
        table: the records.
        ids: (G,) annotation ids, for the examples.

    Returns:
        findings.
    """
    x, y, w, h = table.boxes.T
    width, height = table.box_image_sizes.T
    outside = (x + w > width + 1) | (y + h > height + 1)
    like_corners = (w > x) & (h > y) & (w <= width + 1) & (h <= height + 1)
    if not like_corners.all() or outside.mean() < 0.2:
        return []
    return of_annotations(
        "error",
        "corner-boxes",
        outside,
        ids,
        "reach beyond their image, and all look like [x1, y1, x2, y2]",
        "write [x, y, width, height]",
    )


def check_other_scale(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes that were drawn in a picture of another size, or go on beyond theirs.

    Args:
        table: the records.
        ids: (G,) annotation ids, for the examples.

    Returns:
        findings.
    """
    known = table.image_inds >= 0
    sizes = table.box_image_sizes
    if not known.any() or (sizes[known] <= 0).any():
        return []
    ends = (table.boxes[known, :2] + table.boxes[known, 2:]) / sizes[known]
    far = np.zeros(len(table.boxes), dtype=bool)
    far[known] = (ends > 1.05).any(axis=1)
    reach = ends.max(axis=0)
    if far.mean() >= 0.05:
        begins_outside = (table.boxes[known, :2] >= sizes[known]).any(axis=1)
        amodal = begins_outside.mean() < _FEW and far.mean() < MANY
        return of_annotations(
            "warning" if amodal else "error",
            "boxes-of-another-scale",
            far,
            ids,
            f"end outside their image, up to {reach[0]:.2f} of its width and {reach[1]:.2f} of "
            "its height",
            "look at the pictures with their boxes: whole outlines of objects at the border "
            "(amodal) may stay; if they belong to pictures of another size, scale them"
            if amodal
            else "the boxes belong to pictures of another size: scale them, or correct width and "
            "height of the image records",
        )
    if len(ends) >= 100 and (reach <= 0.6).all():
        return [
            Finding(
                "warning",
                "boxes-of-another-scale",
                f"all {len(ends)} boxes lie within {reach[0]:.2f} of the width and {reach[1]:.2f} "
                "of the height of their images",
                "look at the pictures with their boxes: they may belong to images of another size",
                count=len(ends),
                total=len(ends),
            )
        ]
    return []
