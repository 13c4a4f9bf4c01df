"""Losses of an mmdet head that the composite replaces: settings nobody would read are refused."""

import inspect
from collections.abc import Mapping
from typing import Any

from mmdet.registry import MODELS

from mmthermal.losses import CompositeLoss

# From a setting of mmdet's loss to the setting of loss_composite that says the same.
_CLS_TWINS = dict(
    alpha="dense_alpha",
    gamma="dense_gamma",
    class_weight="dense_class_weight",
    loss_weight="w_dense",
)
_BOX_TWINS = dict(beta="delta", loss_weight="w_box")


def check_replaced_losses(
    head: type,
    given: Mapping[str, Any],
    loss_composite: Mapping[str, Any],
    loss: CompositeLoss,
) -> None:
    """Raise if a loss was set to something that the composite loss does not compute in its place.

    A setting passes where it is the head's default, where the composite loss has the same value,
    or where ``loss_composite`` names its counterpart: then the user has said what is wanted.

    Args:
        head: class of the dense head.
        given: arguments of the head; ``loss_cls`` and ``loss_bbox`` are looked at.
        loss_composite: config of the composite loss, as the user wrote it.
        loss: the composite loss.

    Raises:
        ValueError: naming the setting and what to set instead.
    """
    values = dict(
        dense_alpha=loss.dense_focal["alpha"],
        dense_gamma=loss.dense_focal["gamma"],
        dense_class_weight=None,  # else it is named
        w_dense=loss.w_dense,
        w_box=loss.w_box,
        delta=loss.box["delta"],
    )
    named = set(loss_composite)
    focal = "loss_cls=dict(_delete_=True, type='FocalLoss', use_sigmoid=True)"
    remedy = f"Set {focal}, and loss_composite.dense_alpha and dense_gamma as you want them"
    _check(head, "loss_cls", given, named, values, ("FocalLoss",), _CLS_TWINS, remedy)
    if loss.box_form is not None and "box_form" not in named:
        remedy = "Set loss_composite=dict(box_form=None) to train by loss_bbox"
        types = ("L1Loss", "SmoothL1Loss")
        _check(head, "loss_bbox", given, named, values, types, _BOX_TWINS, remedy)


def _check(
    head: type,
    name: str,
    given: Mapping[str, Any],
    named: set[str],
    values: Mapping[str, Any],
    types: tuple[str, ...],
    twins: Mapping[str, str],
    remedy: str,
) -> None:
    """Compare one of the head's losses with the composite's."""
    cfg, usual = given.get(name), _default(head, name)
    if cfg is None:
        return
    kind = _type_name(cfg)
    if kind not in (*types, _type_name(usual)):
        raise ValueError(
            f"{name} is a {kind}, which {head.__name__} does not read: loss_composite takes its "
            f"place. {remedy}"
        )
    signature = inspect.signature(MODELS.get(kind).__init__).parameters
    defaults = {key: p.default for key, p in signature.items() if p.default is not p.empty}
    for key, value in {**defaults, **cfg}.items():
        twin = twins.get(key)
        fine = twin in named or value == values[twin] if twin else value == defaults.get(key)
        weight_left = twin == "w_box" and value == defaults[key]
        as_usual = kind == _type_name(usual) and value == usual.get(key, defaults.get(key))
        if key in ("type", "use_sigmoid") or fine or weight_left or as_usual:
            continue
        hint = f"Set loss_composite=dict({twin}={value!r}) instead" if twin else remedy
        raise ValueError(
            f"{name}.{key}={value!r} is not read by {head.__name__}: loss_composite takes its "
            f"place. {hint}"
        )


def _default(head: type, name: str) -> Mapping[str, Any]:
    """Config of a loss that a head takes by default."""
    for base in head.__mro__:
        parameter = inspect.signature(base).parameters.get(name)
        if parameter is not None and isinstance(parameter.default, Mapping):
            return parameter.default
    return {}


def _type_name(cfg: Mapping[str, Any]) -> str | None:
    """Name of a config's class, without a scope such as ``mmdet.``."""
    kind = cfg.get("type")
    return kind.__name__ if isinstance(kind, type) else kind and kind.rpartition(".")[2]
