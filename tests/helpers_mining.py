"""Mining in several processes; imported by the children, so it stays small."""

from typing import Any

import torch
from helpers_processes import group
from torch import Tensor

from mmthermal.samplers import HardNegativeMiner
from mmthermal.samplers.over_processes import share_of_hardest


def shares(number: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Scores on few levels, so that ties are the rule; candidates; positives, uneven."""
    found = []
    for rank in range(number):
        maker = torch.Generator().manual_seed(rank)
        scores = torch.randint(0, 6, (2, 40), generator=maker).float() + 0.25 * rank
        kinds = torch.randint(0, 4, (2, 40), generator=maker)
        positives = (kinds == 3) & (torch.rand(2, 40, generator=maker) < 0.3)
        if rank == 1:  # one process without an object, one with few candidates
            positives[:] = False
        candidates = (kinds <= 1) & (
            torch.rand(2, 40, generator=maker) < (0.05 if rank == 2 else 1)
        )
        found.append((scores, candidates, positives))
    return found


CASES: list[dict[str, Any]] = [
    dict(ratio=3.0, min_neg=0), dict(ratio=1.0, min_neg=9), dict(ratio="all", min_neg=2),
    dict(ratio=0.0, min_neg=0), dict(ratio=2.0, min_neg=1, scope="image"),
]  # fmt: skip


def work(rank: int, number: int, folder: str) -> None:
    """What one process mines, without and with favoured anchors on one of the processes."""
    given = shares(number)[rank]
    first = dict(first=given[0] == given[0].min()) if rank == 0 else {}
    with group(rank, number, folder):
        mined = [
            (HardNegativeMiner(**c).mine(*given), HardNegativeMiner(**c).mine(*given, **first))
            for c in CASES
        ]
    torch.save(mined, f"{folder}/rank{rank}.pt")


POSITIVES = 2  # of each process
ROW_CASES = [(1.5, 0), (0.0, 7), (float("inf"), 0), (0.0, 0)]  # ratio, floor of the first process


def rows(rank: int, number: int) -> tuple[Tensor, Tensor]:
    """Scores with ties and candidates of one process; the last one has none."""
    maker = torch.Generator().manual_seed(rank)
    size = 0 if rank == number - 1 else 20 + rank
    scores = torch.randint(0, 5, (size,), generator=maker).float()
    return scores, torch.rand(size, generator=maker) < 0.7


def share_rows(rank: int, number: int, folder: str) -> None:
    """What one process gets of the hardest rows of all."""
    with group(rank, number, folder):
        found = [
            share_of_hardest(
                *rows(rank, number), POSITIVES, ratio=ratio, min_neg=floor if rank == 0 else 0
            )
            for ratio, floor in ROW_CASES
        ]
    torch.save(found, f"{folder}/rank{rank}.pt")
