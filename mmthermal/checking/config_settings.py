"""Settings of a config that nobody would read, or that cannot be meant: found before a training.

mmengine builds classes from dicts and so refuses what a signature lacks. It does not see plain
dicts that code reads key by key, and ``**kwargs`` that lead nowhere. What is listed here is what
mmdet 3.3 and mmengine 0.10 read.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from inspect import isclass, signature
from typing import Any

import torch
from mmengine.hooks import CheckpointHook
from mmengine.registry import OPTIMIZERS
from torch.distributed import init_process_group

from mmthermal.checking.config_loaders import wrong_loaders
from mmthermal.checking.config_numbers import dicts, wrong_numbers
from mmthermal.common.building import registered
from mmthermal.common.checks import did_you_mean

# Keys of plain dicts, by the last part of their place in the config.
_READ = {
    "filter_cfg": ("filter_empty_gt", "min_size", "bbox_min_size"),
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
    "env_cfg": ("cudnn_benchmark", "dist_cfg", "mp_cfg", "resource_limit"),
    "dist_cfg": ("init_backend", "port", *signature(init_process_group).parameters),
    "data_prefix": (
        "img",
        "img_path",
        "seg",
        "seg_map_path",
        "sub_data_root",
        "ann",
        "anno",
        "proposals",
    ),
}
_CLIP = {
    "norm": ("error_if_nonfinite", "foreach", "max_norm", "norm_type"),
    "value": ("clip_value", "foreach"),
}
_NMS = {
    "nms": ("iou_threshold", "iou_thr", "offset", "score_threshold", "max_num"),
    "soft_nms": ("iou_threshold", "iou_thr", "sigma", "min_score", "method", "offset", "max_num"),
}
_METAINFO = ("classes", "palette", "dataset_type", "task_name", "base_classes", "novel_classes")

_ONE_STAGE = ("RetinaNet", "ATSS", "FCOS", "GFL", "VFNet")
_TWO_STAGES = ("FasterRCNN", "CascadeRCNN")
_RPN_HEADS = ("RPNHead", "Float32RPNHead", "CompositeRPNHead")
_BOXES = ("max_per_img", "min_bbox_size", "nms", "nms_pre")
_ASSIGNED = ("allowed_border", "assigner", "debug", "pos_weight", "sampler")
_DENSE_TEST = (*_BOXES, "mask_thr_binary", "score_thr")
_ROI_TEST = ("mask_thr_binary", "max_per_img", "nms", "score_thr")
_ROI_TRAIN = (*_ASSIGNED, "carl", "dynamic_rcnn", "isr", "mask_size")
# Parts of two-stage detectors: those of train_cfg and of test_cfg.
_STAGES: dict[str, dict[str, tuple[str, ...]]] = {
    "train_cfg": dict(rpn=_ASSIGNED, rpn_proposal=_BOXES, rcnn=_ROI_TRAIN),
    "test_cfg": dict(rpn=_BOXES, rcnn=_ROI_TEST),
}
# Heads, and the part of train_cfg and test_cfg, or all of it, that mmdet puts into their config,
# where the config that a run writes has it.
_PARTS = {"bbox_head": None, "rpn_head": "rpn", "roi_head": "rcnn"}
MMENGINE_HOOKS = {
    "checkpoint": ("CheckpointHook", "SafeCheckpointHook"),
    "logger": ("LoggerHook",),
    "param_scheduler": ("ParamSchedulerHook",),
    "runtime_info": ("RuntimeInfoHook",),
    "sampler_seed": ("DistSamplerSeedHook",),
    "timer": ("IterTimerHook",),
}
"""mmengine's own hooks and their classes: the same class under another name is a second one."""
# Those that the configs of this project add.
_OUR_HOOKS = {
    *("agreement", "channels_last", "checkpoint_check", "finite_check", "repeatable"),
    "visualization",
}
_SWITCHES = ("true", "false", "yes", "no", "on", "off", "0", "1")
# Classes whose bases take any argument and read none of them.
_SWALLOWING = ("Sampler", "Coder", "CheckpointHook")


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
    yield from wrong_numbers(cfg)
    yield from wrong_loaders(cfg)
    yield from _hooks(cfg.get("default_hooks") or {})
    yield from _optimizer(cfg.get("optim_wrapper") or {})
    yield from _detector(cfg.get("model") or {}, cfg.get("data_preprocessor"))
    for place, node in dicts(cfg, ""):
        last = place.rpartition(".")[2]
        if last in _READ:
            yield from _strangers(place, node, _READ[last])
        elif last == "metainfo":
            for key in node:
                if key not in _METAINFO and (hint := did_you_mean(str(key).lower(), _METAINFO)):
                    yield f"{place}.{key} is not read: {hint}"
        elif last == "nms" and place.startswith("model."):
            yield from _nms(place, node)
        elif isinstance(node.get("type"), str):
            yield from _arguments(place, node)


