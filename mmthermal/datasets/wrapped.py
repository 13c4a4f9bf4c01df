"""The data sets that a wrapper of mmengine or mmdet holds."""

from collections.abc import Iterator
from typing import Any


def wrapped(dataset: Any) -> list[Any]:
    """The data sets that one wraps, such as those of ``ConcatDataset`` or ``RepeatDataset``.

    Args:
        dataset: the data set.

    Returns:
        them; empty for one that wraps none.
    """
    inner = getattr(dataset, "datasets", None) or [getattr(dataset, "dataset", None)]
    return [part for part in inner if part is not None]


def with_wrapped(dataset: Any) -> Iterator[Any]:
    """A data set and all that it wraps, at any depth.

    Args:
        dataset: the data set.

    Yields:
        outer ones first.
    """
    yield dataset
    for part in wrapped(dataset):
        yield from with_wrapped(part)


def innermost_sets(dataset: Any) -> list[Any]:
    """The data sets inside of all wrappers.

    Args:
        dataset: the data set.

    Returns:
        them, in the order of :func:`~mmthermal.common.dataset_configs.innermost`; the given one
        where it wraps none.
    """
    return [part for part in with_wrapped(dataset) if not wrapped(part)]
