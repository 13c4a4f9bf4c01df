"""Samplers in mmdet's registry."""

from mmthermal.samplers.hard_negative_sampler import HardNegativeSampler
from mmthermal.samplers.miner import HardNegativeMiner

__all__ = ["HardNegativeMiner", "HardNegativeSampler"]
