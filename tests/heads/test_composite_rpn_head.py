"""RPN with the composite: mmdet's head where it is switched off, and its names in the log."""

from typing import Any

import pytest
import torch
from helpers_heads import Case, grads, head_cfg, make_case, spread_weights
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import nn

from mmthermal.heads import CompositeRPNHead, Float32RPNHead


def rpn_cfg(type_: str, **overrides: Any) -> dict[str, Any]:
    cfg = head_cfg(**overrides)
    for key in ("stacked_convs", "num_classes"):
        del cfg[key]
    return dict(type=type_, **cfg)


def make_rpn(type_: str = "CompositeRPNHead", **overrides: Any) -> nn.Module:
    head = MODELS.build(rpn_cfg(type_, **overrides))
    spread_weights(head)
    return head


def as_objects(case: Case) -> Case:
    """The same boxes, all of the class "object", as a two-stage detector hands them to its RPN."""
    case.gts = [
        InstanceData(bboxes=gt.bboxes, labels=torch.zeros_like(gt.labels)) for gt in case.gts
    ]
    return case


@pytest.mark.parametrize("empty", ["none", "some", "all"])
def test_without_the_composite_it_is_mmdets_head(empty: str) -> None:
    case = as_objects(make_case(empty=empty))
    plain = dict(w_cls=0.0, box_form=None, count_empty=True)
    found = []
    for head in (make_rpn(loss_composite=plain), make_rpn("RPNHead")):
        losses = case.loss(head)
        (losses["loss_rpn_cls"] + losses["loss_rpn_bbox"]).backward()
        found.append((losses, grads(head)))
    (our_losses, our_grads), (their_losses, their_grads) = found
    assert set(their_losses) == {"loss_rpn_cls", "loss_rpn_bbox"}
    for name, value in their_losses.items():
        assert (value > 0) == (empty != "all" or name == "loss_rpn_cls")
        torch.testing.assert_close(our_losses[name], value, rtol=2e-5, atol=1e-6)
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-4, atol=2e-5)


def test_every_anchor_begins_as_a_rare_object() -> None:
    for type_, probability in (("CompositeRPNHead", 0.01), ("RPNHead", 0.5)):
        cfg = rpn_cfg(type_)
        head = MODELS.build(cfg)
        head.init_weights()
        features = torch.randn(1, cfg["in_channels"], 8, 8)
        scores = head([features] * len(cfg["anchor_generator"]["strides"]))[0][0].sigmoid()
        assert scores.mean().item() == pytest.approx(probability, rel=0.1)
        given = MODELS.build({**cfg, "init_cfg": dict(type="Constant", layer="Conv2d", val=0.0)})
        given.init_weights()
        assert not given.rpn_cls.bias.any()


def test_names_do_not_meet_those_of_the_roi_head(case: Case) -> None:
    losses = as_objects(case).loss(make_rpn())
    assert {name for name in losses if "loss" in name} == {"loss_rpn_cls", "loss_rpn_bbox"}
    parts = {"dense", "combined", "cls_pos", "cls_neg", "num_pos", "num_neg", "rank"}
    assert {name for name in losses if "loss" not in name} == {f"rpn_{part}" for part in parts}
    assert losses["rpn_num_pos"] > 0


def test_the_composite_moves_the_gradient(case: Case) -> None:
    case = as_objects(case)
    sizes = []
    for w_cls in (0.0, 1.0):
        head = make_rpn(loss_composite=dict(w_cls=w_cls))
        case.loss(head)["loss_rpn_cls"].backward()
        sizes.append(head.rpn_cls.weight.grad.clone())
    assert (sizes[1] - sizes[0]).abs().max() > 1e-3


def test_refuses_the_random_sampler_of_mmdets_rpn() -> None:
    sampler = dict(type="RandomSampler", num=8, pos_fraction=0.5)
    with pytest.raises(ValueError, match="RandomSampler.*HardNegativeMiner"):
        make_rpn(train_cfg=dict(sampler=sampler))


def test_is_the_float32_rpn() -> None:
    assert issubclass(CompositeRPNHead, Float32RPNHead)
