"""What every dense head with the composite loss shares."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmdet.models.task_modules.samplers import PseudoSampler
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import get_box_tensor
from mmdet.utils import ConfigType
from torch import Tensor

from mmthermal.common.checks import check_finite, did_you_mean
from mmthermal.heads.dense_levels import DenseLevels
from mmthermal.heads.unread_settings import check_replaced_losses
from mmthermal.losses import CompositeLoss, build_composite_loss
from mmthermal.mining import MinedRegions
from mmthermal.samplers import HardNegativeMiner

_TRAIN_CFG_KEYS = ("assigner", "sampler", "allowed_border", "pos_weight", "debug")


def check_levels(**predictions: Sequence[Tensor]) -> None:
    """Raise if a prediction of any level is not finite.

    Args:
        **predictions: by name, one tensor per level.

    Raises:
        FloatingPointError: naming the prediction, the level and its shape.
    """
    check_finite(
        (f"{name} of level {i} (shape {tuple(level.shape)})", level)
        for name, levels in predictions.items()
        for i, level in enumerate(levels)
    )


class DenseCompositeMixin:
    """Mines hard negatives among all anchors and hands the picks to :class:`CompositeLoss`.

    Comes before an mmdet dense head with sigmoid scores in the bases of a class. Such a class
    calls :meth:`composite_loss` from ``loss_by_feat`` with the targets that the mmdet head
    computes (docs/add_your_own_head.md).

    Args:
        loss_composite: config of the loss; ``type`` may be left out. Where ``box_form`` is None,
            so that the head's own ``loss_bbox`` trains the boxes, ``w_box`` is 1 unless given.
        **kwargs: as the mmdet head.

    Raises:
        ValueError: as :meth:`init_composite`, and for a setting of ``loss_cls`` or ``loss_bbox``
            that nothing reads, because ``loss_composite`` takes their place.

    Attributes:
        mined_regions: hard negatives of the whole data set, or None;
            :class:`~mmthermal.engine.HardNegativeMiningHook` sets it (docs/mining.md).
    """

    mined_regions: MinedRegions | None = None

    # What the mmdet head brings.
    train_cfg: ConfigType | None
    use_sigmoid_cls: bool
    cls_out_channels: int
    num_classes: int
    prior_generator: Any
    sampler: Any
    bbox_coder: Any
    loss_bbox: Callable[..., Tensor]

    def __init__(
        self,
        *args: Any,
        loss_composite: ConfigType = dict(type="CompositeLoss"),  # noqa: B006 (mmdet's idiom)
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.init_composite(loss_composite)
        check_replaced_losses(type(self), kwargs, loss_composite, self.loss_composite)

    def init_composite(self, loss_composite: ConfigType) -> None:
        """Build the loss and make sure that there is a miner; heads without anchors get one.

        Args:
            loss_composite: config of :class:`CompositeLoss`; ``type`` may be left out.

        Raises:
            ValueError: if the head's classification is not sigmoid, ``train_cfg`` has a key that
                nothing reads, or its sampler chooses anchors by itself.
        """
        for key in self.train_cfg or ():  # mmdet takes any key, so that a misspelt one does nothing
            if key not in _TRAIN_CFG_KEYS:
                raise ValueError(
                    f"train_cfg has {key!r}, which {type(self).__name__} doesn't read: it reads "
                    f"{', '.join(_TRAIN_CFG_KEYS)}. {did_you_mean(key, _TRAIN_CFG_KEYS)}"
                )
        if not self.use_sigmoid_cls:
            raise ValueError(
                f"{type(self).__name__} needs sigmoid scores: loss_cls must have "
                "use_sigmoid=True, as FocalLoss has"
            )
        own_boxes = "box_form" in loss_composite and loss_composite["box_form"] is None
        self.loss_composite: CompositeLoss = build_composite_loss(
            loss_composite, **(dict(w_box=1.0) if own_boxes else {})
        )
        if not hasattr(self, "sampler"):  # mmdet's heads without anchors build none
            sampler = (self.train_cfg or {}).get("sampler", dict(type="HardNegativeMiner"))
            self.sampler = TASK_UTILS.build(sampler, default_args=dict(context=self))
        if type(self.sampler) is PseudoSampler:  # the dense heads' default, which samples all
            self.sampler = HardNegativeMiner()
        elif not isinstance(self.sampler, HardNegativeMiner):
            name = type(self.sampler).__name__
            raise ValueError(
                f"train_cfg.sampler is a {name}: {type(self).__name__} mines in its loss and needs "
                "dict(type='HardNegativeMiner', ratio=…, min_neg=…), or no sampler for its "
                "defaults"
            )

    def positives(self, labels: Tensor) -> Tensor:
        """Flat indices of the positives.

        Args:
            labels: (N, S), long; 0 to C - 1, or C for background and for ignored anchors.

        Returns:
            (P,), long, ascending indices into the flattened (N * S) anchors.
        """
        return ((labels >= 0) & (labels < self.num_classes)).flatten().nonzero().squeeze(1)

    def composite_loss(
        self,
        cls_scores: Sequence[Tensor],
        labels: Tensor,
        label_weights: Tensor,
        pos_inds: Tensor,
        *,
        box_sum: Tensor,
        avg_factor: float,
        box_factor: float | None = None,
        min_box_factor: float = 1.0,
    ) -> dict[str, Tensor]:
        """Losses of a batch from the scores and the targets of all anchors.

        Args:
            cls_scores: one (N, A * C, H, W) tensor of logits per level.
            labels: (N, S), long; 0 to C - 1, or C for background and for ignored anchors.
            label_weights: (N, S), >= 0; 0 for ignored anchors.
            pos_inds: (P,), long, of :meth:`positives`.
            box_sum: scalar, the box loss summed over the positives, in the graph of the box
                predictions (also for P = 0).
            avg_factor: mmdet's count of positives.
            box_factor: as in :meth:`CompositeLoss.forward`.
            min_box_factor: as in :meth:`CompositeLoss.forward`.

        Returns:
            the dict of :meth:`CompositeLoss.forward`.

        Raises:
            FloatingPointError: if a logit is not finite.
        """
        num_classes = self.cls_out_channels
        check_levels(cls_score=cls_scores)
        levels = DenseLevels(cls_scores, num_classes)
        positives = torch.zeros_like(labels, dtype=torch.bool)
        positives.view(-1)[pos_inds] = True
        candidates = (labels == num_classes) & (label_weights > 0)
        regions = self.mined_regions
        strength = None if regions is None else self._mined_strength(regions, cls_scores)
        favoured: dict[str, Tensor] = {}
        if regions is not None and strength is not None:
            factors = torch.where(candidates, regions.loss_weights(strength), 1.0)
            label_weights = label_weights * factors
            if regions.mine_first:
                favoured["first"] = strength > 0
        # sigmoid and the focal loss of a negative rise with its logit: rank by the largest logit
        neg_inds = self.sampler.mine(levels.row_max(), candidates, positives, **favoured)
        w_dense, *_ = self.loss_composite.schedule()
        with torch.autocast(cls_scores[0].device.type, enabled=False):
            return self.loss_composite(
                levels.rows(pos_inds),
                labels.flatten()[pos_inds],
                levels.rows(neg_inds),
                box_sum=box_sum,
                dense_sum=self._dense_sum(levels, labels, label_weights) if w_dense else None,
                avg_factor=avg_factor,
                box_factor=box_factor,
                min_box_factor=min_box_factor,
                pos_weights=label_weights.flatten()[pos_inds],
                neg_weights=None if strength is None else label_weights.flatten()[neg_inds],
            )

    def _mined_strength(self, regions: MinedRegions, cls_scores: Sequence[Tensor]) -> Tensor | None:
        """(N, S) how strongly each anchor lies on a mined region; None without any."""
        sizes = [score.shape[-2:] for score in cls_scores]
        priors = self.prior_generator.grid_priors(sizes, device=cls_scores[0].device)
        return regions.strengths(
            torch.cat([get_box_tensor(level) for level in priors]), len(cls_scores[0])
        )

    def _dense_sum(self, levels: DenseLevels, labels: Tensor, label_weights: Tensor) -> Tensor:
        targets = zip(levels.levels, levels.split(labels), levels.split(label_weights), strict=True)
        sums = [
            self.loss_composite.dense_sum(score, label, weight, class_dim=2)
            for score, label, weight in targets
        ]
        return torch.stack(sums).sum()
