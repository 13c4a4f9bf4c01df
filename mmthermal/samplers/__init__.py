"""Samplers in mmdet's registry."""

from mmthermal.samplers.miner import HardNegativeMiner

__all__ = ["HardNegativeMiner"]
