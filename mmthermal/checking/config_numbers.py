"""Numbers of a config that no training can mean: out of range, or against one another."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard


class _Rule(NamedTuple):
    """What holds for a number, and the words for it."""

    holds: Callable[[float], bool]
    words: str


_COUNT = _Rule(lambda v: v >= 1 and v == int(v), "1, 2, 3 …")
_COUNT_OR_ALL = _Rule(lambda v: v == -1 or _COUNT.holds(v), "1, 2, 3 …, or -1 for all")
_POSITIVE = _Rule(lambda v: v > 0, "more than 0, and finite")
_NOT_NEGATIVE = _Rule(lambda v: v >= 0, "at least 0, and finite")
_SHARE = _Rule(lambda v: 0 <= v <= 1, "in [0, 1]")
_WEIGHT = _Rule(lambda v: 0 <= v <= 1e6, "in [0, 1e+06]")
_SCORE = _Rule(lambda v: 0 <= v < 1, "in [0, 1), or nothing is kept")

_PLACES = {
    "optim_wrapper.clip_grad.max_norm": _POSITIVE,
    "optim_wrapper.clip_grad.norm_type": _Rule(lambda v: v > 0, "more than 0"),
    "optim_wrapper.clip_grad.clip_value": _POSITIVE,
    "optim_wrapper.accumulative_counts": _COUNT,
    "optim_wrapper.optimizer.lr": _POSITIVE,
    "train_cfg.max_epochs": _COUNT,
    "train_cfg.max_iters": _COUNT,
    "train_cfg.val_interval": _COUNT,
    "train_dataloader.batch_size": _COUNT,
    "val_dataloader.batch_size": _COUNT,
    "test_dataloader.batch_size": _COUNT,
    "default_hooks.checkpoint.interval": _COUNT_OR_ALL._replace(words="1, 2, 3 …, or -1 for none"),
    "default_hooks.checkpoint.max_keep_ckpts": _COUNT_OR_ALL,
    "auto_scale_lr.base_batch_size": _COUNT,
}
# By the last part of their place, anywhere in the model; a list holds for each of its entries.
_MODEL = {
    "pos_iou_thr": _SHARE,
    "neg_iou_thr": _SHARE,
    "min_pos_iou": _SHARE,
    "iou_threshold": _SHARE,
    "pos_fraction": _SHARE,
    "neg_pos_ub": _Rule(lambda v: v >= 0 or v == -1, "at least 0, or -1 for all"),
    "score_thr": _SCORE,
    "max_per_img": _COUNT_OR_ALL,
    "nms_pre": _COUNT_OR_ALL,
    "topk": _COUNT,
    "alpha": _SHARE,
    "gamma": _NOT_NEGATIVE,
    "beta": _NOT_NEGATIVE,
    "loss_weight": _WEIGHT,
    "stage_loss_weights": _WEIGHT,
    "ratios": _POSITIVE,
    "scales": _POSITIVE,
    "strides": _POSITIVE,
    "target_stds": _POSITIVE,
}
_SHARE_LOSSES = ("FocalLoss", "VarifocalLoss")  # of which alpha is a share
_PREPROCESSOR = {"std": _POSITIVE, "mean": _Rule(math.isfinite, "finite")}
_INFINITE = ("optim_wrapper.clip_grad.norm_type",)


def wrong_numbers(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Numbers of a config that are out of range, NaN, or against one another.

    Args:
        cfg: the whole config.

    Yields:
        a sentence each.
    """
    for place, rule in _PLACES.items():
        value: Any = cfg
        for key in place.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and place.endswith("lr"):
            continue  # a name for code of the user's own
        yield from _wrong(place, value, rule)
    model = cfg.get("model")
    if isinstance(model, Mapping):
        yield from _model(model)
    for place, node in dicts(cfg, ""):
        for key, value in node.items():
            if isinstance(value, float) and math.isnan(value) and not _known(f"{place}.{key}"):
                yield f"{place}.{key} is NaN"


def _known(place: str) -> bool:
    """Whether a number has a rule of its own."""
    inside = place.startswith("model.") and place.rpartition(".")[2] in _MODEL
    return place in _PLACES or inside


def _model(model: Mapping[str, Any]) -> Iterator[str]:
    """Numbers in a detector, by their names."""
    weights = []
    for place, node in dicts(model, "model"):
        composite = "loss_composite" in place  # which checks all but the weights itself
        kind = node.get("type")
        sampler = isinstance(kind, str) and kind.endswith("Sampler")
        for key, value in node.items():
            rule = None if composite else _MODEL.get(key)
            if place == "model.data_preprocessor":
                rule = _PREPROCESSOR.get(key)
            elif key == "alpha" and kind not in _SHARE_LOSSES:
                rule = None if composite else _NOT_NEGATIVE
            elif key == "num" and sampler:
                rule = _COUNT
            elif key == "loss_weight" or (key.startswith("w_") and composite):
                rule = _WEIGHT
                weights += [value] if not isinstance(value, bool) else []
            if rule:
                yield from _wrong(f"{place}.{key}", value, rule)
        written = any(key == "loss_weight" or key.startswith("w_") for key in node)
        if place.rpartition(".")[2].startswith("loss") and not written:
            weights.append(1.0)  # a loss without a weight has its default
        if composite and node.get("w_dense") == 0 and node.get("w_cls") == 0:
            yield f"{place}: w_dense and w_cls are 0: no class is learnt; set w_dense=1"
        high, low = node.get("pos_iou_thr"), node.get("neg_iou_thr")
        if _is_number(high) and _is_number(low) and low > high:
            yield f"{place}: neg_iou_thr={low!r} above pos_iou_thr={high!r}"
        stages = node.get("stage_loss_weights")
        if isinstance(stages, list | tuple) and stages and not any(stages):
            yield f"{place}.stage_loss_weights={list(stages)!r}: no stage is learnt"
    if weights and not any(weights):
        yield f"all {len(weights)} weights of the losses in the model are 0: nothing is learnt"


def _wrong(place: str, value: Any, rule: _Rule) -> Iterator[str]:
    """A sentence where a number, or one of a list, breaks its rule."""
    if value is None:
        return
    entries = list(_flat(value))
    fine = all(
        _is_number(entry)
        and (math.isfinite(entry) or (place in _INFINITE and entry == math.inf))
        and rule.holds(entry)
        for entry in entries
    )
    if not entries or not fine:
        yield f"{place}={value!r}: must be {rule.words}"


def _flat(value: Any) -> Iterator[Any]:
    """The entries of a nested list, or the value itself."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _flat(entry)
    else:
        yield value


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def dicts(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dict of a config with its place.

    Args:
        node: a part of a config.
        place: its place, with dots; empty for the whole.

    Yields:
        places and dicts, outer ones first.
    """
    if isinstance(node, Mapping):
        if place:
            yield place, node
        for key in node:
            yield from dicts(node[key], f"{place}.{key}" if place else str(key))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from dicts(value, f"{place}.{number}")
