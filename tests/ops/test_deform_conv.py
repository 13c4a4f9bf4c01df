"""Deformable convolution; test_extension.py has the compiled results."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from mmthermal.ops.deform_conv import Geometry, deform_conv2d

GEOMETRY = Geometry((2, 1), (1, 2), (1, 2), 2, 2)


def inputs(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Features, offsets of taps away from the grid, mask, weight and bias for GEOMETRY."""
    torch.manual_seed(1)
    features = torch.randn(2, 4, 5, 6)
    shifts = torch.randint(-2, 3, (2, 36, 3, 6)) + 0.2 + 0.6 * torch.rand(2, 36, 3, 6)
    tensors = features, shifts, torch.rand(2, 18, 3, 6), torch.randn(6, 2, 3, 3), torch.randn(6)
    return tuple(tensor.to(dtype) for tensor in tensors)


@pytest.mark.usefixtures("backend")
def test_without_offsets_it_is_a_convolution(
    dtype: torch.dtype,
) -> None:
    features, shifts, mask, weight, bias = inputs(dtype)
    ones = torch.ones_like(mask)
    found = deform_conv2d(features, torch.zeros_like(shifts), ones, weight, bias, GEOMETRY)
    stride, padding, dilation, groups, _ = GEOMETRY
    expected = conv2d(features, weight, bias, stride, padding, dilation, groups)
    torch.testing.assert_close(found, expected)


@pytest.mark.usefixtures("backend")
def test_a_whole_shift_of_all_taps_shifts_the_features() -> None:
    features, shifts, _, weight, _ = inputs(torch.float64)
    shifts = torch.zeros_like(shifts)
    shifts[:, 1::2] = 1  # x of each pair
    found = deform_conv2d(features, shifts, None, weight, None, GEOMETRY)
    moved = torch.nn.functional.pad(features, (0, 1))[..., 1:]
    stride, padding, dilation, groups, _ = GEOMETRY
    expected = conv2d(moved, weight, None, stride, padding, dilation, groups)
    inner = (..., slice(1, None))  # the first column's taps now see what padding hid
    torch.testing.assert_close(found[inner][..., 1:], expected[inner][..., 1:])


@pytest.mark.usefixtures("backend")
def test_a_mask_of_ones_changes_nothing() -> None:
    features, shifts, mask, weight, bias = inputs(torch.float64)
    plain = deform_conv2d(features, shifts, None, weight, bias, GEOMETRY)
    ones = torch.ones_like(mask)
    torch.testing.assert_close(plain, deform_conv2d(features, shifts, ones, weight, bias, GEOMETRY))


@pytest.mark.usefixtures("backend")
def test_gradient() -> None:
    leaves = [tensor.requires_grad_() for tensor in inputs(torch.float64)]
    assert torch.autograd.gradcheck(
        lambda *tensors: deform_conv2d(*tensors, GEOMETRY), leaves, fast_mode=True
    )
