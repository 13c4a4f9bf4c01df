"""Print where the errors on overlapped objects are: found, wrong class, merged, loose, missed.

Each run at the score of its own best F1; means over the seeds that a variant has.

Example: python benchmarks/accuracy/print_errors.py work_dirs/accuracy/{focal,composite}
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from print_table import markdown
from run_queue import match_table

from mmthermal.evaluation import best_f1, duplicates_per_gt
from mmthermal.evaluation.outcomes import outcomes
from mmthermal.studies.run_folder import Run, collect_runs


def errors_of(run: Run, subset: str) -> dict[str, float]:
    """Outcomes of the objects of a run, and second detections of an object.

    Args:
        run: with its predictions.
        subset: the subset's name.

    Returns:
        counts by outcome, and ``duplicates``.

    Raises:
        FileNotFoundError: if the run isn't finished.
    """
    table = match_table(run)
    score_thr = best_f1(table)["threshold"]
    per_gt = duplicates_per_gt(table, score_thr, subset=subset)
    return {
        **outcomes(table, subset, score_thr=score_thr),
        "duplicates": per_gt * table.num_gts(subset),
    }


def table(folders: Sequence[Path], *, subset: str = "overlapped") -> str:
    """A Markdown table with a row per variant.

    Args:
        folders: of variants, with their ``seed<k>`` folders, as ``run_queue.py`` writes them.
        subset: the subset's name.

    Returns:
        the text.

    Raises:
        FileNotFoundError: if a folder is missing, or a run isn't finished.
    """
    rows = []
    for group in collect_runs([[folder] for folder in folders]):
        runs = [errors_of(run, subset) for run in group.runs]
        means = [f"{np.mean([run[key] for run in runs]):.0f}" for key in runs[0]]
        rows.append([group.name, ", ".join(map(str, group.seeds)), *means])
    return markdown(["variant", "seeds", *(key.replace("_", " ") for key in runs[0])], rows)


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="variants in run_queue.py's WORK_DIR")
    parser.add_argument("--subset", default="overlapped", help="as in docs/evaluation.md")
    args = parser.parse_args()
    try:
        print(table(args.folders, subset=args.subset))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
