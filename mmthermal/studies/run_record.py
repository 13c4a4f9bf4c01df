"""The results of a study as data: a JSON line per finished run, appended when it is finished."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from mmthermal.common.config import read_config
from mmthermal.common.run_state import read_done
from mmthermal.evaluation import select_figures, summary
from mmthermal.studies.ground_truth import match_run
from mmthermal.studies.run_folder import Run
from mmthermal.studies.variants import Variant

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
DETECTORS = {"FasterRCNN": "Faster R-CNN", "CascadeRCNN": "Cascade R-CNN"}  # else mmdet's type


def record(study: str, variant: Variant, run: Run, machine: Mapping[str, str]) -> dict[str, Any]:
    """Everything that tables need of a finished run.

    Args:
        study: its name.
        variant: what was trained.
        run: with its predictions.
        machine: of :func:`this_machine`.

    Returns:
        one line of the results; metrics that the test set leaves undefined are left out.
    """
    done = read_done(run.folder)
    figures = summary(match_run(run))
    log = run.folder / "train.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return {
        "study": study,
        "name": run.name,
        "seed": run.seed,
        **describe(read_config(run.config, run.cfg_options), text),
        "config": _relative(variant.config),
        "options": dict(variant.options),
        "cfg_options": list(run.cfg_options),
        "config_hash": run.config_hash,
        "metrics": {f.key: figures[f.key] for f in FIGURES if figures[f.key] >= 0},
        "finished": done["finished"],
        **machine,
    }


def _relative(path: Path) -> str:
    """A path from the folder in which the command was given, where it lies inside."""
    absolute = path.resolve()
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


def describe(cfg: Config, log: str = "") -> dict[str, str]:
    """What a config trains, in words that a table can be sorted by.

    Args:
        cfg: the config.
        log: of its training, which says whether bfloat16 was used where the config leaves that
            to the machine.

    Returns:
        ``data`` (the folder's name), ``detector``, ``schedule`` (such as ``6e``), ``precision``.
    """
    train = cfg.get("train_cfg") or {}
    dataset = (cfg.get("test_dataloader") or {}).get("dataset") or {}
    wrapper = cfg.get("optim_wrapper") or {}
    precision = "float32"
    if wrapper.get("type") == "AmpOptimWrapper":
        precision = wrapper.get("dtype") or "float16"
    elif wrapper.get("type") == "Bfloat16OptimWrapper" and "in bfloat16 autocast" in log:
        precision = "bfloat16"
    length = train.get("max_epochs")
    detector = str((cfg.get("model") or {}).get("type"))
    return {
        "data": Path(dataset.get("data_root") or "").name,
        "detector": DETECTORS.get(detector, detector),
        "schedule": f"{length}e" if length else f"{train.get('max_iters')} iterations",
        "precision": precision,
    }


def this_machine() -> dict[str, str]:
    """Device, version of torch, and commit of the project."""
    place = str(Path(__file__).parent)
    git = ["git", "-C", place, "describe", "--always", "--dirty"]
    try:
        commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    except OSError:  # no git here
        commit = ""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return {"device": device, "torch": torch.__version__, "commit": commit or "unknown"}


def read_results(path: Path, *, required: bool = False) -> list[dict[str, Any]]:
    """Lines of a results file.

    A last line that a kill cut short is left out: its run is finished and is recorded again.

    Args:
        path: the file.
        required: whether it must be there; otherwise one that doesn't exist has no lines.

    Returns:
        a record per line.

    Raises:
        FileNotFoundError: a required one doesn't exist.
    """
    if not path.exists():
        if required:
            raise FileNotFoundError(
                f"results {str(path)!r} don't exist: give files that `study.py train` wrote, such "
                "as WORK_DIR/results.jsonl"
            )
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def where(lines: Sequence[dict[str, Any]], wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines whose fields have the wanted values, such as ``precision='float32'``."""
    return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]


def append_result(path: Path, line: Mapping[str, Any]) -> None:
    """Append a record, after the removal of a line that was cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        file.seek(0)
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
        file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