def unmatched_keys(cfg: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Entries of ``paramwise_cfg.custom_keys`` that no parameter of the model has in its name.

    Args:
        cfg: the whole config.
        names: of the model's parameters.

    Yields:
        a sentence each.
    """
    wrapper = cfg.get("optim_wrapper") or {}
    keys = (wrapper.get("paramwise_cfg") or {}).get("custom_keys") or {}
    names = list(names)
    parts = sorted({part for name in names for part in name.split(".")})
    for key in keys:
        if not any(key in name for name in names):
            hint = did_you_mean(str(key), parts)
            place = "optim_wrapper.paramwise_cfg.custom_keys"
            yield f"{place}.{key} is in no parameter's name. {hint}".rstrip()


def _hooks(hooks: Mapping[str, Any]) -> Iterator[str]:
    """Hooks under a name that gives a second one, or none."""
    names: dict[str, str] = {}
    for name, hook in hooks.items():
        kind = str(hook.get("type", "")) if isinstance(hook, Mapping) else ""
        twin = next((key for key, kinds in MMENGINE_HOOKS.items() if kind in kinds), None)
        others = {*MMENGINE_HOOKS, *hooks} - {name}
        if hook is None:
            known = _OUR_HOOKS | others
            # only what comes very near: it may be a hook of a base config, which None replaced
            near = get_close_matches(name, known, n=1, cutoff=0.85)
            if near and name not in _OUR_HOOKS | MMENGINE_HOOKS.keys():
                yield f"default_hooks.{name}=None switches nothing off: did you mean {near[0]!r}?"
        elif name not in MMENGINE_HOOKS and (twin or not kind):
            hint = f"did you mean {twin!r}?" if twin else did_you_mean(name, others)
            yield f"default_hooks.{name} is none of mmengine's hooks: {hint}"
        elif kind and names.setdefault(kind, name) != name:
            yield f"default_hooks.{name} is a second {kind}, beside {names[kind]!r}"


def _optimizer(wrapper: Mapping[str, Any]) -> Iterator[str]:
    """Clipping, and options by a parameter's name."""
    clip = wrapper.get("clip_grad")
    if isinstance(clip, Mapping):
        kind = clip.get("type", "norm")
        if kind in [*_CLIP]:
            yield from _strangers("optim_wrapper.clip_grad", clip, _CLIP[kind])
        else:
            yield f"optim_wrapper.clip_grad.type={kind!r}: choose 'norm' or 'value'"
    options = wrapper.get("paramwise_cfg")
    if not isinstance(options, Mapping):
        return
    place = "optim_wrapper.paramwise_cfg"
    known: tuple[str, ...] = ("lr_mult", "decay_mult", "flat_decay_mult")
    optimizer = wrapper.get("optimizer")
    name = optimizer.get("type") if isinstance(optimizer, Mapping) else None
    kind = OPTIMIZERS.get(name) if isinstance(name, str) and name.isidentifier() else None
    keys = options.get("custom_keys")
    groups = keys if isinstance(keys, Mapping) else {}
    for key, group in groups.items():
        if isinstance(group, Mapping) and isclass(kind):
            allowed = (*known, *signature(kind).parameters)
            yield from _strangers(f"{place}.custom_keys.{key}", group, allowed)
    for at, node in dicts(options, place):
        for key, value in node.items():
            wrong = isinstance(value, int | float) and not value >= 0
            if str(key).endswith("_mult") and wrong:
                yield f"{at}.{key}={value!r}: must be at least 0"


def _detector(model: Mapping[str, Any], preprocessor: Any) -> Iterator[str]:
    """Settings of training and test in a detector of mmdet's."""
    own = model.get("data_preprocessor")
    if preprocessor is not None and own is not None and preprocessor != own:
        yield "data_preprocessor is replaced by model.data_preprocessor: set that"
    kind = model.get("type")
    if kind not in (*_ONE_STAGE, *_TWO_STAGES):
        return
    for name in ("train_cfg", "test_cfg"):
        given = model.get(name)
        parts = given if isinstance(given, Mapping) else {}
        for head, part in _PARTS.items():
            inner = model.get(head)
            here = inner.get(name) if isinstance(inner, Mapping) else None
            if here is not None and here != (parts.get(part) if part else given):
                yield f"model.{head}.{name} is replaced by model.{name}: set that"
        if not isinstance(given, Mapping):
            continue
        place = f"model.{name}"
        if kind in _ONE_STAGE:
            if name == "test_cfg":
                yield from _strangers(place, given, _DENSE_TEST)
            continue
        yield from _strangers(place, given, tuple(_STAGES[name]))
        rpn = (model.get("rpn_head") or {}).get("type")
        for part, read in _STAGES[name].items():
            inner = given.get(part) if part == "rcnn" or rpn in _RPN_HEADS else None
            several = inner if isinstance(inner, list | tuple) else [inner]
            for number, one in enumerate(several):
                at = f"{place}.{part}.{number}" if several is inner else f"{place}.{part}"
                if isinstance(one, Mapping):
                    yield from _strangers(at, one, read)


def _nms(place: str, node: Mapping[str, Any]) -> Iterator[str]:
    """Arguments of mmcv's non-maximum suppression, which would fail at the first validation."""
    kind = node.get("type", "nms")
    if kind in [*_NMS]:
        yield from _strangers(place, node, (*_NMS[kind], "class_agnostic", "split_thr"))
    elif isinstance(kind, str) and (hint := did_you_mean(kind, _NMS)):
        yield f"{place}.type={kind!r}: {hint}"


def _strangers(place: str, node: Mapping[str, Any], read: tuple[str, ...]) -> Iterator[str]:
    """Keys of a plain dict that no code reads."""
    for key in node:
        if key not in read and key not in ("type", "_delete_", "_scope_"):
            hint = did_you_mean(str(key), read) or f"choose of {', '.join(read) or 'none'}"
            yield f"{place}.{key} is not read: {hint}"


def _arguments(place: str, node: Mapping[str, Any]) -> Iterator[str]:
    """Arguments that a class would swallow, and texts for switches."""
    name = node["type"].rpartition(".")[2]
    if not name.isidentifier():
        return
    kind = registered(name)
    if not isclass(kind):
        return
    known = {
        parameter.name: parameter.default
        for base in reversed(kind.__mro__)
        if base not in (object, torch.nn.Module) and "__init__" in vars(base)
        for parameter in signature(base).parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    for key, value in node.items():
        text = value.lower() if isinstance(value, str) else None
        if isinstance(known.get(key), bool) and text in _SWITCHES:
            yield f"{place}.{key}={value!r}: True or False, without quotes"
    saved = signature(torch.save).parameters if issubclass(kind, CheckpointHook) else ()
    if name.endswith("PseudoSampler"):  # it reads nothing at all
        yield from _strangers(place, node, ())
    elif name.endswith(_SWALLOWING):
        yield from _strangers(place, node, (*sorted(known), *saved))
