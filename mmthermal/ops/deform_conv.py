"""Deformable convolution, plain and modulated, on mmthermal's weighted sums of rows."""

from typing import NamedTuple

import torch
from torch import Tensor

from mmthermal.ops.torchvision_ops import torchvision_ops
from mmthermal.ops.weighted_rows import as_float, bilinear_corners, sum_rows

# N images, C channels, an input of H x W, O filters, a kernel of kh x kw with K = kh * kw,
# D groups of offsets, an output of h x w.


class Geometry(NamedTuple):
    """How the kernel goes over the input; pairs are height, width.

    Attributes:
        stride: step of the kernel.
        padding: rows and columns of zeros around the input.
        dilation: distance of the kernel's taps.
        groups: of channels, that do not see each other.
        offset_groups: of channels, each with offsets of its own.
    """

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    offset_groups: int


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    geometry: Geometry,
) -> Tensor:
    """Convolve with taps that lie off the grid.

    Args:
        input: (N, C, H, W).
        offset: (N, D * K * 2, h, w), shift of each tap along y and x, in pixels.
        mask: (N, D * K, h, w), factor of each tap, or None for a plain deformable convolution.
        weight: (O, C / groups, kh, kw).
        bias: (O,) or None.
        geometry: how the kernel goes over the input.

    Returns:
        (N, O, h, w), differentiable in all tensors.
    """
    operators = torchvision_ops()
    if operators is not None:
        return operators.deform_conv2d(
            input, weight, _without_border(input, offset, weight.shape[2:], geometry),
            mask if mask is not None else input.new_zeros(len(input), 1),
            bias if bias is not None else input.new_zeros(len(weight)),
            *geometry.stride, *geometry.padding, *geometry.dilation,
            geometry.groups, geometry.offset_groups, mask is not None,
        )  # fmt: skip
    with torch.autocast(input.device.type, enabled=False):
        columns = _columns(input, offset, mask, weight.shape[2:], geometry)
        filters = as_float(weight).reshape(geometry.groups, -1, weight[0].numel())
        out = (filters @ columns).reshape(len(input), len(weight), *offset.shape[2:])
        return out if bias is None else out + bias[:, None, None]


def _without_border(
    input: Tensor, offset: Tensor, kernel: torch.Size, geometry: Geometry
) -> Tensor:
    """Offsets with taps outside the input moved far away, where torchvision gives no gradient.

    At exactly one pixel outside, where taps of a zero offset lie, torchvision's gradient is that
    of the inner side and mmcv's is zero.
    """
    _, _, inside = _taps(input, offset, kernel, geometry)
    shifts = offset.reshape(*inside.shape[:3], 2, *inside.shape[3:])
    far = -(input.shape[2] + geometry.padding[0] + 1)
    return torch.where(inside[:, :, :, None], shifts, far).reshape(offset.shape)


