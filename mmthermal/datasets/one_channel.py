"""mmdet's transforms on images of one channel: which need help, which can't, and the help."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from numpy.typing import NDArray

from mmthermal.checking.fills import keeps_counts
from mmthermal.common.checks import InputError

CHANNELS = 3
NEED_CHANNELS = frozenset(
    (
        "CutOut",
        "Expand",
        "MinIoURandomCrop",
        "RandomCenterCropPad",
        "RandomErasing",
        "ShearX",
        "ShearY",
        "TranslateX",
        "TranslateY",
    )
)
"""Move pixels, but ask for a third dimension, or fill with three values."""
_LEVELS = "RandomContrastBrightness"
_MIXED = "Mosaic, which works, or OverlapCopyPaste"
_MAX_8_BITS = 255
INSTEAD = {
    **dict.fromkeys(
        (
            "AutoContrast",
            "Brightness",
            "Color",
            "Contrast",
            "Equalize",
            "PhotoMetricDistortion",
            "Posterize",
            "RandomGrayscale",
            "Sharpness",
            "SolarizeAdd",
            "YOLOXHSVRandomAug",
        ),
        _LEVELS,
    ),
    **dict.fromkeys(("Invert", "Solarize"), "RandomPolarity"),
    **dict.fromkeys(("CachedMixUp", "MixUp"), _MIXED),
    "Corrupt": "RandomBlur, RandomTemporalNoise or RandomDrift",
    "InstaBoost": "OverlapCopyPaste",
}
"""Made for 8-bit colour: they convert colours, clip at 255 or cast to uint8; and what to use."""
_OWN_CHOICE = {"AutoAugment": "policies", "RandAugment": "aug_space"}
_PIPELINES = ("pipeline", "switch_pipeline")


@TRANSFORMS.register_module()
class OneChannel(BaseTransform):
    """Run a transform of mmdet that asks for three channels on images of one.

    The channel is repeated, and the first one of the result taken. Images of several channels
    pass as they are.

    Args:
        transform: settings of the transform.

    Raises:
        ValueError: for a transform that is made for colour or 8 bits.
    """

    def __init__(self, transform: Mapping[str, Any]) -> None:
        _refuse(transform)
        self.transforms = [TRANSFORMS.build(dict(transform))]

    def transform(self, results: dict) -> dict | None:
        """Run the transform.

        Args:
            results: the sample.

        Returns:
            what the transform returns, with an image as it came: (H, W) or (H, W, 1).
        """
        image, inner = results["img"], self.transforms[0]
        if image.ndim == 3 and image.shape[2] > 1:
            return inner(results)
        results["img"] = _repeated(image)
        changed = inner(results)
        if changed is not None:
            plane = np.ascontiguousarray(changed["img"][..., 0])
            changed["img"] = plane[..., None] if image.ndim == 3 else plane
        return changed

    def __repr__(self) -> str:
        """Name and settings."""
        return f"{type(self).__name__}({self.transforms[0]})"


def _repeated(image: NDArray) -> NDArray:
    """(H, W, 3) of an image of one channel."""
    return np.repeat(image.reshape(*image.shape[:2], 1), CHANNELS, axis=2)


def check_one_channel(steps: Sequence[Any], *, one: bool = False) -> bool:
    """Raise where a pipeline gives images of one channel to a transform that can't take them.

    Args:
        steps: of the pipeline, as in a config.
        one: whether the images that enter it have one channel.

    Returns:
        whether the images that leave it have.

    Raises:
        InputError: naming the transform and what to do.
    """
    for step in steps:
        if not isinstance(step, Mapping):
            continue
        name = _name(step)
        if name == "LoadThermalImage":
            one = step.get("channels", 1) == 1
        elif name == "GainControl" and step.get("channels"):
            one = one and len(step["channels"]) == 1
        elif one:
            _refuse(step)
            bare = [part for part in _parts(step) if _needs_channels(part)]
            if bare and name != "OneChannel":
                inner = _name(bare[0])
                raise InputError(
                    f"{inner} needs three channels or three fill values, and the images have one: "
                    f"write dict(type='OneChannel', transform=dict(type='{name}', …))"
                )
    return one


def check_counts(steps: Sequence[Any], largest: float) -> None:
    """Raise where pictures of more than 8 bits come to a transform that is made for 8-bit colour.

    Args:
        steps: of the pipeline, as in a config.
        largest: value of the pictures as they are loaded; none are refused up to 255.

    Raises:
        InputError: naming the transform and what to use.
    """
    counts = False
    for step in steps:
        if not isinstance(step, Mapping):
            continue
        if _name(step) == "LoadThermalImage":
            counts = largest > _MAX_8_BITS
        elif _name(step) == "GainControl":
            counts = counts and keeps_counts(step)
        elif counts:
            _refuse(step, f"with values up to {largest:g}")


def check_datasets(config: Any) -> bool:
    """Check the pipelines of a data set's config, of those that it wraps, and of hooks.

    Args:
        config: dict or list of a config, at any depth.

    Returns:
        whether images of one channel come out.

    Raises:
        ValueError: as :func:`check_one_channel`.
    """
    if isinstance(config, (list, tuple)):
        return any([check_datasets(part) for part in config])
    if not isinstance(config, Mapping):
        return False
    inner = [part for key, part in config.items() if key not in _PIPELINES]
    one = check_datasets(inner)
    for key in _PIPELINES:
        one = check_one_channel(config.get(key) or [], one=one)
    return one


def _name(step: Mapping[str, Any]) -> str:
    """A transform's name without its scope."""
    return str(step.get("type", "")).rpartition(".")[2]


def _parts(step: Any) -> Iterator[Mapping[str, Any]]:
    """A transform and those within it, as in RandomApply or AutoAugment."""
    if isinstance(step, Mapping):
        yield step
        step = list(step.values())
    if isinstance(step, (list, tuple)):
        for part in step:
            yield from _parts(part)


def _needs_channels(step: Mapping[str, Any]) -> bool:
    """Whether a transform fails on (H, W)."""
    fill = step.get("pad_val")
    fill = fill.get("img") if isinstance(fill, Mapping) else fill
    padded = _name(step) == "Pad" and isinstance(fill, Sequence) and len(fill) > 1
    return padded or _name(step) in NEED_CHANNELS


def _refuse(step: Mapping[str, Any], images: str = "of one channel") -> None:
    """Raise if a transform, or one within it, is made for colour or 8 bits."""
    for part in _parts(step):
        name = _name(part)
        if name in INSTEAD:
            raise InputError(
                f"{name} is made for 8-bit colour and spoils thermal images {images}: "
                f"use {INSTEAD[name]}"
            )
        if name in _OWN_CHOICE and not part.get(_OWN_CHOICE[name]):
            key = _OWN_CHOICE[name]
            raise InputError(
                f"{name} without {key} takes mmdet's list, of which Equalize, Posterize and others "
                f"are made for 8-bit colour and spoil thermal images {images}: set "
                f"{key}=[[dict(type='RandomBlur')], …] (docs/augmentations.md)"
            )
