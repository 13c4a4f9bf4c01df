"""Weighted sums of a table's rows, the one loop that RoIAlign and deformable convolution need.

Each output row is a bag: the sum of some rows of a table, each times its weight. torch has that
as ``embedding_bag``, which runs at the speed of compiled loops on every device.
"""

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

# T rows in the table, E entries in all bags, B bags, C columns.


def as_float(tensor: Tensor) -> Tensor:
    """Give half precision as float32, which the sums need, and others as they are.

    Args:
        tensor: of any floating type.

    Returns:
        float64 if it was, else float32; differentiable.
    """
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def sum_rows(table: Tensor, inds: Tensor, weights: Tensor, starts: Tensor) -> Tensor:
    """Sum weighted rows bag by bag.

    Args:
        table: (T, C), float32 or float64.
        inds: (E,) long, row of each entry, the entries of a bag beside each other.
        weights: (E,) like the table.
        starts: (B,) long, first entry of each bag, rising; a bag may be empty.

    Returns:
        (B, C); an empty bag gives zeros. Differentiable in the table and the weights.
    """
    if not len(starts):
        return table.new_zeros(0, table.shape[1])
    return embedding_bag(inds, table, starts, mode="sum", per_sample_weights=weights)


def spread_rows(grad: Tensor, inds: Tensor, weights: Tensor, starts: Tensor, rows: int) -> Tensor:
    """Gradient of ``sum_rows`` for its table: the same sum with bags and rows exchanged.

    Args:
        grad: (B, C) gradient of the sums.
        inds: (E,) as given to ``sum_rows``.
        weights: (E,) as given to ``sum_rows``.
        starts: (B,) as given to ``sum_rows``.
        rows: T, how many rows the table has.

    Returns:
        (T, C).
    """
    ends = torch.cat([starts[1:], starts.new_tensor([len(inds)])])
    bags = torch.repeat_interleave(ends - starts)
    order = inds.argsort(stable=True)
    counts = torch.bincount(inds, minlength=rows)
    return sum_rows(grad, bags[order], weights[order], counts.cumsum(0) - counts)


def bilinear_corners(y: Tensor, x: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Pixels around each point of a map, and their bilinear weights.

    Args:
        y: (S,) in pixels, 0 at the centre of the first row; inside or less than one pixel outside.
        x: (S,) likewise.
        height: of the map.
        width: of the map.

    Returns:
        (S, 4) long, index of each pixel in the flattened map, and (S, 4) weights, 0 for a pixel
        outside the map. The weights are differentiable in y and x.
    """
    low_y, low_x = y.detach().floor(), x.detach().floor()
    share_y, share_x = y - low_y, x - low_x
    inds, weights = [], []
    for up in (0, 1):
        for right in (0, 1):
            row, column = low_y + up, low_x + right
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            weight = (share_y if up else 1 - share_y) * (share_x if right else 1 - share_x)
            weights.append(weight * inside)
            index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            index = torch.where(inside, index, 0)  # of NaN, which a clamp leaves
            inds.append(index.long())
    return torch.stack(inds, -1), torch.stack(weights, -1)
