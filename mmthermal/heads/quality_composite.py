"""What dense heads with a centerness branch share."""

from collections.abc import Callable, Sequence

import torch
from mmdet.utils import ConfigType, reduce_mean
from torch import Tensor

from mmthermal.common.checks import check_finite
from mmthermal.heads.dense_composite import DenseCompositeMixin
from mmthermal.heads.dense_levels import DenseLevels

# From the flat indices of the positives and their (P, 4) predictions to the decoded predictions,
# the boxes that they are compared with, both (P, 4), and the centerness targets, (P,).
Decode = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


class QualityCompositeMixin(DenseCompositeMixin):
    """Adds centerness, and a box loss weighted by it, to :class:`DenseCompositeMixin`.

    The box term is the head's own ``loss_bbox``, an IoU loss on decoded boxes, weighted and
    normalised by the centerness targets as mmdet does; ``loss_composite.w_box`` multiplies it.
    The centerness loss is mmdet's.
    """

    # What the mmdet head brings.
    loss_centerness: Callable[..., Tensor]

    def init_composite(self, loss_composite: ConfigType) -> None:
        """Build the loss and make sure that there is a miner.

        Args:
            loss_composite: config of ``CompositeLoss``; ``type`` may be left out. ``box_form`` is
                None, and ``w_box`` is 1 unless given.

        Raises:
            ValueError: as :meth:`DenseCompositeMixin.init_composite`, and for a ``box_form``.
        """
        if loss_composite.get("box_form") is not None:
            raise ValueError(
                f"loss_composite.box_form={loss_composite['box_form']!r}: {type(self).__name__} "
                "weighs its own loss_bbox by centerness. Set loss_bbox, and w_box for its weight"
            )
        super().init_composite({"box_form": None, "w_box": 1.0, **loss_composite})

    def quality_loss(
        self,
        cls_scores: Sequence[Tensor],
        bbox_preds: Sequence[Tensor],
        centernesses: Sequence[Tensor],
        labels: Tensor,
        label_weights: Tensor,
        *,
        decode: Decode,
        avg_factor: float,
        min_box_factor: float,
    ) -> dict[str, Tensor]:
        """Losses of a batch from the predictions and the targets of all anchors or points.

        Args:
            cls_scores: one (N, A * C, H, W) tensor of logits per level.
            bbox_preds: one (N, A * 4, H, W) tensor per level.
            centernesses: one (N, A, H, W) tensor of logits per level.
            labels: (N, S), long; 0 to C - 1, or C for background and for ignored anchors.
            label_weights: (N, S), >= 0; 0 for ignored anchors.
            decode: from the flat indices of the positives and their predictions, (P, 4), to
                decoded predictions and targets, both (P, 4), and centerness targets, (P,).
            avg_factor: mmdet's count of positives.
            min_box_factor: mmdet's floor of the sum of centerness targets.

        Returns:
            the dict of ``CompositeLoss.forward`` and ``loss_centerness``.

        Raises:
            FloatingPointError: if a prediction is not finite.
        """
        named = [("bbox_pred", bbox_preds), ("centerness", centernesses)]
        check_finite(
            (f"{name} of level {i} (shape {tuple(level.shape)})", level)
            for name, levels in named
            for i, level in enumerate(levels)
        )
        positives = (labels >= 0) & (labels < self.num_classes)
        pos_inds = positives.flatten().nonzero().squeeze(1)
        mean_factor = reduce_mean(cls_scores[0].new_tensor(float(avg_factor), dtype=torch.float32))
        with torch.autocast(cls_scores[0].device.type, enabled=False):
            deltas = DenseLevels(bbox_preds, 4).rows(pos_inds)
            logits = DenseLevels(centernesses, 1).rows(pos_inds).squeeze(1)
            pred, target, quality = decode(pos_inds, deltas)
            if len(pos_inds):
                box_sum = self.loss_bbox(pred, target, weight=quality, reduction_override="sum")
                loss_centerness = self.loss_centerness(
                    logits, quality, avg_factor=max(float(mean_factor), 1.0)
                )
            else:  # mmdet's IoU of no boxes has no graph
                box_sum, loss_centerness = deltas.sum(), logits.sum()
        losses = self.composite_loss(
            cls_scores,
            labels,
            label_weights,
            box_sum=lambda _: box_sum,
            avg_factor=avg_factor,
            box_factor=float(quality.sum()),
            min_box_factor=min_box_factor,
        )
        return dict(losses, loss_centerness=loss_centerness)
