"""The paper's L_combined of a batch: additive sums first, ratios and means last.

Shape shorthand: P positives, H mined hard negatives, C sigmoid class columns.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from mmthermal.common.checks import check_choice, check_rows
from mmthermal.functional.fbeta import FBetaCounts, fbeta_counts, fbeta_score
from mmthermal.functional.focal import focal_loss
from mmthermal.functional.means import geometric_mean

CLS_NEGATIVES = ("separate", "joint")
F1_FORMS = ("ranked", "soft")
F1_NEGATIVES = ("background", "paper", "joint", "ignore")
F1_NORMALIZE = ("none", "count")


@dataclass(frozen=True)
class CombinedSums:
    """All that L_combined needs to know of a batch, as sums.

    Sums of two halves of a batch, or of two processes, add to those of the whole; ratios and
    means are taken from the total only, by :func:`combined_from_sums`.

    Attributes:
        num_pos: scalar, number of positives.
        num_neg: scalar, number of mined negatives.
        cls_pos: scalar, focal loss summed over the positives.
        cls_neg: scalar, focal loss summed over the mined negatives.
        f1_pos: soft counts over the positives.
        f1_neg: soft counts over the mined negatives, of the classes or of the background.
    """

    num_pos: Tensor
    num_neg: Tensor
    cls_pos: Tensor
    cls_neg: Tensor
    f1_pos: FBetaCounts
    f1_neg: FBetaCounts

    def __add__(self, other: "CombinedSums") -> "CombinedSums":
        """Sums of the union of two disjoint sets."""
        return self.from_vector(self.to_vector() + other.to_vector())

    def to_vector(self) -> Tensor:
        """All sums in one vector, (4 + 8 C,), for one reduction over processes."""
        scalars = [getattr(self, f.name) for f in fields(self)[:4]]
        return torch.cat([torch.stack(scalars), *self.f1_pos, *self.f1_neg])

    @classmethod
    def from_vector(cls, vector: Tensor) -> "CombinedSums":
        """The inverse of :meth:`to_vector`.

        Args:
            vector: (4 + 8 C,).

        Returns:
            the sums, as views of the vector.
        """
        num_pos, num_neg, cls_pos, cls_neg = vector[:4].unbind()
        counts = vector[4:].unflatten(0, (8, -1)).unbind()
        f1_pos, f1_neg = FBetaCounts(*counts[:4]), FBetaCounts(*counts[4:])
        return cls(num_pos, num_neg, cls_pos, cls_neg, f1_pos, f1_neg)


def combined_sums(
    pos_logits: Tensor,
    pos_labels: Tensor,
    neg_logits: Tensor,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    f1_negatives: str = "background",
    pos_weights: Tensor | None = None,
    neg_weights: Tensor | None = None,
) -> CombinedSums:
    r"""Additive sums over the positives and the mined hard negatives.

    The counts of the negatives are, with targets of 0,
    :math:`tp = 0, fp = \sum p, fn = 0`; for ``f1_negatives='background'`` those of the class
    "background" with probability :math:`1 - p` per column and targets of 1.

    Args:
        pos_logits: (P, C), any finite value; P may be 0.
        pos_labels: (P,), long, 0 to C - 1.
        neg_logits: (H, C), any finite value; H may be 0.
        alpha: as in :func:`~mmthermal.functional.focal.focal_loss`.
        gamma: as in :func:`~mmthermal.functional.focal.focal_loss`.
        f1_negatives: as in :func:`combined_from_sums`.
        pos_weights: (P,), non-negative, or None for ones; weighs losses and soft counts, not
            ``num_pos``.
        neg_weights: (H,), likewise.

    Returns:
        the sums.

    Raises:
        ValueError: if the shapes disagree or a setting is unknown or out of range.

    Source: paper, section 2 and algorithm 2, lines 9 to 12.
    """
    check_choice("f1_negatives", f1_negatives, F1_NEGATIVES)
    check_rows("pos_labels", pos_labels, pos_logits.size(0), 1)
    num_classes = pos_logits.size(1)
    if neg_logits.dim() != 2 or neg_logits.size(1) != num_classes:
        raise ValueError(f"neg_logits is {tuple(neg_logits.shape)}, expected (H, {num_classes})")
    columns = torch.arange(num_classes, device=pos_labels.device)
    pos_targets = (pos_labels.unsqueeze(1) == columns).to(pos_logits.dtype)
    neg_targets = torch.zeros_like(neg_logits)
    cls_pos = focal_loss(pos_logits, pos_targets, alpha=alpha, gamma=gamma).sum(1)
    cls_neg = focal_loss(neg_logits, neg_targets, alpha=alpha, gamma=gamma).sum(1)
    if f1_negatives == "background":
        f1_neg = fbeta_counts((-neg_logits).sigmoid(), 1 - neg_targets, neg_weights)
    else:
        f1_neg = fbeta_counts(neg_logits.sigmoid(), neg_targets, neg_weights)
    return CombinedSums(
        # filled on the device: a copy from the host would make it wait
        num_pos=cls_pos.new_full((), pos_logits.size(0)),
        num_neg=cls_neg.new_full((), neg_logits.size(0)),
        cls_pos=_weighted_sum(cls_pos, pos_weights),
        cls_neg=_weighted_sum(cls_neg, neg_weights),
        f1_pos=fbeta_counts(pos_logits.sigmoid(), pos_targets, pos_weights),
        f1_neg=f1_neg,
    )


@dataclass(frozen=True)
class CombinedParts:
    """L_combined of a batch and its terms, scalars.

    Attributes:
        cls_pos: mean focal loss of a positive.
        cls_neg: mean focal loss of a mined negative; 0 without any.
        f1_pos: soft F-beta loss of the positives, of both sets for ``f1_negatives='joint'``; the
            ranking loss where that is the F term.
        f1_neg: soft F-beta loss of the mined negatives; equal to ``f1_pos`` where there is a
            single term.
        combined: L_combined.
    """

    cls_pos: Tensor
    cls_neg: Tensor
    f1_pos: Tensor
    f1_neg: Tensor
    combined: Tensor


def combined_from_sums(
    sums: CombinedSums,
    *,
    rank_loss: Tensor | None = None,
    mean: str = "shifted",
    shift: float = 0.1,
    f1_share: float = 0.5,
    cls_negatives: str = "separate",
    f1_negatives: str = "background",
    f1_average: str = "micro",
    f1_normalize: str = "none",
    beta: float = 1.0,
    eps: float = 1e-6,
) -> CombinedParts:
    r"""L_combined and its terms.

    .. math::
        L_{cls} &= g(L_{cls,pos} / N_{pos},\; L_{cls,neg} / N_{hn}) \\
        L_{f1} &= g(L_{f1,pos},\; L_{f1,neg}) \\
        L_{combined} &= g_s(L_{cls},\; L_{f1})

    with :math:`g` from :func:`~mmthermal.functional.means.geometric_mean`. Without positives
    :math:`L_{combined}` is :math:`L_{cls,neg} / N_{hn}`; without negatives it is
    :math:`g_s(L_{cls,pos} / N_{pos}, L_{f1,pos})`; without either it is 0, with a gradient path.

    With a ``rank_loss``, that takes the place of :math:`L_{f1}`: F1 is precision and recall at
    one threshold, an average precision is precision at every threshold, and one minus either
    lies in [0, 1].

    The simple variant, :math:`g(L_{cls}, L_{F_\beta}) + L_{box}`, is ``cls_negatives='joint'``
    with ``f1_negatives='ignore'``.

    Args:
        sums: as :func:`combined_sums` gives them, for the same ``f1_negatives``.
        rank_loss: scalar in [0, 1], as :func:`~mmthermal.functional.ranking.ap_loss` gives it over
            the same samples, to be the F term; None for soft F-beta.
        mean: as in :func:`~mmthermal.functional.means.geometric_mean`.
        shift: as in :func:`~mmthermal.functional.means.geometric_mean`.
        f1_share: weight s of L_f1 in the last mean, in [0, 1]; 0 leaves F1 out.
        cls_negatives: ``'separate'`` joins the two normalised terms by the mean (paper);
            ``'joint'`` divides the sum over positives and negatives by N_pos.
        f1_negatives: what the mined negatives add to L_f1. ``'background'``: F-beta of the class
            background on them. ``'paper'``: F-beta of the positive classes on them, which is 0
            by definition, so the term is 1 and has no gradient. ``'joint'``: one F-beta over
            both sets, where they lower the precision. ``'ignore'``: nothing, L_f1 is that of the
            positives.
        f1_average: ``'micro'`` or ``'macro'``, as in
            :func:`~mmthermal.functional.fbeta.fbeta_score`.
        f1_normalize: ``'none'``, or ``'count'`` to divide each F1 term by the number of its
            samples, too, as the paper's formula is written.
        beta: as in :func:`~mmthermal.functional.fbeta.fbeta_score`.
        eps: the paper's epsilon, in F-beta and in the paper's mean, > 0.

    Returns:
        the terms and ``combined``.

    Raises:
        ValueError: if a setting is unknown or out of range.

    Source: paper, section 2, L_final; algorithm 2, lines 11 to 15; the appendix's final loss.
    The ranking loss as the F term is ours.
    """
    check_choice("cls_negatives", cls_negatives, CLS_NEGATIVES)
    check_choice("f1_negatives", f1_negatives, F1_NEGATIVES)
    check_choice("f1_normalize", f1_normalize, F1_NORMALIZE)

    def join(a: Tensor, b: Tensor, share: float = 0.5) -> Tensor:
        return geometric_mean(a, b, mean=mean, shift=shift, eps=eps, share=share)

    def f1_loss(counts: FBetaCounts, number: Tensor) -> Tensor:
        loss = 1 - fbeta_score(counts, beta=beta, eps=eps, average=f1_average)
        return loss / number.clamp(min=1) if f1_normalize == "count" else loss

    has_pos, has_neg = sums.num_pos > 0, sums.num_neg > 0
    cls_pos = sums.cls_pos / sums.num_pos.clamp(min=1)
    cls_neg = sums.cls_neg / sums.num_neg.clamp(min=1)
    if cls_negatives == "joint":
        loss_cls = (sums.cls_pos + sums.cls_neg) / sums.num_pos.clamp(min=1)
    else:
        loss_cls = torch.where(has_neg, join(cls_pos, cls_neg), cls_pos)

    if rank_loss is not None:
        f1_pos = f1_neg = loss_f1 = rank_loss
    elif f1_negatives == "joint":
        both = FBetaCounts(*(p + n for p, n in zip(sums.f1_pos, sums.f1_neg, strict=True)))
        f1_pos = f1_neg = loss_f1 = f1_loss(both, sums.num_pos + sums.num_neg)
    elif f1_negatives == "ignore":
        f1_pos = f1_neg = loss_f1 = f1_loss(sums.f1_pos, sums.num_pos)
    else:
        f1_pos = f1_loss(sums.f1_pos, sums.num_pos)
        f1_neg = f1_loss(sums.f1_neg, sums.num_neg)
        loss_f1 = torch.where(has_neg, join(f1_pos, f1_neg), f1_pos)

    combined = torch.where(has_pos, join(loss_cls, loss_f1, f1_share), cls_neg)
    return CombinedParts(cls_pos, cls_neg, f1_pos, f1_neg, combined)


def _weighted_sum(losses: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return losses.sum()
    check_rows("weights", weights, losses.size(0), 1)
    return (losses * weights).sum()
