"""Configs of data sets, and those that they wrap."""

from collections.abc import Iterator, Mapping
from typing import Any


def innermost(dataset: Any) -> Iterator[Mapping[str, Any]]:
    """The data sets inside of wrappers such as ``ConcatDataset`` and ``RepeatDataset``.

    Args:
        dataset: the config of a data set; anything else, such as None, has none.

    Yields:
        their configs; the given one where it wraps none.
    """
    if not isinstance(dataset, Mapping) or not dataset:
        return
    inner = [part for part in dataset.get("datasets") or [dataset.get("dataset")] if part]
    if not inner:
        yield dataset
    for part in inner:
        yield from innermost(part)
