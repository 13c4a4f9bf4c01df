"""RoIAlign as mmcv's compiled extension computes it, on mmthermal's weighted sums of rows."""

from typing import NamedTuple

import torch
from torch import Tensor

from mmthermal.ops.torchvision_ops import torchvision_ops
from mmthermal.ops.weighted_rows import as_float, bilinear_corners, spread_rows, sum_rows

# R RoIs, N images, C channels, an input of H x W, bins of ph x pw, S sample points in all.

MAX, AVERAGE = 0, 1


class Samples(NamedTuple):
    """Sample points of all bins, those of a bin beside each other.

    Attributes:
        y: (S,) in pixels of the input.
        x: (S,) likewise.
        images: (S,) long, the image that each lies in.
        counts: (R * ph * pw,) long, number of points of each bin.
    """

    y: Tensor
    x: Tensor
    images: Tensor
    counts: Tensor


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Fill ``output`` with the pooled values of each RoI's bins.

    Args:
        input: (N, C, H, W) features.
        rois: (R, 5), index of the image, then x1, y1, x2, y2 in pixels of the image.
        output: (R, C, aligned_height, aligned_width), filled in place.
        argmax_y: like ``output``, filled in place with the place of each maximum where the pool
            mode is 0, else empty.
        argmax_x: like ``argmax_y``.
        aligned_height: bins of a RoI from top to bottom.
        aligned_width: bins of a RoI from left to right.
        spatial_scale: pixels of the input for one pixel of the image.
        sampling_ratio: sample points of a bin in each direction; 0 takes one for each pixel.
        pool_mode: 0 takes the maximum of a bin's points, 1 their average.
        aligned: shift by half a pixel; without it a RoI is at least one pixel wide and high.

    Raises:
        ValueError: aligned, and a RoI has negative width or height.
    """
    if not output.numel():
        return
    if aligned and bool((rois[:, 3:] < rois[:, 1:3]).any()):
        raise ValueError("RoIAlign: a RoI has x2 < x1 or y2 < y1; order or drop such boxes.")
    bins = (aligned_height, aligned_width)
    operators = torchvision_ops()
    if operators is not None and pool_mode == AVERAGE:
        output.copy_(
            operators.roi_align(input, rois, spatial_scale, *bins, sampling_ratio, aligned)
        )
        return
    samples = sample_points(rois, bins, spatial_scale, sampling_ratio, aligned)
    if pool_mode == AVERAGE:
        table = _as_table(input)
        pooled = sum_rows(table, *_average_bags(samples, input.shape, table.dtype))
        output.copy_(_as_bins(pooled, output.shape))
    else:
        pooled, y, x = _max_of_bins(input, samples, output.shape)
        output.copy_(pooled)
        argmax_y.copy_(y)
        argmax_x.copy_(x)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Fill ``grad_input`` with the gradient of the features.

    Args:
        grad_output: (R, C, aligned_height, aligned_width).
        rois: as given to ``roi_align_forward``.
        argmax_y: as filled by ``roi_align_forward``.
        argmax_x: as filled by ``roi_align_forward``.
        grad_input: (N, C, H, W), filled in place.
        aligned_height: as given to ``roi_align_forward``.
        aligned_width: as given to ``roi_align_forward``.
        spatial_scale: as given to ``roi_align_forward``.
        sampling_ratio: as given to ``roi_align_forward``.
        pool_mode: as given to ``roi_align_forward``.
        aligned: as given to ``roi_align_forward``.
    """
    if not grad_output.numel():
        return
    bins = (aligned_height, aligned_width)
    operators = torchvision_ops()
    if pool_mode == MAX:
        grad_input.copy_(_grad_of_max(grad_output, rois, argmax_y, argmax_x, grad_input.shape))
    elif operators is not None:
        grad_input.copy_(
            operators._roi_align_backward(
                grad_output, rois, spatial_scale, *bins, *grad_input.shape, sampling_ratio, aligned
            )
        )
    else:
        samples = sample_points(rois, bins, spatial_scale, sampling_ratio, aligned)
        grad = as_float(grad_output).permute(0, 2, 3, 1).flatten(0, 2)
        bags = _average_bags(samples, grad_input.shape, grad.dtype)
        rows = grad_input.shape[0] * grad_input.shape[2] * grad_input.shape[3]
        grad_input.copy_(_as_maps(spread_rows(grad, *bags, rows), grad_input.shape))


