"""Predictions of a dense head over all levels, read without a flattened copy.

Shape shorthand: N images, A anchors per position, D values per anchor, S anchors per image in
mmdet's order: by level, row, column, anchor.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmthermal.functional.focal import TrueRows


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

    def true_rows(self, inds: Tensor) -> list[TrueRows]:
        """Where some anchors lie in each level.

        The shapes don't depend on which level an anchor is of, so that a GPU never waits for the
        host.

        Args:
            inds: (K,), long, indices into the flattened (N * S) anchors.

        Returns:
            for each level (K,) indices into its (N, A, H, W) positions and a mask of those that
            are its own; the others stand at some position of the level.
        """
        img_inds, anchor_inds = inds // sum(self.sizes), inds % sum(self.sizes)
        found, start = [], 0
        for level, size in zip(self.levels, self.sizes, strict=True):
            local = anchor_inds - start
            valid = (local >= 0) & (local < size)
            local = local.clamp(0, size - 1)
            cell, width = local // level.size(1), level.size(4)
            index = (img_inds, local % level.size(1), cell // width, cell % width)
            found.append(TrueRows(index, valid))
            start += size
        return found

    def rows(self, inds: Tensor) -> Tensor:
        """Values of some anchors, with autograd.

        Every level stays in the graph, also those that hold none of the anchors, so that each
        parameter gets a gradient on every process.

        Args:
            inds: (K,), long, indices into the flattened (N * S) anchors.

        Returns:
            (K, D), float32 (float64 for float64 levels), in the order of ``inds``.
        """
        parts = []
        for level, (places, valid) in zip(self.levels, self.true_rows(inds), strict=True):
            assert valid is not None  # of true_rows always
            image, anchor, row, column = places
            values = level[image, anchor, :, row, column]
            values = values.to(torch.promote_types(values.dtype, torch.float32))
            parts.append(values.where(valid.unsqueeze(1), 0))
        return torch.stack(parts).sum(0)

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
