"""Which negatives count: the hardest of a batch."""

from mmthermal.samplers.hard_negative_sampler import HardNegativeSampler
from mmthermal.samplers.miner import HardNegativeMiner

__all__ = ["HardNegativeMiner", "HardNegativeSampler"]
