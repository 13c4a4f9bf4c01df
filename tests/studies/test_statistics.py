"""Paired intervals, bootstrap, Holm and the verdict."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmthermal.studies import statistics
from mmthermal.studies.statistics import Interval


def test_t_interval_is_students() -> None:
    baseline, candidate = [0.50, 0.52, 0.49, 0.53], [0.55, 0.54, 0.53, 0.58]
    expected = stats.ttest_rel(candidate, baseline).confidence_interval(0.95)
    found = statistics.paired_t_interval(np.subtract(candidate, baseline))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found.df == 3


def test_t_interval_of_two_differences_by_hand() -> None:
    # mean 2, sd sqrt(2), error 1; t(0.975, 1) = 12.7062
    found = statistics.paired_t_interval([1.0, 3.0])
    assert (found.low, found.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)


def test_one_seed_gives_no_interval() -> None:
    found = statistics.paired_t_interval([0.1])
    assert not found.known
    assert not found.contains(0.1)
    assert found.as_dict()["low"] is None


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, math.nan], [math.inf]])
def test_differences_must_be_finite_numbers(bad: list) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        statistics.paired_t_interval(bad)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_level_must_be_a_share(level: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        statistics.paired_t_interval([1.0, 2.0], level=level)


def test_percentiles() -> None:
    found = statistics.percentile_interval(np.arange(101.0), level=0.9)
    assert (found.low, found.high) == pytest.approx((5.0, 95.0))


def test_percentiles_leave_out_empty_resamples_unless_they_are_most() -> None:
    assert statistics.percentile_interval([math.nan, 1.0, 2.0], level=0.5).known
    assert not statistics.percentile_interval([math.nan, math.nan, 2.0], level=0.5).known


def test_combined_interval_by_hand() -> None:
    # seeds: variance 2 / 2 = 1. Images: variance of (-1, 1) = 2, times 2/1 = 4. SE² = 5.
    # df = 25 / (1/1 + 16/1) = 25/17
    found = statistics.combined_interval(
        [1.0, 3.0], [[-1.0, -1.0], [1.0, 1.0]], num_groups=2, level=0.95
    )
    half = stats.t.ppf(0.975, 25 / 17) * math.sqrt(5)
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half))
    assert found.df == pytest.approx(25 / 17)


def test_combined_interval_without_image_noise_is_students() -> None:
    differences = [0.1, 0.4, 0.2]
    resamples = np.tile(differences, (100, 1))
    found = statistics.combined_interval(differences, resamples, num_groups=50)
    expected = statistics.paired_t_interval(differences)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_combined_interval_needs_two_seeds_and_two_groups() -> None:
    assert not statistics.combined_interval([0.1], [[0.1]] * 9, num_groups=9).known
    assert not statistics.combined_interval([0.1, 0.2], [[0.1, 0.2]] * 9, num_groups=1).known


def test_resamples_must_have_the_seeds() -> None:
    with pytest.raises(ValueError, match=r"give \(resamples, 2 seeds\)"):
        statistics.combined_interval([0.1, 0.2], [[0.1, 0.2, 0.3]], num_groups=5)


def test_p_value_agrees_with_the_interval() -> None:
    found = statistics.paired_t_interval([1.0, 2.0, 4.0])
    p = statistics.two_sided_p(7 / 3, found)
    assert p == pytest.approx(stats.ttest_1samp([1.0, 2.0, 4.0], 0).pvalue)
    edge = found.standard_error * stats.t.ppf(0.975, 2)
    assert statistics.two_sided_p(edge, found) == pytest.approx(0.05)


def test_p_value_without_noise() -> None:
    exact = Interval(0.0, 0.0, 0.95, 2.0, 0.0)
    assert statistics.two_sided_p(0.0, exact) == 1.0
    assert statistics.two_sided_p(0.1, exact) == 0.0
    assert math.isnan(statistics.two_sided_p(0.1, Interval(math.nan, math.nan, 0.95)))


def test_holm_by_hand() -> None:
    # sorted .01, .03, .04: 3 · .01, 2 · .03, max(.06, 1 · .04)
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_holm_leaves_unknown_p_values_out() -> None:
    adjusted = statistics.holm([0.02, math.nan, 0.03])
    assert adjusted[0] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])
    assert adjusted[2] == pytest.approx(0.04)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_value(p_values: list[float]) -> None:
    adjusted = statistics.holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))


@pytest.mark.parametrize(
    ("estimate", "p", "expected"),
    [
        (0.02, 0.049, "better"),
        (-0.02, 0.049, "worse"),
        (0.02, 0.051, "no difference shown"),
        (-0.02, 0.051, "no difference shown"),
        (0.02, math.nan, "no difference shown"),
        (0.0, 0.0, "no difference shown"),
    ],
)
def test_verdict(estimate: float, p: float, expected: str) -> None:
    assert statistics.verdict(estimate, p) == expected


def test_verdict_is_the_interval_clear_of_zero() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        differences = rng.normal(0.5, 0.5, 4)
        resamples = differences + 0.2 * rng.standard_normal((50, 1))
        result = statistics.paired_comparison(differences, resamples, num_groups=30, rng=rng)
        says = statistics.verdict(result.mean, result.p_value)
        assert (says == "no difference shown") == result.interval.contains(0.0)


def test_bootstrap_resamples_seeds_too() -> None:
    # No image noise at all: only the drawing of seeds spreads the bootstrap.
    differences = np.array([0.0, 1.0])
    result = statistics.paired_comparison(
        differences, np.tile(differences, (400, 1)), num_groups=9, rng=np.random.default_rng(0)
    )
    assert (result.bootstrap_interval.low, result.bootstrap_interval.high) == (0.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(("num_seeds", "seed_share"), [(3, 0.5), (3, 0.9), (5, 0.1), (5, 0.5)])
def test_coverage(num_seeds: int, seed_share: float) -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "bootstrap_coverage.py"
    spec = importlib.util.spec_from_file_location("bootstrap_coverage", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    rng = np.random.default_rng(5)
    draws = benchmark.mean_draws(
        rng, num_seeds=num_seeds, num_images=100, seed_share=seed_share, repeats=600, resamples=300
    )
    held = benchmark.coverage(draws, truth=0.0, num_images=100, rng=rng)
    # The sampling error of a coverage of 95 % over 600 repeats is 0.9 points.
    assert held["combined"][0] > 0.92
    assert held["images, repeats dropped"][0] < 0.9
    if seed_share == 0.9:
        assert held["seeds × images"][0] < 0.9
    else:
        assert held["t over seeds"][0] < 0.94
