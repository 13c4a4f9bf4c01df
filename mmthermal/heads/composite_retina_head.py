"""RetinaNet's head with the composite loss."""

from mmdet.models.dense_heads import RetinaHead
from mmdet.registry import MODELS

from mmthermal.heads.anchor_composite import AnchorCompositeMixin


@MODELS.register_module()
class CompositeRetinaHead(AnchorCompositeMixin, RetinaHead):
    """mmdet's ``RetinaHead`` trained by :class:`~mmthermal.losses.CompositeLoss`.

    Layers, targets and prediction are mmdet's, so that checkpoints can be exchanged with
    ``RetinaHead``. ``loss_cls`` only says that scores are sigmoid; ``loss_bbox`` is used where
    ``loss_composite.box_form`` is None, the default where boxes are decoded.
    ``train_cfg.sampler`` is a :class:`~mmthermal.samplers.HardNegativeMiner`, or is left out for
    one with its defaults. Arguments are those of ``RetinaHead`` and of
    :class:`~mmthermal.heads.anchor_composite.AnchorCompositeMixin`.
    """
