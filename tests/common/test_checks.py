"""Checks: one clear error for each kind of bad input."""

import math
import re

import pytest
import torch

from mmthermal.common.checks import (
    check_choice,
    check_count,
    check_finite,
    check_pair,
    check_range,
    check_ratio,
    check_rows,
)


def test_choice_passes_what_is_allowed() -> None:
    check_choice("norm", "vector", ("coordinate", "vector"))


def test_choice_names_setting_value_and_choices() -> None:
    with pytest.raises(ValueError, match=r"norm='vectr': choose one of 'coordinate', 'vector'"):
        check_choice("norm", "vectr", ("coordinate", "vector"))


@pytest.mark.parametrize("value", [0, 0.0, 0.5, 1, 1.0])
def test_range_is_closed(value: float) -> None:
    check_range("alpha", value, 0, 1)


@pytest.mark.parametrize("value", [-1e-9, 1 + 1e-9, math.nan, math.inf, -math.inf])
def test_range_rejects_what_lies_outside(value: float) -> None:
    with pytest.raises(ValueError, match=rf"alpha={value!r}: must lie in \[0, 1\]"):
        check_range("alpha", value, 0, 1)


def test_range_open_below() -> None:
    check_range("eps", 1e-300, 0, open_low=True)
    with pytest.raises(ValueError, match=re.escape("eps=0: must lie in (0, inf)")):
        check_range("eps", 0, 0, open_low=True)


def test_range_open_above() -> None:
    check_range("decay", 0.999, 0, 1, open_high=True)
    with pytest.raises(ValueError, match=re.escape("decay=1: must lie in [0, 1)")):
        check_range("decay", 1, 0, 1, open_high=True)


def test_range_takes_infinity_only_where_it_is_meant() -> None:
    check_range("ratio", math.inf, 0, finite=False)
    with pytest.raises(ValueError, match=re.escape("gamma=inf: must lie in [0, inf)")):
        check_range("gamma", math.inf, 0)


def test_ratio_is_a_number_or_all() -> None:
    assert check_ratio("ratio", "all") == check_ratio("ratio", math.inf) == math.inf
    assert check_ratio("ratio", 3) == 3.0
    with pytest.raises(ValueError, match=r"ratio=-1: must lie in \[0, inf\]"):
        check_ratio("ratio", -1)
    with pytest.raises(TypeError, match="ratio='most': a number is needed, not str, or 'all'"):
        check_ratio("ratio", "most")


@pytest.mark.parametrize("value", ["2", None, True, [1.0], 1j])
def test_range_needs_a_number(value: object) -> None:
    with pytest.raises(
        TypeError, match=r"gamma=.*: a number is needed, not (str|None|bool|list|c)"
    ):
        check_range("gamma", value, 0)


def test_pair_is_two_numbers_in_order() -> None:
    assert check_pair("sigma", [0, 0.5]) == (0, 0.5)
    assert check_pair("sigma", (0.5, 0.5), open_low=True) == (0.5, 0.5)
    for value in (0.5, (1,), (1, 2, 3), None):
        with pytest.raises(ValueError, match="sigma=.*give two numbers"):
            check_pair("sigma", value)
    for value, low in (((-0.1, 1), False), ((0, 1), True), ((0.5, 0.4), False)):
        with pytest.raises(ValueError, match="sigma="):
            check_pair("sigma", value, open_low=low)
    with pytest.raises(TypeError, match="a number is needed"):
        check_pair("sigma", ("a", "b"))


def test_count_takes_integers_from_low() -> None:
    check_count("k", 0)
    check_count("k", 3, 3)
    with pytest.raises(ValueError, match="k=2: must be at least 3"):
        check_count("k", 2, 3)
    with pytest.raises(ValueError, match="k=-1: must be at least 0"):
        check_count("k", -1)


@pytest.mark.parametrize("value", [1.0, "1", None, False])
def test_count_needs_an_integer(value: object) -> None:
    with pytest.raises(TypeError, match="an integer is needed"):
        check_count("min_neg", value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_finite_values_pass(dtype: torch.dtype) -> None:
    check_finite([])
    check_finite([("empty", torch.zeros(0, 4, dtype=dtype)), ("x", torch.ones(3, dtype=dtype))])


def test_finite_values_whose_sum_overflows_pass() -> None:
    # 2 * 3e38 > 3.4e38, the largest float32; 100 * 60,000 > 65,504, the largest float16
    check_finite([("big", torch.tensor([3e38, 3e38]))])
    check_finite([("half", torch.full((100,), 60_000.0, dtype=torch.float16))])


def test_half_precision_is_summed_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an ordinary float16 tensor needs no second look, value by value."""
    looked_at: list[int] = []
    isfinite = torch.isfinite

    def spy(x: torch.Tensor) -> torch.Tensor:
        looked_at.append(x.numel())
        return isfinite(x)

    monkeypatch.setattr(torch, "isfinite", spy)
    check_finite([("half", torch.full((10_000,), 30.0, dtype=torch.float16))])
    assert looked_at == [1]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_non_finite_names_tensor_and_count(bad: float) -> None:
    x = torch.zeros(3, 5)
    x[0, 1] = x[2, 4] = bad
    with pytest.raises(FloatingPointError, match=r"\(NaN or inf\) in cls_score: 2 of 15\. Lower"):
        check_finite([("bbox_pred", torch.zeros(2)), ("cls_score", x)])


def test_infinities_that_cancel_are_found() -> None:
    with pytest.raises(FloatingPointError, match="x: 2 of 2"):
        check_finite([("x", torch.tensor([math.inf, -math.inf]))])


def test_each_bad_tensor_is_named() -> None:
    bad = torch.tensor([math.nan])
    with pytest.raises(FloatingPointError, match="a: 1 of 1; c: 1 of 1"):
        check_finite([("a", bad), ("b", torch.zeros(1)), ("c", bad)])


def test_finite_keeps_no_graph() -> None:
    x = torch.ones(2, requires_grad=True)
    check_finite([("x", x * 2)])
    assert x.grad is None


def test_rows() -> None:
    check_rows("labels", torch.zeros(3), 3, 1)
    with pytest.raises(ValueError, match=r"labels has shape \(2,\), expected \(3,\)"):
        check_rows("labels", torch.zeros(2), 3, 1)
    with pytest.raises(ValueError, match=r"deltas has shape \(3,\), expected \(3, \*\)"):
        check_rows("deltas", torch.zeros(3), 3, 2)
