"""ResNet whose first stage works at stride 2."""

from typing import Any

from mmcv.cnn import build_conv_layer, build_norm_layer
from mmdet.models.backbones import ResNet
from mmdet.registry import MODELS
from torch import nn


@MODELS.register_module()
class SmallImageResNet(ResNet):
    """ResNet with a small stem and no pooling: one octave more detail in each stage.

    mmdet's stem (7×7, stride 2, then a pooling of stride 2) leaves the first stage a quarter of
    the resolution: a person of 8 pixels enters it 2 pixels wide. Here the stages have strides 2,
    4, 8 and 16 with mmdet's own ``strides=(1, 2, 2, 2)``, and objects that touch are still apart
    where most of the depth is. Everything else, checkpoints' names included, is mmdet's.

    Args:
        stem_kernel_size: of the first convolution, odd.
        **kwargs: as ``mmdet.models.ResNet``; ``deep_stem`` must stay False.

    Raises:
        ValueError: if the kernel is not an odd number above 0, or with ``deep_stem``.
    """

    def __init__(self, depth: int, *, stem_kernel_size: int = 5, **kwargs: Any) -> None:
        if stem_kernel_size < 1 or stem_kernel_size % 2 == 0:
            raise ValueError(f"stem_kernel_size={stem_kernel_size!r}: choose 3, 5, 7, ...")
        if kwargs.get("deep_stem"):
            raise ValueError("deep_stem=True has no single kernel: use mmdet's ResNet for it")
        self.stem_kernel_size = stem_kernel_size
        super().__init__(depth, **kwargs)

    def _make_stem_layer(self, in_channels: int, stem_channels: int) -> None:
        """Convolution of stride 2, norm, ReLU; the pooling does nothing."""
        self.conv1 = build_conv_layer(
            self.conv_cfg,
            in_channels,
            stem_channels,
            kernel_size=self.stem_kernel_size,
            stride=2,
            padding=self.stem_kernel_size // 2,
            bias=False,
        )
        self.norm1_name, norm1 = build_norm_layer(self.norm_cfg, stem_channels, postfix=1)
        self.add_module(self.norm1_name, norm1)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity()
