"""Backbones for small images, and weights for another number of channels."""

from mmthermal.backbones.any_channels_init import AnyChannelsInit
from mmthermal.backbones.small_image_resnet import SmallImageResNet

__all__ = ["AnyChannelsInit", "SmallImageResNet"]
