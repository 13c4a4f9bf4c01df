"""Do the pipelines of a config agree on the values of the pictures, and fit them?"""

from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from mmthermal.checking.agreement import NORMALISATION, PIPELINES_DIFFER
from mmthermal.checking.config_loaders import is_known, kind_of
from mmthermal.checking.config_numbers import dicts
from mmthermal.checking.finding import Finding
from mmthermal.common.gain import GAIN_CONTROLS

NORMALISE = ("Normalize", "NormalizeFrame")
"""Transforms behind which the pictures have about 0 ± 1."""
FAR = 5.0
"""Distance of the pictures' level from Normalize's mean, in its deviations, that is pointed out."""
FLAT = 0.05
"""Contrast within a picture, in Normalize's deviations, below which it is pointed out."""
# Steps that decide the values which the network sees, with what they have where a config is silent.
_STEPS: dict[str, dict[str, Any]] = {
    "LoadThermalImage": dict(channels=1, radiometric=None),
    "GainControl": {},
    "Normalize": dict(to_rgb=True),
    "NormalizeFrame": dict(min_std=1.0),
}
Step = tuple[str, dict[str, Any]]


def pipelines(dataset: Any) -> Iterator[list[Any]]:
    """The transforms that each image of a data set goes through.

    Args:
        dataset: its config; those inside of wrappers are looked into, whose own pipeline, such as
            that of ``MultiImageMixDataset``, comes after theirs.

    Yields:
        a list for each data set; empty where the config has none.
    """
    if not isinstance(dataset, Mapping):
        return
    own = list(dataset.get("pipeline") or ())
    parts = [part for part in dataset.get("datasets") or [dataset.get("dataset")] if part]
    if not parts:
        yield own
    for part in parts:
        for inner in pipelines(part):
            yield [*inner, *own]


def pipelines_of(cfg: Any, name: str) -> list[list[Any]]:
    """Those of a loader.

    Args:
        cfg: the whole config.
        name: of the loader, such as ``val``.
    """
    loader = cfg.get(f"{name}_dataloader")
    return list(pipelines(loader.get("dataset"))) if isinstance(loader, Mapping) else []


def switched(cfg: Any) -> list[list[Any]]:
    """Those that a ``PipelineSwitchHook`` puts in the place of training's.

    Args:
        cfg: the whole config.
    """
    hooks = [hook for hook in cfg.get("custom_hooks") or [] if isinstance(hook, Mapping)]
    return [list(hook["switch_pipeline"]) for hook in hooks if hook.get("switch_pipeline")]


def value_steps(pipeline: Sequence[Any]) -> list[Step] | None:
    """The steps that decide the values which the network sees.

    Args:
        pipeline: transforms as a config lists them.

    Returns:
        name and settings of each, in their order; None where that can't be told: no pipeline, a
        transform of the user's own, or such a step within another one.
    """
    steps: list[Step] = []
    for place, step in dicts(list(pipeline), "pipeline"):
        kind = kind_of(step)
        inner = place.count(".") > 1
        if ("type" in step and not is_known(kind)) or (inner and kind in _STEPS):
            return None
        if kind in _STEPS:
            steps.append((kind, _settings(kind, step)))
    return steps if pipeline else None


