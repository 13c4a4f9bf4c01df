"""Are the records of a COCO file what they should be: fields, numbers, ids.

Nothing here looks at what the boxes mean; :mod:`mmthermal.checking.boxes` does. A file of
100,000 images and a million annotations takes about a second: one pass collects the types, and
only where a type is wrong a second one looks for the records.
"""

from collections.abc import Sequence
from typing import Any

from mmthermal.checking.finding import Finding, some
from mmthermal.checking.ids import (
    check_category_names,
    check_file_names,
    check_ids,
    check_references,
)
from mmthermal.checking.numbers import check_bboxes, check_flags, check_numbers

REQUIRED = {
    "images": ("id", "file_name", "width", "height"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox", "area"),
}
"""The fields that mmdet reads of each record."""
_MEANT = {"area": ", the product of width and height of its box or its mask's pixels,"}
UNREADABLE = frozenset(
    (
        "missing-field",
        "no-categories",
        "no-images",
        "not-a-name",
        "not-a-number",
        "not-an-id",
        "not-coco",
    )
)
"""Codes of the errors that leave nothing of a file to work with."""


def check_records(content: Any, *, labelled: bool = True) -> list[Finding]:
    """Check the structure of a COCO file: lists, fields, numbers, ids and what they refer to.

    Args:
        content: what the JSON file holds.
        labelled: whether annotations are needed, as they are for training and evaluation.

    Returns:
        findings; where there is an error among them, the boxes can't be relied on.
    """
    findings = _structure(content, labelled)
    if findings:
        return findings
    annotations = content.get("annotations", [])
    findings = [
        *_fields("images", content["images"]),
        *_fields("categories", content["categories"]),
        *_fields("annotations", annotations),
    ]
    if findings:
        return findings
    findings += check_numbers("images", content["images"], "width")
    findings += check_numbers("images", content["images"], "height")
    findings += check_numbers("annotations", annotations, "area")
    findings += check_bboxes(annotations)
    findings += check_flags(annotations, "iscrowd")
    findings += check_flags(annotations, "ignore")
    for name in REQUIRED:
        findings += check_ids(name, content.get(name, []))
    findings += check_category_names(content["categories"])
    findings += check_file_names(content["images"])
    findings += check_references(content, "image_id", "images", "error")
    findings += check_references(content, "category_id", "categories", "warning")
    return findings


def _structure(content: Any, labelled: bool) -> list[Finding]:
    """Whether the three lists are there and hold records."""
    needed = ("images", "annotations", "categories") if labelled else ("images", "categories")
    keys = list(content) if isinstance(content, dict) else []
    missing = [key for key in needed if key not in keys]
    if missing:
        given = f"it has {', '.join(map(repr, keys[:8]))}" if keys else "it is not an object"
        return [
            Finding(
                "error",
                "not-coco",
                f"not a COCO detection file: it lacks {', '.join(missing)}; {given}",
                "convert the labels with tools/convert.py, or give the right file",
            )
        ]
    for key in (*needed, "annotations"):
        value = content.get(key, [])
        if not isinstance(value, list) or set(map(type, value)) - {dict}:
            return [
                Finding(
                    "error",
                    "not-coco",
                    f"{key!r} is not a list of objects",
                    "write the file anew, with a list of JSON objects under this key",
                )
            ]
    if not content["categories"]:
        return [
            Finding(
                "error",
                "no-categories",
                "the list of categories is empty",
                "list each class with an id and a name under 'categories'",
            )
        ]
    if not content["images"]:
        return [
            Finding(
                "error",
                "no-images",
                "the list of images is empty",
                "give a file that lists images",
            )
        ]
    return []


def _fields(name: str, records: Sequence[dict]) -> list[Finding]:
    """Records without a field that mmdet reads."""
    findings = []
    for field in REQUIRED[name]:
        lacking = [i for i, record in enumerate(records) if field not in record]
        if lacking:
            findings.append(
                Finding(
                    "error",
                    "missing-field",
                    f"{len(lacking)} of {len(records)} {name} lack {field!r}",
                    f"add {field!r}{_MEANT.get(field, '')} to each of them",
                    count=len(lacking),
                    total=len(records),
                    examples=some(f"{name}[{i}]" for i in lacking),
                )
            )
    return findings