def _columns(
    input: Tensor, offset: Tensor, mask: Tensor | None, kernel: torch.Size, geometry: Geometry
) -> Tensor:
    """Values under the kernel's taps: (N, groups, C / groups * K, h * w)."""
    n, channels, height, width = input.shape
    y, x, inside = _taps(input, as_float(offset), kernel, geometry)
    inds, weights = bilinear_corners(y.flatten(), x.flatten(), height, width)
    weights = weights * inside.flatten()[:, None]
    if mask is not None:
        weights = weights * mask.reshape(-1, 1)
    # One table row for each image, group of offsets and pixel.
    table = as_float(input).reshape(n, geometry.offset_groups, -1, height * width).transpose(2, 3)
    table = table.reshape(n * geometry.offset_groups * height * width, -1)
    first = torch.arange(n * geometry.offset_groups, device=input.device) * (height * width)
    inds = inds.view(len(first), -1) + first[:, None]
    starts = torch.arange(0, inds.numel(), 4, device=input.device)
    rows = sum_rows(table, inds.flatten(), weights.flatten().to(table.dtype), starts)
    taps = kernel.numel()
    rows = rows.view(n, geometry.offset_groups, taps, -1, table.shape[1])  # (N, D, K, h * w, C / D)
    rows = rows.permute(0, 1, 4, 2, 3).reshape(n, channels, taps, -1)
    return rows.reshape(n, geometry.groups, channels // geometry.groups * taps, -1)


def _taps(
    input: Tensor, offset: Tensor, kernel: torch.Size, geometry: Geometry
) -> tuple[Tensor, Tensor, Tensor]:
    """Place of each tap, y and x in pixels, and whether it can see the input: (N, D, K, h, w)."""
    height, width = input.shape[2:]
    shifts = offset.reshape(len(offset), geometry.offset_groups, -1, 2, *offset.shape[2:])
    base_y, base_x = _grid(kernel, offset.shape[2:], geometry, offset)
    y, x = shifts[:, :, :, 0] + base_y, shifts[:, :, :, 1] + base_x
    return y, x, (y > -1) & (y < height) & (x > -1) & (x < width)


def _grid(
    kernel: torch.Size, size: torch.Size, geometry: Geometry, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Places of the taps before they are shifted: y as (K, h, 1) and x as (K, 1, w)."""
    places = []
    for axis in (0, 1):
        taps = torch.arange(kernel[axis], device=like.device) * geometry.dilation[axis]
        steps = torch.arange(size[axis], device=like.device) * geometry.stride[axis]
        places.append((taps[:, None] + steps - geometry.padding[axis]).to(like.dtype))
    y = places[0].repeat_interleave(kernel[1], 0)[:, :, None]
    x = places[1].repeat(kernel[0], 1)[:, None, :]
    return y, x


def _gradients(
    grad_output: Tensor,
    tensors: tuple[Tensor, Tensor, Tensor | None, Tensor, Tensor | None],
    wanted: tuple[bool, bool, bool],
    geometry: Geometry,
) -> list[Tensor]:
    """Gradients of input, of offset and mask, and of weight, those that are wanted."""
    of_input, of_taps, of_weight = wanted
    flags = (of_input, of_taps, of_taps, of_weight, False)
    with torch.enable_grad():
        leaves = [
            None if t is None else t.detach().requires_grad_(flag)
            for t, flag in zip(tensors, flags, strict=True)
        ]
        output = deform_conv2d(*leaves, geometry)  # type: ignore[arg-type, call-arg]
    inputs = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    return list(torch.autograd.grad(output, inputs, grad_output))


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    **settings: int,
) -> None:
    """Fill ``output`` of mmcv's DeformConv2d; the buffers ``columns`` and ``ones`` stay empty."""
    output.copy_(deform_conv2d(input, offset, None, weight, None, _plain(settings)))


def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    weight: Tensor,
    columns: Tensor,
    **settings: int,
) -> None:
    """Fill the gradients of mmcv's DeformConv2d for input and offset."""
    tensors = (input, offset, None, weight, None)
    grads = _gradients(grad_output, tensors, (True, True, False), _plain(settings))
    grad_input.copy_(grads[0])
    grad_offset.copy_(grads[1])


def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_weight: Tensor,
    columns: Tensor,
    ones: Tensor,
    **settings: int,
) -> None:
    """Fill the gradient of mmcv's DeformConv2d for its weight."""
    tensors = (input, offset, None, grad_weight, None)  # linear in the weight, so any will do
    grads = _gradients(grad_output, tensors, (False, False, True), _plain(settings))
    grad_weight.copy_(settings["scale"] * grads[0])


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    **settings: int,
) -> None:
    """Fill ``output`` of mmcv's ModulatedDeformConv2d."""
    used = bias if settings["with_bias"] else None
    output.copy_(deform_conv2d(input, offset, mask, weight, used, _modulated(settings)))


def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    **settings: int,
) -> None:
    """Fill all gradients of mmcv's ModulatedDeformConv2d."""
    tensors = (input, offset, mask, weight, None)
    grads = _gradients(grad_output, tensors, (True, True, True), _modulated(settings))
    for filled, grad in zip((grad_input, grad_offset, grad_mask, grad_weight), grads, strict=True):
        filled.copy_(grad)
    if settings["with_bias"]:
        grad_bias.copy_(grad_output.sum((0, 2, 3)))


def _plain(settings: dict[str, int]) -> Geometry:
    """Geometry from the settings of mmcv's DeformConv2d."""
    return Geometry(
        (settings["dH"], settings["dW"]),
        (settings["padH"], settings["padW"]),
        (settings["dilationH"], settings["dilationW"]),
        settings["group"],
        settings["deformable_group"],
    )


def _modulated(settings: dict[str, int]) -> Geometry:
    """Geometry from the settings of mmcv's ModulatedDeformConv2d."""
    return Geometry(
        (settings["stride_h"], settings["stride_w"]),
        (settings["pad_h"], settings["pad_w"]),
        (settings["dilation_h"], settings["dilation_w"]),
        settings["group"],
        settings["deformable_group"],
    )
