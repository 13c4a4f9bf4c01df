"""What every dense head with the composite loss shares."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from mmdet.models.task_modules.samplers import PseudoSampler
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import get_box_tensor
from mmdet.utils import ConfigType
from torch import Tensor

from mmthermal.common.checks import check_finite, did_you_mean
from mmthermal.functional.focal import TrueRows
from mmthermal.functional.mining import marked
from mmthermal.heads.dense_levels import DenseLevels
from mmthermal.heads.unread_settings import check_replaced_losses
from mmthermal.losses import CompositeLoss, build_composite_loss
from mmthermal.mining import MinedRegions
from mmthermal.samplers import HardNegativeMiner

_TRAIN_CFG_KEYS = ("assigner", "sampler", "allowed_border", "pos_weight", "debug")


class Assigned(NamedTuple):
    """What the targets of a batch say of its anchors.

    Attributes:
        pos_inds: (P,), long, flat indices of the positives, ascending.
        positives: (N, S), bool.
        candidates: (N, S), bool, background anchors that are not ignored.
        counts: (N, 2), numbers of positives and of candidates by image, on the host.
    """

    pos_inds: Tensor
    positives: Tensor
    candidates: Tensor
    counts: list[list[int]]


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

    def assigned(
        self,
        labels: Tensor,
        label_weights: Tensor,
        *,
        ignored: Tensor | None = None,
        **predictions: Sequence[Tensor],
    ) -> Assigned:
        """Find the positives and the candidates for mining, and check the predictions.

        The numbers of both come to the host here, in one transfer with the check: after it no
        shape depends on values, so that a GPU never waits for the host until the losses are done.

        Args:
            labels: (N, S), long; 0 to C - 1, or C for background and for ignored anchors.
            label_weights: (N, S), >= 0; 0 for ignored anchors.
            ignored: (N, S), bool, anchors that are no candidates though they may have a weight
                (:func:`~mmthermal.heads.ignored_regions.on_ignored`); None for none.
            **predictions: by name, one tensor per level.

        Returns:
            what the targets say.

        Raises:
            FloatingPointError: naming the prediction that is not finite, its level and its shape.
        """
        positives = (labels >= 0) & (labels < self.num_classes)
        candidates = (labels == self.num_classes) & (label_weights > 0)
        if ignored is not None:
            candidates = candidates & ~ignored
        numbers = check_finite(
            (
                (f"{name} of level {i} (shape {tuple(level.shape)})", level)
                for name, levels in predictions.items()
                for i, level in enumerate(levels)
            ),
            read=torch.stack(
                [mask.count_nonzero(1) for mask in (positives, candidates)], 1
            ).flatten(),
        )
        counts = [numbers[i : i + 2] for i in range(0, len(numbers), 2)]
        pos_inds = marked(positives.flatten(), sum(num_pos for num_pos, _ in counts))
        return Assigned(pos_inds, positives, candidates, counts)

    def composite_loss(
        self,
        cls_scores: Sequence[Tensor],
        labels: Tensor,
        label_weights: Tensor,
        assigned: Assigned,
        *,
        box_sum: Tensor,
        avg_factor: float,
        box_factor: float | Tensor | None = None,
        min_box_factor: float = 1.0,
    ) -> dict[str, Tensor]:
        """Losses of a batch from the scores and the targets of all anchors.

        Args:
            cls_scores: one (N, A * C, H, W) tensor of logits per level.
            labels: (N, S), long; 0 to C - 1, or C for background and for ignored anchors.
            label_weights: (N, S), >= 0; 0 for ignored anchors.
            assigned: of :meth:`assigned`, which checks the scores.
            box_sum: scalar, the box loss summed over the positives, in the graph of the box
                predictions (also for P = 0).
            avg_factor: mmdet's count of positives.
            box_factor: as in :meth:`CompositeLoss.forward`.
            min_box_factor: as in :meth:`CompositeLoss.forward`.

        Returns:
            the dict of :meth:`CompositeLoss.forward`.
        """
        levels = DenseLevels(cls_scores, self.cls_out_channels)
        pos_inds, positives, candidates, counts = assigned
        regions = self.mined_regions
        strength = None if regions is None else self._mined_strength(regions, cls_scores)
        favoured: dict[str, Tensor] = {}
        if regions is not None and strength is not None:
            factors = torch.where(candidates, regions.loss_weights(strength), 1.0)
            label_weights = label_weights * factors
            if regions.mine_first:
                favoured["first"] = strength > 0
        # sigmoid and the focal loss of a negative rise with its logit: rank by the largest logit
        neg_inds = self.sampler.mine(
            levels.row_max(), candidates, positives, counts=counts, **favoured
        )
        w_dense, _ = self.loss_composite.schedule()
        sampled = w_dense > 0 and self.loss_composite.dense_negatives != "all"
        inds = [pos_inds, neg_inds]
        if sampled:
            number = math.ceil(float(self.loss_composite.dense_negatives) * max(avg_factor, 1))
            inds.append(torch.randint(labels.numel(), (number,), device=labels.device))
        # one read for all: each costs a gradient of the size of the scores
        rows = levels.rows(torch.cat(inds)).split([len(part) for part in inds])
        pos_logits, neg_logits, *_ = rows
        with torch.autocast(cls_scores[0].device.type, enabled=False):
            if not w_dense:
                dense_sum = None
            elif sampled:
                dense_sum = self._sampled_dense_sum(rows, inds, labels, label_weights)
            else:
                dense_sum = self._dense_sum(levels, labels, label_weights, pos_inds)
            return self.loss_composite(
                pos_logits,
                labels.flatten()[pos_inds],
                neg_logits,
                box_sum=box_sum,
                dense_sum=dense_sum,
                avg_factor=avg_factor,
                box_factor=box_factor,
                min_box_factor=min_box_factor,
                pos_weights=label_weights.flatten()[pos_inds],
                neg_weights=label_weights.flatten()[neg_inds],
            )

    def _mined_strength(self, regions: MinedRegions, cls_scores: Sequence[Tensor]) -> Tensor | None:
        """(N, S) how strongly each anchor lies on a mined region; None without any."""
        return regions.strengths(self._priors(cls_scores), len(cls_scores[0]))

    def _priors(self, cls_scores: Sequence[Tensor]) -> Tensor:
        """(S, 4) anchors or (S, 2) points of all levels, those outside of an image among them."""
        sizes = [score.shape[-2:] for score in cls_scores]
        levels = self.prior_generator.grid_priors(sizes, device=cls_scores[0].device)
        return torch.cat([get_box_tensor(level) for level in levels])

    def _dense_sum(
        self, levels: DenseLevels, labels: Tensor, label_weights: Tensor, pos_inds: Tensor
    ) -> Tensor:
        targets = zip(
            levels.levels,
            levels.split(labels),
            levels.split(label_weights),
            levels.true_rows(pos_inds),
            strict=True,
        )
        sums = [
            self.loss_composite.dense_sum(score, label, weight, class_dim=2, true=true)
            for score, label, weight, true in targets
        ]
        return torch.stack(sums).sum()

    def _sampled_dense_sum(
        self,
        rows: Sequence[Tensor],
        inds: Sequence[Tensor],
        labels: Tensor,
        label_weights: Tensor,
    ) -> Tensor:
        """An unbiased estimate of :meth:`_dense_sum` from positives, mined and random negatives.

        The random anchors are drawn with replacement from all M, n of them, and weigh M / n; what
        is no negative or is mined weighs 0.
        """
        (_, _, random), (pos_inds, neg_inds, random_inds) = rows, inds
        others = (labels == self.num_classes).flatten().scatter(0, neg_inds, False)
        factor = others.numel() / max(len(random), 1)
        background = labels.new_full((len(neg_inds) + len(random),), self.num_classes)
        weights = label_weights.flatten()
        return self.loss_composite.dense_sum(
            torch.cat(list(rows)),
            torch.cat([labels.flatten()[pos_inds], background]),
            torch.cat(
                [
                    weights[pos_inds],
                    weights[neg_inds],
                    weights[random_inds] * others[random_inds] * factor,
                ]
            ),
            true=TrueRows((torch.arange(len(pos_inds), device=labels.device),), None),
        )
