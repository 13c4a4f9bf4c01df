"""Softmax scores as one sigmoid score per class."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmthermal.functional.focal import focal_loss
from mmthermal.functional.softmax import one_vs_rest_logits


def test_closed_form(assert_close: Callable[..., None], dtype: torch.dtype) -> None:
    # x = (log 1, log 2, log 5): against the sum of the others 1/7, 2/6
    logits = torch.tensor([[0.0, math.log(2), math.log(5)]], dtype=torch.float64).to(dtype)
    assert_close(one_vs_rest_logits(logits), [[math.log(1 / 7), math.log(2 / 6)]])


@given(seed=st.integers(0, 10_000), num_cols=st.integers(2, 9), scale=st.sampled_from([0.1, 3, 20]))
def test_its_sigmoid_is_softmax(seed: int, num_cols: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(5, num_cols, generator=generator, dtype=torch.float64) * scale
    actual = one_vs_rest_logits(logits).sigmoid()
    torch.testing.assert_close(actual, logits.softmax(1)[:, :-1], rtol=1e-9, atol=1e-30)


def test_equals_the_definition_column_by_column(dtype: torch.dtype) -> None:
    logits = torch.randn(40, 6, dtype=dtype) * 8
    actual = one_vs_rest_logits(logits)
    for column in range(5):
        others = [other for other in range(6) if other != column]
        expected = logits[:, column] - logits[:, others].logsumexp(1)
        torch.testing.assert_close(actual[:, column], expected, rtol=1e-5, atol=1e-5)


def test_gradient(device: torch.device) -> None:
    logits = torch.randn(6, 4, dtype=torch.float64, device=device, requires_grad=True)
    assert torch.autograd.gradcheck(one_vs_rest_logits, logits)


@pytest.mark.parametrize("size", [30.0, 1e4])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_extremes_stay_finite_in_value_and_gradient(size: float, gamma: float) -> None:
    rows = [[size, 0, 0], [-size, 0, 0], [0, 0, size], [size, size, -size], [0, 0, 0]]
    logits = torch.tensor(rows, requires_grad=True)
    z = one_vs_rest_logits(logits)
    focal_loss(z, torch.tensor([[1.0, 0.0]]).expand_as(z), gamma=gamma).sum().backward()
    assert torch.isfinite(z).all()
    assert torch.isfinite(logits.grad).all()


def test_keeps_the_digits_of_a_sure_score() -> None:
    # 1 - p is exp(-30), which float32 rounds away from 1
    z = one_vs_rest_logits(torch.tensor([[30.0, -40.0, 0.0]]))
    torch.testing.assert_close(z[0, 0], torch.tensor(30.0))


def test_equal_scores_give_equal_logits(assert_close: Callable[..., None]) -> None:
    # each of four has probability 1/4: log(1/3)
    assert_close(one_vs_rest_logits(torch.ones(2, 4)), [[-math.log(3)] * 3] * 2)


def test_no_rows() -> None:
    assert one_vs_rest_logits(torch.zeros(0, 4)).shape == (0, 3)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 3, 4)])
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(M, C \+ 1\)"):
        one_vs_rest_logits(torch.zeros(shape))
