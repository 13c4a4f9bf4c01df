"""Are the numbers of a COCO file numbers: sizes, areas, boxes, flags.

One pass collects the types; only where a type is wrong a second one looks for the records, so
that a million annotations take about a second.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from mmthermal.checking.finding import Finding, some

_NUMBERS = {int, float}


def _is_number(value: object) -> bool:
    try:
        return type(value) in _NUMBERS and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer too large for a float
        return False


def _all_finite(values: Iterable[float]) -> bool:
    """Whether all are; quick where they are."""
    try:
        return math.isfinite(math.fsum(values))
    except OverflowError:  # the sum is too large, or an integer is for a float
        return False


def bad_inds(values: Iterable[Any], good: Callable[[Any], bool]) -> list[int]:
    """Positions of the values that are not good."""
    return [i for i, value in enumerate(values) if not good(value)]


def check_numbers(name: str, records: Sequence[dict], field: str) -> list[Finding]:
    """Records whose field is null, a string, a truth value, NaN or infinite."""
    values = [record[field] for record in records]
    if not set(map(type, values)) - _NUMBERS and _all_finite(values):
        return []
    bad = bad_inds(values, _is_number)
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


def check_bboxes(annotations: Sequence[dict]) -> list[Finding]:
    """Boxes that are not four finite numbers."""
    boxes = [annotation["bbox"] for annotation in annotations]
    shaped = not set(map(type, boxes)) - {list} and not set(map(len, boxes)) - {4}
    if shaped and not set(map(type, chain.from_iterable(boxes))) - _NUMBERS:
        if _all_finite(chain.from_iterable(boxes)):
            return []
    bad = bad_inds(boxes, _is_bbox)
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


def check_flags(annotations: Sequence[dict], field: str) -> list[Finding]:
    """Flags that are no 0 or 1; all else counts as true in Python, also "0", NaN and -1."""
    values = [annotation.get(field, 0) for annotation in annotations]
    findings = []
    bad: list[int] = []
    if set(map(type, values)) - {int, bool, float} or not {0, 1}.issuperset(values):
        bad = bad_inds(values, lambda value: isinstance(value, (int, float)) and value in (0, 1))
    if bad:
        findings.append(
            Finding(
                "error",
                f"{field}-not-a-number",
                f"{field} of {len(bad)} of {len(values)} annotations is {values[bad[0]]!r}: a text "
                "counts as true, as do NaN and numbers other than 0, so that mmdet ignores these "
                "objects; null fails in an evaluation",
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
