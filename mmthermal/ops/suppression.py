"""Non-maximum suppression as mmcv's compiled extension computes it, in torch and numpy.

N boxes, sorted by falling score where it says so.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmthermal.ops.torchvision_ops import torchvision_ops

# Rows of the IoU matrix at a time: a compromise between calls of torch and a core's cache.
BLOCK = 256

NAIVE, LINEAR, GAUSSIAN = 0, 1, 2


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Keep each box that no better kept box overlaps by more than the threshold.

    Args:
        boxes: (N, 4), x1, y1, x2, y2.
        scores: (N,).
        iou_threshold: in [0, 1]; a box of exactly this IoU stays.
        offset: 0 or 1, what is added to x2 - x1 and y2 - y1.

    Returns:
        (K,) long, indices of the kept boxes by falling score.
    """
    if not len(boxes):
        return torch.zeros(0, dtype=torch.long, device=boxes.device)
    order = scores.sort(0, descending=True)[1]
    # The compiled operator compares float with float; a double 0.6 is smaller than a float 0.6.
    threshold = float(np.float32(iou_threshold))
    operators = torchvision_ops()
    if operators is not None and offset == 0:
        # Already sorted: torchvision's sort is stable, so that ties keep the order of ours.
        return order[operators.nms(boxes[order], scores[order], threshold)]
    coords = boxes[order].detach().cpu()
    kept = torch.zeros(len(coords), dtype=torch.bool)
    for inds in _independent_parts(coords, offset):
        kept[inds] = _keep_sorted(coords[inds], threshold, offset)
    return order[kept.to(order.device)]


def _independent_parts(boxes: Tensor, offset: int) -> list[Tensor]:
    """Cut boxes at gaps along x, where none on one side overlaps one on the other.

    mmcv moves the classes apart to suppress all at once, so that there is a gap between any two.

    Returns:
        rising indices of each part; parts have at least BLOCK boxes where the gaps allow.
    """
    left, place = boxes[:, 0].sort()
    reach = boxes[place, 2].cummax(0)[0]
    starts = torch.cat([left.new_ones(1).bool(), left[1:] > reach[:-1] + offset])
    number = torch.arange(len(boxes))
    first = torch.where(starts, number, 0).cummax(0)[0]  # where each box's run without gap begins
    part = torch.empty_like(place)
    part[place] = first.div(BLOCK, rounding_mode="floor")
    if not part.any():
        return [number]
    return [(part == each).nonzero()[:, 0] for each in part.unique()]


def _keep_sorted(boxes: Tensor, threshold: float, offset: int) -> Tensor:
    """Return which of the boxes, sorted by falling score, are kept: (N,) bool."""
    kept = torch.zeros(len(boxes), dtype=torch.bool)
    left = torch.arange(len(boxes))
    sides = boxes[:, 2:] - boxes[:, :2] + offset
    coords = torch.cat([boxes.t(), sides.prod(1)[None]])
    while len(left):
        rows = coords[:, :BLOCK]
        over = _iou(rows, coords, offset) > threshold
        inside = _keep_in_block(over[:, : rows.shape[1]])
        kept[left[:BLOCK][inside]] = True
        stays = ~over[inside, BLOCK:].any(0)
        left = left[BLOCK:][stays]
        coords = coords[:, BLOCK:][:, stays]
    return kept


def _keep_in_block(over: Tensor) -> Tensor:
    """Solve one block: a box stays if none that stays before it is over it.

    The rule applied again and again settles box after box from the first on, so that it ends at
    the only solution, mostly after two or three rounds.
    """
    before = over.triu(1).float()
    kept = before.new_ones(len(over))
    while True:
        new = (kept @ before == 0).to(before)
        if torch.equal(new, kept):
            return kept.bool()
        kept = new


