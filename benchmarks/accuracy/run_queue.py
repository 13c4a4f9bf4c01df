"""Train the runs of a study, one JSON line per finished run; start again to go on.

Seeds come first: with every variant trained at seed 0, seed 1 follows, so that an interrupted
queue leaves pairs. The same command works on a CPU (--jobs) and on GPUs (--gpus 0,1).

Example: python benchmarks/accuracy/run_queue.py --only focal composite --seeds 0 1 2 --jobs 2
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from mmthermal.common.files import read_json
from mmthermal.evaluation import MatchTable, select_figures, summary
from mmthermal.studies.run_folder import Run, plan_runs
from mmthermal.studies.run_queue import carry_out, work_dir_lock
from mmthermal.studies.variants import Ablation, check_variants, write_variants

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIGURES = select_figures(
    "AP",
    "AP50",
    "overlapped_AP",
    "overlapped_AP50",
    "isolated_AP50",
    "best_f1",
    "best_f1_thr",
    "f1_at_0.5",
    "overlapped_best_f1",
)


def read_study(path: str | Path, only: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Read the variants of a study.

    Args:
        path: a file with ``runs``: by name ``config``, relative to the project, and ``options``,
            dotted keys and values that change it.
        only: names to keep; all if empty.

    Returns:
        the variants, in order.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if a name in ``only`` is unknown.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no study {str(path)!r}")
    runs = Config.fromfile(path).runs.to_dict()
    check_variants(only, runs, f"in {path}")
    return {name: run for name, run in runs.items() if not only or name in only}


def write_configs(variants: dict[str, dict[str, Any]], folder: Path) -> list[Path]:
    """Write the config of each variant, after a check of its settings.

    Args:
        variants: as :func:`read_study` gives them.
        folder: where they go, as ``<name>.py``.

    Returns:
        the files, in order.
    """
    return [
        write_variants(Ablation(ROOT / run["config"], {name: run.get("options", {})}), folder)[0]
        for name, run in variants.items()
    ]


def match_table(run: Run) -> MatchTable:
    """The predictions of a finished run, matched with the annotations that it was tested on."""
    done = read_json(run.folder / "done.json", what="run record")
    detections = read_json(run.predictions, what="predictions")
    return MatchTable.from_coco(done["ann_file"], detections)


def record(run: Run, variant: dict[str, Any], machine: dict[str, str]) -> dict[str, Any]:
    """Everything that the table needs of a finished run.

    Args:
        run: with its predictions.
        variant: its entry in the study.
        machine: of :func:`this_machine`.

    Returns:
        one line of the results.
    """
    done = read_json(run.folder / "done.json", what="run record")
    figures = summary(match_table(run))
    return {
        "name": run.name,
        "seed": run.seed,
        "config": variant["config"],
        "options": variant.get("options", {}),
        "cfg_options": list(run.cfg_options),
        "config_hash": run.config_hash,
        "metrics": {figure.key: figures[figure.key] for figure in FIGURES},
        "finished": done["finished"],
        **machine,
    }


def this_machine() -> dict[str, str]:
    """Device, versions and commit."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return {"device": device, "torch": torch.__version__, "commit": commit or "unknown"}


def read_results(path: Path) -> list[dict[str, Any]]:
    """Lines of a results file; none if it doesn't exist.

    A last line that a kill cut short is left out: its run is finished and is recorded again.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Append a record, after the removal of a line that was cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        file.seek(0)
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
        file.write(json.dumps(line, sort_keys=True, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def carry_on(
    variants: dict[str, dict[str, Any]],
    *,
    seeds: Iterable[int],
    work_dir: Path,
    results: Path,
    cfg_options: Sequence[str] = (),
    jobs: int = 1,
    gpus: Sequence[str] = (),
    tools_dir: Path = ROOT / "tools",
) -> None:
    """Train what is missing and append a line for each run that has none.

    Args:
        variants: as :func:`read_study` gives them.
        seeds: of the trainings.
        work_dir: takes configs and runs.
        results: takes the lines.
        cfg_options: raw ``key=value`` strings for every run.
        jobs: runs at a time on the CPU.
        gpus: devices, one run at a time on each.
        tools_dir: folder of train.py and test.py.

    Raises:
        RunsFailed: if some failed; the others are recorded.
        ValueError: if a folder or a line belongs to another version of a variant.
    """
    machine = this_machine()
    with work_dir_lock(work_dir):
        configs = write_configs(variants, work_dir / "configs")
        groups = plan_runs(configs, list(seeds), work_dir, cfg_options=cfg_options)
        known = {
            (line["name"], line["seed"]): line["config_hash"] for line in read_results(results)
        }
        runs = sorted((run for group in groups for run in group.runs), key=lambda run: run.seed)
        for run in runs:
            if known.get((run.name, run.seed), run.config_hash) != run.config_hash:
                raise ValueError(
                    f"{results} holds {run.label} of another version of its config: give another "
                    "--results, or remove that line"
                )

        def note(run: Run) -> None:
            line = record(run, variants[run.name], machine)
            append_line(results, line)
            shown = [(figure.key, line["metrics"][figure.key]) for figure in FIGURES[:5]]
            figures = ", ".join(f"{key} {100 * value:.1f}" for key, value in shown)
            print(f"{time.strftime('%H:%M')} {run.label}: {figures}", flush=True)

        missing = [run for run in runs if (run.name, run.seed) not in known]
        for run in missing:
            if run.done:
                note(run)
        waiting = [run for run in missing if not run.done]
        carry_out(waiting, tools_dir=tools_dir, jobs=jobs, gpus=gpus, finished=note)


def main() -> None:
    """Read the arguments and work off the queue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", default=HERE / "study.py", type=Path)
    parser.add_argument("--only", nargs="+", default=[], help="names of variants")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time on the CPU")
    parser.add_argument("--gpus", default="", help="such as 0,1: one run at a time on each")
    parser.add_argument("--cfg-options", nargs="+", default=[], help="key=value for every run")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs" / "accuracy")
    parser.add_argument("--results", type=Path, help="WORK_DIR/results.jsonl if not given")
    args = parser.parse_args()
    try:
        carry_on(
            read_study(args.study, args.only),
            seeds=args.seeds,
            work_dir=args.work_dir,
            results=args.results or args.work_dir / "results.jsonl",
            cfg_options=args.cfg_options,
            jobs=args.jobs,
            gpus=[gpu for gpu in args.gpus.split(",") if gpu],
        )
    except (ValueError, TypeError, FileNotFoundError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
