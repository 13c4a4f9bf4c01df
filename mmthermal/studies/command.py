"""What `tools/compare.py` does: train or take runs, compare, write everything."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.error_types import import_hotcoco
from mmthermal.studies.comparison import compare
from mmthermal.studies.comparison_files import to_table, write_comparison
from mmthermal.studies.differences import check_settings
from mmthermal.studies.finished_training import check_trained
from mmthermal.studies.ground_truth import shared_test_set
from mmthermal.studies.model_tables import group_labels
from mmthermal.studies.report import write_report
from mmthermal.studies.run_folder import collect_runs, mixed_versions, plan_runs
from mmthermal.studies.run_queue import carry_out, say_line, work_dir_lock


def compare_command(
    *,
    work_dir: str | Path,
    tools_dir: str | Path,
    configs: Sequence[str | Path] | None = None,
    runs: Sequence[Sequence[str | Path]] | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    names: Sequence[str] | None = None,
    cfg_options: Sequence[str] = (),
    jobs: int = 1,
    gpus: Sequence[str] = (),
    primary: str = "overlapped_AP50",
    resamples: int = 1000,
    level: float = 0.95,
    group_key: str | None = None,
    gallery_size: int = 48,
    say: Callable[[str], None] = say_line,
) -> dict[str, Any]:
    """Carry out what is missing, compare, write `comparison.json`, `.csv` and `report.html`.

    Args:
        work_dir: takes the runs (`<name>/seed<k>`) and the results.
        tools_dir: folder of `train.py` and `test.py`.
        configs: configs to train, the baseline first; or None with `runs`.
        runs: per config its runs, trained to their end, the baseline first; or None with
            `configs`.
        seeds: of the runs to train.
        names: one per config, for folders and report.
        cfg_options: raw `key=value` strings for every run.
        jobs: runs at a time without GPUs.
        gpus: devices, one run at a time on each.
        primary: metric that the verdict in words rests on.
        resamples: of the bootstrap.
        level: confidence of the claims.
        group_key: field of the image records by which images are resampled together.
        gallery_size: images in the report.
        say: takes lines for the terminal.

    Returns:
        The comparison.

    Raises:
        ValueError: the settings or the runs do not fit together; checked before any training.
        FileNotFoundError: a config, folder or annotation file is missing.
        ImportError: hotcoco is not installed; checked before any training.
        RuntimeError: a run failed, or another comparison works in the same folder.
    """
    import_hotcoco()
    check_settings(primary=primary, resamples=resamples, level=level)
    given = configs if configs is not None else runs
    if (configs is None) == (runs is None) or given is None:
        raise ValueError("give either configs to train or finished runs")
    if len(given) < 2:
        raise ValueError("a comparison needs at least two configs, the baseline first")
    if names is not None and len(names) != len(given):
        raise ValueError(f"{len(names)} names for {len(given)} configs: give one per config")
    if configs is not None:
        groups = plan_runs(configs, seeds, work_dir, names=names, cfg_options=cfg_options)
    else:
        groups = collect_runs(runs or (), names=names)
        check_trained(run for group in groups for run in group.runs)
        for line in mixed_versions(groups):
            say(line)
    where = shared_test_set(groups)
    ground_truth = load_ground_truth(where.ann_file)
    group_labels(ground_truth, ground_truth.imgs, group_key)
    with work_dir_lock(work_dir):
        every = [run for group in groups for run in group.runs]
        carry_out(every, tools_dir=tools_dir, jobs=jobs, gpus=gpus, say=say)
        comparison = compare(
            groups,
            where,
            primary=primary,
            resamples=resamples,
            level=level,
            group_key=group_key,
            gallery_size=gallery_size,
            say=say,
        )
        json_path, csv_path = write_comparison(comparison, work_dir)
        report = write_report(comparison, Path(work_dir) / "report.html")
    say("")
    say(to_table(comparison))
    say(f"report: {report}\nfigures: {json_path}, {csv_path}")
    return comparison
