"""Hard-negative sampler for RoI heads."""

from typing import Any

import torch
from mmcv.ops import nms
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import OHEMSampler
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox2roi, get_box_tensor
from torch import Tensor

from mmthermal.common.checks import check_count, check_range, check_ratio
from mmthermal.functional.mining import hardest, num_hard_negatives


@TASK_UTILS.register_module()
class HardNegativeSampler(OHEMSampler):
    r"""Takes the positives of an image and the hardest of its negatives in proportion.

    Goes to ``train_cfg.rcnn.sampler`` of a two-stage detector, or to that of each cascade stage.
    Beside mmdet's ``OHEMSampler``, on which it builds, it takes

    .. math:: k = \min(\max(\lfloor r N_{pos} \rfloor, \text{min\_neg}), \text{num} - N_{pos})

    negatives of each image instead of filling up to ``num``, works with losses that have a value
    for each class, breaks ties by the lower index, can suppress hard negatives that lie on each
    other, and can leave a share to chance. Hardness is the RoI head's own classification loss.

    Args:
        num: most RoIs per image.
        pos_fraction: share of ``num`` that positives may take, in [0, 1]; the hardest of them
            where there are more.
        context: the RoI head, given by mmdet.
        neg_pos_ub: mmdet's upper bound of negatives per positive beside ``ratio``, at least 0, or
            -1 for none. It also bounds ``min_neg``, with an image without positives counted as one.
        ratio: r, negatives per sampled positive, >= 0; ``'all'`` takes all, up to ``num``,
            also without positives.
        min_neg: least number of negatives per image, as far as there are candidates.
        random_share: share of the k negatives drawn at random, by torch's seed, from those that
            are not among the hardest; in [0, 1].
        nms_iou: IoU above which the less hard of two negatives is not a candidate, in (0, 1]; None
            keeps all. The OHEM paper takes 0.7.
        add_gt_as_proposals: whether the ground truth is sampled as positives, too.
        loss_key: the hardness among the losses of the bbox head.

    Raises:
        TypeError: for a setting of the wrong type or one that does not exist, and for a context
            without a bbox head.
        ValueError: for a setting out of range.

    Source: paper, algorithm 2, lines 3 to 10; Shrivastava et al., Training Region-based Object
    Detectors with Online Hard Example Mining, 2016.
    """

    def __init__(
        self,
        num: int,
        pos_fraction: float,
        context: Any = None,
        neg_pos_ub: float = -1,
        *,
        ratio: float | str = 3.0,
        min_neg: int = 16,
        random_share: float = 0.0,
        nms_iou: float | None = None,
        add_gt_as_proposals: bool = True,
        loss_key: str = "loss_cls",
    ) -> None:
        check_count("num", num, 1)
        check_range("pos_fraction", pos_fraction, 0, 1)
        check_range("neg_pos_ub", neg_pos_ub, -1, finite=False)
        ratio = check_ratio("ratio", ratio)
        check_count("min_neg", min_neg)
        check_range("random_share", random_share, 0, 1)
        if nms_iou is not None:
            check_range("nms_iou", nms_iou, 0, 1, open_low=True)
        if getattr(context, "bbox_head", None) is None:
            raise TypeError(
                f"HardNegativeSampler ranks RoIs by the loss of a bbox head, and "
                f"{type(context).__name__} has none: put it at train_cfg.rcnn.sampler of a "
                "two-stage detector. Dense heads and RPNs take HardNegativeMiner"
            )
        super().__init__(
            num,
            pos_fraction,
            context,
            neg_pos_ub=neg_pos_ub,
            add_gt_as_proposals=add_gt_as_proposals,
            loss_key=loss_key,
        )
        self.ratio = ratio
        self.min_neg = min_neg
        self.random_share = random_share
        self.nms_iou = nms_iou

    def hard_mining(
        self, inds: Tensor, num_expected: int, bboxes: Tensor, labels: Tensor, feats: list[Tensor]
    ) -> Tensor:
        """The hardest of some proposals; mmdet's method with an exact choice.

        Args:
            inds: (K,), long, indices of the proposals.
            num_expected: how many to take.
            bboxes: (K, 4), the proposals.
            labels: (K,), long; the number of classes for background.
            feats: feature maps of the image.

        Returns:
            (min(num_expected, K),), long, in the order of ``inds``.
        """
        return inds[hardest(self.roi_losses(bboxes, labels, feats), num_expected)]

    def roi_losses(self, bboxes: Tensor, labels: Tensor, feats: list[Tensor]) -> Tensor:
        """Classification loss of each proposal of an image, without a gradient.

        Args:
            bboxes: (K, 4), the proposals.
            labels: (K,), long; the number of classes for background.
            feats: feature maps of the image.

        Returns:
            (K,), float32: summed over the classes where the loss has a value for each.

        Raises:
            KeyError: if the bbox head has no loss named ``loss_key``.
            FloatingPointError: if a loss is not finite.
        """
        stage = (self.context.current_stage,) if hasattr(self.context, "num_stages") else ()
        with torch.no_grad():
            rois = bbox2roi([bboxes])
            cls_score = self.context._bbox_forward(*stage, feats, rois)["cls_score"]
            losses = self.bbox_head.loss(
                cls_score=cls_score,
                bbox_pred=None,
                rois=rois,
                labels=labels,
                label_weights=cls_score.new_ones(cls_score.size(0)),
                bbox_targets=None,
                bbox_weights=None,
                reduction_override="none",
            )
        # torch before PR 165068 keeps the casts of this pass, which have no graph, for the next
        torch.clear_autocast_cache()
        if self.loss_key not in losses:
            raise KeyError(
                f"loss_key={self.loss_key!r}: {type(self.bbox_head).__name__} has "
                f"{', '.join(losses)}"
            )
        loss = losses[self.loss_key].float()
        if not torch.isfinite(loss).all():
            raise FloatingPointError(
                f"{int((~torch.isfinite(loss)).sum())} of {loss.numel()} values of "
                f"{self.loss_key} are NaN or infinite: lower the learning rate or clip gradients"
            )
        return loss if loss.dim() == 1 else loss.flatten(1).sum(1)

    def _sample_neg(
        self,
        assign_result: AssignResult,
        num_expected: int,
        bboxes: Tensor | None = None,
        feats: list[Tensor] | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Indices of the negatives to sample.

        Args:
            assign_result: what the assigner made of the proposals.
            num_expected: most that mmdet allows: ``num`` less the sampled positives, or fewer
                where ``neg_pos_ub`` says so.
            bboxes: (K, 4), the proposals.
            feats: feature maps of the image.
            **kwargs: not used; mmdet's samplers are called alike.

        Returns:
            long, without duplicates.
        """
        inds = (assign_result.gt_inds == 0).nonzero().squeeze(1)
        num_assigned = int((assign_result.gt_inds > 0).sum())
        num_pos = min(num_assigned, int(self.num * self.pos_fraction))  # as mmdet samples them
        k = num_hard_negatives(num_pos, inds.numel(), ratio=self.ratio, min_neg=self.min_neg)
        k = min(k, num_expected)
        if k == 0 or (k == inds.numel() and self.nms_iou is None):
            return inds[:k]
        assert feats is not None, "mmdet's RoI heads pass the features to their sampler"
        boxes = get_box_tensor(bboxes)[inds]
        labels = inds.new_full(inds.shape, self.bbox_head.num_classes)
        losses = self.roi_losses(boxes, labels, feats)
        if self.nms_iou is not None:
            kept = suppress(boxes, losses, self.nms_iou)
            inds, losses = inds[kept], losses[kept]
            k = min(k, inds.numel())
        hard = hardest(losses, k - int(self.random_share * k))
        rest = torch.ones_like(losses, dtype=torch.bool)
        rest[hard] = False
        left = rest.nonzero().squeeze(1)
        drawn = torch.randperm(left.numel())[: k - hard.numel()].to(left.device)
        return inds[torch.cat([hard, left[drawn]])]


def suppress(boxes: Tensor, losses: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression that keeps the hardest, ties broken by the lower index.

    Args:
        boxes: (K, 4), corners.
        losses: (K,), hardness.
        iou_threshold: IoU above which the less hard of two is dropped.

    Returns:
        long, ascending indices of the boxes that stay.
    """
    ranks = torch.empty_like(losses, dtype=torch.float32)
    order = losses.argsort(descending=True, stable=True)
    # mmcv sorts by score itself, with no rule for ties: ranks have none
    ranks[order] = torch.arange(len(losses), 0, -1, device=losses.device, dtype=torch.float32)
    _, kept = nms(boxes.float().contiguous(), ranks, iou_threshold)
    return kept.sort().values
