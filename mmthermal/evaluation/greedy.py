"""COCO's greedy matching, for many images, subsets and thresholds side by side.

Shapes: D detections, G ground truths, P pairs of both, S subsets, T IoU thresholds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import Bools, Floats, box_iou

Ints = NDArray[np.int64]

MISSED = -1  # in place of a ground truth's index
_PREFERRED = 1 << 20  # lifts ground truths of the subset over ignored ones
_MAX_PAIRS = 1 << 21  # pairs whose IoU is computed in one go: bounds the memory


@dataclass(frozen=True)
class Pairs:
    """Pairs of a detection and a ground truth that overlap enough, sorted by detection, then IoU.

    Args:
        det: (P,) detection of each pair.
        gt: (P,) its ground truth.
        iou: (P,) their IoU as COCO computes it (of the detection's area for a crowd).
    """

    det: Ints
    gt: Ints
    iou: Floats


def find_pairs(
    det_boxes: Floats,
    det_groups: Ints,
    gt_boxes: Floats,
    gt_groups: Ints,
    gt_crowd: Bools,
    *,
    min_iou: float,
) -> Pairs:
    """Find all pairs within a group whose IoU is large enough.

    Args:
        det_boxes: (D, 4) boxes (x, y, width, height).
        det_groups: (D,) group of each, such as its image.
        gt_boxes: (G, 4) boxes.
        gt_groups: (G,) group of each.
        gt_crowd: (G,) crowd flags.
        min_iou: smallest IoU of a pair, more than 0.

    Returns:
        The pairs by detection; those of one detection by rising IoU and, where IoUs are equal,
        in the order of the ground truths.
    """
    order = np.argsort(gt_groups, kind="stable")
    groups = gt_groups[order]
    first = np.searchsorted(groups, det_groups, side="left")
    count = np.searchsorted(groups, det_groups, side="right") - first
    ends = np.cumsum(count)
    found: list[tuple[Ints, Ints, Floats]] = []
    start = 0
    while start < len(count):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _MAX_PAIRS, side="right")))
        part = count[start:stop]
        det = np.repeat(np.arange(start, stop), part)
        within = np.arange(len(det)) - np.repeat(np.cumsum(part) - part, part)
        gt = order[np.repeat(first[start:stop], part) + within]
        iou = box_iou(det_boxes[det], gt_boxes[gt], gt_crowd[gt])
        keep = iou >= min_iou
        found.append((det[keep], gt[keep], iou[keep]))
        start = stop
    if not found:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    det, gt, iou = (np.concatenate(column) for column in zip(*found, strict=True))
    by_iou = np.lexsort((gt, iou, det))
    return Pairs(det[by_iou], gt[by_iou], iou[by_iou])


def match_greedily(
    pairs: Pairs,
    det_groups: Ints,
    gt_ignore: Bools,
    gt_crowd: Bools,
    iou_thrs: Floats,
) -> tuple[Ints, NDArray[np.int32]]:
    """Match as COCO does: the best detection first, each takes the best ground truth left.

    All subsets and thresholds are matched together, and all groups side by side: round r serves
    the r-th detection of every group.

    Args:
        pairs: pairs within groups, at least all with an IoU of the smallest threshold.
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
    thrs = np.minimum(iou_thrs, 1 - 1e-10)  # as in pycocotools
    inds, first, sizes = np.unique(pairs.det, return_index=True, return_counts=True)
    taken = np.full((len(inds), num_sets, len(thrs)), MISSED, dtype=np.int32)
    if not inds.size:
        return inds, taken
    # Rounds: the how-many-eth of its group each detection with pairs is.
    by_group = np.argsort(det_groups[inds], kind="stable")
    _, group_first, group_sizes = np.unique(
        det_groups[inds][by_group], return_index=True, return_counts=True
    )
    rounds = np.empty(len(inds), dtype=np.int64)
    rounds[by_group] = np.arange(len(inds)) - np.repeat(group_first, group_sizes)
    by_round = np.argsort(rounds, kind="stable")
    limits = np.cumsum(np.bincount(rounds))

    preference = np.where(gt_ignore.T, 0, _PREFERRED).astype(np.int32)  # (G, S)
    free = np.ones((num_gts, num_sets, len(thrs)), dtype=bool)
    start = 0
    for stop in limits:
        rows = by_round[start:stop]
        part = sizes[rows]
        offsets = np.cumsum(part) - part
        rank = np.arange(part.sum()) - np.repeat(offsets, part)  # by IoU within the detection
        at = np.repeat(first[rows], part) + rank
        gt = pairs.gt[at]
        value = (preference[gt] + (rank[:, None] + 1)).astype(np.int32)[:, :, None]
        allowed = free[gt]
        allowed &= (pairs.iou[at][:, None] >= thrs)[:, None, :]
        best = np.maximum.reduceat(value * allowed, offsets, axis=0)
        chosen = pairs.gt[np.maximum(first[rows][:, None, None] + best % _PREFERRED - 1, 0)]
        row, subset, thr = np.nonzero(best)
        winner = chosen[row, subset, thr]
        taken[rows[row], subset, thr] = winner
        closed = ~gt_crowd[winner]
        free[winner[closed], subset[closed], thr[closed]] = False
        start = int(stop)
    return inds, taken
