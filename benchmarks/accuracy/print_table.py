"""Print the table of a study: mean and deviation over seeds, paired differences to a baseline.

Example: python benchmarks/accuracy/print_table.py work_dirs/accuracy/results.jsonl
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from run_queue import read_results

from mmthermal.evaluation import select_figures
from mmthermal.studies.comparison import points
from mmthermal.studies.statistics import paired_t_interval
from mmthermal.studies.variants import check_variants

COLUMNS = select_figures("AP", "AP50", "overlapped_AP", "overlapped_AP50", "isolated_AP50")
COMPARED = select_figures("AP50", "overlapped_AP50", "isolated_AP50")
F1_COLUMNS = select_figures("best_f1", "best_f1_thr", "f1_at_0.5", "overlapped_best_f1")


def by_name(lines: Sequence[dict[str, Any]]) -> dict[str, dict[int, dict[str, float]]]:
    """Metrics by variant and seed, the last line of a run counting."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for line in lines:
        found.setdefault(line["name"], {})[line["seed"]] = line["metrics"]
    return found


def mean_sd(values: Sequence[float], unit: float) -> str:
    """``23.8 ± .4``; without a deviation for one value."""
    scaled = unit * np.asarray(values)
    digits = 1 if unit == 100 else 3
    text = f"{scaled.mean():.{digits}f}"
    return text if len(scaled) < 2 else f"{text} ± {scaled.std(ddof=1):.{digits}f}"


def difference(a: dict[int, dict], b: dict[int, dict], metric: str, level: float) -> str:
    """Paired by seed, ``+1.2 (−0.3 to +2.7)`` in points; empty without shared seeds."""
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        return ""
    shares = np.array([a[seed][metric] - b[seed][metric] for seed in seeds])
    interval = paired_t_interval(shares, level=level)
    text = points(float(shares.mean()))
    return f"{text} ({points(interval.low)} to {points(interval.high)})" if interval.known else text


def table(
    lines: Sequence[dict[str, Any]],
    *,
    only: Sequence[str] | None = None,
    baseline: str | None = None,
    level: float = 0.95,
) -> str:
    """Two Markdown tables: ranking and operating point.

    Args:
        lines: of :func:`run_queue.read_results`.
        only: names of variants, in the order of the rows; all of them if None.
        baseline: the variant that others are compared with; the first if None.
        level: of the paired intervals, Student's t over seeds.

    Returns:
        the text.

    Raises:
        ValueError: if there is no line of the baseline, or of a variant in ``only``.
    """
    runs = by_name(lines)
    if only is not None:
        check_variants(only, runs, "among the results")
        runs = {name: runs[name] for name in only}
    base = next(iter(runs), None) if baseline is None else baseline
    if base not in runs:
        raise ValueError(f"no run of the baseline {base!r}: there are {', '.join(runs) or 'none'}")
    head = ["variant", "n", *(c.short for c in COLUMNS), *(f"Δ {c.short}" for c in COMPARED)]
    rows = []
    for name, seeds in runs.items():
        row = [name, str(len(seeds))]
        row += [mean_sd([m[c.key] for m in seeds.values()], 100) for c in COLUMNS]
        for c in COMPARED:
            row.append("" if name == base else difference(seeds, runs[base], c.key, level))
        rows.append(row)
    f1_rows = [
        [name, str(len(seeds))]
        + [mean_sd([m[c.key] for m in seeds.values()], 1) for c in F1_COLUMNS]
        for name, seeds in runs.items()
    ]
    f1_head = ["variant", "n", *(c.short for c in F1_COLUMNS)]
    return markdown(head, rows) + "\n\n" + markdown(f1_head, f1_rows)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", type=Path, help="files of run_queue.py")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these variants, in this order")
    parser.add_argument("--baseline", help="the first variant if not given")
    parser.add_argument("--level", type=float, default=0.95, help="of the intervals")
    args = parser.parse_args()
    try:
        lines = [line for path in args.results for line in read_results(path)]
        print(table(lines, only=args.only, baseline=args.baseline, level=args.level))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
