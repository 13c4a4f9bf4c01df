"""How much the ground truths of an image overlap, and the subsets made from that.

Shapes: G ground truths of one image; boxes are COCO's (x, y, width, height) in pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mmthermal.common.boxes import Bools, Floats, box_iou

OVERLAP_KEYS = ("iou", "iou_same", "iou_cross", "covered")
"""What :func:`largest_overlap` measures of each ground truth."""
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
        TypeError: if one is no :class:`Subset`.
        ValueError: if two have the same name, or 'all' is not the set of all.
    """
    found = tuple(subsets)
    for subset in found:
        if not isinstance(subset, Subset):
            raise TypeError(f"{subset!r} is no Subset: write Subset(name, key, above=, upto=)")
    names = [subset.name for subset in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"subset names must differ, these occur twice: {', '.join(twice)}")
    if "all" not in names:
        return (Subset("all"), *found)
    if found[names.index("all")].key is not None:
        raise ValueError("the name 'all' is kept for the subset of all ground truths")
    return found


def largest_overlap(
    boxes_xywh: ArrayLike, category_ids: ArrayLike, iscrowd: ArrayLike
) -> dict[str, Floats]:
    """Measure how much each ground truth of one image overlaps with the others.

    Crowd regions count neither as objects (their values are 0) nor as others. Boxes of no area
    overlap with nothing.

    Args:
        boxes_xywh: (G, 4) boxes, any finite values, width and height at least 0.
        category_ids: (G,) class ids.
        iscrowd: (G,) flags of crowd regions.

    Returns:
        (G,) arrays in [0, 1]: ``iou``, the largest IoU with another ground truth of any class;
        ``iou_same`` and ``iou_cross``, with one of the same class and of another class;
        ``covered``, the share of the box's own area that lies under the union of all others.

    Raises:
        ValueError: if the shapes do not fit or a box has a negative or non-finite value.
    """
    boxes = np.asarray(boxes_xywh, dtype=np.float64).reshape(-1, 4)
    classes, crowd = np.asarray(category_ids).ravel(), np.asarray(iscrowd).ravel().astype(bool)
    if not len(boxes) == len(classes) == len(crowd):
        raise ValueError(
            f"{len(boxes)} boxes, {len(classes)} category ids and {len(crowd)} crowd flags: "
            "one of each per ground truth is needed"
        )
    if not np.isfinite(boxes).all() or (boxes[:, 2:] < 0).any():
        raise ValueError("boxes must be finite with width and height of at least 0")
    result = {key: np.zeros(len(boxes)) for key in OVERLAP_KEYS}
    objects = np.flatnonzero(~crowd)
    if len(objects) < 2:
        return result
    boxes, classes = boxes[objects], classes[objects]
    iou = box_iou(boxes[:, None], boxes[None])
    np.fill_diagonal(iou, 0.0)
    same = classes[:, None] == classes[None]
    result["iou"][objects] = iou.max(axis=1)
    result["iou_same"][objects] = np.where(same, iou, 0.0).max(axis=1)
    result["iou_cross"][objects] = np.where(same, 0.0, iou).max(axis=1)
    touching = np.flatnonzero(iou.max(axis=1) > 0)  # the others keep an exact 0
    if touching.size:
        result["covered"][objects[touching]] = _covered_share(boxes[touching])
    return result


def _covered_share(boxes: Floats) -> Floats:
    """Share of each box that lies under the union of the others, exact for axis-parallel boxes.

    The edges cut the plane into cells; a cell that two or more boxes hold is covered for each of
    them, so one table of sums over such cells answers for all boxes.

    Args:
        boxes: (G, 4) boxes with positive areas.

    Returns:
        (G,) values in [0, 1].
    """
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    xs, x_inds = np.unique(corners[:, [0, 2]], return_inverse=True)
    ys, y_inds = np.unique(corners[:, [1, 3]], return_inverse=True)
    x_inds, y_inds = x_inds.reshape(-1, 2), y_inds.reshape(-1, 2)
    steps = np.zeros((len(ys), len(xs)), dtype=np.int64)
    for row, column, sign in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
        np.add.at(steps, (y_inds[:, row], x_inds[:, column]), sign)
    layers = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
    cells = np.diff(ys)[:, None] * np.diff(xs)[None]
    sums = np.zeros((len(ys), len(xs)))
    sums[1:, 1:] = np.where(layers >= 2, cells, 0.0).cumsum(axis=0).cumsum(axis=1)
    covered = (
        sums[y_inds[:, 1], x_inds[:, 1]]
        - sums[y_inds[:, 0], x_inds[:, 1]]
        - sums[y_inds[:, 1], x_inds[:, 0]]
        + sums[y_inds[:, 0], x_inds[:, 0]]
    )
    share: Floats = np.clip(covered / (boxes[:, 2] * boxes[:, 3]), 0.0, 1.0)
    return share
