"""Predictions of a dense head over all levels, read without a flattened copy.

Shape shorthand: N images, A anchors per position, D values per anchor, S anchors per image in
mmdet's order: by level, row, column, anchor.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


class DenseLevels:
    """A view of per-level predictions that answers by flat anchor index.

    Args:
        levels: one (N, A * D, H, W) tensor per level, of any memory layout.
        dim: D, values per anchor.

    Raises:
        ValueError: if a level's channels are not a multiple of D.
    """

    def __init__(self, levels: Sequence[Tensor], dim: int) -> None:
        for level in levels:
            if level.size(1) % dim:
                raise ValueError(f"{level.size(1)} channels are not a multiple of {dim}")
        self.levels = [level.unflatten(1, (-1, dim)) for level in levels]  # (N, A, D, H, W)
        self.dim = dim
        self.sizes = [level.numel() // (level.size(0) * dim) for level in self.levels]

    def row_max(self) -> Tensor:
        """Largest value of each anchor.

        Returns:
            (N, S), detached, in the dtype of the levels.
        """
        maxima = [level.detach().amax(2).permute(0, 2, 3, 1).flatten(1) for level in self.levels]
        return torch.cat(maxima, 1)

    def rows(self, inds: Tensor) -> Tensor:
        """Values of some anchors, with autograd.

        Every level stays in the graph, also those that hold none of the anchors, so that each
        parameter gets a gradient on every process.

        Args:
            inds: (K,), long, ascending indices into the flattened (N * S) anchors.

        Returns:
            (K, D), float32 (float64 for float64 levels), in the order of ``inds``.
        """
        img_inds, anchor_inds = inds // sum(self.sizes), inds % sum(self.sizes)
        parts, places, start = [], [], 0
        for level, size in zip(self.levels, self.sizes, strict=True):
            place = ((anchor_inds >= start) & (anchor_inds < start + size)).nonzero().squeeze(1)
            local = anchor_inds[place] - start
            num_anchors, width = level.size(1), level.size(4)
            cell = local // num_anchors
            row = level[img_inds[place], local % num_anchors, :, cell // width, cell % width]
            parts.append(row.to(torch.promote_types(row.dtype, torch.float32)))
            places.append(place)
            start += size
        order = torch.cat(places).argsort()
        return torch.cat(parts)[order]

    def split(self, targets: Tensor) -> list[Tensor]:
        """Cut per-anchor targets into levels, in the layout of the predictions.

        Args:
            targets: (N, S).

        Returns:
            one (N, A, H, W) view per level.
        """
        return [
            part.unflatten(1, (*level.shape[3:], level.size(1))).permute(0, 3, 1, 2)
            for part, level in zip(targets.split(self.sizes, 1), self.levels, strict=True)
        ]
