"""Composite loss as a registered module: settings, schedule, one call into the maths."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from torch import Tensor, nn

from mmthermal.common.checks import check_choice, check_count, check_range
from mmthermal.functional.box import BOX_FORMS, BOX_NORMS, box_loss
from mmthermal.functional.combined import (
    CLS_NEGATIVES,
    F1_FORMS,
    F1_NEGATIVES,
    F1_NORMALIZE,
    CombinedSums,
    combined_from_sums,
    combined_sums,
)
from mmthermal.functional.fbeta import F1_AVERAGES
from mmthermal.functional.focal import TrueRows, focal_loss_sum
from mmthermal.functional.means import check_mean
from mmthermal.functional.ranking import ap_loss
from mmthermal.losses.over_processes import rows_of_all_processes, sum_over_processes


@MODELS.register_module()
class CompositeLoss(nn.Module):
    r"""The paper's combination of focal and F loss on positives and hard negatives, and a box loss.

    .. math::
        L = w_{dense} L_{dense} + w_{cls} L_{combined} + w_{box} L_{box,pos}, \qquad
        L_{combined} = g_s\bigl(g(L_{cls,pos}, L_{cls,neg}),\; L_F\bigr)

    with :math:`L_{combined}` from
    :func:`~mmthermal.functional.combined.combined_from_sums` and :math:`L_{dense}` the ordinary
    focal loss over all anchors, divided by mmdet's ``avg_factor``. The F term :math:`L_F` is, by
    ``f1_form``, one minus an average precision of the positives against the mined negatives
    (:func:`~mmthermal.functional.ranking.ap_loss`), or the paper's soft F-beta loss. The paper's
    loss is::

        dict(type='CompositeLoss', mean='paper', f1_form='soft', f1_negatives='paper',
             f1_normalize='count', eps=1e-12, w_dense=0, w_box=1, box_form='paper', delta=1)

    whose mean is least where every score is background: without the dense term it collapsed on real
    data from a trained detector, too, so that a warning says so (docs/method.md).

    In training :math:`w_{dense}` is 1 and :math:`w_{cls}` is 0 for the first ``warmup_iters``
    calls; over the next ``ramp_iters`` they go linearly to their settings. The number of calls is
    a buffer, so that it is saved with the weights and a resumed run goes on where it was; so does
    one that starts from them, unless they are averages, whose number mmengine leaves at 1, or the
    head's score layer doesn't fit them (:class:`~mmthermal.engine.CheckpointCheckHook`).

    With several processes the sums are added over them, with autograd, before any ratio, and the
    positives and mined negatives of all are ranked together: the averaged gradient is that of
    one process on the whole batch.

    Args:
        alpha: weight of the true class in the mined focal terms, in [0, 1].
        gamma: focusing exponent of the mined focal terms, >= 0.
        dense_alpha: as ``alpha``, for the dense term.
        dense_gamma: as ``gamma``, for the dense term.
        dense_negatives: ``'all'`` computes the dense term over all anchors; a number estimates it,
            without bias, from the positives, the mined negatives and so many other negatives for
            each positive, drawn at random (docs/maths.md). Dense heads only.
        dense_class_weight: C factors >= 0 of the classes in the dense term, as ``class_weight`` of
            mmdet's CrossEntropyLoss; None for ones.
        mean: ``'shifted'`` or ``'paper'``, see
            :func:`~mmthermal.functional.means.geometric_mean`.
        shift: c of the shifted mean, > 0.
        cls_negatives: ``'separate'`` or ``'joint'``, see
            :func:`~mmthermal.functional.combined.combined_from_sums`.
        f1_form: what the F term is: ``'ranked'``, the average precision over positives and mined
            negatives, class by class, or ``'soft'``, the paper's F-beta.
        f1_share: weight s of the F term in the last mean, in [0, 1]; 0 leaves it out and 1 leaves
            the classification loss out. The paper's is 0.5.
        rank_delta: of ``'ranked'``: ``delta`` of :func:`~mmthermal.functional.ranking.ap_loss`, in
            logits, > 0.
        beta: of ``'soft'``: recall against precision in F-beta, > 0.
        f1_negatives: of ``'soft'``: ``'background'``, ``'paper'``, ``'joint'`` or ``'ignore'``, see
            :func:`~mmthermal.functional.combined.combined_from_sums`.
        f1_average: of ``'soft'``: ``'micro'`` or ``'macro'``.
        f1_normalize: of ``'soft'``: ``'none'``, or ``'count'`` for the paper's division by N.
        eps: the paper's epsilon, > 0; below 1 / (N_pos N_hn) with ``f1_normalize='count'``.
        box_form: ``'smooth_l1'``, ``'huber'`` or ``'paper'``, see
            :func:`~mmthermal.functional.box.box_loss`; ``None`` leaves the box term to the
            head's own ``loss_bbox``.
        box_norm: ``'coordinate'`` or ``'vector'``.
        delta: where the box loss turns linear, >= 0; 0 with ``'smooth_l1'`` is the L1 loss.
        count_empty: divide the box term by mmdet's ``avg_factor``, which counts an image without
            positives as one, instead of by N_pos.
        w_dense: weight of the dense focal term after the ramp, >= 0. 0 is the paper's.
        w_cls: weight of L_combined after the ramp, >= 0.
        w_box: weight of the box term, >= 0.
        warmup_iters: calls with the dense focal term only.
        ramp_iters: calls over which the weights go to their settings.

    Raises:
        TypeError: for a setting of the wrong type, or one that does not exist.
        ValueError: for a setting out of range or unknown, or one that the chosen ``f1_form``
            does not read.

    Source: paper, section 2 and algorithm 2. The dense term, the ranked F term, the shifted mean
    and the treatments of the negatives other than ``'paper'`` are ours.
    """

    num_iters: Tensor
    dense_class_weight: Tensor | None

    def __init__(
        self,
        *,
        alpha: float = 0.25,
        gamma: float = 2.0,
        dense_alpha: float = 0.25,
        dense_gamma: float = 2.0,
        dense_negatives: float | str = "all",
        dense_class_weight: Sequence[float] | None = None,
        mean: str = "shifted",
        shift: float = 0.1,
        cls_negatives: str = "separate",
        f1_form: str = "ranked",
        f1_share: float = 0.5,
        rank_delta: float = 1.0,
        beta: float = 1.0,
        f1_negatives: str = "background",
        f1_average: str = "micro",
        f1_normalize: str = "none",
        eps: float = 1e-6,
        box_form: str | None = "smooth_l1",
        box_norm: str = "coordinate",
        delta: float = 0.0,
        count_empty: bool = False,
        w_dense: float = 1.0,
        w_cls: float = 1.0,
        w_box: float = 2.0,
        warmup_iters: int = 0,
        ramp_iters: int = 0,
    ) -> None:
        super().__init__()
        for name, share in (("alpha", alpha), ("dense_alpha", dense_alpha)):
            check_range(name, share, 0, 1)
        for name, weight in (
            ("gamma", gamma),
            ("dense_gamma", dense_gamma),
            ("w_dense", w_dense),
            ("w_cls", w_cls),
            ("w_box", w_box),
        ):
            check_range(name, weight, 0)
        if isinstance(dense_negatives, str):
            check_choice("dense_negatives", dense_negatives, ("all",))
        else:
            check_range("dense_negatives", dense_negatives, 0, open_low=True)
        for c, weight in enumerate(dense_class_weight or ()):
            check_range(f"dense_class_weight[{c}]", weight, 0)
        check_range("beta", beta, 0, open_low=True)
        check_range("rank_delta", rank_delta, 0, open_low=True)
        check_mean(mean, shift, eps, f1_share, name="f1_share")
        check_choice("cls_negatives", cls_negatives, CLS_NEGATIVES)
        check_choice("f1_form", f1_form, F1_FORMS)
        check_choice("f1_negatives", f1_negatives, F1_NEGATIVES)
        check_choice("f1_average", f1_average, F1_AVERAGES)
        check_choice("f1_normalize", f1_normalize, F1_NORMALIZE)
        check_choice("box_form", box_form, (*BOX_FORMS, None))
        check_choice("box_norm", box_norm, BOX_NORMS)
        check_range("delta", delta, 0, open_low=box_form == "huber")
        check_count("warmup_iters", warmup_iters)
        check_count("ramp_iters", ramp_iters)
        chosen = dict(f1_form=f1_form, mean=mean, box_form=box_form)
        unread: dict[str, dict[str, tuple[Any, Any]]] = {}  # by choice: value and default
        if f1_form == "soft":
            unread["f1_form"] = dict(rank_delta=(rank_delta, 1.0))
        else:
            unread["f1_form"] = dict(
                beta=(beta, 1.0),
                f1_negatives=(f1_negatives, "background"),
                f1_average=(f1_average, "micro"),
                f1_normalize=(f1_normalize, "none"),
            )
        if mean == "paper":
            unread["mean"] = dict(shift=(shift, 0.1))
        if box_form is None:
            unread["box_form"] = dict(delta=(delta, 0.0), box_norm=(box_norm, "coordinate"))
        for choice, settings in unread.items():
            for name, (value, default) in settings.items():
                if value != default:
                    raise ValueError(
                        f"{name}={value!r} is not read with {choice}={chosen[choice]!r}: leave it "
                        f"out, or choose another {choice}"
                    )
        if mean == "paper" and cls_negatives == "separate" and w_cls > 0 and w_dense == 0:
            warnings.warn(
                "mean='paper' with w_dense=0 is least where every score is background, and gets "
                "there from a trained detector, too (docs/method.md). Keep w_dense > 0, or use "
                "mean='shifted'.",
                stacklevel=2,
            )
        if box_form == "paper" and delta not in (0, 1):
            warnings.warn(
                f"box_form='paper' jumps at delta={delta} by {0.5 * delta - 0.5 * delta**2:+.3g}: "
                "it is continuous for delta 0 and 1 only. 'huber' is for every delta.",
                stacklevel=2,
            )
        self.focal = dict(alpha=alpha, gamma=gamma)
        self.dense_focal = dict(alpha=dense_alpha, gamma=dense_gamma)
        self.dense_negatives = dense_negatives
        # A buffer, so that it moves to the device once; a setting, so that no checkpoint holds it.
        columns = None if dense_class_weight is None else torch.tensor(dense_class_weight).float()
        self.register_buffer("dense_class_weight", columns, persistent=False)
        self.f1_form, self.f1_negatives = f1_form, f1_negatives
        self.combine: dict[str, Any] = dict(
            mean=mean,
            shift=shift,
            f1_share=f1_share,
            cls_negatives=cls_negatives,
            f1_negatives=f1_negatives,
            f1_average=f1_average,
            f1_normalize=f1_normalize,
            beta=beta,
            eps=eps,
        )
        self.box_form = box_form
        self.box: dict[str, Any] = dict(form=box_form, norm=box_norm, delta=delta)
        self.count_empty = count_empty
        self.w_dense, self.w_cls, self.w_box = w_dense, w_cls, w_box
        # Ranked only where it is read: by far the dearest of the parts.
        self.ranked = f1_form == "ranked" and w_cls > 0 and f1_share > 0
        self.rank_delta = rank_delta
        self.warmup_iters, self.ramp_iters = warmup_iters, ramp_iters
        self.register_buffer("num_iters", torch.zeros((), dtype=torch.long))
        self._num_iters = 0  # the buffer's value on the host: reading a GPU would make it wait

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._num_iters = int(self.num_iters)

    def schedule(self) -> tuple[float, float]:
        """Weights of the dense term and of L_combined at the present call.

        Returns:
            (w_dense, w_cls), both >= 0.
        """
        if self.warmup_iters == self.ramp_iters == 0:
            return self.w_dense, self.w_cls
        past = self._num_iters - self.warmup_iters
        progress = min(max((past + 1) / (self.ramp_iters + 1), 0.0), 1.0) if past >= 0 else 0.0
        return 1 + (self.w_dense - 1) * progress, self.w_cls * progress

    def box_sum(self, pred: Tensor, target: Tensor) -> Tensor:
        """Box loss summed over the positives.

        Args:
            pred: (P, 4), encoded as ``target``.
            target: (P, 4).

        Returns:
            scalar, non-negative, not yet normalised.
        """
        return box_loss(pred, target, **self.box).sum()

    def dense_sum(
        self,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None,
        *,
        class_dim: int = -1,
        true: TrueRows | None = None,
    ) -> Tensor:
        """Focal loss summed over all anchors, see ``focal_loss_sum`` for the arguments."""
        return focal_loss_sum(
            logits,
            labels,
            weights,
            class_dim=class_dim,
            true=true,
            class_weight=self.dense_class_weight,
            **self.dense_focal,
        )

    def forward(
        self,
        pos_logits: Tensor,
        pos_labels: Tensor,
        neg_logits: Tensor,
        *,
        box_sum: Tensor,
        dense_sum: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        box_factor: float | Tensor | None = None,
        min_box_factor: float = 1.0,
        pos_weights: Tensor | None = None,
        neg_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Losses of one batch and, for the log, their parts.

        Args:
            pos_logits: (P, C), float32, logits of the positives.
            pos_labels: (P,), long, 0 to C - 1.
            neg_logits: (H, C), float32, logits of the mined hard negatives.
            box_sum: scalar, the box loss summed over the positives.
            dense_sum: scalar, the focal loss summed over all anchors; may be None where
                :meth:`schedule` gives it no weight.
            avg_factor: what the dense term is divided by: mmdet's count of positives, of at
                least 1 per image, or of sampled RoIs; the number of positives if None.
            box_factor: what the box term is divided by where ``count_empty`` is False; the number
                of positives if None. A head with a quality branch passes the sum of its weights.
            min_box_factor: floor of the box term's divisor, > 0.
            pos_weights: (P,), non-negative, or None for ones.
            neg_weights: (H,), non-negative, or None for ones.

        Returns:
            ``loss_cls`` and ``loss_bbox``, which join the objective, and detached parts, which do
            not: ``dense, cls_pos, cls_neg, num_pos, num_neg``, by ``f1_form`` ``rank`` or
            ``f1_pos, f1_neg``, and, where it has a weight, ``combined``.
        """
        w_dense, w_cls = self.schedule()
        if self.training:
            self.num_iters += 1
            self._num_iters += 1
        sums = combined_sums(
            pos_logits,
            pos_labels,
            neg_logits,
            f1_negatives=self.f1_negatives,
            pos_weights=pos_weights,
            neg_weights=neg_weights,
            **self.focal,
        )
        if dense_sum is None:
            if w_dense:
                raise ValueError(f"w_dense is {w_dense}, but dense_sum is None")
            dense_sum = torch.zeros_like(sums.num_pos)
        avg_factor = pos_logits.size(0) if avg_factor is None else avg_factor
        box_factor = pos_logits.size(0) if box_factor is None else box_factor
        counts = [
            count.to(sums.num_pos)
            if isinstance(count, Tensor)
            else sums.num_pos.new_full((), count)
            for count in (avg_factor, box_factor)
        ]
        vector = sum_over_processes(
            torch.cat([torch.stack([box_sum, dense_sum, *counts]), sums.to_vector()])
        )
        box_sum, dense_sum, factor, per_box = vector[:4].unbind()
        factor = factor.clamp(min=1)  # after the sum, so that a rank without positives adds none
        sums = CombinedSums.from_vector(vector[4:])
        rank_loss = None
        if self.ranked:
            rows = rows_of_all_processes(
                pos_logits, neg_logits, pos_labels, pos_weights, neg_weights
            )
            rank_loss = ap_loss(delta=self.rank_delta, **rows)
        parts = combined_from_sums(sums, rank_loss=rank_loss, **self.combine)
        per_box = factor if self.count_empty else per_box.clamp(min=min_box_factor)
        dense = dense_sum / factor
        loss_cls = w_dense * dense + w_cls * parts.combined
        log = dict(dense=dense, cls_pos=parts.cls_pos, cls_neg=parts.cls_neg)
        if self.f1_form == "soft":
            log.update(f1_pos=parts.f1_pos, f1_neg=parts.f1_neg)
        elif rank_loss is not None:
            log["rank"] = rank_loss
        if self.w_cls:
            log["combined"] = parts.combined
        log.update(num_pos=sums.num_pos, num_neg=sums.num_neg)
        return dict(
            loss_cls=loss_cls,
            loss_bbox=self.w_box * box_sum / per_box,
            **{name: value.detach() for name, value in log.items()},
        )


def build_composite_loss(cfg: ConfigType, **defaults: Any) -> CompositeLoss:
    """Build a head's composite loss.

    Args:
        cfg: config of the loss; ``type`` may be left out.
        **defaults: what the head wants where ``cfg`` doesn't say.

    Returns:
        the loss.
    """
    return MODELS.build({"type": "CompositeLoss", **defaults, **cfg})
