"""Named parts of the ground truths, by how much these overlap or by their area.

Shapes: G ground truths.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mmthermal.common.boxes import Bools
from mmthermal.evaluation.overlap import OVERLAP_KEYS

SUBSET_KEYS = (*OVERLAP_KEYS, "area")
"""What a :class:`Subset` may ask of a ground truth."""


@dataclass(frozen=True)
class Subset:
    """A named part of the ground truths; the rest is ignored when the part is evaluated.

    A ground truth belongs to it if ``above < value <= upto``, where ``value`` is what
    :func:`largest_overlap` gives under ``key``. With ``key='area'`` it is COCO's area range
    instead: both ends belong to it, and detections outside the range that match nothing are
    ignored as well.

    Args:
        name: how tables, plots and metric keys call it; unique within a table.
        key: one of ``SUBSET_KEYS``, or None for all ground truths.
        above: lower bound, not part of the subset (part of it for ``key='area'``).
        upto: upper bound, part of the subset.

    Raises:
        ValueError: for an empty name, an unknown key, bounds without a key, a key without
            bounds, or bounds in the wrong order.
    """

    name: str
    key: str | None = None
    above: float | None = None
    upto: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        if not self.name:
            raise ValueError("a subset needs a name, such as 'overlapped'")
        if self.key is None:
            if self.above is not None or self.upto is not None:
                raise ValueError(
                    f"subset {self.name!r} has bounds but no key: choose one of "
                    f"{', '.join(map(repr, SUBSET_KEYS))}"
                )
            return
        if self.key not in SUBSET_KEYS:
            raise ValueError(
                f"subset {self.name!r}: key={self.key!r}: choose one of "
                f"{', '.join(map(repr, SUBSET_KEYS))}, or None for all"
            )
        if self.above is None and self.upto is None:
            raise ValueError(f"subset {self.name!r} has a key but no bound: give above or upto")
        if self.above is not None and self.upto is not None and not self.above < self.upto:
            raise ValueError(
                f"subset {self.name!r}: above={self.above} must be smaller than upto={self.upto}"
            )

    def select(self, values: ArrayLike) -> Bools:
        """Say which values lie in the subset.

        Args:
            values: (G,) measurements of the kind that ``key`` names.

        Returns:
            (G,) mask, all true for the subset of all.
        """
        array = np.asarray(values, dtype=np.float64)
        mask: Bools = np.ones(array.shape, dtype=bool)
        if self.key is None:
            return mask
        if self.above is not None:
            mask &= array >= self.above if self.key == "area" else array > self.above
        if self.upto is not None:
            mask &= array <= self.upto
        return mask

    @property
    def rule(self) -> str:
        """The subset's definition in one short line, for tables and reports."""
        if self.key is None:
            return "all ground truths"
        what = {
            "iou": "largest IoU with another ground truth",
            "iou_same": "largest IoU with another ground truth of its class",
            "iou_cross": "largest IoU with a ground truth of another class",
            "covered": "share of its area covered by other ground truths",
            "area": "area in pixels",
        }[self.key]
        low, high = ("≥", "≤") if self.key == "area" else (">", "≤")
        bounds = []
        if self.above is not None:
            bounds.append(f"{low} {self.above:g}")
        if self.upto is not None:
            bounds.append(f"{high} {self.upto:g}")
        return f"{what} {' and '.join(bounds)}"


DEFAULT_SUBSETS = (
    Subset("all"),
    Subset("overlapped", "iou", above=0.1),
    Subset("overlapped@0.3", "iou", above=0.3),
    Subset("overlapped@0.5", "iou", above=0.5),
    Subset("isolated", "iou", upto=0.1),
    Subset("overlapped_same", "iou_same", above=0.1),
    Subset("overlapped_cross", "iou_cross", above=0.1),
    Subset("covered_0", "covered", upto=0.0),
    Subset("covered_0-25", "covered", above=0.0, upto=0.25),
    Subset("covered_25-50", "covered", above=0.25, upto=0.5),
    Subset("covered_50-100", "covered", above=0.5),
)
"""All objects; overlapped at three thresholds, and the rest; overlap within and across classes;
bins by the covered share (in per cent)."""

AREA_SUBSETS = (
    Subset("small", "area", above=0.0, upto=32.0**2),
    Subset("medium", "area", above=32.0**2, upto=96.0**2),
    Subset("large", "area", above=96.0**2, upto=1e10),
)
"""COCO's own area ranges."""


def check_subsets(subsets: Iterable[Subset]) -> tuple[Subset, ...]:
    """Return the subsets as a tuple, with 'all' first if it was missing.

    Args:
        subsets: the subsets to evaluate.

    Raises:
        TypeError: if one is not a :class:`Subset`.
        ValueError: if two have the same name, or 'all' is not the set of all.
    """
    found = tuple(subsets)
    for subset in found:
        if not isinstance(subset, Subset):
            raise TypeError(f"{subset!r} is not a Subset: write Subset(name, key, above=, upto=)")
    names = [subset.name for subset in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"subset names must differ, these occur twice: {', '.join(twice)}")
    if "all" not in names:
        return (Subset("all"), *found)
    if found[names.index("all")].key is not None:
        raise ValueError("the name 'all' is kept for the subset of all ground truths")
    return found


def to_subset(subset: Subset | Mapping[str, Any]) -> Subset:
    """Make a subset of the dict that a config holds.

    Args:
        subset: a :class:`Subset`, which is returned as it is, or a dict of its arguments.

    Raises:
        ValueError: for arguments that a :class:`Subset` does not take, or wrong values.
    """
    if isinstance(subset, Subset):
        return subset
    try:
        return Subset(**subset)
    except TypeError as error:
        raise ValueError(
            f"subsets: {subset!r} is not a Subset: write "
            "dict(name=..., key=..., above=..., upto=...)"
        ) from error
