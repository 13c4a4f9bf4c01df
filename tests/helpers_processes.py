"""Processes that a test starts and that meet by gloo; the children import it, so it stays small."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist


@contextmanager
def group(rank: int, number: int, folder: str) -> Iterator[None]:
    """In a child: the processes of a folder as one group, each on one thread."""
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=number
    )
    yield
    dist.destroy_process_group()


def results(work: Callable[..., None], number: int, folder: Path, *rest: Any) -> list[Any]:
    """What ``work(rank, number, folder, *rest)`` saves as ``rank<k>.pt`` in each process."""
    context = torch.multiprocessing.get_context("spawn")
    children = [
        context.Process(target=work, args=(rank, number, str(folder), *rest))
        for rank in range(number)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
        assert child.exitcode == 0
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(number)]
