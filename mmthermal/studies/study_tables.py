"""Tables of a study in Markdown: metrics with paired differences, outcomes of the objects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmthermal.evaluation import best_f1, duplicates_per_gt, select_figures
from mmthermal.evaluation.outcomes import outcomes
from mmthermal.studies.ground_truth import match_run
from mmthermal.studies.result_lines import differing
from mmthermal.studies.result_tables import markdown
from mmthermal.studies.run_folder import Run, collect_runs
from mmthermal.studies.statistics import paired_t_interval
from mmthermal.studies.variants import check_variants
from mmthermal.studies.verdict import points

COLUMNS = select_figures("AP", "AP50", "overlapped_AP", "overlapped_AP50", "isolated_AP50")
COMPARED = select_figures("AP50", "overlapped_AP50", "isolated_AP50")
F1_COLUMNS = select_figures("best_f1", "best_f1_thr", "f1_at_0.5", "overlapped_best_f1")

Metrics = dict[str, float]


def metrics_table(
    lines: Sequence[dict[str, Any]],
    *,
    only: Sequence[str] | None = None,
    baseline: str | None = None,
    level: float = 0.95,
) -> str:
    """Two tables: ranking, with paired differences, and operating point.

    Args:
        lines: of :func:`~mmthermal.studies.run_record.read_results`; those without a seed, which
            are means of several, are left out.
        only: names of variants, in the order of the rows; all of them if None.
        baseline: the variant that others are compared with; the first if None.
        level: of the paired intervals, Student's t over seeds.

    Returns:
        the text.

    Raises:
        ValueError: if there is no line of the baseline, or of a variant in ``only``, or if runs
            of a variant differ in data, detector or schedule.
    """
    runs = _by_name(lines)
    if only is not None:
        check_variants(only, runs, "among the results")
        runs = {name: runs[name] for name in only}
    base = next(iter(runs), None) if baseline is None else baseline
    if base not in runs:
        raise ValueError(f"no run of the baseline {base!r}: there are {', '.join(runs) or 'none'}")
    head = ["variant", "n", *(c.short for c in COLUMNS), *(f"Δ {c.short}" for c in COMPARED)]
    rows = []
    for name, seeds in runs.items():
        row = [name, str(len(seeds)), *(_mean_sd(seeds, c.key, 100) for c in COLUMNS)]
        for c in COMPARED:
            row.append("" if name == base else _difference(seeds, runs[base], c.key, level))
        rows.append(row)
    f1_rows = [
        [name, str(len(seeds)), *(_mean_sd(seeds, c.key, 1) for c in F1_COLUMNS)]
        for name, seeds in runs.items()
    ]
    f1_head = ["variant", "n", *(c.short for c in F1_COLUMNS)]
    return markdown(head, rows) + "\n\n" + markdown(f1_head, f1_rows)


def _by_name(lines: Sequence[dict[str, Any]]) -> dict[str, dict[int, Metrics]]:
    """Metrics by variant and seed, the last line of a run counting."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["seed"] is not None:
            runs.setdefault(line["name"], []).append(line)
    for name, own in runs.items():
        for field, values in differing(own):
            raise ValueError(
                f"runs of {name!r} differ in {field}: {' and '.join(map(repr, values))}: "
                f"choose one, such as --where {field}={values[0]}"
            )
    return {name: {line["seed"]: line["metrics"] for line in own} for name, own in runs.items()}


def _mean_sd(runs: dict[int, Metrics], metric: str, unit: float) -> str:
    """``23.8 ± .4``; without a deviation for one value, empty without any."""
    scaled = np.array([unit * run[metric] for run in runs.values() if metric in run])
    if not len(scaled):
        return ""
    digits = 1 if unit == 100 else 3
    text = f"{scaled.mean():.{digits}f}"
    return text if len(scaled) < 2 else f"{text} ± {scaled.std(ddof=1):.{digits}f}"


def _difference(a: dict[int, Metrics], b: dict[int, Metrics], metric: str, level: float) -> str:
    """Paired by seed, ``+1.2 (−0.3 to +2.7)`` in points; empty without shared seeds."""
    seeds = sorted(seed for seed in a.keys() & b.keys() if metric in a[seed] and metric in b[seed])
    if not seeds:
        return ""
    shares = np.array([a[seed][metric] - b[seed][metric] for seed in seeds])
    interval = paired_t_interval(shares, level=level)
    text = points(float(shares.mean()))
    return f"{text} ({points(interval.low)} to {points(interval.high)})" if interval.known else text


def errors_table(folders: Sequence[Path], *, subset: str = "overlapped") -> str:
    """What becomes of the objects: a row per variant, means over its seeds.

    Each run at the score of its own best F1.

    Args:
        folders: of variants, with their ``seed<k>`` folders, as a study's training writes them.
        subset: the subset's name.

    Returns:
        the text.

    Raises:
        FileNotFoundError: if a folder is missing, or a run isn't finished.
    """
    head: list[str] = []
    rows = []
    for group in collect_runs([[folder] for folder in folders]):
        runs = [_errors_of(run, subset) for run in group.runs]
        head = ["variant", "seeds", *(key.replace("_", " ") for key in runs[0])]
        means = [f"{np.mean([run[key] for run in runs]):.0f}" for key in runs[0]]
        rows.append([group.name, ", ".join(map(str, group.seeds)), *means])
    return markdown(head, rows)


def _errors_of(run: Run, subset: str) -> dict[str, float]:
    """Counts of a run's objects by outcome, and ``duplicates``: second detections of an object."""
    table = match_run(run)
    score_thr = best_f1(table)["threshold"]
    per_gt = duplicates_per_gt(table, score_thr, subset=subset)
    return {
        **outcomes(table, subset, score_thr=score_thr),
        "duplicates": per_gt * table.num_gts(subset),
    }
