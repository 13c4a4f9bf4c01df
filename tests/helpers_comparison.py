"""Comparisons of simulated runs."""

from pathlib import Path
from typing import Any

from helpers_runs import write_comparison_runs

from mmthermal.studies.comparison import compare
from mmthermal.studies.ground_truth import shared_test_set
from mmthermal.studies.run_folder import collect_runs


def compare_skills(root: Path, skills: dict[str, float], **settings: Any) -> dict[str, Any]:
    data = {k: settings.pop(k) for k in ("seeds", "classes", "overlap") if k in settings}
    _, folders = write_comparison_runs(root, skills, **data)
    return compare_folders(folders, list(skills), **settings)


def compare_folders(folders: list[list[Path]], names: list[str], **settings: Any) -> dict[str, Any]:
    groups = collect_runs(folders, names=names)
    settings = {"resamples": 100, "say": lambda line: None, **settings}
    return compare(groups, shared_test_set(groups), **settings)
