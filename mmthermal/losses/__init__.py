"""Losses in mmdet's registry."""

from mmthermal.losses.composite_loss import CompositeLoss

__all__ = ["CompositeLoss"]
