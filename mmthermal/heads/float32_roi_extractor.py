"""RoI features in float32 under mixed precision."""

import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class Float32RoIExtractor(SingleRoIExtractor):
    """mmdet's ``SingleRoIExtractor`` that pools in float32, whatever the autocast state.

    mmdet's extractor casts the boxes to the features' dtype: bfloat16 holds 8 bits, so that a
    corner at 150 would move by up to half a pixel. mmcv's CPU kernel also takes maps in
    channels-last order for (N, C, H, W), without a word; here they are reordered first. Arguments
    and parameters are mmdet's.
    """

    def forward(
        self,
        feats: tuple[Tensor, ...],
        rois: Tensor,
        roi_scale_factor: float | None = None,
    ) -> Tensor:
        """Features of each RoI.

        Args:
            feats: one (N, C, H, W) map per level.
            rois: (K, 5), image index and corners in pixels.
            roi_scale_factor: enlarges the boxes.

        Returns:
            (K, C, h, w), float32.
        """
        with torch.autocast(rois.device.type, enabled=False):
            feats = tuple(level.float().contiguous() for level in feats)
            return super().forward(feats, rois.float(), roi_scale_factor)
