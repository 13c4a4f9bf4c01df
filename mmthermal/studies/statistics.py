"""Paired statistics of two models over seeds and images.

Shape shorthand in this module:
    S: seeds that both models were trained with
    G: groups of images that are resampled together (G = N without groups)
    B: bootstrap resamples

A difference is always candidate minus baseline, so a positive one favours the candidate.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mmthermal.common.checks import check_range
from mmthermal.studies.resampling import seed_multiplicities

Verdict = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval.

    Attributes:
        low: lower end; NaN where no interval can be given.
        high: upper end; NaN where no interval can be given.
        level: nominal coverage, in (0, 1).
        df: degrees of freedom of the t quantile; NaN for a percentile interval.
        standard_error: of the estimate in the middle; NaN where unknown.
    """

    low: float
    high: float
    level: float
    df: float = float("nan")
    standard_error: float = float("nan")

    @property
    def known(self) -> bool:
        """Whether both ends are numbers."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    def contains(self, value: float) -> bool:
        """Whether `value` lies inside; False for an unknown interval."""
        return self.low <= value <= self.high

    def as_dict(self) -> dict[str, float | None]:
        """The fields with None in place of NaN, fit for JSON."""
        return {key: float(v) if np.isfinite(v) else None for key, v in asdict(self).items()}


def paired_t_interval(differences: ArrayLike, *, level: float = 0.95) -> Interval:
    """Student's interval of the mean of paired differences over seeds.

    It answers for new seeds on these same images, not for new images.

    Args:
        differences: (S,), one difference per seed.
        level: nominal coverage, in (0, 1).

    Returns:
        The interval; its ends are NaN for fewer than two seeds, as one seed shows no spread.

    Raises:
        ValueError: differences are not one-dimensional or not finite, or level is outside (0, 1).
    """
    check_range("level", level, 0, 1, open_low=True, open_high=True)
    values = _finite_vector(differences)
    if len(values) < 2:
        return Interval(float("nan"), float("nan"), level)
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    mean = float(values.mean())
    return Interval(mean - half, mean + half, level, float(len(values) - 1), error)


def percentile_interval(resampled: ArrayLike, *, level: float = 0.95) -> Interval:
    """Percentile interval of bootstrap values; NaN values (empty resamples) are left out.

    Args:
        resampled: (B,) values of the statistic.
        level: nominal coverage, in (0, 1).

    Returns:
        The interval; unknown where fewer than half of the resamples give a value.
    """
    check_range("level", level, 0, 1, open_low=True, open_high=True)
    values = np.asarray(resampled, dtype=float)
    finite = values[np.isfinite(values)]
    if len(finite) == 0 or len(finite) < len(values) / 2:
        return Interval(float("nan"), float("nan"), level)
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    error = float(finite.std(ddof=1)) if len(finite) > 1 else float("nan")
    return Interval(float(low), float(high), level, standard_error=error)


def combined_interval(
    differences: ArrayLike,
    image_resamples: ArrayLike,
    *,
    num_groups: int,
    level: float = 0.95,
) -> Interval:
    r"""Interval of the mean difference for new seeds *and* new images.

    .. math::
        SE^2 = \frac{s^2}{S} + \frac{G}{G-1} Var_b(\bar d^{*b}), \qquad
        df = \frac{SE^4}{(s^2/S)^2/(S-1) + V_{img}^2/(G-1)}

    with s the standard deviation of the differences over seeds and d* the mean difference over
    all seeds on resampled images; df is Welch's and Satterthwaite's. The noise that seeds and
    images share is counted in both parts, so the interval is rather too wide than too narrow.
    A percentile bootstrap over a handful of seeds is too narrow instead: it has neither the
    factor S/(S-1) nor a t quantile.

    Args:
        differences: (S,) on the images as they are.
        image_resamples: (B, S) differences on resampled images, every seed on the same resample.
        num_groups: G, the number of units that were resampled.
        level: nominal coverage, in (0, 1).

    Returns:
        The interval; unknown for fewer than two seeds or two groups.
    """
    check_range("level", level, 0, 1, open_low=True, open_high=True)
    values = _finite_vector(differences)
    num_seeds = len(values)
    image_error2 = _image_variance(image_resamples, num_seeds, num_groups)
    if num_seeds < 2 or num_groups < 2 or not np.isfinite(image_error2):
        return Interval(float("nan"), float("nan"), level)
    mean = float(values.mean())
    seed_error2 = float(values.var(ddof=1)) / num_seeds
    error2 = seed_error2 + image_error2
    if error2 == 0:
        return Interval(mean, mean, level, float(num_seeds - 1), 0.0)
    df = error2**2 / (seed_error2**2 / (num_seeds - 1) + image_error2**2 / (num_groups - 1))
    half = float(stats.t.ppf((1 + level) / 2, df)) * error2**0.5
    return Interval(mean - half, mean + half, level, df, error2**0.5)


def _image_variance(image_resamples: ArrayLike, num_seeds: int, num_groups: int) -> float:
    resamples = np.asarray(image_resamples, dtype=float)
    if resamples.ndim != 2 or resamples.shape[1] != num_seeds:
        raise ValueError(
            f"image_resamples has shape {resamples.shape}: give (resamples, {num_seeds} seeds)"
        )
    means = resamples.mean(axis=1)
    means = means[np.isfinite(means)]
    if len(means) < max(2, len(resamples) / 2) or num_groups < 2:
        return float("nan")
    return float(means.var(ddof=1)) * num_groups / (num_groups - 1)


def _finite_vector(values: ArrayLike) -> NDArray[np.float64]:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or len(vector) == 0 or not np.isfinite(vector).all():
        raise ValueError(
            f"differences={vector!r}: give a one-dimensional array of finite numbers, one per seed"
        )
    return vector


def two_sided_p(estimate: float, interval: Interval) -> float:
    """P value against "no difference" that belongs to a t interval.

    Returns:
        A probability in [0, 1]; NaN for an unknown interval.
    """
    if not interval.known:
        return float("nan")
    if interval.standard_error == 0:
        return float(estimate == 0)
    return float(2 * stats.t.sf(abs(estimate) / interval.standard_error, interval.df))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment for several comparisons.

    Args:
        p_values: one per comparison; NaN stays NaN and does not count.

    Returns:
        Adjusted values in the same order: rejecting those at or below 0.05 keeps the chance of
        any false claim at 5 %.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    adjusted = [float("nan")] * len(p_values)
    order = sorted((i for i, p in enumerate(p_values) if np.isfinite(p)), key=lambda i: p_values[i])
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def verdict(estimate: float, p_value: float, *, level: float = 0.95) -> Verdict:
    """Say plainly what a paired difference shows.

    Args:
        estimate: candidate minus baseline, for a metric of which more is better.
        p_value: its p value, adjusted where several candidates were compared; NaN if unknown.
        level: confidence that a claim needs, in (0, 1).

    Returns:
        'better' or 'worse' where p_value < 1 - level, by the sign of the estimate; otherwise, and
        always for an unknown p value, 'no difference shown'.
    """
    check_range("level", level, 0, 1, open_low=True, open_high=True)
    if not p_value < 1 - level or estimate == 0:
        return "no difference shown"
    return "better" if estimate > 0 else "worse"


@dataclass(frozen=True)
class PairedResult:
    """What the runs of two models say about one metric.

    Attributes:
        differences: (S,) candidate minus baseline, by seed.
        mean: their mean.
        sd: their standard deviation; NaN for one seed.
        seed_interval: Student's over the seeds, for these images.
        bootstrap_interval: percentiles of the bootstrap over seeds × images.
        interval: for new seeds and new images; the verdict rests on it.
        p_value: that belongs to `interval`, not adjusted.
    """

    differences: NDArray[np.float64]
    mean: float
    sd: float
    seed_interval: Interval
    bootstrap_interval: Interval
    interval: Interval
    p_value: float


def paired_comparison(
    differences: ArrayLike,
    image_resamples: ArrayLike,
    *,
    num_groups: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> PairedResult:
    """All intervals of one metric from its differences by seed and by resample.

    Args:
        differences: (S,) on the images as they are.
        image_resamples: (B, S) on resampled images; NaN rows (metric undefined) are left out.
        num_groups: G, the number of units that were resampled.
        rng: draws the seeds of the bootstrap over seeds × images.
        level: nominal coverage, in (0, 1).
    """
    values = _finite_vector(differences)
    resamples = np.asarray(image_resamples, dtype=float)
    combined = combined_interval(values, resamples, num_groups=num_groups, level=level)
    seeds = seed_multiplicities(len(values), len(resamples), rng=rng)
    pigeonhole = (resamples * seeds).sum(axis=1) / len(values)
    mean = float(values.mean())
    return PairedResult(
        differences=values,
        mean=mean,
        sd=float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        seed_interval=paired_t_interval(values, level=level),
        bootstrap_interval=percentile_interval(pigeonhole, level=level),
        interval=combined,
        p_value=two_sided_p(mean, combined),
    )
