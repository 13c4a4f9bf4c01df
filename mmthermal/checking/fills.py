"""What transforms fill borders and holes with, against the values of the pictures."""

from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np
from mmdet.registry import TRANSFORMS

from mmthermal.checking.agreement import FILL
from mmthermal.checking.config_loaders import is_known, kind_of
from mmthermal.checking.config_numbers import dicts
from mmthermal.checking.finding import Finding
from mmthermal.checking.pipelines import FAR, NORMALISE, pipelines_of, switched

FAR_FROM_LEVEL = 10.0
"""Distance of a fill from the level of pictures as they are loaded, in their deviations, that is
pointed out. Black beside an 8-bit picture lies at 2 to 7, 114 beside 16-bit counts at 50 and more.
"""
_SETTINGS = {
    **dict.fromkeys(("CachedMosaic", "Mosaic", "Pad"), "pad_val"),
    "CutOut": "fill_in",
    **dict.fromkeys(("Expand", "RandomCenterCropPad"), "mean"),
    "RandomAffine": "border_val",
    "RandomErasing": "img_border_value",
}
# They take none outside of 0..255; RandomShift has no setting, and fills with 0.
_8_BITS = ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY")
_SETTINGS |= dict.fromkeys(_8_BITS, "img_border_value")
_GAIN_CONTROLLED = (127.5, 255 / 12**0.5)  # mean and deviation of 0..255


def check_fills(cfg: Any, pictures: Mapping[str, Any]) -> list[Finding]:
    """Compare what transforms fill with and the values of the pictures at their place.

    Args:
        cfg: the whole config.
        pictures: ``level``, ``spread`` and ``level_deviation`` of the training's pictures as their
            files hold them, see :func:`~mmthermal.checking.levels.describe_levels`; empty where
            they are not known, which leaves what stands behind a normalisation.

    Returns:
        a warning for each transform that fills with a value far from the pictures'.
    """
    found: dict[Finding, None] = {}
    for name in ("train", "val", "test"):
        for pipeline in pipelines_of(cfg, name):
            found |= dict.fromkeys(f.at(f"{name}_dataloader") for f in misfits(pipeline, pictures))
    for pipeline in switched(cfg):
        found |= dict.fromkeys(f.at("custom_hooks") for f in misfits(pipeline, pictures))
    return list(found)


def misfits(pipeline: Sequence[Any], pictures: Mapping[str, Any]) -> Iterator[Finding]:
    """Those of one pipeline.

    Args:
        pipeline: transforms as a config lists them.
        pictures: as for :func:`check_fills`.

    Yields:
        a warning each; none behind transforms of the user's own, which may change the range.
    """
    known = pictures.get("level") is not None and bool(pictures.get("spread"))
    raw = (pictures["level"], _deviation(pictures)) if known else None
    values: tuple[float, float] | None = None  # level and deviation at this place
    normalised = ""
    for step in pipeline:
        kind = kind_of(step)
        inner = [part for _, part in dicts(step, "step") if "type" in part]
        if kind == "LoadThermalImage":
            values, normalised = raw, ""
        elif kind == "GainControl":
            values = values if keeps_counts(step) else _GAIN_CONTROLLED
        elif kind in NORMALISE:
            if not _changes_nothing(step):
                normalised = kind
        elif not all(is_known(kind_of(part)) for part in inner) or any(
            kind_of(part) in ("GainControl", *NORMALISE) for part in inner
        ):
            values, normalised = None, ""
        else:
            for part in inner:
                yield from _misfit(part, values, normalised)


def keeps_counts(step: Mapping[str, Any]) -> bool:
    """Whether a ``GainControl``, or a channel of it, leaves the values as they are.

    Args:
        step: its settings.
    """
    return any(given.get("method") == "raw" for given in step.get("channels") or [step])


def _misfit(
    step: Mapping[str, Any], values: tuple[float, float] | None, normalised: str
) -> Iterator[Finding]:
    """A warning if one transform fills with what lies far from the pictures' values."""
    fill = _fill(step)
    if not fill or step.get("prob") == 0 or step.get("padding_mode", "constant") != "constant":
        return
    kind, key = kind_of(step), _SETTINGS.get(kind_of(step))
    level, deviation = (0.0, 1.0) if normalised else values or (0.0, np.inf)
    worst = max(fill, key=lambda value: abs(value - level))
    distance = abs(worst - level) / deviation
    if distance <= (FAR if normalised else FAR_FROM_LEVEL):
        return
    if normalised:
        words = f"behind {normalised}, where the pictures have about 0 ± 1"
        remedy = f"set {_written(kind, 0)} of {kind}"
    else:
        words = (
            f"where the pictures have the mean {level:.5g} and the deviation {deviation:.3g}: "
            "the objects' contrast is faint against that of the fill"
        )
        behind = f"put it behind NormalizeFrame, with {_written(kind, 0)}"
        if key is None:
            behind = "put it behind NormalizeFrame, where 0 is the pictures' mean"
        fits = key is not None and (kind not in _8_BITS or 0 <= level <= 255)
        remedy = f"set {_written(kind, level)} of {kind}, or {behind}" if fits else behind
    words = f"{kind} fills with {worst:g} {words}"
    yield Finding("warning", FILL, words, f"{remedy} (docs/augmentations.md)")


def _fill(step: Mapping[str, Any]) -> list[float]:
    """The values that a transform fills with; empty for one that fills nothing, or unknown."""
    kind = kind_of(step)
    if kind == "RandomShift":
        return [0.0]
    key = _SETTINGS.get(kind)
    if key is None:
        return []
    value = step[key] if key in step else _default(kind, key)
    value = value.get("img", 0) if isinstance(value, Mapping) else value
    listed = value if isinstance(value, list | tuple) else [value]
    return [float(v) for v in listed if isinstance(v, int | float)]


def _default(kind: str, key: str) -> Any:
    """What a transform fills with where a config is silent."""
    for base in TRANSFORMS.get(kind).__mro__:  # some pass it on to their base by **kwargs
        parameters = signature(base).parameters
        if key in parameters:
            return parameters[key].default
    return None


def _written(kind: str, level: float) -> str:
    """A transform's setting for a level, as a config has it."""
    number = round(level) if abs(level) >= 10 or level == 0 else float(f"{level:.3g}")
    key = _SETTINGS.get(kind, "")
    if kind == "Pad":
        return f"{key}=dict(img={number})"
    several = key in ("border_val", "fill_in", "mean")
    return f"{key}={(number,) * 3 if several else number}"


def _deviation(pictures: Mapping[str, Any]) -> float:
    """Deviation of all pixels."""
    return float(np.hypot(pictures["spread"], pictures.get("level_deviation", 0.0)))


def _changes_nothing(step: Mapping[str, Any]) -> bool:
    """Whether a ``Normalize`` has the mean 0 and the deviation 1, as one that only casts."""
    mean, std = step.get("mean"), step.get("std")
    if mean is None or std is None:
        return False
    return not np.any(mean) and bool(np.all(np.equal(std, 1)))
