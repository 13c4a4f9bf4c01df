"""Weighted sums of rows against a dense matrix; bilinear weights against closed forms."""

import pytest
import torch
from torch import Tensor

from mmthermal.ops.weighted_rows import as_float, bilinear_corners, spread_rows, sum_rows


@pytest.fixture
def entries(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Indices, weights, starts of five bags of which two are empty, and the same as a matrix."""
    inds = torch.tensor([3, 0, 3, 5, 5, 1])
    weights = torch.randn(6, dtype=dtype)
    starts = torch.tensor([0, 2, 2, 5, 6])  # bags of 2, 0, 3, 1 and 0 entries
    dense = torch.zeros(5, 7, dtype=dtype)
    for entry, bag in enumerate([0, 0, 2, 2, 2, 3]):
        dense[bag, inds[entry]] += weights[entry]
    return inds, weights, starts, dense


def test_sums_are_a_matrix_times_the_table(entries: tuple, dtype: torch.dtype) -> None:
    inds, weights, starts, dense = entries
    table = torch.randn(7, 4, dtype=dtype)
    torch.testing.assert_close(sum_rows(table, inds, weights, starts), dense @ table)


def test_spreading_is_the_transposed_matrix(entries: tuple, dtype: torch.dtype) -> None:
    inds, weights, starts, dense = entries
    grad = torch.randn(5, 4, dtype=dtype)
    torch.testing.assert_close(spread_rows(grad, inds, weights, starts, 7), dense.t() @ grad)


def test_nothing_gives_nothing() -> None:
    none = torch.zeros(0, dtype=torch.long)
    assert sum_rows(torch.ones(3, 2), none, torch.zeros(0), none).shape == (0, 2)


def test_a_point_on_a_pixel_sees_that_pixel_alone() -> None:
    inds, weights = bilinear_corners(torch.tensor([2.0]), torch.tensor([3.0]), 4, 5)
    assert inds[0, 0] == 2 * 5 + 3
    assert weights.tolist() == [[1, 0, 0, 0]]


def test_a_point_between_pixels_shares_by_distance() -> None:
    inds, weights = bilinear_corners(torch.tensor([0.25]), torch.tensor([1.5]), 4, 5)
    assert inds.tolist() == [[1, 2, 6, 7]]
    assert weights.tolist() == [[0.375, 0.375, 0.125, 0.125]]


def test_pixels_outside_weigh_nothing() -> None:
    _, weights = bilinear_corners(torch.tensor([-0.5, 3.5]), torch.tensor([-0.5, 4.5]), 4, 5)
    assert weights.tolist() == [[0, 0, 0, 0.25], [0.25, 0, 0, 0]]


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32_and_double_stays(half: torch.dtype) -> None:
    assert as_float(torch.ones(1, dtype=half)).dtype == torch.float32
    assert as_float(torch.ones(1, dtype=torch.float64)).dtype == torch.float64
