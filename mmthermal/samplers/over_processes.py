"""The hardest negatives of all processes together, as one process on the joined batch has them."""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from mmthermal.functional.mining import hardest, num_hard_negatives


def share_of_hardest(
    scores: Tensor,
    candidates: Tensor,
    num_pos: Tensor | int,
    *,
    ratio: float,
    min_neg: int,
    first: Tensor | None = None,
) -> Tensor:
    """This process's share of the hardest candidates of all processes.

    Every process sends its best scores, as many as all may take together. Ties are broken by
    process, then by index: as in one process on the joined batch. All processes make the same
    calls, whatever they hold, so that none waits for another forever.

    Args:
        scores: (M,), no NaN; rises with the negative's classification loss. M may be 0.
        candidates: (M,), bool.
        num_pos: number of positives of this process.
        ratio: r, negatives per positive, >= 0, infinity for all.
        min_neg: floor of this process, >= 0; the floors of all are added.
        first: (M,), bool, candidates that come before all others; None for none.

    Returns:
        (K,), long, ascending.
    """
    scores = scores.double()
    span = scores.new_full((2,), float("-inf"))
    if scores.numel():
        low, high = scores.aminmax()
        span = torch.stack([-low, high])
    dist.all_reduce(span, op=dist.ReduceOp.MAX)
    if first is not None:
        # float64 keeps the order within both groups: a float32 score plus the span is exact
        scores = scores + first * (span.sum() + 1)
    totals = torch.stack(  # filled on the device: a copy from the host would wait
        [
            count.long()
            if isinstance(count, Tensor)
            else candidates.new_full((), count, dtype=torch.long)
            for count in (num_pos, candidates.sum(), min_neg)
        ]
    )
    dist.all_reduce(totals)
    all_pos, all_candidates, floor = totals.tolist()
    k = num_hard_negatives(all_pos, all_candidates, ratio=ratio, min_neg=floor)
    scores = scores.masked_fill(~candidates, float("-inf"))
    best = scores.topk(min(k, scores.numel())).values
    best = F.pad(best, (0, k - best.numel()), value=float("-inf"))
    everyone = [torch.empty_like(best) for _ in range(dist.get_world_size())]
    dist.all_gather(everyone, best)
    chosen = hardest(torch.cat(everyone), k) // max(k, 1)
    return hardest(scores, int((chosen == dist.get_rank()).sum()))
