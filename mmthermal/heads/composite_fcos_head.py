"""FCOS' head with the composite loss."""

import torch
from mmdet.models.dense_heads import FCOSHead
from mmdet.registry import MODELS
from mmdet.utils import InstanceList, OptInstanceList
from torch import Tensor

from mmthermal.heads.centerness_composite import CenternessCompositeMixin
from mmthermal.heads.dense_levels import DenseLevels
from mmthermal.heads.ignored_regions import on_ignored


@MODELS.register_module()
class CompositeFCOSHead(CenternessCompositeMixin, FCOSHead):
    """mmdet's ``FCOSHead`` trained by :class:`~mmthermal.losses.CompositeLoss`.

    Layers, targets, centerness, box loss and prediction are mmdet's, so that checkpoints can be
    exchanged with ``FCOSHead``; like it, the head knows no boxes to ignore. ``loss_cls`` only
    says that scores are sigmoid. The settings of the
    :class:`~mmthermal.samplers.HardNegativeMiner` go to ``train_cfg.sampler``.

    Args:
        loss_composite: config of the loss; ``type`` may be left out. ``w_box`` is 1 unless given.
        **kwargs: as ``FCOSHead``.

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
            cls_scores: one (N, C, H, W) tensor of logits per level.
            bbox_preds: one (N, 4, H, W) tensor of distances per level.
            centernesses: one (N, 1, H, W) tensor of logits per level.
            batch_gt_instances: the ground truth of each image.
            batch_img_metas: meta information of each image.
            batch_gt_instances_ignore: boxes of each image in which nothing is mined; in the dense
                term they are background, as in mmdet.

        Returns:
            ``loss_cls``, ``loss_bbox``, ``loss_centerness`` and, detached, the parts for the log.

        Raises:
            FloatingPointError: if a prediction is not finite.
        """
        num_imgs = len(batch_gt_instances)
        points = self.prior_generator.grid_priors(
            [score.shape[-2:] for score in cls_scores],
            dtype=bbox_preds[0].dtype,
            device=bbox_preds[0].device,
        )
        # mmdet's targets of a level are those of all images, one after the other
        labels, distances = (
            torch.cat([level.unflatten(0, (num_imgs, -1)) for level in levels], 1)
            for levels in self.get_targets(points, batch_gt_instances)
        )
        label_weights = torch.ones_like(labels, dtype=torch.float32)
        assigned = self.assigned(
            labels,
            label_weights,
            ignored=on_ignored(torch.cat(points), batch_gt_instances_ignore),
            cls_score=cls_scores,
            bbox_pred=bbox_preds,
            centerness=centernesses,
        )
        pos_inds = assigned.pos_inds
        all_points = torch.cat(points)
        centers = all_points[pos_inds % len(all_points)]
        target = distances.flatten(0, 1)[pos_inds]
        sides = DenseLevels(bbox_preds, 4).rows(pos_inds)
        return self.centerness_loss(
            cls_scores,
            centernesses,
            labels,
            label_weights,
            assigned,
            self.bbox_coder.decode(centers, sides),
            self.bbox_coder.decode(centers, target),
            self.centerness_target(target),
            avg_factor=float(len(pos_inds)),
            min_box_factor=1e-6,
        )
