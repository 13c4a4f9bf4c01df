"""Batches know their place, and a sample's random numbers depend on it alone."""

import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from torch.utils.data import BatchSampler, DataLoader, Dataset, SequentialSampler

from mmthermal.datasets import numbered_batches
from mmthermal.datasets.numbered_batches import NumberedBatches, number_batches, seed_all


class Draws(Dataset):
    """A sample is its index and a draw of each generator."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> tuple:
        assert type(index) is int
        return index, random.random(), float(np.random.rand()), float(torch.rand(()))


def loader(workers: int = 0, persistent: bool = False, **kwargs: Any) -> DataLoader:
    dataset = Draws()
    return DataLoader(
        dataset,
        batch_size=3,
        sampler=DefaultSampler(dataset, shuffle=True, seed=0),
        num_workers=workers,
        persistent_workers=persistent,
        collate_fn=list,
        **kwargs,
    )


def epochs(made: DataLoader, numbers: list[int], skip: int = 0) -> list:
    batches = number_batches(made, seed=5)
    found = []
    for number in numbers:
        batches.epoch, batches.skip = number, skip
        made.sampler.set_epoch(number)
        found.append(list(made))
    return found


@pytest.mark.parametrize(("workers", "persistent"), [(1, False), (2, True)])
def test_workers_change_nothing(workers: int, persistent: bool) -> None:
    whole = epochs(loader(), [0, 1])
    assert epochs(loader(workers, persistent), [0, 1]) == whole
    assert whole[0] != whole[1]


@pytest.mark.parametrize("skip", [0, 1, 3, 4])
def test_what_is_skipped_is_not_loaded_and_the_rest_is_equal(skip: int) -> None:
    whole = epochs(loader(), [3])[0]
    assert epochs(loader(), [3], skip)[0] == whole[skip:]
    batches = number_batches(made := loader(), seed=5)
    batches.skip = skip
    list(made)
    assert len(list(made)) == len(made) == 4  # once only


def test_processes_together_number_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def numbers(rank: int, world_size: int, size: int) -> dict[int, tuple]:
        monkeypatch.setattr(numbered_batches, "get_dist_info", lambda: (rank, world_size))
        indices = list(range(8))[rank::world_size]
        batches = NumberedBatches(BatchSampler(indices, size, drop_last=False), seed=1)
        return {int(i): i.numbers for batch in batches for i in batch}

    assert {**numbers(0, 2, 2), **numbers(1, 2, 2)} == numbers(0, 1, 4)


def test_streams_of_other_numbers_are_apart() -> None:
    drawn = set()
    for numbers in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 0, 1), (-1, 0, 0)]:
        seed_all(*numbers)
        drawn.add((random.random(), float(np.random.rand()), float(torch.rand(()))))
    assert len(drawn) == 6
    seed_all(0, 0, 0)
    assert (random.random(), float(np.random.rand()), float(torch.rand(()))) in drawn


def test_other_attributes_and_pickles() -> None:
    inner = BatchSampler(SequentialSampler(range(5)), 2, drop_last=False)
    batches = NumberedBatches(inner, seed=1)
    assert batches.batch_size == 2 and batches.sampler is inner.sampler
    again = pickle.loads(pickle.dumps(batches))
    assert [list(map(int, b)) for b in again] == [[0, 1], [2, 3], [4]]
    index = next(iter(batches))[1]
    assert pickle.loads(pickle.dumps(index)).numbers == index.numbers == (1, 0, 1)


def test_twice_is_once_and_what_cannot_be_numbered_is_refused() -> None:
    made = loader()
    assert number_batches(made, 1) is number_batches(made, 2)
    with pytest.raises(TypeError, match="no batches"):
        number_batches(DataLoader(Draws(), batch_size=None), 1)
    with pytest.raises(TypeError, match="loads batches by itself"):
        dataset = Draws()
        dataset.__getitems__ = lambda indices: []  # type: ignore[attr-defined]
        number_batches(DataLoader(dataset), 1)
