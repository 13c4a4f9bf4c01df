"""What heads with anchors and no quality branch share."""

from collections.abc import Callable
from typing import Any

import torch
from mmdet.structures.bbox import cat_boxes, get_box_tensor
from mmdet.utils import ConfigType, InstanceList, OptInstanceList
from torch import Tensor

from mmthermal.heads.anchor_targets import anchor_targets
from mmthermal.heads.batched_targets import batched_targets, can_batch
from mmthermal.heads.dense_composite import DenseCompositeMixin
from mmthermal.heads.dense_levels import DenseLevels
from mmthermal.heads.ignored_regions import on_ignored


class AnchorCompositeMixin(DenseCompositeMixin):
    """Trains an mmdet ``AnchorHead`` by :class:`~mmthermal.losses.CompositeLoss`.

    Comes before the mmdet head in the bases of a class.

    Args:
        loss_composite: config of the loss; ``type`` may be left out. With ``reg_decoded_bbox``,
            ``box_form`` is None unless given: the head's own ``loss_bbox``, an IoU loss, trains
            boxes in pixels, where the forms of the composite would be far too large. Where it is
            None, ``w_box`` is 1 unless given.
        batched_targets: whether anchors are assigned for all images of a batch at once, equal to
            mmdet's targets; where the assigner is not mmdet's ``MaxIoUAssigner``, mmdet's way
            is taken all the same (:func:`~mmthermal.heads.batched_targets.can_batch`).
        **kwargs: as the mmdet head.

    Raises:
        ValueError: for a softmax ``loss_cls``, a sampler that does not mine, or a setting of
            ``loss_cls`` or ``loss_bbox`` that nothing reads.
    """

    # What the mmdet head brings.
    reg_decoded_bbox: bool
    get_anchors: Callable[..., tuple[list, list]]
    get_targets: Callable[..., tuple]

    def __init__(self, *args: Any, batched_targets: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batched_targets = batched_targets

    def init_composite(self, loss_composite: ConfigType) -> None:
        """Build the loss and make sure that there is a miner.

        Args:
            loss_composite: config of ``CompositeLoss``; ``type`` may be left out.

        Raises:
            ValueError: as :meth:`DenseCompositeMixin.init_composite`.
        """
        own_boxes = dict(box_form=None) if self.reg_decoded_bbox else {}
        super().init_composite({**own_boxes, **loss_composite})

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_gt_instances: InstanceList,
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: OptInstanceList = None,
    ) -> dict[str, Tensor]:
        """Losses from the predictions of all levels together.

        Args:
            cls_scores: one (N, A * C, H, W) tensor of logits per level.
            bbox_preds: one (N, A * 4, H, W) tensor of box deltas per level.
            batch_gt_instances: the ground truth of each image.
            batch_img_metas: meta information of each image.
            batch_gt_instances_ignore: boxes of each image to leave out.

        Returns:
            ``loss_cls``, ``loss_bbox`` and, detached, the parts for the log.

        Raises:
            FloatingPointError: if a prediction is not finite.
        """
        batch = (batch_gt_instances, batch_img_metas, batch_gt_instances_ignore)
        batched = None
        if self.batched_targets and can_batch(self):
            sizes = [score.shape[-2:] for score in cls_scores]
            batched = batched_targets(self, sizes, *batch, device=cls_scores[0].device)
            labels, label_weights, priors = batched[:3]
        else:
            anchor_list, targets, avg_factor = anchor_targets(self, cls_scores, *batch)
            labels, label_weights, bbox_targets, _ = targets
            priors = get_box_tensor(cat_boxes(anchor_list[0]))

        assigned = self.assigned(
            labels,
            label_weights,
            ignored=on_ignored(priors, batch_gt_instances_ignore),
            cls_score=cls_scores,
            bbox_pred=bbox_preds,
        )
        pos_inds = assigned.pos_inds
        with torch.autocast(cls_scores[0].device.type, enabled=False):
            pred = DenseLevels(bbox_preds, self.bbox_coder.encode_size).rows(pos_inds)
            if batched is not None:
                anchors, target = batched.of_positives(pos_inds)
                if not self.reg_decoded_bbox:
                    target = self.bbox_coder.encode(anchors, target)
                avg_factor = sum(max(num_pos, 1) for num_pos, _ in assigned.counts)
            else:
                target = bbox_targets.flatten(0, 1)[pos_inds]
                if self.reg_decoded_bbox:
                    anchors = torch.cat([get_box_tensor(cat_boxes(each)) for each in anchor_list])
                    anchors = anchors[pos_inds]
            if self.reg_decoded_bbox:
                pred = get_box_tensor(self.bbox_coder.decode(anchors, pred))
            box_sum = self._box_sum(pred, target)
        return self.composite_loss(
            cls_scores, labels, label_weights, assigned, box_sum=box_sum, avg_factor=avg_factor
        )

    def _box_sum(self, pred: Tensor, target: Tensor) -> Tensor:
        """Box loss summed over the positives, (P, 4) each: the composite's or the head's own."""
        if self.loss_composite.box_form is not None:
            return self.loss_composite.box_sum(pred, target)
        if not len(pred):  # mmdet's IoU of no boxes has no graph
            return pred.sum()
        return self.loss_bbox(pred, target, reduction_override="sum")
