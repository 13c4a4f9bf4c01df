"""Data sets and transforms in mmdet's registries."""

from mmthermal.datasets.array_loading import LoadThermalArray, ThermalInferencerLoader
from mmthermal.datasets.mined_image_sampler import MinedImageSampler
from mmthermal.datasets.thermal_coco import ThermalCocoDataset
from mmthermal.datasets.transforms import (
    LoadThermalImage,
    NormalizeFrame,
    RandomContrastBrightness,
)

__all__ = [
    "LoadThermalArray",
    "LoadThermalImage",
    "MinedImageSampler",
    "NormalizeFrame",
    "RandomContrastBrightness",
    "ThermalCocoDataset",
    "ThermalInferencerLoader",
]
