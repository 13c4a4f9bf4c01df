"""Figures of a split's objects: how many, how large, how much they overlap."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mmthermal.checking.table import Ints, Table
from mmthermal.common.boxes import Floats
from mmthermal.evaluation.overlap import OVERLAP_KEYS, largest_overlap

THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.5)
"""IoU with another object above which the share of objects is given."""


def per_image(inds: Ints) -> Iterator[Ints]:
    """Positions of the annotations of each image in turn.

    Args:
        inds: (G,) image of each annotation.

    Yields:
        positions in ``inds`` that have the same value.
    """
    order = np.argsort(inds, kind="stable")
    if order.size:
        yield from np.split(order, np.flatnonzero(np.diff(inds[order])) + 1)


def overlaps(table: Table) -> dict[str, Floats]:
    """How much each object overlaps with the others of its image.

    Args:
        table: the records.

    Returns:
        (number of objects,) arrays in [0, 1], see
        :func:`~mmthermal.evaluation.overlap.largest_overlap`; in the order of the file.
    """
    objects = np.flatnonzero(table.objects)
    result = {key: np.zeros(len(objects)) for key in OVERLAP_KEYS}
    for inds in per_image(table.image_inds[objects]):
        rows = objects[inds]
        boxes, classes = table.boxes[rows], table.category_inds[rows]
        for key, values in largest_overlap(boxes, classes, np.zeros(len(rows))).items():
            result[key][inds] = values
    return result


def describe(table: Table) -> dict[str, Any]:
    """Figures of a split.

    Args:
        table: the records.

    Returns:
        ``images``; ``objects``, without crowd regions and what mmdet drops; ``crowd``;
        ``annotations``, all; ``classes``: objects of each class by name; ``side``: percentiles
        of the square root of the area in pixels; ``overlap``: by threshold the share of objects
        whose largest IoU with another object of the image lies above it, and ``covered``, the
        share of which more than a quarter lies under others; ``sizes`` of the images.
    """
    objects = table.objects
    counts = np.bincount(table.category_inds[objects], minlength=len(table.names))
    sides = np.sqrt(table.boxes[objects, 2] * table.boxes[objects, 3])
    found = overlaps(table)
    sizes, numbers = np.unique(table.sizes, axis=0, return_counts=True)
    return {
        "images": len(table.image_ids),
        "annotations": len(table.boxes),
        "objects": int(objects.sum()),
        "crowd": int((table.kept & table.crowd).sum()),
        "classes": {
            name: int(count)
            for name, count, wanted in zip(table.names, counts, table.wanted, strict=True)
            if wanted
        },
        "side": {
            str(p): float(np.percentile(sides, p)) if len(sides) else 0.0
            for p in (1, 25, 50, 75, 99)
        },
        "overlap": {
            f"{threshold:g}": float((found["iou"] > threshold).mean()) if len(sides) else 0.0
            for threshold in THRESHOLDS
        },
        "covered": float((found["covered"] > 0.25).mean()) if len(sides) else 0.0,
        "sizes": {
            f"{w:g} × {h:g}": int(number)
            for (w, h), number in sorted(
                zip(sizes.tolist(), numbers.tolist(), strict=True), key=lambda item: -item[1]
            )[:10]
        },
    }
