"""Backbones for small images."""

from mmthermal.backbones.small_image_resnet import SmallImageResNet

__all__ = ["SmallImageResNet"]
