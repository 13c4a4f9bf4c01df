"""FCOS with the composite: mmdet's head where it is off, the loss by hand where it is on."""

import copy
from typing import Any

import pytest
import torch
from helpers_heads import STRIDES, Case, grads, make_case, spread_weights
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmthermal.heads import CompositeFCOSHead
from mmthermal.losses import CompositeLoss
from mmthermal.samplers import HardNegativeMiner

PLAIN = dict(w_cls=0.0)  # the composite switched off


def make_fcos(type_: str = "CompositeFCOSHead", **overrides: Any) -> nn.Module:
    cfg = dict(
        type=type_,
        num_classes=3,
        in_channels=8,
        feat_channels=8,
        stacked_convs=1,
        strides=list(STRIDES),
        regress_ranges=((-1, 24), (24, 48), (48, 1e8)),
        norm_cfg=dict(type="GN", num_groups=2),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=1.5),
        loss_centerness=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=0.8),
    )
    head = MODELS.build(copy.deepcopy(dict(cfg, **overrides)))
    spread_weights(head)
    return head


def total(losses: dict[str, Tensor]) -> Tensor:
    return sum(value for name, value in losses.items() if "loss" in name)


@pytest.mark.parametrize("empty", ["none", "some", "all"])
@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(
            center_sampling=True, norm_on_bbox=True, centerness_on_reg=True, dcn_on_last_conv=False
        ),
    ],
    ids=["plain", "center-normbbox-centeronreg"],
)
def test_without_the_composite_it_is_mmdets_head(empty: str, settings: dict[str, Any]) -> None:
    case = make_case(empty=empty)
    found = []
    for head in (make_fcos(loss_composite=PLAIN, **settings), make_fcos("FCOSHead", **settings)):
        losses = case.loss(head)
        total(losses).backward()
        found.append((losses, grads(head)))
    (our_losses, our_grads), (their_losses, their_grads) = found
    for name, value in their_losses.items():
        assert (value > 0) == (empty != "all" or name == "loss_cls")
        torch.testing.assert_close(our_losses[name], value, rtol=2e-5, atol=1e-6)
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-4, atol=2e-5)


def test_a_sum_of_centerness_below_one_divides_as_in_mmdet() -> None:
    # one small object off the points' centres: its few points have little centerness
    case = make_case(images=1)
    case.gts[0] = case.gts[0][:1]
    case.gts[0].bboxes = torch.tensor([[9.0, 9.0, 10.9, 10.9]])
    losses = [
        case.loss(head)["loss_bbox"]
        for head in (make_fcos(loss_composite=PLAIN), make_fcos("FCOSHead"))
    ]
    assert losses[1] > 0
    torch.testing.assert_close(*losses)


def test_composite_is_the_loss_over_positives_and_mined_points(case: Case) -> None:
    composite = dict(f1_form="soft", w_dense=0.0, f1_negatives="joint", f1_share=0.3, w_cls=1.3)
    head = make_fcos(
        loss_composite=composite,
        train_cfg=dict(sampler=dict(type="HardNegativeMiner", ratio=2.0, min_neg=1)),
    )
    case.ignored = [InstanceData(bboxes=torch.zeros(0, 4)) for _ in case.gts]
    losses = case.loss(head)
    scores = head(case.feats)[0]
    logits = torch.cat([s.permute(0, 2, 3, 1).reshape(-1, 3) for s in scores])
    points = head.prior_generator.grid_priors([s.shape[-2:] for s in scores], device="cpu")
    labels = torch.cat(head.get_targets(points, case.gts)[0])  # by level, then image: as the logits
    pos = labels < 3
    rest = logits[~pos]
    hardest = rest[rest.amax(1).argsort(descending=True)[: 2 * int(pos.sum())]]
    assert int(pos.sum()) > 3
    expected = CompositeLoss(**composite)(
        logits[pos], labels[pos], hardest, box_sum=torch.zeros(())
    )
    for name in ("loss_cls", "cls_pos", "cls_neg", "f1_pos"):
        torch.testing.assert_close(losses[name], expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("empty", ["none", "some", "all"])
def test_every_parameter_gets_a_finite_gradient(empty: str) -> None:
    head = make_fcos()
    total(make_case(empty=empty).loss(head)).backward()
    for name, grad in grads(head).items():
        assert grad is not None and torch.isfinite(grad).all(), name


def test_mines_by_default_and_by_train_cfg() -> None:
    assert isinstance(make_fcos().sampler, HardNegativeMiner)
    sampler = dict(type="HardNegativeMiner", ratio=7.0)
    assert make_fcos(train_cfg=dict(sampler=sampler)).sampler.ratio == 7.0


def test_refuses_a_sampler_that_does_not_mine() -> None:
    sampler = dict(type="RandomSampler", num=8, pos_fraction=0.5)
    with pytest.raises(ValueError, match="RandomSampler.*HardNegativeMiner"):
        make_fcos(train_cfg=dict(sampler=sampler))


def test_refuses_a_box_form() -> None:
    with pytest.raises(ValueError, match=r"box_form='paper'.*loss_bbox by centerness"):
        make_fcos(loss_composite=dict(box_form="paper"))


def test_exchanges_checkpoints_with_mmdets_head() -> None:
    missing = make_fcos().load_state_dict(make_fcos("FCOSHead").state_dict(), strict=False)
    assert missing.unexpected_keys == []
    assert missing.missing_keys == ["loss_composite.num_iters"]


def test_registered_by_its_name() -> None:
    assert MODELS.get("CompositeFCOSHead") is CompositeFCOSHead
