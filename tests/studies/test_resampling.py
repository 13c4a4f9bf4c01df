"""Bootstrap resamples: nothing is lost, groups stay together, repeats count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmthermal.studies.resampling import image_multiplicities, resample_metric, seed_multiplicities


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_every_resample_has_as_many_images(num: int, resamples: int, seed: int) -> None:
    counts = image_multiplicities(num, resamples, rng=np.random.default_rng(seed))
    assert counts.shape == (resamples, num)
    assert (counts >= 0).all()
    assert (counts.sum(axis=1) == num).all()


def test_repeats_are_kept() -> None:
    counts = image_multiplicities(50, 200, rng=np.random.default_rng(0))
    assert counts.max() > 2
    # a share (1 - 1/50)^50 = 0.364 of the images is left out of a resample
    assert (counts == 0).mean() == pytest.approx(0.364, abs=0.01)


def test_bootstrap_error_of_a_mean_is_the_textbooks() -> None:
    # With repeats dropped it would be about 0.77 of this.
    rng = np.random.default_rng(1)
    values = rng.standard_normal(400)
    counts = image_multiplicities(400, 4000, rng=rng)
    assert (counts @ values / 400).std() == pytest.approx(values.std() / 20, rel=0.04)


def test_groups_are_drawn_whole() -> None:
    groups = ["a", "b", "a", "c", "b"]
    counts = image_multiplicities(5, 100, rng=np.random.default_rng(0), groups=groups)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 1] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_as_many_group_labels_as_images() -> None:
    with pytest.raises(ValueError, match="2 group labels for 3 images"):
        image_multiplicities(3, 1, rng=np.random.default_rng(0), groups=["a", "b"])


@pytest.mark.parametrize(("images", "resamples"), [(0, 5), (5, 0)])
def test_nothing_to_resample_is_refused(images: int, resamples: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        image_multiplicities(images, resamples, rng=np.random.default_rng(0))


def test_resample_metric_marks_undefined_values() -> None:
    counts = np.array([[1, 1], [2, 0]], dtype=np.int32)
    values = resample_metric(lambda row: float(row[1]) - 0.5 if row[1] else -1.0, counts)
    assert values[0] == 0.5
    assert math.isnan(values[1])


def test_seeds_are_drawn_with_repeats() -> None:
    counts = seed_multiplicities(3, 500, rng=np.random.default_rng(0))
    assert counts.shape == (500, 3)
    assert (counts.sum(axis=1) == 3).all()
    assert counts.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.1)
    assert counts.max() == 3
