"""Work of one process in the tests with several; imported by the children, so it stays small."""

from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from helpers_processes import group

from mmthermal.losses import CompositeLoss


def split_batch(num_pos: tuple[int, ...], num_neg: tuple[int, ...]) -> list[dict[str, Any]]:
    """The share of each process: logits that depend on one common weight, labels, box errors."""
    generator = torch.Generator().manual_seed(3)
    shares = []
    for pos, neg in zip(num_pos, num_neg, strict=True):
        labels = torch.randint(3, (pos,), generator=generator)
        shares.append(
            dict(
                pos=torch.randn(pos, 5, generator=generator),
                labels=labels,
                dense_labels=torch.cat([labels, torch.full((neg,), 3)]),
                neg=torch.randn(neg, 5, generator=generator),
                box=torch.randn(pos, 4, generator=generator),
                dense=torch.randn(pos + neg, 5, generator=generator),
                factor=float(max(pos, 1)),
            )
        )
    return shares


def joined(shares: list[dict[str, Any]]) -> dict[str, Any]:
    """All shares as one batch."""
    keys = ("pos", "labels", "neg", "box", "dense", "dense_labels")
    batch = {key: torch.cat([share[key] for share in shares]) for key in keys}
    return dict(batch, factor=sum(share["factor"] for share in shares))


def forward(settings: dict[str, Any], share: dict[str, Any], weight: torch.Tensor) -> dict:
    """CompositeLoss of a share; every prediction comes from ``weight``, (5, 3)."""
    loss = CompositeLoss(**settings)
    pred = share["box"] * weight.flatten()[:4]
    return loss(
        share["pos"] @ weight,
        share["labels"],
        share["neg"] @ weight,
        box_sum=loss.box_sum(pred, torch.zeros_like(pred)),
        dense_sum=loss.dense_sum(share["dense"] @ weight, share["dense_labels"], None),
        avg_factor=share["factor"],
    )


def start_weight() -> torch.Tensor:
    """The common weight, (5, 3)."""
    return torch.randn(5, 3, generator=torch.Generator().manual_seed(9)).requires_grad_()


def work(rank: int, number: int, folder: str, cases: list[tuple[dict, tuple, tuple]]) -> None:
    """Losses and DDP's averaged gradient of each case, saved by each rank.

    Args:
        rank: of this process.
        number: of processes.
        folder: where the processes meet and results go.
        cases: settings, and the numbers of positives and of negatives of each rank.
    """
    results = []
    with group(rank, number, folder):
        for settings, num_pos, num_neg in cases:
            weight = start_weight()
            losses = forward(settings, split_batch(num_pos, num_neg)[rank], weight)
            (losses["loss_cls"] + losses["loss_bbox"]).backward()
            dist.all_reduce(weight.grad)  # as DistributedDataParallel: the average of the ranks
            results.append((weight.grad / number, {k: v.detach() for k, v in losses.items()}))
    torch.save(results, Path(folder) / f"rank{rank}.pt")
