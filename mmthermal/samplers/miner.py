"""Hard-negative miner for dense heads."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from mmdet.models.task_modules.samplers import PseudoSampler
from mmdet.registry import TASK_UTILS
from torch import Tensor

from mmthermal.common.checks import check_choice, check_count, check_range
from mmthermal.functional.mining import (
    MINING_SCOPES,
    hardest,
    mine_hard_negatives,
    num_hard_negatives,
)


@TASK_UTILS.register_module()
class HardNegativeMiner(PseudoSampler):
    """Chooses the hardest background anchors of a batch, beside mmdet's sampling of all.

    Goes to ``train_cfg.sampler`` of a dense head. ``sample`` returns every positive and negative,
    as ``PseudoSampler`` does, because a dense head samples before it has scores; the head calls
    :meth:`mine` from its loss.

    Args:
        ratio: r, negatives per positive, >= 0; ``float('inf')`` takes all, also in images
            without positives.
        min_neg: least number per image, so that an image without objects teaches, too.
        scope: ``'batch'`` ranks the anchors of all images together, those of all processes among
            them, ``'image'`` each image's.
        context: the head, given by mmdet; not used.

    Raises:
        TypeError: for a setting of the wrong type, or one that does not exist.
        ValueError: for a setting out of range or unknown.

    Source: paper, algorithm 2, lines 3 to 10.
    """

    def __init__(
        self,
        *,
        ratio: float = 3.0,
        min_neg: int = 16,
        scope: str = "batch",
        context: Any = None,
    ) -> None:
        super().__init__()
        check_range("ratio", ratio, 0, finite=False)
        check_count("min_neg", min_neg)
        check_choice("scope", scope, MINING_SCOPES)
        self.ratio = ratio
        self.min_neg = min_neg
        self.scope = scope

    def mine(
        self,
        scores: Tensor,
        candidates: Tensor,
        positives: Tensor,
        *,
        first: Tensor | None = None,
        counts: Sequence[Sequence[int]] | None = None,
    ) -> Tensor:
        """Indices of the hardest candidates.

        Args:
            scores: (N, S), no NaN; rises with the negative's classification loss.
            candidates: (N, S), bool; background anchors of weight above 0, not the ignored ones.
            positives: (N, S), bool.
            first: (N, S), bool, candidates that come before all others, whatever their score,
                the hardest of them first; None for none.
            counts: as in :func:`~mmthermal.functional.mining.mine_hard_negatives`.

        Returns:
            (K,), long, ascending indices into the flattened (N * S) anchors.
        """
        if self.scope == "batch" and dist.is_available() and dist.is_initialized():
            if dist.get_world_size() > 1:
                return self._mine_over_processes(scores, candidates, positives, first)
        if first is not None and scores.numel():
            # float64 keeps the order within both groups: a float32 score plus the span is exact
            low, high = scores.double().aminmax()
            scores = scores.double() + first * (high - low + 1)
        return mine_hard_negatives(
            scores,
            candidates,
            positives,
            ratio=self.ratio,
            min_neg=self.min_neg,
            scope=self.scope,
            counts=counts,
        )

    def _mine_over_processes(
        self, scores: Tensor, candidates: Tensor, positives: Tensor, first: Tensor | None
    ) -> Tensor:
        """This process's share of the hardest candidates of all processes.

        Every process sends its best scores, as many as all may take together. Ties are broken by
        process, then by index: as in one process on the joined batch. All processes make the same
        calls, whatever they hold, so that none waits for another forever.
        """
        scores = scores.double()
        low, high = scores.aminmax()
        span = torch.stack([-low, high])
        dist.all_reduce(span, op=dist.ReduceOp.MAX)
        if first is not None:
            scores = scores + first * (span.sum() + 1)
        numbers = [positives.sum(), candidates.sum(), scores.new_tensor(len(scores)).long()]
        totals = torch.stack(numbers)
        dist.all_reduce(totals)
        num_pos, num_candidates, num_imgs = totals.tolist()
        k = num_hard_negatives(
            num_pos, num_candidates, ratio=self.ratio, min_neg=self.min_neg * num_imgs
        )
        flat = scores.masked_fill(~candidates, float("-inf")).flatten()
        best = flat.topk(min(k, flat.numel())).values
        best = F.pad(best, (0, k - best.numel()), value=float("-inf"))
        everyone = [torch.empty_like(best) for _ in range(dist.get_world_size())]
        dist.all_gather(everyone, best)
        chosen = hardest(torch.cat(everyone), k) // max(k, 1)
        share = int((chosen == dist.get_rank()).sum())
        return hardest(flat, share)