def sample_points(
    rois: Tensor, bins: tuple[int, int], spatial_scale: float, sampling_ratio: int, aligned: bool
) -> Samples:
    """Lay the sample points of every bin of every RoI.

    Args:
        rois: (R, 5), index of the image, then x1, y1, x2, y2 in pixels of the image.
        bins: of a RoI, from top to bottom and from left to right.
        spatial_scale: pixels of the input for one pixel of the image.
        sampling_ratio: points of a bin in each direction; 0 takes one for each pixel.
        aligned: shift by half a pixel; without it a RoI is at least one pixel wide and high.

    Returns:
        the points, of the RoIs' dtype but at least float32.
    """
    rois = as_float(rois.detach())
    corners = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    size = corners[:, 2:] - corners[:, :2]
    if not aligned:
        size = size.clamp(min=1)
    number = size.new_tensor([bins[1], bins[0]])
    step = size / number
    if sampling_ratio > 0:
        grid = torch.full_like(size, sampling_ratio).long()
    else:
        grid = step.ceil().long()  # (R, 2), points of a bin along x and y; 0 for a RoI of no size
    per_bin = grid.prod(1)
    counts = per_bin.repeat_interleave(bins[0] * bins[1])
    owner = torch.repeat_interleave(counts)  # (S,) bin of each point
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(owner), device=rois.device) - starts[owner]
    roi = owner // (bins[0] * bins[1])
    which = torch.stack([owner % bins[1], owner // bins[1] % bins[0]], 1)
    grid = grid[roi]
    within = torch.stack([place % grid[:, 0], place // grid[:, 0]], 1)
    steps = step[roi]
    points = corners[roi, :2] + which * steps + (within + 0.5) * steps / grid
    return Samples(points[:, 1], points[:, 0], rois[roi, 0].long(), counts)


def _average_bags(
    samples: Samples, shape: torch.Size, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Indices, weights and starts of the bags whose sums are the bins' averages."""
    inds, weights = _corners_of_samples(samples, shape)
    weights = weights / samples.counts.repeat_interleave(samples.counts)[:, None]
    starts = 4 * (samples.counts.cumsum(0) - samples.counts)
    return inds.flatten(), weights.flatten().to(dtype), starts


def _corners_of_samples(samples: Samples, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Rows of the table around each point and their weights; (S, 4) both.

    A point up to one pixel outside the map is moved to its border, one further out counts as 0.
    """
    height, width = shape[-2:]
    y, x = samples.y, samples.x
    inside = (y >= -1) & (y <= height) & (x >= -1) & (x <= width)
    inds, weights = bilinear_corners(y.clamp(0, height - 1), x.clamp(0, width - 1), height, width)
    return inds + (samples.images * (height * width))[:, None], weights * inside[:, None]


def _max_of_bins(
    input: Tensor, samples: Samples, shape: torch.Size
) -> tuple[Tensor, Tensor, Tensor]:
    """Maximum over each bin's points, and its place; shaped like the output."""
    table = _as_table(input)
    inds, weights = _corners_of_samples(samples, input.shape)
    starts = torch.arange(0, inds.numel(), 4, device=inds.device)
    values = sum_rows(table, inds.flatten(), weights.flatten().to(table.dtype), starts)
    # The points of all bins side by side, missing ones filled with what never is a maximum.
    most = max(1, int(samples.counts.max()))
    column = torch.arange(most, device=inds.device)
    point = (samples.counts.cumsum(0) - samples.counts)[:, None] + column
    real = column < samples.counts[:, None]
    point = torch.where(real, point, len(values))
    lowest = values.new_full((1, values.shape[1]), -10000.0)  # as in the compiled operator
    spread = torch.cat([values, lowest])[point]
    best = spread.argmax(1)
    pooled = spread.gather(1, best[:, None])[:, 0].clamp(min=-10000.0)
    chosen = point.gather(1, best)
    nowhere = samples.y.new_full((1,), -1)  # a bin without points: its gradient goes nowhere
    y, x = torch.cat([samples.y, nowhere])[chosen], torch.cat([samples.x, nowhere])[chosen]
    return _as_bins(pooled, shape), _as_bins(y, shape), _as_bins(x, shape)


def _grad_of_max(
    grad_output: Tensor, rois: Tensor, argmax_y: Tensor, argmax_x: Tensor, shape: torch.Size
) -> Tensor:
    """Send each bin's gradient to the pixels around its maximum."""
    height, width = shape[-2:]
    grad = as_float(grad_output)
    images = rois[:, 0].long()[:, None].expand(-1, grad[0].numel()).flatten()
    points = Samples(
        as_float(argmax_y).flatten(), as_float(argmax_x).flatten(), images, images.new_ones(0)
    )
    inds, weights = _corners_of_samples(points, shape)
    weights = weights * (points.y != -1)[:, None]
    channels = torch.arange(shape[1], device=rois.device)
    channels = channels.repeat_interleave(grad[0, 0].numel()).repeat(len(rois))
    maps = grad.new_zeros(shape[0] * height * width, shape[1])
    entries = (grad.flatten()[:, None] * weights).to(grad.dtype)
    maps.index_put_((inds, channels[:, None].expand(-1, 4)), entries, accumulate=True)
    return _as_maps(maps, shape)


def _as_table(maps: Tensor) -> Tensor:
    """(N, C, H, W) as (N * H * W, C), float32 or float64."""
    return as_float(maps).permute(0, 2, 3, 1).flatten(0, 2).contiguous()


def _as_maps(table: Tensor, shape: torch.Size) -> Tensor:
    """(N * H * W, C) as (N, C, H, W)."""
    return table.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2)


def _as_bins(rows: Tensor, shape: torch.Size) -> Tensor:
    """(R * ph * pw, C) as (R, C, ph, pw)."""
    return rows.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2)
