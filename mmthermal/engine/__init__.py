"""Optimizer wrapper, drawing, mining, and resume under current torch."""

from mmthermal.engine.channels_last import ChannelsLastHook, use_channels_last
from mmthermal.engine.hard_negative_mining_hook import HardNegativeMiningHook
from mmthermal.engine.optim_wrapper import Bfloat16OptimWrapper
from mmthermal.engine.safe_resume import allow_checkpoint_classes
from mmthermal.engine.visualization_hook import ThermalVisualizationHook

allow_checkpoint_classes()

__all__ = [
    "Bfloat16OptimWrapper",
    "ChannelsLastHook",
    "HardNegativeMiningHook",
    "ThermalVisualizationHook",
    "allow_checkpoint_classes",
    "use_channels_last",
]
