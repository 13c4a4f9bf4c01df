"""ATSS with the composite: mmdet's head where it is off, the loss by hand where it is on."""

import copy
from typing import Any

import pytest
import torch
from helpers_heads import STRIDES, Case, grads, make_case, spread_weights
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmthermal.heads import CompositeATSSHead
from mmthermal.losses import CompositeLoss
from mmthermal.samplers import HardNegativeMiner

PLAIN = dict(w_cls=0.0)  # the composite switched off


def make_atss(type_: str = "CompositeATSSHead", **overrides: Any) -> nn.Module:
    cfg = dict(
        type=type_,
        num_classes=3,
        in_channels=8,
        feat_channels=8,
        stacked_convs=1,
        norm_cfg=dict(type="GN", num_groups=2),
        anchor_generator=dict(
            type="AnchorGenerator",
            ratios=[1.0],
            octave_base_scale=4,
            scales_per_octave=1,
            strides=list(STRIDES),
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=[0.1, 0.1, 0.2, 0.2]),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
        loss_centerness=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=0.8),
        train_cfg=ConfigDict(
            assigner=dict(type="ATSSAssigner", topk=9),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
    )
    head = MODELS.build(copy.deepcopy(dict(cfg, **overrides)))
    spread_weights(head)
    return head


def total(losses: dict[str, Tensor]) -> Tensor:
    return sum(value for name, value in losses.items() if "loss" in name)


@pytest.mark.parametrize("empty", ["none", "some", "all"])
@pytest.mark.parametrize("pos_weight", [-1, 2.5])
def test_without_the_composite_it_is_mmdets_head(empty: str, pos_weight: float) -> None:
    case = make_case(empty=empty)
    train_cfg = ConfigDict(
        assigner=dict(type="ATSSAssigner", topk=9), allowed_border=0, pos_weight=pos_weight
    )
    ours = make_atss(loss_composite=PLAIN, train_cfg=train_cfg)
    theirs = make_atss("ATSSHead", train_cfg=train_cfg)
    found = []
    for head in (ours, theirs):
        losses = case.loss(head)
        total(losses).backward()
        found.append((losses, grads(head)))
    (our_losses, our_grads), (their_losses, their_grads) = found
    for name, value in their_losses.items():
        assert (value > 0) == (empty != "all" or name == "loss_cls")
        torch.testing.assert_close(our_losses[name], value, rtol=2e-5, atol=1e-6)
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-4, atol=2e-5)


def test_box_term_is_weighted_by_centerness_and_w_box(case: Case) -> None:
    single = case.loss(make_atss())["loss_bbox"]
    torch.testing.assert_close(
        case.loss(make_atss(loss_composite=dict(w_box=3.0)))["loss_bbox"], 3 * single
    )


def test_composite_is_the_loss_over_positives_and_mined_anchors(case: Case) -> None:
    composite = dict(f1_form="soft", w_dense=0.0, f1_negatives="joint", f1_share=0.3, w_cls=1.3)
    sampler = dict(type="HardNegativeMiner", ratio=2.0, min_neg=1)
    head = make_atss(
        loss_composite=composite,
        train_cfg=ConfigDict(
            assigner=dict(type="ATSSAssigner", topk=9),
            sampler=sampler,
            allowed_border=-1,
            pos_weight=-1,
        ),
    )
    case.ignored = [InstanceData(bboxes=torch.zeros(0, 4)) for _ in case.gts]
    losses = case.loss(head)
    scores = head(case.feats)[0]
    logits = torch.cat([s.permute(0, 2, 3, 1).reshape(len(case.gts), -1, 3) for s in scores], 1)
    anchors, flags = head.get_anchors([s.shape[-2:] for s in scores], case.metas, "cpu")
    targets = head.get_targets(anchors, flags, case.gts, case.metas, case.ignored)
    labels, weights = (torch.cat(levels, 1) for levels in targets[1:3])
    logits, labels, weights = logits.flatten(0, 1), labels.flatten(), weights.flatten()
    pos = labels < 3
    rest = logits[~pos & (weights > 0)]
    hardest = rest[rest.amax(1).argsort(descending=True)[: 2 * int(pos.sum())]]
    assert int(pos.sum()) > 3
    expected = CompositeLoss(**composite)(
        logits[pos], labels[pos], hardest, box_sum=torch.zeros(())
    )
    for name in ("loss_cls", "cls_pos", "cls_neg", "f1_pos"):
        torch.testing.assert_close(losses[name], expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("empty", ["none", "some", "all"])
def test_every_parameter_gets_a_finite_gradient(empty: str) -> None:
    head = make_atss()
    total(make_case(empty=empty).loss(head)).backward()
    for name, grad in grads(head).items():
        assert grad is not None and torch.isfinite(grad).all(), name


def test_mines_by_default() -> None:
    assert isinstance(make_atss().sampler, HardNegativeMiner)


def test_only_losses_join_the_objective(case: Case) -> None:
    losses = case.loss(make_atss())
    joined = {"loss_cls", "loss_bbox", "loss_centerness"}
    assert {name for name in losses if "loss" in name} == joined
    assert all(not v.requires_grad for name, v in losses.items() if name not in joined)


def test_exchanges_checkpoints_with_mmdets_head() -> None:
    missing = make_atss().load_state_dict(make_atss("ATSSHead").state_dict(), strict=False)
    assert missing.unexpected_keys == []
    assert missing.missing_keys == ["loss_composite.num_iters"]


@pytest.mark.parametrize("branch", [0, 1, 2])
def test_a_bad_prediction_is_named(case: Case, branch: int) -> None:
    head = make_atss()
    outs = head(case.feats)
    outs[branch][1].data[0, 0, 0, 0] = float("nan")
    name = ("cls_score", "bbox_pred", "centerness")[branch]
    with pytest.raises(FloatingPointError, match=f"{name} of level 1.*: 1 of"):
        head.loss_by_feat(*outs, case.gts, case.metas, case.ignored)


def test_refuses_a_box_form() -> None:
    with pytest.raises(ValueError, match=r"box_form='huber'.*loss_bbox by centerness"):
        make_atss(loss_composite=dict(box_form="huber"))


def test_registered_by_its_name() -> None:
    assert MODELS.get("CompositeATSSHead") is CompositeATSSHead


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_ignored_regions_in_images_of_two_sizes(
    order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region of the larger image is left out of the mining, whichever image comes first."""
    case = make_case(images=2, empty="none")
    height, width = case.metas[0]["img_shape"]
    small = dict(
        case.metas[0], img_shape=(height // 2, width // 2), pad_shape=(height // 2, width // 2)
    )
    region = InstanceData(bboxes=torch.tensor([[width / 2, height / 2, width, height]]).float())
    none = InstanceData(bboxes=torch.zeros(0, 4))
    case.gts = [each[:0] for each in case.gts]
    case.metas = [(small, case.metas[1])[i] for i in order]
    case.ignored = [(none, region)[i] for i in order]
    head, seen = make_atss(), []
    plain = head.assigned
    monkeypatch.setattr(
        head,
        "assigned",
        lambda *args, **kwargs: seen.append(kwargs["ignored"]) or plain(*args, **kwargs),
    )
    case.loss(head)
    (ignored,) = seen
    large = ignored[order.index(1)]
    assert large.sum() > 3 and not ignored[order.index(0)].any()