def _iou(rows: Tensor, columns: Tensor, offset: int) -> Tensor:
    """IoU of R with C boxes, (5, R) and (5, C) with their areas last: (R, C).

    Each step is rounded as the compiled operator rounds it, so that equal means equal.
    """
    x1, y1, x2, y2, area = rows[:, :, None]
    width = torch.minimum(x2, columns[2]).sub_(torch.maximum(x1, columns[0]))
    height = torch.minimum(y2, columns[3]).sub_(torch.maximum(y1, columns[1]))
    if offset:
        width, height = width.add_(offset), height.add_(offset)
    inter = width.clamp_(min=0).mul_(height.clamp_(min=0))
    return inter.div_((area + columns[4]).sub_(inter))


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Take the best box again and again and lower the scores of those that it overlaps.

    Args:
        boxes: (N, 4), x1, y1, x2, y2.
        scores: (N,).
        dets: (N, 5), filled in place with the K kept boxes and their new scores.
        iou_threshold: from here on the methods 0 and 1 lower scores.
        sigma: of method 2, the Gaussian.
        min_score: a box whose score falls below it is dropped.
        method: 0 drops, 1 multiplies by 1 - IoU, 2 multiplies by exp(-IoU² / sigma).
        offset: 0 or 1, what is added to x2 - x1 and y2 - y1.

    Returns:
        (K,) long, indices of the kept boxes in the order they were taken.
    """
    # One row a box: its corners, its score and its index, moved together as the original does.
    rows = np.empty((len(boxes), 5), np.float32)
    rows[:, :4] = boxes.detach().cpu().numpy()
    rows[:, 4] = scores.detach().cpu().numpy()
    inds = np.arange(len(boxes))
    threshold, width = np.float32(iou_threshold), np.float32(sigma)
    taken, end = 0, len(boxes)
    while taken < end:
        best = taken + int(rows[taken:end, 4].argmax())
        rows[[taken, best]] = rows[[best, taken]]
        inds[[taken, best]] = inds[[best, taken]]
        rest = rows[taken + 1 : end]
        ious = _ious_with_one(rows[taken], rest, offset)
        if method == GAUSSIAN:
            rest[:, 4] *= np.exp(-(ious * ious) / width)
        else:
            rest[ious >= threshold, 4] *= 0 if method == NAIVE else (1 - ious)[ious >= threshold]
        taken += 1
        end = taken + _drop(rest[:, 4] < np.float32(min_score), rest, inds[taken:end])
    dets[:end] = torch.from_numpy(rows[:end]).to(dets)
    return torch.from_numpy(inds[:end].copy())


def _drop(dropped: NDArray[np.bool_], rows: NDArray[np.float32], inds: NDArray[np.int64]) -> int:
    """Drop rows as the original does: the last one that stays fills the first gap.

    Returns:
        how many stay; they are the first ones afterwards.
    """
    count = int((~dropped).sum())
    gaps = np.flatnonzero(dropped[:count])
    fillers = count + np.flatnonzero(~dropped[count:])[::-1]
    rows[gaps], inds[gaps] = rows[fillers], inds[fillers]
    return count


def _ious_with_one(
    box: NDArray[np.float32], others: NDArray[np.float32], offset: int
) -> NDArray[np.float32]:
    """IoU of one box with (M, 4 or more) others, in float32: (M,)."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:4], others[:, 2:4])
    inter = np.maximum(high - low + np.float32(offset), 0).prod(1)
    area = (box[2:4] - box[:2] + np.float32(offset)).prod()
    areas = (others[:, 2:4] - others[:, :2] + np.float32(offset)).prod(1)
    with np.errstate(invalid="ignore", divide="ignore"):  # two boxes of no area: 0 / 0, no overlap
        return np.asarray(inter / (area + areas - inter), np.float32)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group each kept box with those that it suppresses.

    Args:
        dets: (N, 5), x1, y1, x2, y2, score.
        iou_threshold: in [0, 1]; a box of exactly this IoU is suppressed.

    Returns:
        for each kept box, by falling score: its index, then those of the boxes it suppresses.
    """
    order = dets[:, 4].contiguous().sort(0, descending=True)[1].cpu().numpy()
    rows = dets.detach().cpu().numpy().astype(np.float32)[order]
    groups = []
    while len(order):
        over = _ious_with_one(rows[0], rows, 0) >= np.float32(iou_threshold)
        over[0] = False
        groups.append([int(order[0]), *order[over].tolist()])
        over[0] = True
        order, rows = order[~over], rows[~over]
    return groups
