"""Soft F-beta: additive counts first, the ratio last.

Shape shorthand: M rows, C sigmoid class columns.
"""

from typing import NamedTuple

from torch import Tensor

from mmthermal.common.checks import check_choice, check_range, check_rows

F1_AVERAGES = ("micro", "macro")


class FBetaCounts(NamedTuple):
    """Soft counts of each class, each (C,): counts of two sets add to those of their union.

    ``support`` is the weight of the rows that belong to the class: classes without any are left
    out of a macro average.
    """

    tp: Tensor
    fp: Tensor
    fn: Tensor
    support: Tensor


def fbeta_counts(probs: Tensor, targets: Tensor, weights: Tensor | None = None) -> FBetaCounts:
    r"""Soft true positives, false positives and false negatives of each class.

    .. math:: tp = \sum p\,t, \quad fp = \sum p\,(1 - t), \quad fn = \sum (1 - p)\,t

    Args:
        probs: (M, C), in [0, 1].
        targets: (M, C), in [0, 1].
        weights: (M,), non-negative, or None for ones. A row of weight 0 counts as absent.

    Returns:
        the counts, each (C,) and non-negative.

    Raises:
        ValueError: if the shapes disagree.

    Source: paper, section 2, F1; the appendix's FBetaLoss.
    """
    if probs.shape != targets.shape or probs.dim() != 2:
        raise ValueError(
            f"probs {tuple(probs.shape)} and targets {tuple(targets.shape)} must both be (M, C)"
        )
    targets = targets.to(probs.dtype)
    if weights is not None:
        check_rows("weights", weights, probs.size(0), 1)
        weighted, targets = probs * weights.unsqueeze(1), targets * weights.unsqueeze(1)
        tp = (probs * targets).sum(0)
        predicted, support = weighted.sum(0), targets.sum(0)
    else:
        tp = (probs * targets).sum(0)
        predicted, support = probs.sum(0), targets.sum(0)
    # Clamped: a difference of sums may round to just below 0.
    return FBetaCounts(tp, (predicted - tp).clamp(min=0), (support - tp).clamp(min=0), support)


def fbeta_score(
    counts: FBetaCounts, *, beta: float = 1.0, eps: float = 1e-6, average: str = "micro"
) -> Tensor:
    r"""F-beta from soft counts.

    .. math::
        P = \frac{tp}{tp + fp + \epsilon}, \quad R = \frac{tp}{tp + fn + \epsilon}, \quad
        F_\beta = \frac{(1 + \beta^2) P R}{\beta^2 P + R + \epsilon}

    Args:
        counts: as :func:`fbeta_counts` gives them.
        beta: weight of recall against precision, > 0; 1 gives F1.
        eps: keeps the ratios finite, > 0.
        average: ``'micro'`` adds the classes' counts first, ``'macro'`` averages the scores of
            the classes that are present.

    Returns:
        scalar in [0, 1]; 0 (with gradient 0) where nothing is present.

    Raises:
        ValueError: if a setting is unknown or out of range.

    Source: paper, section 2, F1; the appendix's FBetaLoss.
    """
    check_choice("average", average, F1_AVERAGES)
    check_range("beta", beta, 0, open_low=True)
    check_range("eps", eps, 0, open_low=True)
    tp, fp, fn, support = counts
    if average == "micro":
        tp, fp, fn = tp.sum(), fp.sum(), fn.sum()
    precision = tp / (tp + fp + eps)
    recall = tp / (tp + fn + eps)
    score = (1 + beta**2) * precision * recall / (beta**2 * precision + recall + eps)
    score = score.clamp(max=1)  # rounds to just above 1 for some beta, e.g. 1.9 in float32
    if average == "micro":
        return score
    present = (support > 0).to(score.dtype)
    return (score * present).sum() / present.sum().clamp(min=1)


def fbeta_loss(
    probs: Tensor,
    targets: Tensor,
    *,
    beta: float = 1.0,
    eps: float = 1e-6,
    average: str = "micro",
) -> Tensor:
    """One minus the soft F-beta score of probabilities against targets.

    Args:
        probs: (M, C), in [0, 1].
        targets: (M, C), in [0, 1].
        beta: as in :func:`fbeta_score`.
        eps: as in :func:`fbeta_score`.
        average: as in :func:`fbeta_score`.

    Returns:
        scalar in [0, 1].

    Source: paper, section 2, L_f1.
    """
    return 1 - fbeta_score(fbeta_counts(probs, targets), beta=beta, eps=eps, average=average)
