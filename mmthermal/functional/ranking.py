"""Average precision as a loss: positives against the hardest negatives, class by class.

Shape shorthand: P positives, H mined hard negatives, C sigmoid class columns.
"""

import torch
from torch import Tensor

from mmthermal.common.checks import check_range, check_rows

_BLOCK = 1 << 22  # pairs that are compared at a time: 16 MB in float32


def ap_loss(
    pos_logits: Tensor,
    pos_labels: Tensor,
    neg_logits: Tensor,
    *,
    delta: float = 1.0,
    pos_weights: Tensor | None = None,
    neg_weights: Tensor | None = None,
) -> Tensor:
    r"""One minus the average precision with soft ranks, averaged over the classes present.

    Every positive i of a class is the threshold of a precision of its own. With its logit
    :math:`s_i`, those of the other positives of the class, and those of all else,
    :math:`n_k` (the mined negatives, and the positives of other classes),

    .. math::
        tp_i = 1 + \sum_{j \ne i} h(s_j - s_i), \quad fp_i = \sum_k h(n_k - s_i), \quad
        L = \frac{1}{P_c} \sum_i \frac{fp_i}{tp_i + fp_i}, \quad
        h(x) = \min(\max(\tfrac{x}{2\delta} + \tfrac12, 0), 1)

    For delta towards 0 this is one minus the average precision. The gradient is not the
    derivative, which vanishes where the order is worst, but the error-driven update of AP loss:
    each pair pushes its two logits apart by its share :math:`h(n_k - s_i) / (tp_i + fp_i)` of
    the error. It sums to 0 over the logits of a class, and so moves no threshold.

    Args:
        pos_logits: (P, C), any finite value; P may be 0.
        pos_labels: (P,), long, 0 to C - 1.
        neg_logits: (H, C), any finite value; H may be 0.
        delta: half the width of a tie, in logits, > 0.
        pos_weights: (P,), non-negative, or None for ones: a sample of weight 2 counts as two.
        neg_weights: (H,), likewise.

    Returns:
        scalar in [0, 1]; 0 (with gradient 0) without positives.

    Raises:
        ValueError: if the shapes disagree or ``delta`` is out of range.

    Source: Chen et al., Towards Accurate One-Stage Object Detection with AP-Loss, CVPR 2019,
    where all anchors and all classes are ranked together; the mean over classes, the mined
    negatives and the weights are ours.
    """
    check_range("delta", delta, 0, open_low=True)
    check_rows("pos_labels", pos_labels, pos_logits.size(0), 1)
    if neg_logits.dim() != 2 or neg_logits.size(1) != pos_logits.size(1):
        raise ValueError(
            f"neg_logits is {tuple(neg_logits.shape)}, expected (H, {pos_logits.size(1)})"
        )
    weights = []
    for name, given, logits in (
        ("pos_weights", pos_weights, pos_logits),
        ("neg_weights", neg_weights, neg_logits),
    ):
        if given is not None:
            check_rows(name, given, logits.size(0), 1)
        weights.append(logits.new_ones(logits.size(0)) if given is None else given.to(logits))
    pos_weights, neg_weights = weights
    losses = []
    for label in pos_labels[pos_weights > 0].unique().tolist():
        own = pos_labels == label
        score, weight = pos_logits[own, label], pos_weights[own]
        other = torch.cat([neg_logits[:, label], pos_logits[~own, label]])
        value, push, pull = _rank_errors(
            score.detach(),
            weight,
            other.detach(),
            torch.cat([neg_weights, pos_weights[~own]]),
            delta,
        )
        update = (pull * other).sum() - (push * score).sum()
        losses.append((update - update.detach() + value) / weight.sum())
    zero = pos_logits.sum() * 0 + neg_logits.sum() * 0
    return zero + torch.stack(losses).mean() if losses else zero


def _rank_errors(
    score: Tensor, weight: Tensor, other: Tensor, other_weight: Tensor, delta: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted sum of the errors of the positives of a class, and each logit's part in it."""

    def above(logits: Tensor, threshold: Tensor) -> Tensor:
        return ((logits - threshold.unsqueeze(1)) / (2 * delta) + 0.5).clamp(0, 1)

    push, pull = torch.zeros_like(score), torch.zeros_like(other)
    size = max(_BLOCK // (score.numel() + other.numel()), 1)
    for rows in torch.arange(score.numel(), device=score.device).split(size):
        # a positive ties with itself (0.5), but counts as a whole
        tp = above(score, score[rows]) @ weight + 0.5 * weight[rows]
        errors = above(other, score[rows]) * other_weight
        fp = errors.sum(1)
        share = weight[rows] / (tp + fp).clamp(min=torch.finfo(tp.dtype).tiny)
        push[rows] = share * fp
        pull += share @ errors
    return push.sum(), push, pull
