"""Targets of all images of a batch at once, where mmdet goes from image to image.

mmdet's assignment waits for the GPU at each object of each image, and takes longer there than all
losses together. Shape shorthand: N images, S anchors, B objects of all images.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmdet.models.dense_heads import AnchorHead
from mmdet.models.task_modules.assigners import BboxOverlaps2D, MaxIoUAssigner
from mmdet.structures.bbox import get_box_tensor
from mmdet.utils import InstanceList, OptInstanceList
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmthermal.functional.assignment import assign_max_iou
from mmthermal.heads.ignore_aware_assigner import IgnoreAwareMaxIoUAssigner
from mmthermal.heads.ignored_regions import on_ignored


class BatchedTargets(NamedTuple):
    """What mmdet's ``get_targets`` says, without a box for each anchor.

    Attributes:
        labels: (N, S), long; 0 to C - 1, or C for what is no positive.
        label_weights: (N, S), >= 0; 0 for ignored anchors.
        anchors: (S, 4), the same for all images.
        boxes: (B, 4), objects.
        matched: (N, S), long, index into ``boxes``; of no meaning for what is no positive.
    """

    labels: Tensor
    label_weights: Tensor
    anchors: Tensor
    boxes: Tensor
    matched: Tensor

    def of_positives(self, pos_inds: Tensor) -> tuple[Tensor, Tensor]:
        """Anchors and objects of the positives.

        Args:
            pos_inds: (P,), long, flat indices.

        Returns:
            (P, 4) anchors and (P, 4) objects, in pixels.
        """
        priors = self.anchors[pos_inds % len(self.anchors)]
        return priors, self.boxes[self.matched.flatten()[pos_inds]]


def can_batch(head: Any) -> bool:
    """Whether a head's targets are mmdet's own, so that they can be made for all images at once.

    Args:
        head: an mmdet ``AnchorHead`` with an assigner.

    Returns:
        False for an assigner, IoU or ``get_targets`` of another class, and for settings that
        concern single images.
    """
    own = (AnchorHead.get_targets, AnchorHead._get_targets_single, AnchorHead.get_anchors)
    if any(getattr(type(head), method.__name__) is not method for method in own):
        return False
    assigner = head.assigner
    if type(assigner) not in (MaxIoUAssigner, IgnoreAwareMaxIoUAssigner):
        return False
    iou = assigner.iou_calculator
    return (
        type(iou) is BboxOverlaps2D
        and (iou.scale, iou.dtype) == (1.0, None)
        and isinstance(assigner.neg_iou_thr, float | tuple)
        and assigner.min_pos_iou >= 0
        and assigner.gpu_assign_thr <= 0
        and assigner.perm_repeat_gt_cfg is None
        and (assigner.ignore_iof_thr <= 0 or assigner.ignore_wrt_candidates)
        and head.train_cfg["allowed_border"] < 0
    )


def batched_targets(
    head: Any,
    sizes: Sequence[Sequence[int]],
    batch_gt_instances: InstanceList,
    batch_img_metas: list[dict],
    batch_gt_instances_ignore: OptInstanceList,
    device: torch.device,
) -> BatchedTargets:
    """Make the anchors of a head and assign them, equal to mmdet's ``get_targets``.

    Args:
        head: the head, of which :func:`can_batch` holds.
        sizes: (H, W) of each level.
        batch_gt_instances: the ground truth of each image.
        batch_img_metas: meta information of each image.
        batch_gt_instances_ignore: boxes of each image to leave out.
        device: of the predictions.

    Returns:
        the targets.
    """
    assigner = head.assigner
    levels = head.prior_generator.grid_priors(sizes, device=device)
    anchors = torch.cat([get_box_tensor(level) for level in levels])
    found = [get_box_tensor(each.bboxes) for each in batch_gt_instances]
    counts = torch.tensor([len(boxes) for boxes in found]).to(device, non_blocking=True)
    none = anchors.new_zeros(1, 4)  # so that the tensors have room for one object
    padded = pad_sequence([*found, none], batch_first=True)[:-1]
    regions = batch_gt_instances_ignore if assigner.ignore_iof_thr > 0 else None
    low, high = (
        assigner.neg_iou_thr
        if isinstance(assigner.neg_iou_thr, tuple)
        else (0, assigner.neg_iou_thr)
    )
    left_out = on_ignored(anchors, regions, assigner.ignore_iof_thr)
    inds = assign_max_iou(
        anchors,
        _inside(head, sizes, [meta["pad_shape"][:2] for meta in batch_img_metas], device),
        padded,
        torch.arange(padded.size(1), device=device) < counts[:, None],
        left_out,
        neg_iou_thr=(low, high),
        **{
            name: getattr(assigner, name)
            for name in (
                "pos_iou_thr",
                "min_pos_iou",
                "gt_max_assign_all",
                "match_low_quality",
            )
        },
    )
    if left_out is not None and isinstance(assigner, IgnoreAwareMaxIoUAssigner):
        inds.masked_fill_(left_out & (counts == 0)[:, None], -1)
    positive = inds > 0
    matched = (inds - 1).clamp_(min=0) + (counts.cumsum(0) - counts)[:, None]
    labels = torch.cat([each.labels for each in batch_gt_instances])
    of_matched = (
        labels[matched.clamp(max=len(labels) - 1)] if len(labels) else torch.zeros_like(matched)
    )
    weight = head.train_cfg["pos_weight"]
    label_weights = (inds >= 0).to(anchors)
    if weight > 0:
        label_weights = torch.where(positive, weight, label_weights)
    return BatchedTargets(
        torch.where(positive, of_matched, head.num_classes),
        label_weights,
        anchors,
        torch.cat(found),
        matched,
    )


def _inside(
    head: Any,
    sizes: Sequence[Sequence[int]],
    shapes: Sequence[tuple[int, int]],
    device: torch.device,
) -> Tensor | None:
    """(N, S) bool, which anchors stand on an image's padded shape; None for all of all."""
    if all(
        -(-side // stride) >= size
        for shape in set(map(tuple, shapes))
        for (height, width), (x, y) in zip(sizes, head.prior_generator.strides, strict=True)
        for side, stride, size in ((shape[0], y, height), (shape[1], x, width))
    ):
        return None
    valid = [head.prior_generator.valid_flags(sizes, shape, device) for shape in shapes]
    return torch.stack([torch.cat(levels) for levels in valid])
