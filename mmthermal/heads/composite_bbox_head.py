"""RoI heads with the composite loss, for Faster R-CNN and Cascade R-CNN."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from mmdet.models.losses import accuracy
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead, Shared4Conv1FCBBoxHead
from mmdet.registry import MODELS
from mmdet.structures.bbox import get_box_tensor
from mmdet.utils import ConfigType
from torch import Tensor, nn

from mmthermal.common.checks import check_count, check_finite, check_ratio
from mmthermal.common.processes import several_processes
from mmthermal.functional.mining import hardest, marked, num_hard_negatives
from mmthermal.functional.softmax import one_vs_rest_logits
from mmthermal.losses import build_composite_loss
from mmthermal.mining import MinedRegions
from mmthermal.samplers.over_processes import share_of_hardest


class CompositeBBoxMixin:
    r"""Trains an mmdet ``BBoxHead`` by :class:`~mmthermal.losses.CompositeLoss`.

    Comes before the mmdet head in the bases of a class. Layers, targets and prediction are
    mmdet's, so that checkpoints can be exchanged. The dense term is the head's own ``loss_cls``
    over all sampled RoIs, normalised as mmdet does; the positives and the hard negatives among
    them get the composite on top. Where ``loss_composite.box_form`` is None, the head's default,
    the box term is the head's own ``loss_bbox`` and is divided by the number of RoIs, as in
    mmdet; else it is the composite's, divided by the number of positives.

    A softmax head (C + 1 columns) is read as C one-vs-rest probabilities, those that softmax
    gives, see :func:`~mmthermal.functional.softmax.one_vs_rest_logits`. A sigmoid head has C
    columns, by ``CrossEntropyCustomLoss`` or ``FocalCustomLoss``.

    Args:
        loss_composite: config of the loss; ``type`` may be left out. Unless given, ``box_form`` is
            None, ``w_box`` 1, ``w_cls`` 0.25, ``f1_form`` ``'soft'``, ``f1_negatives``
            ``'joint'`` and ``f1_share`` 0.2, or 0.5 where ``mean`` is ``'paper'``: ranking costs AP
            where the classes compete in a softmax (docs/results.md). The settings of the dense
            term are those of ``loss_cls``.
        neg_ratio: r, hard negatives per positive among the sampled RoIs of the batch, >= 0.
            ``'all'`` takes every sampled negative: right after a sampler that mines.
        min_neg: least number of hard negatives in the batch.
        **kwargs: as the mmdet head.

    Raises:
        TypeError: for a setting of the wrong type.
        ValueError: for a setting out of range, one of the dense term, ``with_reg=False``, or a
            ``loss_cls`` whose columns are neither C + 1 of a softmax nor C of a sigmoid.

    Attributes:
        mined_regions: hard negatives of the whole data set, or None;
            :class:`~mmthermal.engine.HardNegativeMiningHook` sets it (docs/mining.md).
    """

    mined_regions: MinedRegions | None = None

    # What the mmdet head brings.
    num_classes: int
    with_reg: bool
    fc_cls: nn.Linear
    loss_cls: Any
    loss_bbox: Callable[..., Tensor]
    bbox_coder: Any
    custom_activation: bool
    reg_class_agnostic: bool
    reg_decoded_bbox: bool

    def __init__(
        self,
        *args: Any,
        loss_composite: ConfigType = dict(type="CompositeLoss"),  # noqa: B006 (mmdet's idiom)
        neg_ratio: float | str = 3.0,
        min_neg: int = 16,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        check_count("min_neg", min_neg)
        self.neg_ratio = check_ratio("neg_ratio", neg_ratio)
        self.min_neg = min_neg
        if not self.with_reg:
            raise ValueError(
                f"{type(self).__name__}: with_reg=False leaves no boxes, without which its loss is "
                "not computed: take mmdet's head for classes alone"
            )
        self.use_softmax = not getattr(self.loss_cls, "use_sigmoid", False)
        columns = self.num_classes + self.use_softmax
        if self.fc_cls.out_features != columns:
            raise ValueError(
                f"{type(self).__name__}: {type(self.loss_cls).__name__} with "
                f"use_sigmoid={not self.use_softmax} makes {self.fc_cls.out_features} columns for "
                f"{self.num_classes} classes, {columns} are needed. Choose CrossEntropyLoss with "
                "use_sigmoid=False, or CrossEntropyCustomLoss or FocalCustomLoss with "
                f"use_sigmoid=True, num_classes={self.num_classes}"
            )
        unread = [key for key in loss_composite if key.startswith("dense_")]
        if unread:
            raise ValueError(
                f"loss_composite has {', '.join(unread)}, which {type(self).__name__} doesn't "
                "read: its dense term is loss_cls. Set that, such as loss_cls.class_weight"
            )
        f1_form = loss_composite.get("f1_form", "soft")
        self.loss_composite = build_composite_loss(
            loss_composite,
            box_form=None,
            w_box=1.0,
            w_cls=0.25,
            # the paper's mean has no shares
            f1_share=0.5 if loss_composite.get("mean") == "paper" else 0.2,
            f1_form=f1_form,
            **(dict(f1_negatives="joint") if f1_form == "soft" else {}),
        )

    def loss(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor | None,
        rois: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        bbox_targets: Tensor,
        bbox_weights: Tensor,
        reduction_override: str | None = None,
    ) -> dict[str, Tensor]:
        """Losses of the sampled RoIs of a batch.

        Args:
            cls_score: (R, C + 1) or (R, C), logits.
            bbox_pred: (R, 4 * C), or (R, 4) of a class-agnostic head; None where a sampler asks
                for the classification losses only.
            rois: (R, 5), image index and corners.
            labels: (R,), long; C for background.
            label_weights: (R,), >= 0; 0 for ignored RoIs.
            bbox_targets: (R, 4).
            bbox_weights: (R, 4).
            reduction_override: ``'none'`` where a sampler asks for the loss of each RoI.

        Returns:
            ``loss_cls``, ``loss_bbox`` and, for the log, the accuracy and the detached parts. With
            a ``reduction_override``, mmdet's losses, ``loss_cls`` with one value per RoI.

        Raises:
            FloatingPointError: if a prediction is not finite.
        """
        if reduction_override is not None or bbox_pred is None:
            rows = (cls_score, bbox_pred, rois, labels, label_weights, bbox_targets, bbox_weights)
            losses = super().loss(*rows, reduction_override=reduction_override)  # type: ignore[misc]
            if reduction_override == "none" and losses["loss_cls"].dim() > 1:
                losses["loss_cls"] = losses["loss_cls"].flatten(1).sum(1)
            return losses
        positives = (labels >= 0) & (labels < self.num_classes)
        candidates = (labels == self.num_classes) & (label_weights > 0)
        masks = torch.stack([positives, candidates, label_weights > 0])
        num_pos, num_neg, avg_factor = check_finite(  # one transfer to the host for all
            [("cls_score", cls_score), ("bbox_pred", bbox_pred)], read=masks.count_nonzero(1)
        )
        pos_inds = marked(positives, num_pos)
        w_dense, _ = self.loss_composite.schedule()
        with torch.autocast(cls_score.device.type, enabled=False):
            cls_score, bbox_pred = cls_score.float(), bbox_pred.float()
            logits = one_vs_rest_logits(cls_score) if self.use_softmax else cls_score
            label_weights, first = self._with_regions(rois, positives, label_weights)
            neg_inds = self.hard_negatives(
                logits.detach(), candidates, num_pos, num_neg, first=first
            )
            box_sum = self._box_sum(bbox_pred, rois, labels, pos_inds, bbox_targets, bbox_weights)
            dense_sum = None
            if w_dense:
                dense_sum = self.loss_cls(
                    cls_score, labels, label_weights, reduction_override="sum"
                )
            losses = self.loss_composite(
                logits[pos_inds],
                labels[pos_inds],
                logits[neg_inds],
                box_sum=box_sum,
                dense_sum=dense_sum,
                avg_factor=avg_factor,
                box_factor=len(labels) if self.loss_composite.box_form is None else None,
                pos_weights=label_weights[pos_inds],
                neg_weights=label_weights[neg_inds],
            )
        if self.custom_activation:
            losses.update(self.loss_cls.get_accuracy(cls_score, labels))
        else:
            losses["acc"] = accuracy(cls_score, labels)
        return losses

    def _with_regions(
        self, rois: Tensor, positives: Tensor, label_weights: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Weights (R,) that grow on mined regions, and which negatives (R,) come first, or None."""
        regions = self.mined_regions
        strength = None if regions is None else regions.roi_strengths(rois)
        if regions is None or strength is None:
            return label_weights, None
        factors = torch.where(positives, 1.0, regions.loss_weights(strength))
        return label_weights * factors, strength > 0 if regions.mine_first else None

    def hard_negatives(
        self,
        logits: Tensor,
        candidates: Tensor,
        num_pos: int,
        num_candidates: int,
        *,
        first: Tensor | None = None,
    ) -> Tensor:
        """The hardest of the sampled negatives: those with the largest probability of a class.

        With several processes they are ranked together, and each gets its share.

        Args:
            logits: (R, C), of one class against the rest.
            candidates: (R,), bool, the negatives that are not ignored.
            num_pos: number of positives in the batch.
            num_candidates: number of candidates.
            first: (R,), bool, negatives that come before all others; None for none.

        Returns:
            (K,), long, ascending.
        """
        scores = logits.amax(1)
        if several_processes():
            floor = self.min_neg if dist.get_rank() == 0 else 0  # floors are added
            return share_of_hardest(
                scores, candidates, num_pos, ratio=self.neg_ratio, min_neg=floor, first=first
            )
        k = num_hard_negatives(num_pos, num_candidates, ratio=self.neg_ratio, min_neg=self.min_neg)
        if first is not None and len(scores):
            scores = scores.double()  # a float32 score plus the span is exact
            scores = scores + first * (scores.max() - scores.min() + 1)
        return hardest(scores.masked_fill(~candidates, float("-inf")), k)

    def _box_sum(
        self,
        bbox_pred: Tensor,
        rois: Tensor,
        labels: Tensor,
        pos_inds: Tensor,
        bbox_targets: Tensor,
        bbox_weights: Tensor,
    ) -> Tensor:
        if self.reg_decoded_bbox:
            bbox_pred = get_box_tensor(self.bbox_coder.decode(rois[:, 1:], bbox_pred))
        if not self.reg_class_agnostic:
            bbox_pred = bbox_pred.unflatten(1, (self.num_classes, -1))
            pred = bbox_pred[pos_inds, labels[pos_inds]]
        else:
            pred = bbox_pred[pos_inds]
        if not len(pos_inds):
            return pred.sum()
        target = bbox_targets[pos_inds]
        if self.loss_composite.box_form is None:
            weights = bbox_weights[pos_inds]
            return self.loss_bbox(pred, target, weights, reduction_override="sum")
        return self.loss_composite.box_sum(pred, target)


@MODELS.register_module()
class CompositeBBoxHead(CompositeBBoxMixin, Shared2FCBBoxHead):
    """mmdet's ``Shared2FCBBoxHead`` with the composite loss, see :class:`CompositeBBoxMixin`."""


@MODELS.register_module()
class CompositeConvBBoxHead(CompositeBBoxMixin, Shared4Conv1FCBBoxHead):
    """mmdet's ``Shared4Conv1FCBBoxHead``, likewise, see :class:`CompositeBBoxMixin`."""
