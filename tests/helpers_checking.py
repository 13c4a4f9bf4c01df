"""A clean little COCO file for the tests of the check, to plant faults in."""

import copy
from typing import Any

_CLEAN: dict[str, Any] = dict(
    images=[
        dict(id=i + 1, file_name=f"{i:03d}.png", width=96, height=64) for i in range(4)
    ],
    categories=[dict(id=1, name="person"), dict(id=2, name="vehicle")],
    annotations=[
        dict(
            id=1 + i,
            image_id=1 + i % 4,
            category_id=1 + i % 2,
            bbox=[3 + i, 5, 8 + i % 3, 18],
            area=18 * (8 + i % 3),
            iscrowd=0,
        )
        for i in range(24)
    ],
)  # fmt: skip


def clean() -> dict[str, Any]:
    """A file of four images and 24 boxes, twelve of each class, without any fault."""
    return copy.deepcopy(_CLEAN)


def codes(findings: list) -> dict[str, str]:
    """Severity by code."""
    return {finding.code: finding.severity for finding in findings}
