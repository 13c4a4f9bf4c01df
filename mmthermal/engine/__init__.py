"""Optimizer wrapper, drawing, mining, the check before a run, and resume under current torch."""

from mmthermal.engine.agreement_hook import AgreementHook
from mmthermal.engine.hard_negative_mining_hook import HardNegativeMiningHook
from mmthermal.engine.optim_wrapper import Bfloat16OptimWrapper
from mmthermal.engine.safe_resume import allow_checkpoint_classes
from mmthermal.engine.visualization_hook import ThermalVisualizationHook

allow_checkpoint_classes()

__all__ = [
    "AgreementHook",
    "Bfloat16OptimWrapper",
    "HardNegativeMiningHook",
    "ThermalVisualizationHook",
    "allow_checkpoint_classes",
]
