"""Do a COCO file's boxes mean what they should: inside their image, in pixels, not twice."""

from collections.abc import Sequence

import numpy as np

from mmthermal.checking.finding import Finding, Severity, some
from mmthermal.checking.table import Table
from mmthermal.common.boxes import Bools

MANY = 0.5
"""Share of boxes from which a fault is taken for one of the whole file."""


def check_boxes(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Check sizes, places and scales of all boxes.

    Args:
        table: the records.
        ids: (G,) annotation ids, for the examples.

    Returns:
        findings.
    """
    if not len(table.boxes):
        return []
    scale = [*_normalised(table, ids), *_corners(table, ids)]
    return [
        *_image_sizes(table),
        *_sides(table, ids),
        *(scale or _other_scale(table, ids)),
        *_dropped(table, ids),
        *([] if scale else _partly_outside(table, ids)),
        *_duplicates(table, ids),
        *_crowd(table),
    ]


def _finding(
    severity: Severity, code: str, mask: Bools, ids: Sequence[int | str], what: str, remedy: str
) -> list[Finding]:
    """A finding about the annotations of a mask, or none."""
    count = int(mask.sum())
    if not count:
        return []
    return [
        Finding(
            severity,
            code,
            f"{count} of {len(mask)} annotations {what}",
            remedy,
            count=count,
            total=len(mask),
            examples=some(f"annotation {ids[i]}" for i in np.flatnonzero(mask).tolist()),
        )
    ]


def _image_sizes(table: Table) -> list[Finding]:
    """Image records without an extent."""
    bad = np.flatnonzero((table.sizes <= 0).any(axis=1))
    if not bad.size:
        return []
    width, height = table.sizes[bad[0]]
    return [
        Finding(
            "error",
            "image-size",
            f"{bad.size} of {len(table.sizes)} image records have no extent, such as "
            f"{width:g} × {height:g}: mmdet drops all their boxes",
            "write the width and height of the picture in pixels",
            count=int(bad.size),
            total=len(table.sizes),
            examples=some(table.file_names[i] for i in bad),
        )
    ]


def _sides(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes with a negative side."""
    negative = table.boxes[:, 2:].min(axis=1) < 0
    return _finding(
        "error",
        "negative-side",
        negative,
        ids,
        "have a negative width or height",
        "write [x, y, width, height] with x, y of the top left corner",
    )


def _normalised(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes in 0..1, as YOLO has them."""
    inside = (table.boxes >= 0).all(axis=1) & (table.boxes <= 1.001).all(axis=1)
    whole = (table.boxes == table.boxes.round()).all(axis=1)
    # a box of one pixel at the corner is none of them
    small: Bools = inside & (table.boxes[:, 2:] > 0).all(axis=1) & ~whole
    severity: Severity = "error" if small.mean() >= MANY else "warning"
    return _finding(
        severity,
        "normalised-boxes",
        small,
        ids,
        "lie in 0..1, as YOLO's do, instead of pixels",
        "multiply x and width by the image's width, y and height by its height "
        "(tools/convert.py yolo does so)",
    )


def _corners(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes that look like two corners instead of a corner and a size."""
    x, y, w, h = table.boxes.T
    width, height = table.box_image_sizes.T
    outside = (x + w > width + 1) | (y + h > height + 1)
    like_corners = (w > x) & (h > y) & (w <= width + 1) & (h <= height + 1)
    if not like_corners.all() or outside.mean() < 0.2:
        return []
    return _finding(
        "error",
        "corner-boxes",
        outside,
        ids,
        "reach beyond their image, and all look like [x1, y1, x2, y2]",
        "write [x, y, width, height]",
    )


def _other_scale(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes that were drawn in a picture of another size."""
    known = table.image_inds >= 0
    sizes = table.box_image_sizes
    if not known.any() or (sizes[known] <= 0).any():
        return []
    ends = (table.boxes[known, :2] + table.boxes[known, 2:]) / sizes[known]
    far = np.zeros(len(table.boxes), dtype=bool)
    far[known] = (ends > 1.05).any(axis=1)
    if far.mean() >= 0.05:
        reach = ends.max(axis=0)
        return _finding(
            "error",
            "boxes-of-another-scale",
            far,
            ids,
            f"end outside their image, up to {reach[0]:.2f} of its width and {reach[1]:.2f} of "
            "its height",
            "the boxes belong to pictures of another size: scale them, or correct width and "
            "height of the image records",
        )
    if len(ends) >= 100 and (ends.max(axis=0) <= 0.6).all():
        reach = ends.max(axis=0)
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


def _dropped(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """What mmdet drops, by reason."""
    reasons = table.reasons
    severity: Severity = "error" if not reasons["kept"].any() else "warning"
    found = [
        *_finding(
            severity,
            "box-outside-image",
            reasons["outside"] & (table.box_image_sizes > 0).all(axis=1),
            ids,
            "lie outside their image: mmdet drops them without a word",
            "correct the boxes, or the width and height of the image records",
        ),
        *_finding(
            severity,
            "no-area",
            reasons["no_area"],
            ids,
            "have an area of 0 or less: mmdet drops them without a word",
            "write area as width times height, and remove boxes without extent",
        ),
        *_finding(
            severity,
            "box-below-one-pixel",
            reasons["tiny"],
            ids,
            "are narrower or lower than one pixel: mmdet drops them without a word",
            "remove them, or correct their scale",
        ),
        *_finding(
            "error" if reasons["ignored"].all() else "note",
            "ignored-objects",
            reasons["ignored"],
            ids,
            'have "ignore": 1: mmdet drops them, and their places count as background; '
            "ThermalCocoDataset ignores their places",
            'write "iscrowd": 1 instead for data sets of mmdet',
        ),
        *_finding(
            "note",
            "other-classes",
            reasons["other_class"] & (table.category_inds >= 0),
            ids,
            "belong to classes that the training does not ask for: their places count as "
            "background for mmdet; ThermalCocoDataset ignores them",
            "add the classes to metainfo.classes; ThermalCocoDataset(left_out='background') does "
            "as mmdet",
        ),
    ]
    return found


def _partly_outside(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes that cross the border by more than a pixel."""
    kept = table.kept
    ends = table.boxes[:, :2] + table.boxes[:, 2:]
    crossing = (table.boxes[:, :2] < -1).any(axis=1) | (ends > table.box_image_sizes + 1).any(
        axis=1
    )
    return _finding(
        "note",
        "box-over-the-border",
        kept & crossing,
        ids,
        "reach over the border of their image by more than a pixel",
        "clip them where the annotation guidelines ask for visible parts",
    )


def _duplicates(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """The same box twice in an image."""
    kept = np.flatnonzero(table.kept & ~table.crowd)
    if not kept.size:
        return []
    rows = np.column_stack(
        [table.image_inds[kept], table.boxes[kept].round(2), table.category_inds[kept]]
    )
    order = np.lexsort(rows.T[::-1])
    rows, kept = rows[order], kept[order]
    same_box = (rows[1:, :5] == rows[:-1, :5]).all(axis=1)
    same_class = rows[1:, 5] == rows[:-1, 5]
    twice, both = np.zeros((2, len(table.boxes)), dtype=bool)
    twice[kept[1:][same_box & same_class]] = True
    both[kept[1:][same_box & ~same_class]] = True
    return [
        *_finding(
            "warning",
            "duplicate-box",
            twice,
            ids,
            "repeat a box of the same class in the same image",
            "remove the repetitions: one of the two can never be found, so that AP falls",
        ),
        *_finding(
            "warning",
            "box-of-two-classes",
            both,
            ids,
            "have exactly the box of an object of another class",
            "keep the right class",
        ),
    ]


def _crowd(table: Table) -> list[Finding]:
    """Crowd regions, and files that mark everything as one."""
    kept = table.kept
    crowd = kept & table.crowd
    count, total = int(crowd.sum()), int(kept.sum())
    if not count:
        return []
    if count == total:
        return [
            Finding(
                "error",
                "all-crowd",
                f'all {count} annotations have "iscrowd": 1: nothing is left to learn',
                'write "iscrowd": 0 for objects; 1 is for regions that must not count',
                count=count,
                total=total,
            )
        ]
    return [
        Finding(
            "warning" if count > total / 2 else "note",
            "crowd-regions",
            f"{count} of {total} annotations are crowd regions: they are neither objects nor "
            "background",
            'write "iscrowd": 0 for what should be found',
            count=count,
            total=total,
        )
    ]
