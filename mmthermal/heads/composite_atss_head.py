"""ATSS' head with the composite loss."""

from mmdet.models.dense_heads import ATSSHead
from mmdet.registry import MODELS
from mmdet.utils import InstanceList, OptInstanceList
from torch import Tensor

from mmthermal.heads.anchor_targets import anchor_targets
from mmthermal.heads.centerness_composite import CenternessCompositeMixin
from mmthermal.heads.dense_levels import DenseLevels
from mmthermal.heads.ignored_regions import on_ignored


@MODELS.register_module()
class CompositeATSSHead(CenternessCompositeMixin, ATSSHead):
    """mmdet's ``ATSSHead`` trained by :class:`~mmthermal.losses.CompositeLoss`.

    Layers, targets, centerness, box loss and prediction are mmdet's, so that checkpoints can be
    exchanged with ``ATSSHead``. ``loss_cls`` only says that scores are sigmoid.
    ``train_cfg.sampler`` is a :class:`~mmthermal.samplers.HardNegativeMiner`, or is left out for
    one with its defaults.

    Args:
        loss_composite: config of the loss; ``type`` may be left out. ``w_box`` is 1 unless given.
        **kwargs: as ``ATSSHead``.

    Raises:
        ValueError: for a softmax ``loss_cls``, a sampler that does not mine, or a ``box_form``.
    """

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        centernesses: list[Tensor],
        batch_gt_instances: InstanceList,
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: OptInstanceList = None,
    ) -> dict[str, Tensor]:
        """Losses from the predictions of all levels together.

        Args:
            cls_scores: one (N, A * C, H, W) tensor of logits per level.
            bbox_preds: one (N, A * 4, H, W) tensor of box deltas per level.
            centernesses: one (N, A, H, W) tensor of logits per level.
            batch_gt_instances: the ground truth of each image.
            batch_img_metas: meta information of each image.
            batch_gt_instances_ignore: boxes of each image to leave out.

        Returns:
            ``loss_cls``, ``loss_bbox``, ``loss_centerness`` and, detached, the parts for the log.

        Raises:
            FloatingPointError: if a prediction is not finite.
        """
        _, targets, avg_factor = anchor_targets(
            self, cls_scores, batch_gt_instances, batch_img_metas, batch_gt_instances_ignore
        )
        anchors, labels, label_weights, boxes, _ = targets
        assigned = self.assigned(
            labels,
            label_weights,
            # Not the targets' anchors: those are 0 where the batch is larger than the image.
            ignored=on_ignored(self._priors(cls_scores), batch_gt_instances_ignore),
            cls_score=cls_scores,
            bbox_pred=bbox_preds,
            centerness=centernesses,
        )
        pos_inds = assigned.pos_inds
        priors, target = (t.flatten(0, 1)[pos_inds] for t in (anchors, boxes))
        deltas = DenseLevels(bbox_preds, 4).rows(pos_inds)
        return self.centerness_loss(
            cls_scores,
            centernesses,
            labels,
            label_weights,
            assigned,
            self.bbox_coder.decode(priors, deltas),
            target,
            self.centerness_target(priors, target),
            avg_factor=avg_factor,
            min_box_factor=1.0,
        )
