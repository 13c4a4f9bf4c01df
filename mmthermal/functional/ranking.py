"""Average precision as a loss: positives against the hardest negatives, class by class.

Shape shorthand: P positives, H mined hard negatives, C sigmoid class columns.
"""

import torch
import torch.nn.functional as F
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
    rows = torch.cat([pos_logits, neg_logits])
    value, pull = _errors(rows.detach(), pos_labels, torch.cat(weights), delta)
    # not the derivative of the value: the update of AP loss, put in its place
    update = (pull * rows).sum()
    return update - update.detach() + value


def _errors(
    rows: Tensor, labels: Tensor, weights: Tensor, delta: float
) -> tuple[Tensor, Tensor]:
    """The loss and, (P + H, C), the part of each logit in its gradient. The positives come first.

    All classes at once, and without any shape that depends on values, so that a GPU never waits
    for the host.
    """
    num_pos, (num_rows, num_classes) = labels.numel(), rows.shape
    weight = weights[:num_pos]
    per_class = weight.new_zeros(num_classes).index_add_(0, labels, weight)
    tiny = torch.finfo(rows.dtype).tiny
    scale = weight / (per_class[labels].clamp(min=tiny) * (per_class > 0).sum().clamp(min=1))
    row_labels = torch.cat([labels, labels.new_full((num_rows - num_pos,), num_classes)])
    own_class = F.one_hot(labels, num_classes).to(rows.dtype)
    columns = rows.t()
    value, pull = rows.new_zeros(()), rows.new_zeros(num_classes, num_rows)
    push = torch.zeros_like(scale)
    for part in torch.arange(num_pos, device=rows.device).split(max(_BLOCK // max(num_rows, 1), 1)):
        label = labels[part]
        score = rows[part, label]
        above = ((columns[label] - score.unsqueeze(1)) / (2 * delta) + 0.5).clamp_(0, 1)
        above *= weights
        rivals = label.unsqueeze(1) != row_labels
        # a positive ties with itself (0.5), but counts as a whole
        tp = above.masked_fill(rivals, 0).sum(1) + 0.5 * weight[part]
        errors = above.masked_fill_(~rivals, 0)
        fp = errors.sum(1)
        share = scale[part] / (tp + fp).clamp(min=tiny)
        push[part] = share * fp
        pull += own_class[part].t() @ (share.unsqueeze(1) * errors)
        value += push[part].sum()
    pull = pull.t().contiguous()
    pull[:num_pos] -= push.unsqueeze(1) * own_class
    return value, pull
