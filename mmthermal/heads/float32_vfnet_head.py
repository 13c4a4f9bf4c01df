"""VFNet whose losses are computed in float32 under mixed precision."""

from typing import Any

import torch
from mmdet.models.dense_heads import VFNetHead
from mmdet.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class Float32VFNetHead(VFNetHead):
    """mmdet's ``VFNetHead`` with its losses in float32, whatever the autocast state.

    mmdet's writes float32 IoUs into a tensor of the scores' type, which torch refuses for
    bfloat16 and float16. Arguments and parameters are mmdet's.
    """

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        bbox_preds_refine: list[Tensor],
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            cls_scores: one (N, C, H, W) map per level.
            bbox_preds: one (N, 4, H, W) map per level.
            bbox_preds_refine: likewise.
            *args: ground truth, meta information and ignored ground truth, as mmdet's.
            **kwargs: likewise.

        Returns:
            mmdet's losses, float32.
        """
        with torch.autocast(cls_scores[0].device.type, enabled=False):
            levels = (
                [level.float() for level in levels]
                for levels in (cls_scores, bbox_preds, bbox_preds_refine)
            )
            return super().loss_by_feat(*levels, *args, **kwargs)
