"""A loss of mmdet's that the composite replaces: what nobody would read is refused by name."""

import copy
from typing import Any

import pytest
from helpers_heads import head_cfg
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from torch import nn

import mmthermal  # noqa: F401 (registers)


def focal(**settings: Any) -> dict[str, Any]:
    return dict(type="FocalLoss", use_sigmoid=True, **settings)


def build(kind: str = "CompositeRetinaHead", **overrides: Any) -> nn.Module:
    cfg = head_cfg(**copy.deepcopy(overrides))
    if kind == "CompositeRPNHead":
        del cfg["stacked_convs"], cfg["num_classes"]
    if kind == "CompositeFCOSHead":
        del cfg["anchor_generator"], cfg["bbox_coder"]
        cfg.update(strides=[4, 8, 16], norm_cfg=None, train_cfg=None)
    if kind == "CompositeATSSHead":
        cfg["anchor_generator"].update(ratios=[1.0], scales_per_octave=1)
        cfg.update(norm_cfg=None)
    cfg.setdefault("loss_cls", focal())
    return MODELS.build(dict(type=kind, **cfg))


@pytest.mark.parametrize(
    ("loss_cls", "said"),
    [
        (focal(gamma=1.5), dict(dense_gamma=1.5)),
        (focal(alpha=0.4), dict(dense_alpha=0.4)),
        (focal(loss_weight=2.0), dict(w_dense=2.0)),
    ],
)
@pytest.mark.parametrize(
    "kind", ["CompositeRetinaHead", "CompositeRPNHead", "CompositeATSSHead", "CompositeFCOSHead"]
)
def test_a_setting_of_the_focal_loss_is_refused_until_the_composite_says_it(
    kind: str, loss_cls: dict[str, Any], said: dict[str, Any]
) -> None:
    ((name, value),) = said.items()
    hint = rf"not read by {kind}.*loss_composite=dict\({name}={value}\)"
    boxes = dict(loss_bbox=dict(type="IoULoss")) if kind in ("CompositeFCOSHead",) else {}
    with pytest.raises(ValueError, match=hint):
        build(kind, loss_cls=loss_cls, **boxes)
    build(kind, loss_cls=loss_cls, loss_composite=said, **boxes)
    # a user who names the setting has said what is wanted, also where the two differ
    build(kind, loss_cls=loss_cls, loss_composite={name: 0.75}, **boxes)


def test_class_weights_have_a_twin() -> None:
    loss_cls = dict(type="CrossEntropyLoss", use_sigmoid=True, class_weight=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"dense_class_weight=\[1.0, 2.0, 3.0\]"):
        build(loss_cls=loss_cls)


@pytest.mark.parametrize(
    "loss_cls",
    [
        dict(type="GHMC", bins=30, momentum=0.75, use_sigmoid=True, loss_weight=1.0),
        dict(type="QualityFocalLoss", use_sigmoid=True, beta=2.0),
        dict(type="mmdet.VarifocalLoss", use_sigmoid=True),
    ],
)
def test_another_classification_loss_is_refused(loss_cls: dict[str, Any]) -> None:
    name = loss_cls["type"].removeprefix("mmdet.")
    with pytest.raises(ValueError, match=f"loss_cls is a {name}.*_delete_=True, type='FocalLoss'"):
        build(loss_cls=loss_cls)


def test_settings_without_a_twin_are_refused() -> None:
    with pytest.raises(ValueError, match=r"loss_cls\.reduction='sum' is not read"):
        build(loss_cls=focal(reduction="sum"))


@pytest.mark.parametrize(
    ("loss_bbox", "hint"),
    [
        (dict(type="BalancedL1Loss"), r"loss_bbox is a BalancedL1Loss.*box_form=None"),
        (dict(type="GHMR"), r"loss_bbox is a GHMR.*box_form=None"),
        (dict(type="SmoothL1Loss", beta=0.5), r"dict\(delta=0.5\)"),
        (dict(type="SmoothL1Loss"), r"dict\(delta=1.0\)"),
        (dict(type="L1Loss", loss_weight=0.7), r"dict\(w_box=0.7\)"),
    ],
)
def test_a_box_loss_on_deltas_is_refused_until_a_form_is_named(
    loss_bbox: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ValueError, match=hint):
        build(loss_bbox=loss_bbox)
    for loss_composite in (dict(box_form=None), dict(box_form="huber", delta=0.1)):
        assert build(loss_bbox=loss_bbox, loss_composite=loss_composite).loss_composite


def test_decoded_boxes_train_by_the_heads_own_loss() -> None:
    loss_bbox = dict(type="GIoULoss", loss_weight=5.0)
    loss = build(reg_decoded_bbox=True, loss_bbox=loss_bbox).loss_composite
    assert (loss.box_form, loss.w_box) == (None, 1.0)
    named = dict(box_form="smooth_l1", w_box=0.5)
    loss = build(reg_decoded_bbox=True, loss_bbox=loss_bbox, loss_composite=named).loss_composite
    assert (loss.box_form, loss.w_box) == ("smooth_l1", 0.5)


@pytest.mark.parametrize("kind", ["CompositeRetinaHead", "CompositeRPNHead"])
@pytest.mark.parametrize("weight", [1.0, 2.0])  # mmdet's and the composite's
def test_mmdets_own_configs_pass(kind: str, weight: float) -> None:
    build(kind, loss_bbox=dict(type="L1Loss", loss_weight=weight))
    build(kind, loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0))
    # as in mmdet's Cascade R-CNN
    build(kind, loss_bbox=dict(type="SmoothL1Loss", beta=1.0 / 9.0, loss_weight=1.0))


def test_losses_left_to_the_head_pass() -> None:
    cfg = head_cfg()
    del cfg["loss_cls"], cfg["loss_bbox"]
    assert MODELS.build(ConfigDict(type="CompositeRetinaHead", **cfg)).loss_composite
