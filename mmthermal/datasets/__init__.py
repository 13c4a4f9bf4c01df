"""Data sets and transforms in mmdet's registries."""

from mmthermal.datasets.array_loading import LoadThermalArray, ThermalInferencerLoader
from mmthermal.datasets.copy_paste import OverlapCopyPaste
from mmthermal.datasets.gain_control import GainControl
from mmthermal.datasets.mined_image_sampler import MinedImageSampler
from mmthermal.datasets.one_channel import OneChannel
from mmthermal.datasets.sensor_transforms import (
    RandomBlur,
    RandomDrift,
    RandomFixedPattern,
    RandomPolarity,
    RandomResolutionDrop,
    RandomTemporalNoise,
)
from mmthermal.datasets.thermal_coco import ThermalCocoDataset
from mmthermal.datasets.transforms import (
    LoadThermalImage,
    NormalizeFrame,
    RandomContrastBrightness,
)

__all__ = [
    "GainControl",
    "LoadThermalArray",
    "LoadThermalImage",
    "MinedImageSampler",
    "NormalizeFrame",
    "OneChannel",
    "OverlapCopyPaste",
    "RandomBlur",
    "RandomContrastBrightness",
    "RandomDrift",
    "RandomFixedPattern",
    "RandomPolarity",
    "RandomResolutionDrop",
    "RandomTemporalNoise",
    "ThermalCocoDataset",
    "ThermalInferencerLoader",
]
