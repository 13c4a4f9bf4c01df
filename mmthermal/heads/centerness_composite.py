"""What dense heads with a centerness branch share."""

from collections.abc import Callable, Sequence

import torch
from mmdet.utils import ConfigType, reduce_mean
from torch import Tensor

from mmthermal.heads.dense_composite import Assigned, DenseCompositeMixin
from mmthermal.heads.dense_levels import DenseLevels


class CenternessCompositeMixin(DenseCompositeMixin):
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
            ValueError: as :meth:`DenseCompositeMixin.init_composite`, and for a ``box_form`` or
                ``count_empty``.
        """
        if loss_composite.get("count_empty"):
            raise ValueError(
                f"loss_composite.count_empty=True: {type(self).__name__} divides its box loss by "
                "the sum of centerness, not by a count. Leave it out"
            )
        if loss_composite.get("box_form") is not None:
            raise ValueError(
                f"loss_composite.box_form={loss_composite['box_form']!r}: {type(self).__name__} "
                "weighs its own loss_bbox by centerness. Set loss_bbox, and w_box for its weight"
            )
        super().init_composite({"box_form": None, **loss_composite})

    def centerness_loss(
        self,
        cls_scores: Sequence[Tensor],
        centernesses: Sequence[Tensor],
        labels: Tensor,
        label_weights: Tensor,
        assigned: Assigned,
        pos_boxes: Tensor,
        pos_box_targets: Tensor,
        pos_center_targets: Tensor,
        *,
        avg_factor: float,
        min_box_factor: float,
    ) -> dict[str, Tensor]:
        """Losses of a batch from the scores of all anchors and the boxes of the positives.

        Args:
            cls_scores: one (N, A * C, H, W) tensor of logits per level.
            centernesses: one (N, A, H, W) tensor of logits per level, all finite.
            labels: (N, S), long; 0 to C - 1, or C for background and for ignored anchors.
            label_weights: (N, S), >= 0; 0 for ignored anchors.
            assigned: of :meth:`assigned`, which checks all predictions.
            pos_boxes: (P, 4), decoded predictions.
            pos_box_targets: (P, 4), the boxes that they are compared with.
            pos_center_targets: (P,), in [0, 1].
            avg_factor: mmdet's count of positives.
            min_box_factor: mmdet's floor of the sum of centerness targets.

        Returns:
            the dict of ``CompositeLoss.forward`` and ``loss_centerness``.
        """
        pos_inds = assigned.pos_inds
        factor = torch.full((), avg_factor, dtype=torch.float32, device=cls_scores[0].device)
        mean_factor = reduce_mean(factor).clamp(min=1)
        with torch.autocast(cls_scores[0].device.type, enabled=False):
            logits = DenseLevels(centernesses, 1).rows(pos_inds).squeeze(1)
            if len(pos_inds):
                # weighed here: mmdet's IoU losses look at the weights on the host
                box_losses = self.loss_bbox(pos_boxes, pos_box_targets, reduction_override="none")
                box_sum = (box_losses * pos_center_targets).sum()
                loss_centerness = self.loss_centerness(
                    logits, pos_center_targets, avg_factor=mean_factor
                )
            else:  # mmdet's IoU of no boxes has no graph
                box_sum, loss_centerness = pos_boxes.sum(), logits.sum()
        losses = self.composite_loss(
            cls_scores,
            labels,
            label_weights,
            assigned,
            box_sum=box_sum,
            avg_factor=avg_factor,
            box_factor=pos_center_targets.sum(),
            min_box_factor=min_box_factor,
        )
        return dict(losses, loss_centerness=loss_centerness)
