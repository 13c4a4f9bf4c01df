"""Ids and names of a COCO file, and what they refer to."""

from collections import Counter
from collections.abc import Sequence

from mmthermal.checking.finding import Finding, Severity, some
from mmthermal.checking.numbers import bad_inds

_KINDS = {"images": "image", "categories": "category", "annotations": "annotation"}


_MOST = 2**63  # beyond it an evaluation overflows


def _is_id(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer() and abs(value) < _MOST
    return type(value) is str or (type(value) is int and -_MOST <= value < _MOST)


def check_ids(name: str, records: Sequence[dict]) -> list[Finding]:
    """Ids that are no whole numbers, doubled, or 0 where pycocotools fails with that."""
    ids = [record["id"] for record in records]
    kind = _KINDS[name]
    types = set(map(type, ids))
    bad = [] if types == {str} else bad_inds(ids, _is_id)
    if bad:
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
                "error" if int in types else "warning",
                "string-id",
                f"id of {len(texts)} of {len(ids)} {name} is a text, such as {texts[0]!r}",
                "number them 1, 2, 3, …: pycocotools and many tools work with whole numbers only",
                count=len(texts),
                total=len(ids),
                examples=some(texts),
            )
        )
    findings += _doubled(kind, ids)
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


def _doubled(kind: str, ids: Sequence[int | str]) -> list[Finding]:
    """Ids that occur more than once."""
    if len(set(ids)) == len(ids):
        return []
    twice = [value for value, number in Counter(ids).items() if number > 1]
    effect = {
        "image": "one picture of each would vanish and its boxes would go to the other",
        "category": "their objects would be mixed up",
        "annotation": "mmdet stops with an assertion",
    }[kind]
    return [
        Finding(
            "error",
            f"duplicate-{kind}-id",
            f"{len(twice)} {kind} ids occur more than once, such as {twice[0]!r}: {effect}",
            f"give each {kind} its own id; files that were joined must be numbered anew",
            count=len(twice),
            total=len(ids),
            examples=some(twice),
        )
    ]


def check_category_names(categories: Sequence[dict]) -> list[Finding]:
    """Class names that are doubled, or nearly so, or not in the order of their ids."""
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
    findings += _similar(texts)
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


def _similar(names: Sequence[str]) -> list[Finding]:
    """Different names that are one but for capitals and spaces."""
    spelt: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        spelt.setdefault(" ".join(name.split()).casefold(), []).append(name)
    similar = [group for group in spelt.values() if len(group) > 1]
    if not similar:
        return []
    return [
        Finding(
            "warning",
            "similar-category-names",
            f"{sum(map(len, similar))} of {len(names)} class names differ only in capitals or "
            f"spaces: {', '.join(map(repr, similar[0]))}",
            "join them under one id, if they are one class: else its objects are learnt as two",
            count=sum(map(len, similar)),
            total=len(names),
            examples=some(repr(name) for group in similar for name in group),
        )
    ]


def check_file_names(images: Sequence[dict]) -> list[Finding]:
    """Files that two image records share."""
    names = [image["file_name"] for image in images]
    if set(map(type, names)) - {str}:
        bad = bad_inds(names, lambda name: isinstance(name, str))
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


def check_references(content: dict, field: str, name: str, severity: Severity) -> list[Finding]:
    """Annotations of an image or a category that is not listed."""
    known = {record["id"] for record in content[name] if _is_id(record["id"])}
    annotations = content.get("annotations", [])
    values = [annotation[field] for annotation in annotations]
    if not set(map(type, values)) - {int, str} and known.issuperset(values):
        return []
    bad = bad_inds(values, lambda value: _is_id(value) and value in known)
    if not bad:
        return []
    return [
        Finding(
            severity,
            f"unknown-{field.replace('_', '-')}",
            f"{len(bad)} of {len(values)} annotations have an unlisted {field}, such as "
            f"{values[bad[0]]!r}: mmdet drops them without a word",
            f"list it under {name!r} (a text is another id than the number), or remove the "
            "annotations",
            count=len(bad),
            total=len(values),
            examples=some(f"annotation {annotations[i]['id']}: {values[i]!r}" for i in bad),
        )
    ]
