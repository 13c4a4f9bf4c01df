"""Sums and rows of all processes, with autograd."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.distributed.nn.functional import all_reduce

from mmthermal.common.processes import several_processes


def sum_over_processes(vector: Tensor) -> Tensor:
    """Sum over the processes, differentiable; the vector itself in a single process."""
    if several_processes():
        total: Tensor = all_reduce(vector)
        return total
    return vector


def rows_of_all_processes(
    pos_logits: Tensor,
    neg_logits: Tensor,
    pos_labels: Tensor,
    pos_weights: Tensor | None,
    neg_weights: Tensor | None,
) -> dict[str, Any]:
    """Arguments of ``ap_loss`` with the rows of all processes, differentiable.

    Each process writes its rows where no other does, and the tables are added; rows that no
    process fills have weight 0.
    """
    if not several_processes():
        return dict(
            pos_logits=pos_logits,
            neg_logits=neg_logits,
            pos_labels=pos_labels,
            pos_weights=pos_weights,
            neg_weights=neg_weights,
        )

    def table(logits: Tensor, labels: Tensor | None, weights: Tensor | None) -> Tensor:
        ones = logits.new_ones(len(logits))
        columns = [ones if column is None else column.to(logits) for column in (weights, labels)]
        return torch.cat([logits, torch.stack(columns, 1)], 1)

    tables = (
        table(pos_logits, pos_labels, pos_weights),
        table(neg_logits, None, neg_weights),
    )
    most = torch.stack([rows.new_full((), len(rows), dtype=torch.long) for rows in tables])
    dist.all_reduce(most, op=dist.ReduceOp.MAX)
    shares = most.tolist()
    padded = []
    for rows, share in zip(tables, shares, strict=True):
        before = dist.get_rank() * share
        after = dist.get_world_size() * share - before - len(rows)
        padded.append(F.pad(rows, (0, 0, before, after)))
    joined = sum_over_processes(torch.cat(padded))
    pos, neg = joined.split([len(rows) for rows in padded])
    return dict(
        pos_logits=pos[:, :-2],
        neg_logits=neg[:, :-2],
        pos_labels=pos[:, -1].long(),
        pos_weights=pos[:, -2],
        neg_weights=neg[:, -2],
    )
