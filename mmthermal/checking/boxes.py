"""Do a COCO file's boxes mean what they should: inside their image, in pixels, not twice."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmthermal.checking.box_scale import check_corners, check_normalised, check_other_scale
from mmthermal.checking.finding import Finding, Severity, of_annotations, some
from mmthermal.checking.table import Ints, Table
from mmthermal.common.boxes import Bools, box_iou

NEARLY = 0.9
"""IoU above which two boxes of a class are taken for one object, labelled twice."""
_NEXT = 50  # boxes to the right that each is compared with: enough but for columns of tiny ones


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
    scale = [*check_normalised(table, ids), *check_corners(table, ids)]
    return [
        *_image_sizes(table),
        *_sides(table, ids),
        *(scale or check_other_scale(table, ids)),
        *_dropped(table, ids),
        *_areas(table, ids),
        *([] if scale else _partly_outside(table, ids)),
        *_duplicates(table, ids),
        *_crowd(table),
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
    return of_annotations(
        "error",
        "negative-side",
        negative,
        ids,
        "have a negative width or height",
        "write [x, y, width, height] with x, y of the top left corner",
    )


def _dropped(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """What mmdet drops, by reason."""
    reasons = table.reasons
    severity: Severity = "error" if not reasons["kept"].any() else "warning"
    found = [
        *of_annotations(
            severity,
            "box-outside-image",
            reasons["outside"] & (table.box_image_sizes > 0).all(axis=1),
            ids,
            "lie outside their image: mmdet drops them without a word",
            "correct the boxes, or the width and height of the image records",
        ),
        *of_annotations(
            severity,
            "no-area",
            reasons["no_area"],
            ids,
            "have an area of 0 or less: mmdet drops them without a word",
            "write area as width times height, and remove boxes without extent",
        ),
        *of_annotations(
            severity,
            "box-below-one-pixel",
            reasons["tiny"],
            ids,
            "are narrower or lower than one pixel: mmdet drops them without a word",
            "remove them, or correct their scale",
        ),
        *of_annotations(
            "error" if reasons["ignored"].all() else "note",
            "ignored-objects",
            reasons["ignored"],
            ids,
            'have "ignore": 1: mmdet drops them, and their places count as background; '
            "ThermalCocoDataset ignores their places",
            'write "iscrowd": 1 instead for data sets of mmdet',
        ),
        *of_annotations(
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


def _areas(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Areas that are none of a part of their box."""
    width, height = table.boxes[:, 2:].T
    kept = table.kept
    # with a pixel more on each side: some count the pixels from the first to the last
    above = kept & (table.areas > 1.01 * width * height)
    above &= table.areas > (width + 1) * (height + 1)
    below = kept & (table.areas < 0.01 * width * height)
    found = []
    for mask, what, enough in (
        (above, "above width times height", above.any()),
        (below, "below 1 % of width times height", below.sum() > kept.sum() / 2),
    ):
        if enough:
            found += of_annotations(
                "warning",
                "area-differs",
                mask,
                ids,
                f"have an area {what} of their box: COCO's figures of small, medium and large "
                "objects go by it",
                "write area as width times height in pixels, or as the number of a mask's pixels",
            )
    return found


def _partly_outside(table: Table, ids: Sequence[int | str]) -> list[Finding]:
    """Boxes that cross the border by more than a pixel."""
    kept = table.kept
    ends = table.boxes[:, :2] + table.boxes[:, 2:]
    crossing = (table.boxes[:, :2] < -1).any(axis=1) | (ends > table.box_image_sizes + 1).any(
        axis=1
    )
    return of_annotations(
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
        *of_annotations(
            "warning",
            "duplicate-box",
            twice,
            ids,
            "repeat a box of the same class in the same image",
            "remove the repetitions: one of the two can never be found, so that AP falls",
        ),
        *of_annotations(
            "warning",
            "box-of-two-classes",
            both,
            ids,
            "have exactly the box of an object of another class",
            "keep the right class",
        ),
        *of_annotations(
            "warning",
            "near-duplicate-box",
            _near_another(table, kept[~twice[kept]]),
            ids,
            f"have an IoU above {NEARLY:g} with a box of the same class in the same image, as "
            "where two people label one object",
            "keep one box of each object: the second can hardly be found, so that AP falls",
        ),
    ]


def _near_another(table: Table, kept: Ints) -> Bools:
    """(G,) objects of ``kept`` that one before them is nearly equal to."""
    near = np.zeros(len(table.boxes), dtype=bool)
    groups = table.image_inds[kept] * len(table.names) + table.category_inds[kept]
    order = np.lexsort((table.boxes[kept, 1], table.boxes[kept, 0], groups))
    rows, groups = kept[order], groups[order]
    boxes = table.boxes[rows]
    reach = boxes[:, 0] + (1 - NEARLY) * boxes[:, 2]  # beyond it the IoU can't be larger
    first = np.arange(len(rows))
    for step in range(1, _NEXT + 1):
        first = first[: np.searchsorted(first, len(rows) - step)]
        first = first[groups[first] == groups[first + step]]
        first = first[boxes[first + step, 0] < reach[first]]
        pairs = first[box_iou(boxes[first], boxes[first + step]) > NEARLY]
        near[np.maximum(rows[pairs], rows[pairs + step])] = True
    return near


def check_rotations(annotations: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Boxes with an angle, as CVAT writes it into ``attributes``, which no data set here reads.

    Args:
        annotations: (G,) COCO annotations.

    Returns:
        findings.
    """
    mask = np.zeros(len(annotations), dtype=bool)
    mask[[i for i, a in enumerate(annotations) if "attributes" in a and _is_turned(a)]] = True
    return of_annotations(
        "warning",
        "rotated-box",
        mask,
        [annotation["id"] for annotation in annotations],
        "have an attributes.rotation other than 0: their bbox is used as an upright box, beside "
        "the object",
        "write the upright box around each of them; CVAT's bbox is that before the rotation",
    )


def _is_turned(annotation: Mapping[str, Any]) -> bool:
    attributes = annotation["attributes"]
    angle = attributes.get("rotation", 0) if isinstance(attributes, Mapping) else 0
    return isinstance(angle, (int, float)) and math.isfinite(angle) and angle % 180 != 0


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
