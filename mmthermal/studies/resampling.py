"""Bootstrap resamples of images and seeds as multiplicities, and a metric on each of them.

Shape shorthand in this module:
    S: seeds
    N: images of the test set
    B: bootstrap resamples
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def image_multiplicities(
    num_images: int,
    num_resamples: int,
    *,
    rng: np.random.Generator,
    groups: Sequence[Any] | NDArray[Any] | None = None,
) -> NDArray[np.int32]:
    """How often each image occurs in each bootstrap resample.

    Images drawn twice count twice: dropping the repeats would make the intervals too narrow.

    Args:
        num_images: N, at least 1.
        num_resamples: B, at least 1.
        rng: source of randomness.
        groups: (N,) labels of images that belong together, such as the frames of one flight or
            video: whole groups are drawn. None draws single images.

    Returns:
        (B, N) counts. Each row sums to N without groups.

    Raises:
        ValueError: a number below 1, or as many labels as images are not given.
    """
    if num_images < 1 or num_resamples < 1:
        raise ValueError(
            f"num_images={num_images}, num_resamples={num_resamples}: both must be at least 1"
        )
    if groups is None:
        return _draw_counts(num_images, num_resamples, rng)
    if len(groups) != num_images:
        raise ValueError(f"{len(groups)} group labels for {num_images} images: give one per image")
    _, members = np.unique(np.asarray(groups), return_inverse=True)
    return _draw_counts(int(members.max()) + 1, num_resamples, rng)[:, members]


def seed_multiplicities(
    num_seeds: int, num_resamples: int, *, rng: np.random.Generator
) -> NDArray[np.int32]:
    """How often each seed occurs in each resample: (B, S) counts, each row summing to S."""
    return _draw_counts(num_seeds, num_resamples, rng)


def _draw_counts(size: int, num_resamples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    uniform = np.full(size, 1.0 / size)
    return rng.multinomial(size, uniform, size=num_resamples).astype(np.int32)


def resample_metric(
    metric: Callable[[NDArray[np.int32]], float], counts: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Evaluate a metric on every resample.

    Args:
        metric: takes (N,) multiplicities, returns the value; -1 where it is undefined.
        counts: (B, N) multiplicities.

    Returns:
        (B,) values, NaN where the metric is undefined.
    """
    values = np.array([metric(row) for row in counts], dtype=np.float64)
    return np.where(values < 0, np.nan, values)
