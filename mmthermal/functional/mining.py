"""Hard-negative mining: scores and candidates in, indices out. Knows no head.

Shape shorthand: N images, S anchors per image.
"""

import math

import torch
from torch import Tensor

from mmthermal.common.checks import check_choice, check_count, check_range

MINING_SCOPES = ("batch", "image")


def hardest(scores: Tensor, k: int) -> Tensor:
    """Indices of the k largest scores, ties broken by the lower index.

    ``torch.topk`` follows no rule among equal scores and a stable sort is many times slower: here
    the k-th value is found first, then everything above it, then the first ties.

    Args:
        scores: (M,), no NaN.
        k: how many to take; at most M are returned.

    Returns:
        (min(k, M),), long, in ascending order of the index.

    Raises:
        ValueError: if the scores are not one-dimensional or ``k`` is negative.

    Source: paper, algorithm 2, lines 7 to 10.
    """
    if scores.dim() != 1:
        raise ValueError(f"scores must be one-dimensional, not {tuple(scores.shape)}")
    check_count("k", k)
    if k >= scores.numel():
        return torch.arange(scores.numel(), device=scores.device)
    if k == 0:
        return torch.empty(0, dtype=torch.long, device=scores.device)
    threshold = scores.topk(k).values[-1]
    above = (scores > threshold).nonzero().squeeze(1)
    ties = (scores == threshold).nonzero().squeeze(1)
    return torch.cat([above, ties[: k - above.numel()]]).sort().values


def num_hard_negatives(num_pos: int, num_candidates: int, *, ratio: float, min_neg: int) -> int:
    r"""How many negatives to mine.

    .. math:: k = \min(\max(\lfloor r N_{pos} \rfloor, \text{min\_neg}), \text{candidates})

    Args:
        num_pos: number of positives.
        num_candidates: number of negatives to choose from.
        ratio: r, negatives per positive, >= 0; infinity takes all, also without positives.
        min_neg: floor, so that images without objects teach, too.

    Returns:
        the number, in [0, num_candidates].

    Source: paper, algorithm 2, lines 4 and 5.
    """
    check_range("ratio", ratio, 0, finite=False)
    check_count("min_neg", min_neg)
    if math.isinf(ratio):  # also without positives, where the product would be NaN
        return num_candidates
    # The minimum comes first: a huge ratio must not overflow.
    return min(max(int(min(ratio * num_pos, num_candidates)), min_neg), num_candidates)


def mine_hard_negatives(
    scores: Tensor,
    candidates: Tensor,
    positives: Tensor,
    *,
    ratio: float = 3.0,
    min_neg: int = 16,
    scope: str = "batch",
) -> Tensor:
    """The hardest negatives of a batch.

    Args:
        scores: (N, S), hardness of each anchor: its negative classification loss, or anything
            that rises with it, such as its largest class logit. No NaN.
        candidates: (N, S), bool, the anchors that may be taken.
        positives: (N, S), bool, the anchors that count as positive.
        ratio: negatives per positive, >= 0; infinity takes all, also without positives.
        min_neg: least number per image, as far as there are candidates.
        scope: ``'batch'`` ranks all images' anchors together, ``'image'`` each image's alone.

    Returns:
        (K,), long, ascending indices into the flattened (N * S) anchors.

    Raises:
        ValueError: if the shapes differ or a setting is unknown or out of range.

    Source: paper, algorithm 2, lines 3 to 10.
    """
    check_choice("scope", scope, MINING_SCOPES)
    if scores.dim() != 2 or scores.shape != candidates.shape or scores.shape != positives.shape:
        raise ValueError(
            f"scores {tuple(scores.shape)}, candidates {tuple(candidates.shape)} and positives "
            f"{tuple(positives.shape)} must have one shape (N, S)"
        )
    num_imgs, num_anchors = scores.shape
    scores = scores.masked_fill(~candidates, float("-inf"))
    if scope == "image":
        counts = zip(positives.sum(1).tolist(), candidates.sum(1).tolist(), strict=True)
        picks = []
        for i, (num_pos, num_neg) in enumerate(counts):
            k = num_hard_negatives(num_pos, num_neg, ratio=ratio, min_neg=min_neg)
            picks.append(hardest(scores[i], k) + i * num_anchors)
        return torch.cat(picks)
    k = num_hard_negatives(
        int(positives.sum()), int(candidates.sum()), ratio=ratio, min_neg=min_neg * num_imgs
    )
    return hardest(scores.flatten(), k)
