"""Are the records of a COCO file what they should be: fields, numbers, ids.

Nothing here looks at what the boxes mean; :mod:`mmthermal.checking.boxes` does. A file of
100,000 images and a million annotations takes about a second: one pass collects the types, and
only where a type is wrong a second one looks for the records.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from mmthermal.checking.finding import Finding, Severity, some

REQUIRED = {
    "images": ("id", "file_name", "width", "height"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox", "area"),
}
"""The fields that mmdet reads of each record."""
_NUMBERS = {int, float}


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
    findings += _numbers("images", content["images"], "width")
    findings += _numbers("images", content["images"], "height")
    findings += _numbers("annotations", annotations, "area")
    findings += _bboxes(annotations)
    findings += _flags(annotations, "iscrowd")
    findings += _flags(annotations, "ignore")
    for name in REQUIRED:
        findings += _ids(name, content.get(name, []))
    findings += _category_names(content["categories"])
    findings += _file_names(content["images"])
    findings += _references(content, "image_id", "images", "error")
    findings += _references(content, "category_id", "categories", "warning")
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
                    f"add {field!r} to each of them, or convert the set with tools/convert.py",
                    count=len(lacking),
                    total=len(records),
                    examples=some(f"{name}[{i}]" for i in lacking),
                )
            )
    return findings


def _is_number(value: object) -> bool:
    return type(value) in _NUMBERS and math.isfinite(value)  # type: ignore[arg-type]


def _bad(values: Iterable[Any], good: Callable[[Any], bool]) -> list[int]:
    return [i for i, value in enumerate(values) if not good(value)]


def _numbers(name: str, records: Sequence[dict], field: str) -> list[Finding]:
    """Records whose field is null, a string, a truth value, NaN or infinite."""
    values = [record[field] for record in records]
    if not set(map(type, values)) - _NUMBERS and math.isfinite(math.fsum(values)):
        return []
    bad = _bad(values, _is_number)
    if not bad:
        return []
    return [
        Finding(
            "error",
            "not-a-number",
            f"{field} of {len(bad)} of {len(values)} {name} is not a finite number, such as "
            f"{values[bad[0]]!r}",
            "write plain numbers, without quotes; null, NaN and infinities are not numbers",
            count=len(bad),
            total=len(values),
            examples=some(f"{name[:-1]} {records[i]['id']}: {field} {values[i]!r}" for i in bad),
        )
    ]


def _is_bbox(value: object) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))


def _bboxes(annotations: Sequence[dict]) -> list[Finding]:
    """Boxes that are not four finite numbers."""
    boxes = [annotation["bbox"] for annotation in annotations]
    shaped = not set(map(type, boxes)) - {list} and not set(map(len, boxes)) - {4}
    if shaped and not set(map(type, chain.from_iterable(boxes))) - _NUMBERS:
        if math.isfinite(math.fsum(chain.from_iterable(boxes))):
            return []
    bad = _bad(boxes, _is_bbox)
    if not bad:
        return []
    return [
        Finding(
            "error",
            "not-a-number",
            f"bbox of {len(bad)} of {len(boxes)} annotations is not four finite numbers, such as "
            f"{boxes[bad[0]]!r}",
            "write [x, y, width, height] as plain numbers in pixels",
            count=len(bad),
            total=len(boxes),
            examples=some(f"annotation {annotations[i]['id']}: bbox {boxes[i]!r}" for i in bad),
        )
    ]


def _flags(annotations: Sequence[dict], field: str) -> list[Finding]:
    """Flags that are no 0 or 1; a string is true in Python, also "0"."""
    values = [annotation.get(field, 0) for annotation in annotations]
    findings = []
    if not set(map(type, values)) <= {int, bool, float}:
        bad = _bad(values, lambda value: isinstance(value, (int, float)))
        findings.append(
            Finding(
                "error",
                f"{field}-not-a-number",
                f"{field} of {len(bad)} of {len(values)} annotations is {values[bad[0]]!r}: a text "
                "counts as true, so that mmdet ignores these objects",
                f"write {field} as 0 or 1, without quotes",
                count=len(bad),
                total=len(values),
                examples=some(f"annotation {annotations[i]['id']}" for i in bad),
            )
        )
    if field == "iscrowd":
        lacking = sum(field not in annotation for annotation in annotations)
        if lacking:
            findings.append(
                Finding(
                    "warning",
                    "no-iscrowd",
                    f"{lacking} of {len(values)} annotations have no iscrowd",
                    'add "iscrowd": 0: training takes its absence for 0, but pycocotools fails at '
                    "the evaluation",
                    count=lacking,
                    total=len(values),
                )
            )
    return findings


def _hashable(value: object) -> bool:
    return type(value) in (int, str)


def _ids(name: str, records: Sequence[dict]) -> list[Finding]:
    """Ids that are no whole numbers, doubled, or 0 where pycocotools fails with that."""
    ids = [record["id"] for record in records]
    kind = {"images": "image", "categories": "category", "annotations": "annotation"}[name]
    types = set(map(type, ids))
    if types - {int, str}:
        bad = _bad(ids, _hashable)
        return [
            Finding(
                "error",
                "not-an-id",
                f"id of {len(bad)} of {len(ids)} {name} is {ids[bad[0]]!r}",
                "number them 1, 2, 3, …",
                count=len(bad),
                total=len(ids),
                examples=some(f"{name}[{i}]" for i in bad),
            )
        ]
    findings = []
    if str in types:
        texts = [value for value in ids if isinstance(value, str)]
        findings.append(
            Finding(
                "error" if kind == "annotation" or int in types else "warning",
                "string-id",
                f"id of {len(texts)} of {len(ids)} {name} is a text, such as {texts[0]!r}",
                "number them 1, 2, 3, …: pycocotools and many tools work with whole numbers only",
                count=len(texts),
                total=len(ids),
                examples=some(texts),
            )
        )
    if len(set(ids)) < len(ids):
        twice = [value for value, number in Counter(ids).items() if number > 1]
        effect = {
            "image": "one picture of each would vanish and its boxes would go to the other",
            "category": "their objects would be mixed up",
            "annotation": "mmdet stops with an assertion",
        }[kind]
        findings.append(
            Finding(
                "error",
                f"duplicate-{kind}-id",
                f"{len(twice)} {kind} ids occur more than once, such as {twice[0]!r}: {effect}",
                f"give each {kind} its own id; files that were joined must be numbered anew",
                count=len(twice),
                total=len(ids),
                examples=some(twice),
            )
        )
    if kind == "annotation" and 0 in ids:
        findings.append(
            Finding(
                "warning",
                "annotation-id-0",
                "an annotation has the id 0: pycocotools takes a detection that finds it for a "
                "false one",
                "number the annotations from 1 on",
                count=1,
                total=len(ids),
            )
        )
    return findings


def _category_names(categories: Sequence[dict]) -> list[Finding]:
    """Class names that are doubled, or not in the order of their ids."""
    names = [category["name"] for category in categories]
    texts = [name for name in names if isinstance(name, str)]
    if len(texts) < len(names):
        return [
            Finding(
                "error",
                "not-a-name",
                f"{len(names) - len(texts)} of {len(names)} categories have a name that is no text",
                "write the names of the classes in quotes",
                count=len(names) - len(texts),
                total=len(names),
            )
        ]
    findings = []
    twice = [name for name, number in Counter(texts).items() if number > 1]
    if twice:
        findings.append(
            Finding(
                "error",
                "duplicate-category-name",
                f"{len(twice)} class names occur more than once: {', '.join(twice)}",
                "join the categories of one name under one id",
                count=len(twice),
                total=len(names),
                examples=some(twice),
            )
        )
    ids = [category["id"] for category in categories]
    if not set(map(type, ids)) - {int} and ids != sorted(ids):
        findings.append(
            Finding(
                "note",
                "unsorted-categories",
                "the categories are not listed in the order of their ids; mmdet numbers the "
                "classes in the order of the list",
                "list them in the same order in all files of the set",
                total=len(names),
            )
        )
    return findings


def _file_names(images: Sequence[dict]) -> list[Finding]:
    """Files that two image records share."""
    names = [image["file_name"] for image in images]
    if set(map(type, names)) - {str}:
        bad = _bad(names, lambda name: isinstance(name, str))
        return [
            Finding(
                "error",
                "not-a-name",
                f"file_name of {len(bad)} of {len(names)} images is no text, such as "
                f"{names[bad[0]]!r}",
                "write the path of the file, relative to the folder of the images",
                count=len(bad),
                total=len(names),
                examples=some(f"image {images[i]['id']}" for i in bad),
            )
        ]
    if len(set(names)) == len(names):
        return []
    twice = [name for name, number in Counter(names).items() if number > 1]
    return [
        Finding(
            "warning",
            "duplicate-file-name",
            f"{len(twice)} files are listed by more than one image record",
            "list each file once, with all its boxes: objects labelled in the one record are "
            "background in the other",
            count=len(twice),
            total=len(names),
            examples=some(twice),
        )
    ]


def _references(content: dict, field: str, name: str, severity: Severity) -> list[Finding]:
    """Annotations of an image or a category that is not listed."""
    known = {record["id"] for record in content[name] if _hashable(record["id"])}
    annotations = content.get("annotations", [])
    values = [annotation[field] for annotation in annotations]
    if not set(map(type, values)) - {int, str} and known.issuperset(values):
        return []
    bad = _bad(values, lambda value: _hashable(value) and value in known)
    if not bad:
        return []
    return [
        Finding(
            severity,
            f"unknown-{field.replace('_', '-')}",
            f"{len(bad)} of {len(values)} annotations have a {field} that is not listed, such as "
            f"{values[bad[0]]!r}: mmdet drops them without a word",
            f"list it under {name!r} (a text is another id than the number), or remove the "
            "annotations",
            count=len(bad),
            total=len(values),
            examples=some(f"annotation {annotations[i]['id']}: {values[i]!r}" for i in bad),
        )
    ]
