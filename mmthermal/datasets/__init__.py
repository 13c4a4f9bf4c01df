"""Data sets and transforms in mmdet's registries."""

from mmthermal.datasets.thermal_coco import ThermalCocoDataset
from mmthermal.datasets.transforms import (
    LoadThermalImage,
    NormalizeFrame,
    RandomContrastBrightness,
)

__all__ = ["LoadThermalImage", "NormalizeFrame", "RandomContrastBrightness", "ThermalCocoDataset"]
