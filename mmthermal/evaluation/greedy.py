"""COCO's greedy matching, for many images, subsets and thresholds side by side.

Shapes: D detections, G ground truths, P pairs of both, S subsets, T IoU thresholds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import Bools, Floats, box_iou

Ints = NDArray[np.int64]

MISSED = -1  # in place of a ground truth's index
LARGEST_THR = 1 - 1e-10  # as in pycocotools: a threshold of 1 forgives rounding
_PREFERRED = 1 << 20  # lifts ground truths of the subset over ignored ones
_MAX_PAIRS = 1 << 21  # pairs whose IoU is computed in one go: bounds the memory


@dataclass(frozen=True)
class Pairs:
    """Pairs of boxes from two lists that overlap enough, sorted by the first box, then IoU.

    Args:
        first: (P,) index of each pair's box in the first list, such as the detections.
        second: (P,) index of its box in the second list, such as the ground truths.
        iou: (P,) their IoU as COCO computes it (of the first box's area for a crowd).
    """

    first: Ints
    second: Ints
    iou: Floats

    def where(self, mask: Bools) -> "Pairs":
        """Keep the pairs of a (P,) mask."""
        return Pairs(self.first[mask], self.second[mask], self.iou[mask])


def find_pairs(
    first_boxes: Floats,
    first_groups: Ints,
    second_boxes: Floats,
    second_groups: Ints,
    second_crowd: Bools,
    *,
    min_iou: float,
) -> Pairs:
    """Find all pairs within a group whose IoU is large enough.

    Args:
        first_boxes: (D, 4) boxes (x, y, width, height).
        first_groups: (D,) group of each, such as its image.
        second_boxes: (G, 4) boxes.
        second_groups: (G,) group of each.
        second_crowd: (G,) crowd flags.
        min_iou: smallest IoU of a pair, more than 0.

    Returns:
        The pairs by first box; those of one first box by rising IoU and, where IoUs are equal,
        in the order of the second boxes.
    """
    order = np.argsort(second_groups, kind="stable")
    groups = second_groups[order]
    begin = np.searchsorted(groups, first_groups, side="left")
    count = np.searchsorted(groups, first_groups, side="right") - begin
    ends = np.cumsum(count)
    found: list[tuple[Ints, Ints, Floats]] = []
    start = 0
    while start < len(count):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _MAX_PAIRS, side="right")))
        part = count[start:stop]
        first = np.repeat(np.arange(start, stop), part)
        within = np.arange(len(first)) - np.repeat(np.cumsum(part) - part, part)
        second = order[np.repeat(begin[start:stop], part) + within]
        iou = box_iou(first_boxes[first], second_boxes[second], second_crowd[second])
        keep = iou >= min_iou
        found.append((first[keep], second[keep], iou[keep]))
        start = stop
    if not found:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    first, second, iou = (np.concatenate(column) for column in zip(*found, strict=True))
    by_iou = np.lexsort((second, iou, first))
    return Pairs(first[by_iou], second[by_iou], iou[by_iou])


def match_greedily(
    pairs: Pairs,
    det_groups: Ints,
    gt_ignore: Bools,
    gt_crowd: Bools,
    iou_thrs: Floats,
) -> tuple[Ints, NDArray[np.int32]]:
    """Match as COCO does: the best detection first, each takes the best ground truth left.

    All subsets and thresholds are matched together, and all groups side by side.

    Args:
        pairs: detections (first) and ground truths (second) of the same group, at least all with
            an IoU of the smallest threshold.
        det_groups: (D,) group of each detection; within a group a detection with a smaller index
            is served first.
        gt_ignore: (S, G) which ground truths a subset ignores. Crowds must be ignored.
        gt_crowd: (G,) crowd flags; a crowd takes any number of detections.
        iou_thrs: (T,) thresholds.

    Returns:
        ``inds``: (M,) the detections that have any pair, rising; ``taken``: (M, S, T) the ground
        truth that each took, or ``MISSED``.
    """
    num_sets, num_gts = gt_ignore.shape
    thrs = np.minimum(iou_thrs, LARGEST_THR)
    inds, first, sizes = np.unique(pairs.first, return_index=True, return_counts=True)
    taken = np.full((len(inds), num_sets, len(thrs)), MISSED, dtype=np.int32)
    if not inds.size:
        return inds, taken
    by_round, limits = _rounds(det_groups[inds])
    preference = np.where(gt_ignore.T, 0, _PREFERRED).astype(np.int32)  # (G, S)
    free = np.ones((num_gts, num_sets, len(thrs)), dtype=bool)
    start = 0
    for stop in limits:
        rows = by_round[start:stop]
        part = sizes[rows]
        offsets = np.cumsum(part) - part
        rank = np.arange(part.sum()) - np.repeat(offsets, part)  # by IoU within the detection
        at = np.repeat(first[rows], part) + rank
        gt = pairs.second[at]
        value = (preference[gt] + (rank[:, None] + 1)).astype(np.int32)[:, :, None]
        allowed = free[gt]
        allowed &= (pairs.iou[at][:, None] >= thrs)[:, None, :]
        best = np.maximum.reduceat(value * allowed, offsets, axis=0)
        chosen = pairs.second[np.maximum(first[rows][:, None, None] + best % _PREFERRED - 1, 0)]
        row, subset, thr = np.nonzero(best)
        winner = chosen[row, subset, thr]
        taken[rows[row], subset, thr] = winner
        closed = ~gt_crowd[winner]
        free[winner[closed], subset[closed], thr[closed]] = False
        start = int(stop)
    return inds, taken


def _rounds(groups: Ints) -> tuple[Ints, Ints]:
    """Say in which order rounds serve detections, and where in that order each round ends.

    Round r serves the r-th detection of every group.

    Args:
        groups: (M,) group of each detection, M at least 1.

    Returns:
        (M,) detections by round, and (number of rounds,) ends.
    """
    by_group = np.argsort(groups, kind="stable")
    _, first, sizes = np.unique(groups[by_group], return_index=True, return_counts=True)
    rounds = np.empty(len(groups), dtype=np.int64)
    rounds[by_group] = np.arange(len(groups)) - np.repeat(first, sizes)
    return np.argsort(rounds, kind="stable"), np.cumsum(np.bincount(rounds))


def match_once(
    pairs: Pairs, det_groups: Ints, gt_ignore: Bools, gt_crowd: Bools, iou_thr: float
) -> Ints:
    """Match one subset at one threshold; see :func:`match_greedily`.

    Args:
        pairs: detections (first) and ground truths (second) of the same group.
        det_groups: (D,) group of each detection, the one to be served first in front.
        gt_ignore: (G,) which ground truths are ignored. Crowds must be ignored.
        gt_crowd: (G,) crowd flags.
        iou_thr: the threshold.

    Returns:
        (D,) the ground truth that each detection took, or ``MISSED``.
    """
    inds, taken = match_greedily(pairs, det_groups, gt_ignore[None], gt_crowd, np.array([iou_thr]))
    full = np.full(len(det_groups), MISSED, dtype=np.int64)
    full[inds] = taken[:, 0, 0]
    return full
