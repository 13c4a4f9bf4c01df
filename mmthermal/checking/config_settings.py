"""Settings of a config that nobody would read, or that cannot be meant: found before a training.

mmengine builds classes from dicts and so refuses what a signature lacks. It does not see plain
dicts that code reads key by key, ``**kwargs`` that lead nowhere, and numbers out of range. What is
listed here is what mmdet 3.3 and mmengine 0.10 read.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmdet.registry import DATA_SAMPLERS, TASK_UTILS

from mmthermal.common.checks import did_you_mean

# Keys of plain dicts, by the last part of their place in the config.
_READ = {
    "filter_cfg": ("filter_empty_gt", "min_size"),
    "paramwise_cfg": (
        "bias_decay_mult",
        "bias_lr_mult",
        "bypass_duplicate",
        "custom_keys",
        "dcn_offset_lr_mult",
        "decay_rate",
        "decay_type",
        "dwconv_decay_mult",
        "flat_decay_mult",
        "layer_decay_rate",
        "norm_decay_mult",
        "num_layers",
    ),
    "auto_scale_lr": ("base_batch_size", "enable"),
}
_DATA_PREFIX = ("img", "img_path", "seg", "seg_map_path", "sub_data_root", "ann", "proposals")
_TEST_CFG = (
    "max_per_img",
    "min_bbox_size",
    "nms",
    "nms_pre",
    "score_thr",
    "mask_thr_binary",
    "rcnn",
    "rpn",
)
# Detectors whose test_cfg has these keys alone; others read more of it.
_DETECTORS = ("RetinaNet", "ATSS", "FCOS", "GFL", "VFNet", "FasterRCNN", "CascadeRCNN")
# mmengine's own hooks and their classes: the same class under another name is a second one.
_HOOKS = {
    "checkpoint": ("CheckpointHook", "SafeCheckpointHook"),
    "logger": ("LoggerHook",),
    "param_scheduler": ("ParamSchedulerHook",),
    "runtime_info": ("RuntimeInfoHook",),
    "sampler_seed": ("DistSamplerSeedHook",),
    "timer": ("IterTimerHook",),
}
# Numbers: place, what holds, in words.
_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("optim_wrapper.clip_grad.max_norm", lambda v: v > 0, "more than 0"),
    ("optim_wrapper.accumulative_counts", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
    ("optim_wrapper.optimizer.lr", lambda v: 0 < v < math.inf, "more than 0, and finite"),
    ("train_cfg.max_epochs", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
    ("train_cfg.max_iters", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
    ("train_cfg.val_interval", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
    ("train_dataloader.batch_size", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
    ("val_dataloader.batch_size", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
    ("test_dataloader.batch_size", lambda v: v >= 1 and v == int(v), "1, 2, 3 …"),
)
_LARGEST_WEIGHT = 1e6


def check_settings(cfg: Mapping[str, Any]) -> None:
    """Raise if a config has a setting that is not read, or out of any sensible range.

    Args:
        cfg: the whole config, as a dict or mmengine's ``Config``.

    Raises:
        ValueError: naming every such setting, with what is allowed.
    """
    found = list(wrong_settings(cfg))
    if found:
        raise ValueError("settings of the config:\n  " + "\n  ".join(found))


def wrong_settings(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Settings that nobody reads, or that are out of range.

    Args:
        cfg: the whole config, as a dict or mmengine's ``Config``.

    Yields:
        a sentence each.
    """
    cfg = dict(cfg.items())  # mmengine's Config is no Mapping, its parts are
    sections = ("auto_scale_lr", "default_hooks", "model", "optim_wrapper", "train_dataloader")
    for name in (*sections, "train_cfg", "val_dataloader", "test_dataloader"):
        if not isinstance(cfg.get(name) or {}, Mapping):
            yield f"{name}={cfg.pop(name)!r}: must be a dict"
    yield from _ranges(cfg)
    for name, hook in (cfg.get("default_hooks") or {}).items():
        kind = str(hook.get("type", "")) if isinstance(hook, Mapping) else ""
        twin = next((key for key, kinds in _HOOKS.items() if kind in kinds), None)
        if name not in _HOOKS and (twin or not kind):
            hint = f"did you mean {twin!r}?" if twin else did_you_mean(name, _HOOKS)
            yield f"default_hooks.{name} is none of mmengine's hooks: {hint}"
    yield from _model(cfg.get("model") or {})
    for place, node in _dicts(cfg, ""):
        last = place.rpartition(".")[2]
        if last in _READ:
            yield from _strangers(place, node, _READ[last])
        elif last == "data_prefix":
            yield from _strangers(place, node, _DATA_PREFIX)
        elif isinstance(node.get("type"), str):
            yield from _swallowed(place, node)


def _ranges(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Numbers out of their range."""
    for place, holds, words in _RULES:
        value: Any = cfg
        for key in place.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None or (isinstance(value, str) and place.endswith("lr")):
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not holds(value):
            yield f"{place}={value!r}: must be {words}"


def _model(model: Mapping[str, Any]) -> Iterator[str]:
    """Weights and test settings of a detector."""
    test = model.get("test_cfg")
    if isinstance(test, Mapping) and model.get("type") in _DETECTORS:
        yield from _strangers("model.test_cfg", test, _TEST_CFG)
        for part in ("rpn", "rcnn"):
            if isinstance(test.get(part), Mapping):
                yield from _strangers(f"model.test_cfg.{part}", test[part], _TEST_CFG)
    weights = []
    for place, node in _dicts(model, "model"):
        for key, value in node.items():
            if not isinstance(value, int | float | str) or isinstance(value, bool):
                continue
            if key == "loss_weight" or (key.startswith("w_") and "loss_composite" in place):
                fine = isinstance(value, int | float) and 0 <= value <= _LARGEST_WEIGHT
                if not fine:
                    yield f"{place}.{key}={value!r}: must lie in [0, {_LARGEST_WEIGHT:g}]"
                weights.append(value)
            if key == "count_empty":
                yield f"{place}.{key}={value!r}: True or False, without quotes"
    if weights and not any(weights):
        yield f"all {len(weights)} weights of the losses in the model are 0: nothing is learnt"


def _strangers(place: str, node: Mapping[str, Any], read: tuple[str, ...]) -> Iterator[str]:
    """Keys of a plain dict that no code reads."""
    for key in node:
        if key not in read and key not in ("type", "_delete_", "_scope_"):
            hint = did_you_mean(str(key), read) or f"choose of {', '.join(read)}"
            yield f"{place}.{key} is not read: {hint}"


def _swallowed(place: str, node: Mapping[str, Any]) -> Iterator[str]:
    """Arguments of samplers, whose base class takes any."""
    name = node["type"].rpartition(".")[2]
    if not name.endswith("Sampler") or not name.isidentifier():
        return
    kind = next((k for r in (TASK_UTILS, DATA_SAMPLERS) if (k := r.get(name))), None)
    if not inspect.isclass(kind):
        return
    known = {
        parameter.name
        for base in kind.__mro__
        if base is not object and "__init__" in vars(base)
        for parameter in inspect.signature(base).parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    yield from _strangers(place, node, tuple(sorted(known)))


def _dicts(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dict of a config with its place."""
    if isinstance(node, Mapping):
        if place:
            yield place, node
        for key in node:
            yield from _dicts(node[key], f"{place}.{key}" if place else str(key))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from _dicts(value, f"{place}.{number}")
