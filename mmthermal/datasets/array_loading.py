"""Frames that come as arrays, in mmdet's own ways to predict."""

import inspect
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmdet.datasets.transforms import LoadImageFromNDArray
from mmdet.registry import TRANSFORMS

from mmthermal.datasets.picture_checks import check_picture
from mmthermal.datasets.transforms import LoadThermalImage


@TRANSFORMS.register_module(name="LoadImageFromNDArray", force=True)
class LoadThermalArray(LoadImageFromNDArray):
    """``LoadImageFromNDArray`` that takes the settings of ``LoadThermalImage``, too.

    ``inference_detector`` puts it in the place of the loader of a test pipeline, with the loader's
    settings. mmdet's own takes none of ``LoadThermalImage``'s; where one is given, such as
    ``channels=1``, arrays become what that loader would give.

    Args:
        *args: as ``LoadImageFromNDArray``.
        **kwargs: as ``LoadImageFromNDArray`` and ``LoadThermalImage``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        common = inspect.signature(LoadImageFromFile.__init__).parameters
        own = inspect.signature(LoadThermalImage.__init__).parameters
        thermal = {key: kwargs.pop(key) for key in own if key in kwargs and key not in common}
        super().__init__(*args, **kwargs)
        self.thermal = LoadThermalImage(**thermal) if thermal else None

    def transform(self, results: dict) -> dict:
        """Take the array of ``results['img']``.

        Args:
            results: the sample.

        Returns:
            the sample with the image.

        Raises:
            ValueError: as ``LoadThermalImage``, if its settings were given.
        """
        if self.thermal is not None:
            image = check_picture(np.asarray(results["img"]), {}, "the array")
            results["img"] = self.thermal.to_channels(image, "the array")
        loaded: dict = super().transform(results)
        return loaded


@TRANSFORMS.register_module()
class ThermalInferencerLoader(BaseTransform):
    """mmdet's ``InferencerLoader`` over ``LoadThermalImage``: paths and arrays.

    Args:
        **kwargs: as ``LoadThermalImage``.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.from_file = LoadThermalImage(**kwargs)
        self.from_ndarray = LoadThermalArray(**{"channels": self.from_file.channels, **kwargs})

    def transform(self, results: str | np.ndarray | dict) -> dict | None:
        """Load one input.

        Args:
            results: a path, an array, or a sample with ``img_path`` or ``img``.

        Returns:
            the sample with the image.
        """
        if not isinstance(results, dict):
            key = "img_path" if isinstance(results, str) else "img"
            results = {key: results}
        return (self.from_ndarray if "img" in results else self.from_file).transform(results)
