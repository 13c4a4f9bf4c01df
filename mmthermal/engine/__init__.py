"""Optimizer wrapper, drawing, mining, the check before a run, and resume under current torch."""

from mmthermal.common.safe_loading import allow_checkpoint_classes, load_safely_everywhere
from mmthermal.engine.agreement_hook import AgreementHook
from mmthermal.engine.channels_last import ChannelsLastHook, use_channels_last
from mmthermal.engine.checkpoint_check_hook import CheckpointCheckHook
from mmthermal.engine.checkpoint_hook import SafeCheckpointHook
from mmthermal.engine.finite_check_hook import FiniteCheckHook
from mmthermal.engine.hard_negative_mining_hook import HardNegativeMiningHook
from mmthermal.engine.optim_wrapper import Bfloat16OptimWrapper
from mmthermal.engine.repeatable_hook import RepeatableHook
from mmthermal.engine.visualization_hook import ThermalVisualizationHook

allow_checkpoint_classes()
load_safely_everywhere()

__all__ = [
    "AgreementHook",
    "Bfloat16OptimWrapper",
    "ChannelsLastHook",
    "CheckpointCheckHook",
    "FiniteCheckHook",
    "HardNegativeMiningHook",
    "RepeatableHook",
    "SafeCheckpointHook",
    "ThermalVisualizationHook",
    "allow_checkpoint_classes",
    "use_channels_last",
]
