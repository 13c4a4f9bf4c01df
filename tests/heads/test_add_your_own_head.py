"""The heads of docs/add_your_own_head.md: its code is run, and is mmdet's without the composite."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_heads import STRIDES, Case, grads, head_cfg, make_case, spread_weights
from mmdet.registry import MODELS

PAGE = Path(__file__).parents[2] / "docs" / "add_your_own_head.md"
FOVEA = dict(
    num_classes=3,
    in_channels=8,
    feat_channels=8,
    stacked_convs=1,
    strides=list(STRIDES),
    base_edge_list=[16, 32, 64],
    scale_ranges=((1, 24), (16, 48), (32, 1e4)),
    loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=1.5, alpha=0.4, loss_weight=1.0),
    loss_bbox=dict(type="SmoothL1Loss", beta=0.11, loss_weight=1.5),
)
DENSE = dict(dense_gamma=1.5, dense_alpha=0.4)
PLAIN = dict(w_cls=0.0, **DENSE)


@pytest.fixture(scope="module")
def heads() -> Iterator[dict[str, Any]]:
    """What the page's code blocks define; taken out of mmdet's registry afterwards."""
    before = dict(MODELS.module_dict)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    yield names
    for name in set(MODELS.module_dict) - set(before):
        del MODELS.module_dict[name]


def both(ours: torch.nn.Module, theirs: torch.nn.Module, case: Case) -> None:
    """Assert equal losses and gradients."""
    found = []
    for head in (ours, theirs):
        spread_weights(head)
        losses = case.loss(head)
        (losses["loss_cls"] + losses["loss_bbox"]).backward()
        found.append((losses, grads(head)))
    (our_losses, our_grads), (their_losses, their_grads) = found
    assert their_losses["loss_cls"] > 0
    for name, value in their_losses.items():
        torch.testing.assert_close(our_losses[name], value, rtol=2e-5, atol=1e-6)
    for name, grad in their_grads.items():
        expected = torch.zeros_like(our_grads[name]) if grad is None else grad
        torch.testing.assert_close(our_grads[name], expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("empty", ["none", "some", "all"])
def test_foveabox_of_the_page_is_mmdets_without_the_composite(
    heads: dict[str, Any], empty: str
) -> None:
    ours = heads["CompositeFoveaHead"](loss_composite=PLAIN, **copy.deepcopy(FOVEA))
    theirs = MODELS.build(dict(type="FoveaHead", **copy.deepcopy(FOVEA)))
    both(ours, theirs, make_case(empty=empty))


def test_foveabox_of_the_page_mines(heads: dict[str, Any], case: Case) -> None:
    head = heads["CompositeFoveaHead"](loss_composite=DENSE, **copy.deepcopy(FOVEA))
    losses = case.loss(head)
    assert losses["num_neg"] == max(3 * losses["num_pos"], 16 * len(case.gts))
    assert losses["num_pos"] > 0


def test_anchor_head_of_the_page_is_mmdets_without_the_composite(
    heads: dict[str, Any], case: Case
) -> None:
    plain = dict(w_cls=0.0, box_form=None, count_empty=True)
    cfg = dict(num_ins=3, norm_cfg=None, **head_cfg())
    ours = heads["CompositeSepBNHead"](loss_composite=plain, **copy.deepcopy(cfg))
    both(ours, MODELS.build(dict(type="RetinaSepBNHead", **cfg)), case)


def test_two_stage_head_of_the_page_has_both_losses(heads: dict[str, Any]) -> None:
    head = heads["CompositeConvFCBBoxHead"](
        num_shared_fcs=1, in_channels=4, fc_out_channels=8, roi_feat_size=3, num_classes=3
    )
    cls_score, bbox_pred = head(torch.randn(6, 4, 3, 3))
    labels = torch.tensor([0, 1, 3, 3, 3, 3])
    targets = torch.randn(6, 4)
    losses = head.loss(
        cls_score, bbox_pred, torch.rand(6, 5), labels, torch.ones(6), targets, torch.ones(6, 4)
    )
    assert losses["num_pos"] == 2
    assert losses["loss_cls"] > 0
    assert losses["loss_bbox"] > 0


def test_the_long_example_is_as_short_as_it_says() -> None:
    block = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    body = block[block.index("    def loss_by_feat") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 24
