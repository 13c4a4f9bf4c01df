"""Hard-negative miner for dense heads."""

from collections.abc import Sequence
from typing import Any

from mmdet.models.task_modules.samplers import PseudoSampler
from mmdet.registry import TASK_UTILS
from torch import Tensor

from mmthermal.common.checks import check_choice, check_count, check_ratio
from mmthermal.common.processes import several_processes
from mmthermal.functional.mining import MINING_SCOPES, mine_hard_negatives
from mmthermal.samplers.over_processes import share_of_hardest


@TASK_UTILS.register_module()
class HardNegativeMiner(PseudoSampler):
    """Chooses the hardest background anchors of a batch, beside mmdet's sampling of all.

    Goes to ``train_cfg.sampler`` of a dense head. ``sample`` returns every positive and negative,
    as ``PseudoSampler`` does, because a dense head samples before it has scores; the head calls
    :meth:`mine` from its loss.

    Args:
        ratio: r, negatives per positive, >= 0; ``'all'`` takes all, also in images without
            positives.
        min_neg: least number per image, so that an image without objects teaches, too.
        scope: ``'batch'`` ranks the anchors of all images together, those of all processes among
            them, ``'image'`` each image's.
        context: the head, given by mmdet.

    Raises:
        TypeError: for a setting of the wrong type, or one that does not exist.
        ValueError: for a setting out of range or unknown, or in a head that mines nothing.

    Source: paper, algorithm 2, lines 3 to 10.
    """

    def __init__(
        self,
        *,
        ratio: float | str = 3.0,
        min_neg: int = 16,
        scope: str = "batch",
        context: Any = None,
    ) -> None:
        super().__init__()
        if context is not None and not hasattr(context, "composite_loss"):
            raise ValueError(
                f"sampler HardNegativeMiner in a {type(context).__name__}, which never asks it: it "
                "is for dense heads such as CompositeRetinaHead; RoI heads take HardNegativeSampler"
            )
        check_count("min_neg", min_neg)
        check_choice("scope", scope, MINING_SCOPES)
        self.ratio = check_ratio("ratio", ratio)
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
        if self.scope == "batch" and several_processes():
            return share_of_hardest(
                scores.flatten(),
                candidates.flatten(),
                positives.sum(),
                ratio=self.ratio,
                min_neg=self.min_neg * len(scores),
                first=None if first is None else first.flatten(),
            )
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
