"""Losses in mmdet's registry."""

from mmthermal.losses.composite_loss import CompositeLoss, build_composite_loss

__all__ = ["CompositeLoss", "build_composite_loss"]
