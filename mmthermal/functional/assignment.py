"""Which object an anchor is assigned to, for all images of a batch at once.

Shape shorthand: N images, G objects (padded), I ignored regions (padded), S anchors.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

# Overlaps computed at a time: on a CPU what its cache holds, on a GPU what fills it without taking
# much more memory than one image does.
_CPU_CHUNK, _GPU_CHUNK = 2**18, 2**24


def assign_max_iou(
    anchors: Tensor,
    inside: Tensor | None,
    boxes: Tensor,
    real: Tensor,
    left_out: Tensor | None,
    *,
    pos_iou_thr: float,
    neg_iou_thr: tuple[float, float],
    min_pos_iou: float,
    gt_max_assign_all: bool,
    match_low_quality: bool,
) -> Tensor:
    """Assign anchors as mmdet's ``MaxIoUAssigner`` does, without waiting for values.

    No shape depends on a value and there is no loop over objects, so that a GPU never waits for
    the host.

    Args:
        anchors: (S, 4), x1, y1, x2, y2 in pixels, the same for all images.
        inside: (N, S), bool, anchors that take part; None for all.
        boxes: (N, G, 4), objects, as ``anchors``; G >= 1.
        real: (N, G), bool, which of them are no padding.
        left_out: (N, S), bool, anchors on ignored regions, which take no part in images with
            objects; None for none.
        pos_iou_thr: least IoU of a positive.
        neg_iou_thr: IoU of a negative, from the first up to below the second.
        min_pos_iou: least IoU of the best anchors of an object, which are its positives whatever
            ``pos_iou_thr`` says; >= 0.
        gt_max_assign_all: whether all anchors of an object's best IoU become positives, or the
            first of them.
        match_low_quality: whether the best anchors become positives at all.

    Returns:
        (N, S), long: -1 for anchors that are left out, 0 for negatives, g + 1 for positives of
        object g.

    Source: ``mmdet/models/task_modules/assigners/max_iou_assigner.py``, equal in each value.
    """
    found = []
    for part in _chunks(boxes, anchors):
        overlaps = _overlaps(boxes[part], anchors)
        overlaps.masked_fill_(~real[part, :, None], -1)
        if left_out is not None:
            overlaps.masked_fill_(left_out[part, None], -1)
        if inside is not None:
            overlaps.masked_fill_(~inside[part, None], -1)
        best, which = overlaps.max(1)
        negative = (best >= neg_iou_thr[0]) & (best < neg_iou_thr[1])
        inds = torch.where(negative, 0, -1)
        inds = torch.where(best >= pos_iou_thr, which + 1, inds)
        if match_low_quality:
            last = _best_anchors(overlaps, min_pos_iou, gt_max_assign_all)
            inds = torch.where(last > 0, last, inds)
        # mmdet's images without objects are background, ignored regions too
        empty = ~real[part].any(1, keepdim=True)
        found.append(inds.masked_fill(empty if inside is None else empty & inside[part], 0))
    return torch.cat(found)


def covered_share(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Share of each anchor's area that lies in one box, the largest over the boxes.

    Args:
        boxes: (N, G, 4), x1, y1, x2, y2, padded by boxes without area; G >= 1.
        anchors: (S, 4).

    Returns:
        (N, S), 0 to 1.
    """
    parts = _chunks(boxes, anchors)
    return torch.cat([_overlaps(boxes[part], anchors, of_anchor=True).amax(1) for part in parts])


def _chunks(boxes: Tensor, anchors: Tensor) -> Iterator[slice]:
    """Parts of the images, each of which has a fair number of overlaps, but at least one image."""
    limit = _CPU_CHUNK if anchors.device.type == "cpu" else _GPU_CHUNK
    chunk = max(limit // (boxes.size(1) * max(len(anchors), 1)), 1)
    for start in range(0, len(boxes), chunk):
        yield slice(start, start + chunk)


def _best_anchors(overlaps: Tensor, min_pos_iou: float, all_of_them: bool) -> Tensor:
    """(N, S) the last object, from 1, among whose best anchors an anchor is; 0 for none."""
    numbers = torch.arange(1, overlaps.size(1) + 1, device=overlaps.device)
    if all_of_them:
        best = overlaps.amax(2, keepdim=True)
        hit = (overlaps == best) & (best >= min_pos_iou)
        return (hit * numbers[:, None].short()).amax(1).long()
    best, which = overlaps.max(2)
    numbers = numbers * (best >= min_pos_iou)
    none = numbers.new_zeros(len(overlaps), overlaps.size(2))
    return none.scatter_reduce(1, which, numbers, "amax")


def _overlaps(boxes: Tensor, anchors: Tensor, *, of_anchor: bool = False) -> Tensor:
    """IoU, or the share of the anchor: (N, G, 4) with (S, 4) to (N, G, S).

    Each step is rounded as mmdet's ``bbox_overlaps`` rounds it.
    """
    x1, y1, x2, y2 = (side[..., None] for side in boxes.unbind(-1))
    left, top, right, bottom = anchors.unbind(-1)
    width = torch.minimum(x2, right).sub_(torch.maximum(x1, left)).clamp_(min=0)
    height = torch.minimum(y2, bottom).sub_(torch.maximum(y1, top)).clamp_(min=0)
    overlap = width.mul_(height)
    area = (right - left) * (bottom - top)
    if of_anchor:
        return overlap.div_(area.clamp(min=1e-6))
    union = height.copy_(((x2 - x1) * (y2 - y1)) + area).sub_(overlap)
    return overlap.div_(union.clamp_(min=1e-6))
