"""Hard negatives of a whole data set: find, rank, carry from round to round, show."""

from mmthermal.mining.finding import MiningSettings
from mmthermal.mining.mined_regions import MinedRegions
from mmthermal.mining.region_file import Region, RegionFile

__all__ = ["MinedRegions", "MiningSettings", "Region", "RegionFile"]
