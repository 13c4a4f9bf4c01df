"""Average precision as a loss: positives against the hardest negatives, class by class.

Shape shorthand: P positives, H mined hard negatives, C sigmoid class columns.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmthermal.common.checks import check_range, check_rows


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
        delta: half the width of a tie, in logits, > 0; below 1e-6 digits are lost.
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
    rows = torch.cat([pos_logits, neg_logits])
    # Apple's MPS has no float64.
    place = torch.device("cpu") if rows.device.type == "mps" else rows.device
    value, pull = _errors(
        rows.detach().to(place), pos_labels.to(place), torch.cat(weights).to(place), delta
    )
    value, pull = value.to(rows.device), pull.to(rows.device)
    # not the derivative of the value: the update of AP loss, put in its place
    update = (pull * rows).sum()
    return update - update.detach() + value


def _errors(rows: Tensor, labels: Tensor, weights: Tensor, delta: float) -> tuple[Tensor, Tensor]:
    """The loss and, (P + H, C), the part of each logit in its gradient. The positives come first.

    h is linear within delta of a threshold and constant outside, so that sums over all pairs
    come from running sums over the sorted logits of each class, without a matrix of pairs. All
    classes are sorted at once, no shape depends on values, and the sums are float64: differences
    of running sums would lose digits otherwise.
    """
    num_rows, num_classes = rows.shape
    scores, order = rows.t().contiguous().double().sort(1)
    # only differences up to delta count: wider gaps are narrowed, or running sums over one huge
    # logit would lose the digits of all others
    gaps = scores.diff(dim=1).clamp(max=2 * delta)
    scores = _running_sums(torch.cat([torch.zeros_like(scores[:, :1]), gaps], 1))
    first = torch.searchsorted(scores, scores - delta)
    last = torch.searchsorted(scores, scores + delta)
    row_labels = F.pad(labels, (0, num_rows - labels.numel()), value=num_classes)
    own = row_labels[order] == torch.arange(num_classes, device=rows.device).unsqueeze(1)
    weight = weights.double()[order]
    own_weight = weight.where(own, 0)

    def sums(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights beyond the window of each row, within it, and those times h - 1/2."""
        counts = F.pad(_running_sums(weight), (1, 0))
        moments = F.pad(_running_sums(weight * scores), (1, 0))
        inside = counts.gather(1, last) - counts.gather(1, first)
        moment = moments.gather(1, last) - moments.gather(1, first)
        above = counts[:, -1:] - counts.gather(1, last)
        return above, inside, (moment - scores * inside) / (2 * delta)

    above, inside, slope = sums(own_weight)
    # a positive ties with itself (0.5), but counts as a whole
    tp = above + 0.5 * inside + slope + 0.5 * own_weight
    above, inside, slope = sums(weight - own_weight)
    fp = (above + 0.5 * inside + slope).clamp(min=0)
    per_class = own_weight.sum(1, keepdim=True)
    tiny = torch.finfo(torch.float64).tiny
    scale = per_class.clamp(min=tiny) * (per_class > 0).sum().clamp(min=1)
    # one divisor after the other: the product of two that are tiny would be 0, the share NaN
    share = own_weight / (tp + fp).clamp(min=tiny) / scale
    push = share * fp
    above, inside, slope = sums(share)
    below = share.sum(1, keepdim=True) - above - inside
    pull = (weight - own_weight) * (below + 0.5 * inside - slope).clamp(min=0) - push
    pull = torch.zeros_like(pull).scatter(1, order, pull)
    return push.sum().to(rows.dtype), pull.t().to(rows.dtype)


def _running_sums(rows: Tensor) -> Tensor:
    """``rows.cumsum(1)``; where a GPU is to be deterministic, in a fixed order.

    torch's own has none there, and refuses (``randomness.deterministic=True`` in a config).
    """
    if not (rows.is_cuda and torch.are_deterministic_algorithms_enabled()):
        return rows.cumsum(1)
    return _doubling_sums(rows)


def _doubling_sums(rows: Tensor) -> Tensor:
    """Running sums along dim 1, by sums of 2, 4, 8 … neighbours."""
    shift = 1
    while shift < rows.size(1):
        rows = rows + F.pad(rows, (shift, 0))[:, :-shift]
        shift *= 2
    return rows
