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
        seeds: the shared ones, in order; of several pairs of variants one after the other.
        differences: (S,) candidate minus baseline.
        interval: Student's, over the seeds.
        chance: that a run of the candidate is above a run of the baseline, see
            :func:`probability_above`; of several pairs of variants the mean; None where a variant
            has fewer than ``MIN_SEEDS`` of these seeds.
    """

    seeds: list[int]
    differences: np.ndarray
    interval: Interval
    chance: float | None

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
        candidate: a row; with `names` in place of `name` several variants, such as one loss on
            several splits, each compared with that of the same place in the baseline.
        baseline: a row of as many variants.
        key: of the figure.

    Returns:
        the comparison over the seeds at which the figure of both is known; None without any.

    Raises:
        ValueError: if the rows name different numbers of variants.
    """
    seeds: list[int] = []
    differences: list[float] = []
    chances: list[float | None] = []
    for row_a, row_b in zip(_single(candidate), _single(baseline), strict=True):
        a, b = (_by_seed(chosen(lines, row), key) for row in (row_a, row_b))
        shared = sorted(a.keys() & b.keys())
        if shared:
            seeds += shared
            differences += [a[seed] - b[seed] for seed in shared]
            values = [[runs[seed] for seed in shared] for runs in (a, b)]
            chances.append(probability_above(*values) if len(shared) >= MIN_SEEDS else None)
    if not seeds:
        return None
    vector = np.array(differences)
    known = [chance for chance in chances if chance is not None]
    chance = float(np.mean(known)) if len(known) == len(chances) else None
    return Paired(seeds, vector, paired_t_interval(vector), chance)


def _single(row: Spec) -> list[Spec]:
    """A row for each of its variants."""
    if "names" not in row:
        return [row]
    fields = {key: value for key, value in row.items() if key != "names"}
    return [{**fields, "name": name} for name in row["names"]]


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
