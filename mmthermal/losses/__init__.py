"""The composite loss as a module: settings, schedule, sums over processes."""

from mmthermal.losses.composite_loss import CompositeLoss, build_composite_loss

__all__ = ["CompositeLoss", "build_composite_loss"]