def _settings(kind: str, step: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a step with its defaults."""
    given = {key: _listed(value) for key, value in step.items() if key != "type"}
    if kind == "LoadThermalImage":  # the others change no value
        return {key: given.get(key, value) for key, value in _STEPS[kind].items()}
    if kind == "GainControl" and given.get("channels"):
        return dict(channels=[_settings(kind, channel) for channel in given["channels"]])
    if kind == "GainControl" and given.get("method") in [*GAIN_CONTROLS]:
        known = signature(GAIN_CONTROLS[given["method"]]).parameters.values()
        defaults = {p.name: _listed(p.default) for p in known if p.default is not p.empty}
    else:
        defaults = _STEPS[kind]
    return given | {key: value for key, value in defaults.items() if key not in given}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def compare_pipelines(cfg: Any) -> list[Finding]:
    """Compare the values that training, validation and test give the network.

    Args:
        cfg: the whole config. A ``PipelineSwitchHook``'s pipeline counts as one of training, and
            of several joined sets each may have its own.

    Returns:
        a warning if one of validation or test has none of training's.
    """
    train = [value_steps(steps) for steps in [*pipelines_of(cfg, "train"), *switched(cfg)]]
    if not train or None in train:
        return []
    different: dict[str, list[Step]] = {}
    for name in ("val", "test"):
        for pipeline in pipelines_of(cfg, name):
            steps = value_steps(pipeline)
            if steps is not None and steps not in [*train, *different.values()]:
                different[name] = steps
    return [
        Finding(
            "warning",
            PIPELINES_DIFFER,
            f"train gives the network {_in_words(train[0] or [])}; {name} gives it "
            f"{_in_words(steps)}: it is judged on values that it has not learnt from",
            f"give the pipeline of {name}_dataloader the steps of train_dataloader's, or the "
            "other way round (docs/gain_control.md)",
            where=f"train_dataloader, {name}_dataloader",
        )
        for name, steps in different.items()
    ]


def _in_words(steps: Sequence[Step]) -> str:
    """Steps as in a config, without what is None."""
    words = [
        f"{kind}({', '.join(f'{k}={v!r}' for k, v in settings.items() if v is not None)})"
        for kind, settings in steps
    ]
    return ", ".join(words) or f"none of {', '.join(_STEPS)}"


def check_pixel_range(pipeline: Sequence[Any], pictures: Mapping[str, Any]) -> list[Finding]:
    """Compare ``Normalize`` or ``NormalizeFrame`` with the values that it is given.

    Args:
        pipeline: transforms as a config lists them.
        pictures: figures of the split, see :func:`~mmthermal.checking.levels.describe_levels`.

    Returns:
        a warning if the network would see values far from 0, or hardly any contrast. Nothing where
        a gain control comes before.
    """
    end = next((n for n, step in enumerate(pipeline, 1) if kind_of(step) in NORMALISE), 0)
    steps = value_steps(pipeline[:end]) or []
    if len(steps) != 2 or steps[0][0] != "LoadThermalImage":
        return []
    kind, settings = steps[1]
    level, spread = pictures.get("level"), pictures.get("spread")
    if level is None or not spread:
        return []
    if kind == "NormalizeFrame":
        misfit, remedy = _frame(spread, settings["min_std"])
    else:
        deviation = float(np.hypot(spread, pictures["level_deviation"]))
        misfit, remedy = _fixed(level, spread, deviation, settings)
    if not misfit:
        return []
    words = f"the median picture has the mean {level:.4g} and the deviation {spread:.3g}: {misfit}"
    return [Finding("warning", NORMALISATION, words, remedy)]


def _frame(spread: float, min_std: float) -> tuple[str, str]:
    """What NormalizeFrame makes of too small a contrast, and what to do; empty where it fits."""
    if spread >= min_std:
        return "", ""
    return (
        f"less than NormalizeFrame's min_std={min_std:g}, so that its contrast stays faint",
        f"set min_std={spread / 30:.1g} of NormalizeFrame in all pipelines",
    )


def _fixed(
    level: float, spread: float, deviation: float, settings: Mapping[str, Any]
) -> tuple[str, str]:
    """What Normalize makes of pictures of another range, and what to do; empty where it fits."""
    mean, std = np.ravel(settings["mean"]), np.ravel(settings["std"])
    values = (level - mean) / std
    if np.abs(values).min() <= FAR and spread >= FLAT * std.min():
        return "", ""
    count = len(mean)
    floor = f"(min_std={spread / 30:.1g})" if spread < 1 else ""
    return (
        f"Normalize(mean={mean.tolist()}, std={std.tolist()}) makes them {values[0]:.4g} and "
        f"{spread / std[0]:.2g}, where about 0 and 1 is meant",
        f"set mean={[float(f'{level:.4g}')] * count}, std={[float(f'{deviation:.3g}')] * count} in "
        f"all pipelines, or take NormalizeFrame{floor}, or GainControl before it "
        "(docs/gain_control.md)",
    )
