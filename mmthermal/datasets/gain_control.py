"""Gain control as a step of the pipeline: one for all channels, or a channel for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from mmthermal.common.gain import gain_control


@TRANSFORMS.register_module()
class GainControl(BaseTransform):
    """Bring an image of any bit depth to 0..255 by one gain control, or by several as channels.

    It draws no random numbers, so that training, test and drawing see the same. What imitates
    the sensor (drift, noise) goes before it, ``Normalize`` or ``NormalizeFrame`` behind it.

    Modified keys: ``img``; (H, W) or (H, W, C) as it came with ``method``, (H, W, ``channels``)
    otherwise, float32.

    Args:
        method: a name in :data:`mmthermal.common.gain.GAIN_CONTROLS`.
        channels: in place of ``method``: a ``dict(method=…, …)`` for each channel of the output.
        **settings: of the method's function in :mod:`mmthermal.common.gain`.

    Raises:
        TypeError: for a setting that the method doesn't have or lacks, or of the wrong type.
        ValueError: for an unknown method, a setting out of range, or none or both of ``method``
            and ``channels``.
    """

    def __init__(
        self,
        *,
        method: str | None = None,
        channels: Sequence[Mapping[str, Any]] | None = None,
        **settings: Any,
    ) -> None:
        if (method is None) == (not channels):
            raise ValueError(
                f"method={method!r}, channels={channels!r}: give one of them, such as "
                "method='clahe' or channels=[dict(method='stretch'), dict(method='clahe')]"
            )
        if channels and settings:
            raise TypeError(f"{', '.join(settings)}: with channels, settings go into their dicts")
        self.settings = list(channels) if channels else [dict(method=method, **settings)]
        self.stacks = bool(channels)
        self.controls = [gain_control(given) for given in self.settings]
        self.display = next(  # what pictures of detections show
            (
                control
                for given, control in zip(self.settings, self.controls, strict=True)
                if given["method"] != "raw"
            ),
            None,
        )

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``.

        Args:
            results: the sample.

        Returns:
            the sample.

        Raises:
            ValueError: with ``channels``, for an image of several.
        """
        image = results["img"]
        if not self.stacks:
            control = self.controls[0]
            planes = [image] if image.ndim == 2 else list(np.moveaxis(image, 2, 0))
            shown = [control(plane) for plane in planes]
            results["img"] = shown[0] if image.ndim == 2 else np.stack(shown, axis=2)
            return results
        if image.ndim == 3 and image.shape[2] > 1:
            raise ValueError(
                f"GainControl(channels=…) got an image of {image.shape[2]} channels, expected one: "
                "load it with LoadThermalImage(channels=1)"
            )
        plane = image if image.ndim == 2 else image[..., 0]
        results["img"] = np.stack([control(plane) for control in self.controls], axis=2)
        return results

    def __repr__(self) -> str:
        """Name and settings."""
        return f"{type(self).__name__}(channels={self.settings})"
