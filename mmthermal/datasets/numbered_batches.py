"""Batches that know their place in the training, so that any of them can be taken up again."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_dist_info
from torch.utils.data import DataLoader


def seed_all(*numbers: int) -> None:
    """Seed Python, NumPy and torch (all devices) from a few numbers.

    Args:
        *numbers: other numbers give other, unrelated streams; zeros at the end don't count.
    """
    entropy = [number % 2**64 for number in numbers]
    seed = int(np.random.SeedSequence(entropy).generate_state(1, np.uint32)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class NumberedIndex(int):
    """Index of a sample, with the numbers that seed its transforms.

    Attributes:
        numbers: seed of the training, epoch, place within the epoch.
    """

    numbers: tuple[int, ...] = ()


class NumberedBatches:
    """Batch sampler around another one: skips what is done, numbers what is left.

    Args:
        inner: the batch sampler; its other attributes are passed on.
        seed: of the training.

    Attributes:
        epoch: that the next iteration belongs to.
        skip: batches that the next iteration leaves out.
    """

    def __init__(self, inner: Any, seed: int) -> None:
        self.inner = inner
        self.seed = seed
        self.epoch = 0
        self.skip = 0

    def __iter__(self) -> Iterator[list[NumberedIndex]]:
        rank, world_size = get_dist_info()
        skip, self.skip = self.skip, 0
        place = sum(map(len, islice(batches := iter(self.inner), skip)))
        for batch in batches:
            numbered = []
            for index in batch:
                entry = NumberedIndex(index)
                entry.numbers = (self.seed, self.epoch, place * world_size + rank)
                numbered.append(entry)
                place += 1
            yield numbered

    def __len__(self) -> int:
        return len(self.inner)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.inner, name)


class SeededFetch:
    """``__getitems__`` of a data set: seeds the transforms of every sample by its numbers.

    Args:
        dataset: the data set.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __call__(self, indices: Sequence[int]) -> list[Any]:
        """Load samples.

        Args:
            indices: of a batch.

        Returns:
            the samples.
        """
        samples = []
        for index in indices:
            if isinstance(index, NumberedIndex):
                seed_all(*index.numbers)
            samples.append(self.dataset[int(index)])
        return samples


def number_batches(loader: DataLoader, seed: int) -> NumberedBatches:
    """Make a data loader's transforms depend on a sample's place in the training alone.

    Not on the process that loads it, nor on how many there are, nor on what was loaded before.

    Args:
        loader: of samples in batches, not iterated yet; it is changed.
        seed: of the training.

    Returns:
        the batch sampler, which is told the epoch, and how many batches are done.

    Raises:
        TypeError: if the loader has no batch sampler, or its data set loads batches by itself.
    """
    if isinstance(loader.batch_sampler, NumberedBatches):
        return loader.batch_sampler
    if loader.batch_sampler is None:
        raise TypeError("the train_dataloader has no batches: set batch_size")
    if hasattr(loader.dataset, "__getitems__"):
        raise TypeError(
            f"{type(loader.dataset).__name__} loads batches by itself (__getitems__), so that its "
            "transforms can't be seeded by sample"
        )
    batches = NumberedBatches(loader.batch_sampler, seed)
    object.__setattr__(loader, "batch_sampler", batches)  # a DataLoader forbids the plain way
    vars(loader.dataset)["__getitems__"] = SeededFetch(loader.dataset)
    return batches
