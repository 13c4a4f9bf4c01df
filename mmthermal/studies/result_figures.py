"""Figures of a results file and their paired differences.

A row is a dict that chooses runs: `name` of the variant and fields that they must have; `label` and
`optional` are for its table.

Shape shorthand in this module:
    S: seeds that both variants were trained with
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmthermal.studies.result_lines import Line, select
from mmthermal.studies.run_record import FIGURES
from mmthermal.studies.statistics import Interval, paired_t_interval

Spec = Mapping[str, Any]
MIN_SEEDS = 3  # of P(A > B): two runs can be above two others by chance, one time in six


@dataclass(frozen=True)
class Column:
    """A figure of a table.

    Attributes:
        key: in a line's metrics.
        label: the head of the column.
        percent: whether the share is shown in percent with one decimal, or as it is with three.
    """

    key: str
    label: str
    percent: bool = True

    def text(self, value: float) -> str:
        """A value, such as 23.1 or 0.539."""
        return f"{100 * value:.1f}" if self.percent else f"{value:.3f}"

    def signed(self, value: float) -> str:
        """A difference, such as +2.8 or −0.013; what rounds to 0 has no sign."""
        rounded = round(100 * value, 1) if self.percent else round(value, 3)
        text = f"{rounded:+.{1 if self.percent else 3}f}" if rounded else self.text(0.0)
        return text.replace("-", "−")


COLUMNS = {
    figure.key: Column(figure.key, figure.short, percent="f1" not in figure.key)
    for figure in FIGURES
}


@dataclass(frozen=True)
class Paired:
    """Two variants at the seeds that both were trained with.

    Attributes:
        seeds: the shared ones, in order.
        differences: (S,) candidate minus baseline.
        interval: Student's, over the seeds.
        chance: that a run of the candidate is above a run of the baseline, see
            :func:`probability_above`.
    """

    seeds: list[int]
    differences: np.ndarray
    interval: Interval
    chance: float

    @property
    def mean(self) -> float:
        """Mean difference."""
        return float(self.differences.mean())


def probability_above(candidate: Sequence[float], baseline: Sequence[float]) -> float:
    """P(A > B): how often a run of the candidate is above a run of the baseline.

    Args:
        candidate: (S,) values, one per run.
        baseline: (T,) values.

    Returns:
        The share of all S·T pairs of runs in [0, 1], a tie counting one half.

    Source: Bouthillier et al. (2021), Accounting for variance in machine learning benchmarks;
    estimated by the Mann-Whitney statistic, since two runs of one seed share no noise.
    """
    a, b = np.asarray(candidate)[:, None], np.asarray(baseline)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


def paired(lines: Sequence[Line], candidate: Spec, baseline: Spec, key: str) -> Paired | None:
    """Compare two variants, seed by seed.

    Args:
        lines: of a results file.
        candidate: a row.
        baseline: a row.
        key: of the figure.

    Returns:
        the comparison over the seeds at which the figure of both is known; None without any.
    """
    a, b = (_by_seed(chosen(lines, row), key) for row in (candidate, baseline))
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        return None
    values_a, values_b = ([runs[seed] for seed in seeds] for runs in (a, b))
    differences = np.array(values_a) - np.array(values_b)
    chance = probability_above(values_a, values_b)
    return Paired(seeds, differences, paired_t_interval(differences), chance)


def chosen(lines: Sequence[Line], row: Spec) -> list[Line]:
    """The runs of a row: one line per seed, by seed, see :func:`~.result_lines.select`."""
    settings = {key: value for key, value in row.items() if key not in ("label", "optional")}
    return select(lines, settings.pop("name"), **settings)


def _by_seed(runs: Sequence[Line], key: str) -> dict[int, float]:
    return {
        run["seed"]: run["metrics"][key]
        for run in runs
        if run["seed"] is not None and key in run["metrics"]
    }
