"""Region proposals with the composite loss."""

from typing import Any

from mmdet.registry import MODELS
from mmdet.utils import InstanceList, OptInstanceList
from torch import Tensor

from mmthermal.heads.anchor_composite import AnchorCompositeMixin
from mmthermal.heads.float32_rpn_head import Float32RPNHead

# mmdet's weights, and the biases of its RetinaNet: each anchor begins as an object with p = .01.
RARE_OBJECTS = dict(
    type="Normal",
    layer="Conv2d",
    std=0.01,
    override=dict(type="Normal", name="rpn_cls", std=0.01, bias_prob=0.01),
)


@MODELS.register_module()
class CompositeRPNHead(AnchorCompositeMixin, Float32RPNHead):
    """mmdet's ``RPNHead`` trained by :class:`~mmthermal.losses.CompositeLoss` over all anchors.

    One class, "object", so that hard negatives are the anchors that look most like one. Layers,
    targets and prediction are mmdet's. ``train_cfg.rpn.sampler`` is a
    :class:`~mmthermal.samplers.HardNegativeMiner` instead of mmdet's random one, which would
    choose before there are scores. Arguments are those of ``RPNHead`` and of
    :class:`~mmthermal.heads.anchor_composite.AnchorCompositeMixin`. Without ``init_cfg`` the scores
    begin at .01: where all anchors begin at ½, as in mmdet, the first dense terms are a hundred
    times as large (Lin et al., Focal loss for dense object detection, section 4.1).
    """

    def __init__(self, *args: Any, init_cfg: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, init_cfg=RARE_OBJECTS if init_cfg is None else init_cfg, **kwargs)

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_gt_instances: InstanceList,
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: OptInstanceList = None,
    ) -> dict[str, Tensor]:
        """Losses from the predictions of all levels together, under the names of an RPN.

        Args:
            cls_scores: one (N, A, H, W) tensor of logits per level.
            bbox_preds: one (N, A * 4, H, W) tensor of box deltas per level.
            batch_gt_instances: the ground truth of each image, labels 0.
            batch_img_metas: meta information of each image.
            batch_gt_instances_ignore: boxes of each image to leave out.

        Returns:
            ``loss_rpn_cls``, ``loss_rpn_bbox`` and, detached, the parts as ``rpn_cls_pos`` and so
            on, apart from those of a composite RoI head.
        """
        losses = super().loss_by_feat(
            cls_scores,
            bbox_preds,
            batch_gt_instances,
            batch_img_metas,
            batch_gt_instances_ignore=batch_gt_instances_ignore,
        )
        joined = {name: losses.pop(name) for name in ("loss_cls", "loss_bbox")}
        return {
            **{name.replace("loss_", "loss_rpn_"): value for name, value in joined.items()},
            **{f"rpn_{name}": value for name, value in losses.items()},
        }
