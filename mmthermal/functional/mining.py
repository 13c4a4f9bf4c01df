"""Hard-negative mining: scores and candidates in, indices out. Knows no head.

Shape shorthand: N images, S anchors per image.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmthermal.common.checks import check_choice, check_count, check_range

MINING_SCOPES = ("batch", "image")


def marked(mask: Tensor, count: int) -> Tensor:
    """Indices of the true values of a mask whose number is known on the host.

    ``nonzero`` would make a GPU and the host wait for each other.

    Args:
        mask: (M,), bool.
        count: how many of its values are true.

    Returns:
        (count,), long, ascending.
    """
    if mask.device.type == "cpu" and hasattr(torch, "nonzero_static"):  # torch 2.1 and newer
        return torch.nonzero_static(mask, size=count).squeeze(1)
    return mask.to(torch.uint8).topk(count, sorted=False).indices.sort().values


def hardest(scores: Tensor, k: int) -> Tensor:
    """Indices of the k largest scores, ties broken by the lower index.

    ``torch.topk`` follows no rule among equal scores and a stable sort is many times slower: here
    the k-th value is found first, then everything above it, then the first ties. All shapes are
    known beforehand, so that a GPU never waits for the host.

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
    return _hardest_by_row(scores.unsqueeze(0), [min(k, scores.numel())])


def _hardest_by_row(scores: Tensor, counts: Sequence[int]) -> Tensor:
    """(sum of counts,) ascending indices into the flattened (N, S) scores: the largest by row."""
    total, most = sum(counts), max(counts, default=0)
    if total == scores.numel():
        return torch.arange(total, device=scores.device)
    if total == 0:
        return torch.empty(0, dtype=torch.long, device=scores.device)
    largest = scores.topk(most, 1).values
    wanted = torch.cat([largest.new_full((1, 1), k, dtype=torch.long) for k in counts])
    threshold = largest.gather(1, (wanted - 1).clamp(min=0))
    above, ties = scores > threshold, scores == threshold
    # of a row that takes nothing, the threshold is its largest score, and there is room for no tie
    room = wanted - above.count_nonzero(1).unsqueeze(1)
    return marked((above | (ties & (ties.cumsum(1) <= room))).flatten(), total)


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
    counts: Sequence[Sequence[int]] | None = None,
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
        counts: (N, 2), numbers of positives and of candidates by image, where the caller has them
            on the host already; None reads them from the masks, for which a GPU is waited for.

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
    if counts is None:
        counts = torch.stack([positives.sum(1), candidates.sum(1)], 1).tolist()
    scores = scores.masked_fill(~candidates, float("-inf"))
    if scope == "batch":
        totals = [sum(column) for column in zip(*counts, strict=True)] or [0, 0]
        counts, min_neg, scores = [totals], min_neg * len(counts), scores.reshape(1, -1)
    return _hardest_by_row(
        scores, [num_hard_negatives(*row, ratio=ratio, min_neg=min_neg) for row in counts]
    )
