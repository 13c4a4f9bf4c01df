"""RPN whose proposals are made in float32 under mixed precision."""

from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class Float32RPNHead(RPNHead):
    """mmdet's ``RPNHead`` that hands on scores and deltas in float32, whatever the autocast state.

    The proposals are made inside the training step's autocast: in bfloat16 many scores would be
    equal, and corners would move. Arguments and parameters are mmdet's.
    """

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and deltas of one level.

        Args:
            x: (N, C, H, W).

        Returns:
            (N, A, H, W) logits and (N, 4 * A, H, W) deltas, float32.
        """
        cls_score, bbox_pred = super().forward_single(x)
        return cls_score.float(), bbox_pred.float()
