"""Data sets and transforms in mmdet's registries."""

from mmthermal.datasets.thermal_coco import ThermalCocoDataset
from mmthermal.datasets.transforms import LoadThermalImage, RandomContrastBrightness

__all__ = ["LoadThermalImage", "RandomContrastBrightness", "ThermalCocoDataset"]
