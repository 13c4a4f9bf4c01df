"""What ``tools/study.py`` does with a study: train its variants, compare them with its baseline."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmthermal.studies.command import compare_command
from mmthermal.studies.run_folder import Run, plan_runs
from mmthermal.studies.run_queue import carry_out, say_line, work_dir_lock
from mmthermal.studies.run_record import FIGURES, append_result, read_results, record, this_machine
from mmthermal.studies.variants import Study, write_variants


def train_study(
    study: Study,
    *,
    seeds: Iterable[int],
    work_dir: str | Path,
    tools_dir: str | Path,
    results: str | Path | None = None,
    cfg_options: Sequence[str] = (),
    jobs: int = 1,
    gpus: Sequence[str] = (),
) -> None:
    """Train what is missing and append a line to the results for each run that has none.

    Seeds come first: with every variant trained at seed 0, seed 1 follows, so that an interrupted
    queue leaves pairs. The same call goes on where it was.

    Args:
        study: with the variants to train.
        seeds: of the trainings.
        work_dir: takes configs and runs.
        tools_dir: folder of train.py and test.py.
        results: takes the lines; ``results.jsonl`` in ``work_dir`` if None.
        cfg_options: raw ``key=value`` strings for every run.
        jobs: runs at a time on the CPU.
        gpus: devices, one run at a time on each.

    Raises:
        RunsFailed: if some failed; the others are recorded.
        ValueError: if a folder or a line belongs to another version of a variant.
    """
    results = Path(results or Path(work_dir) / "results.jsonl")
    machine = this_machine()
    with work_dir_lock(work_dir):
        configs = write_variants(study, Path(work_dir) / "configs")
        groups = plan_runs(configs, list(seeds), work_dir, cfg_options=cfg_options)
        runs = sorted((run for group in groups for run in group.runs), key=lambda run: run.seed)
        missing = _without_line(runs, study.name, results)

        def note(run: Run) -> None:
            line = record(study.name, study.variants[run.name], run, machine)
            append_result(results, line)
            found = line["metrics"]
            keys = [figure.key for figure in FIGURES[:5] if figure.key in found]
            shown = ", ".join(f"{key} {100 * found[key]:.1f}" for key in keys)
            say_line(f"{time.strftime('%H:%M')} {run.label}: {shown}")

        for run in missing:
            if run.done:
                note(run)
        waiting = [run for run in missing if not run.done]
        carry_out(waiting, tools_dir=tools_dir, jobs=jobs, gpus=gpus, finished=note)


def _without_line(runs: Sequence[Run], study: str, results: Path) -> list[Run]:
    """The runs that the results lack, after a check that none is there of another version."""
    known = {
        (line["name"], line["seed"]): line["config_hash"]
        for line in read_results(results)
        if line.get("study", study) == study and line.get("config_hash")
    }
    for run in runs:
        if known.get((run.name, run.seed), run.config_hash) != run.config_hash:
            raise ValueError(
                f"{results} holds {run.label} of another version of its config: give another "
                "--results, or remove that line"
            )
    return [run for run in runs if (run.name, run.seed) not in known]


def compare_study(
    study: Study,
    *,
    seeds: Sequence[int],
    work_dir: str | Path,
    tools_dir: str | Path,
    cfg_options: Sequence[str] = (),
    jobs: int = 1,
    gpus: Sequence[str] = (),
) -> dict[str, Any]:
    """Train what is missing of a study and compare each variant with the baseline.

    What is already trained in ``work_dir`` is kept, also by :func:`train_study`.

    Args:
        study: with the variants to compare, its baseline among them.
        seeds: of the trainings.
        work_dir: takes configs, runs and report.
        tools_dir: folder of train.py and test.py.
        cfg_options: raw ``key=value`` strings for every run.
        jobs: runs at a time on the CPU.
        gpus: devices, one run at a time on each.

    Returns:
        the comparison, as :func:`~mmthermal.studies.command.compare_command`.

    Raises:
        ValueError: if a change or a setting is wrong; checked before any training.
        RunsFailed: if some failed.
    """
    paths = write_variants(study, Path(work_dir) / "configs")
    configs = sorted(paths, key=lambda path: path.stem != study.baseline)  # it comes first
    return compare_command(
        configs=configs,
        seeds=seeds,
        work_dir=work_dir,
        tools_dir=tools_dir,
        cfg_options=cfg_options,
        jobs=jobs,
        gpus=gpus,
    )
