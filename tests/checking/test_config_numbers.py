"""Numbers of a config: one rule for a name, in lists and parts of the model, too."""

import math
from typing import Any

import pytest

from mmthermal.checking.config_numbers import dicts, wrong_numbers


@pytest.mark.parametrize("value", [0.0, 0.5, 1, [0.2, 0.4], (0, 1), None])
def test_shares(value: Any) -> None:
    assert list(wrong_numbers(dict(model=dict(a=[dict(neg_iou_thr=value)])))) == []


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, "0.5", True, [], [0.5, 2]])
def test_no_shares(value: Any) -> None:
    found = list(wrong_numbers(dict(model=dict(a=[dict(neg_iou_thr=value)]))))
    assert found == [f"model.a.0.neg_iou_thr={value!r}: must be in [0, 1]"]


def test_alpha_is_a_share_of_focal_losses_only() -> None:
    model = dict(a=dict(type="FocalLoss", alpha=2.0), b=dict(type="GaussianFocalLoss", alpha=2.0))
    assert list(wrong_numbers(dict(model=model))) == ["model.a.alpha=2.0: must be in [0, 1]"]


def test_a_composite_loss_checks_itself_but_for_its_weights() -> None:
    loss = dict(gamma=-1.0, alpha=3, w_cls=-1.0)
    found = list(wrong_numbers(dict(model=dict(loss_composite=loss))))
    assert found == ["model.loss_composite.w_cls=-1.0: must be in [0, 1e+06]"]


def test_the_largest_gradient_is_a_norm() -> None:
    clip = dict(max_norm=1, norm_type=math.inf)
    assert list(wrong_numbers(dict(optim_wrapper=dict(clip_grad=clip)))) == []
    clip["max_norm"] = math.inf
    assert len(list(wrong_numbers(dict(optim_wrapper=dict(clip_grad=clip))))) == 1


def test_places_of_dicts() -> None:
    found = [place for place, _ in dicts(dict(a=[dict(b=dict())], c=1), "")]
    assert found == ["a.0", "a.0.b"]
