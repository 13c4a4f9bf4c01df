"""Training curves from mmengine's `vis_data/scalars.json`, with bands over seeds."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmthermal.evaluation.figures import select_figures

NOT_CURVES = frozenset(("lr", "base_lr", "data_time", "time", "epoch", "iter", "step", "memory"))
Points = dict[float, float]
VALIDATION = select_figures("AP", "AP50", "overlapped_AP50")
"""Figures whose curves are kept, under either of their keys."""


def read_scalars(work_dir: str | Path) -> dict[str, Points]:
    """Read the scalars of the newest training of a work directory, over all its starts.

    Args:
        work_dir: where tools/train.py wrote; each start of the training has a folder with a time
            stamp. Where an interrupted start and its successor both logged a step, the later one
            counts.

    Returns:
        Per key its values by step. Keys with a slash, such as `coco/bbox_mAP`, are validation
        metrics by epoch (or iteration, as the training loop counts).
    """
    curves: dict[str, Points] = defaultdict(dict)
    for start in starts_of_newest_training(Path(work_dir)):
        for record in read_records(start / "vis_data" / "scalars.json"):
            for key, value in record.items():
                if key not in NOT_CURVES and isinstance(value, int | float):
                    if math.isfinite(value):
                        curves[key][float(record["step"])] = float(value)
    return dict(curves)


def starts_of_newest_training(folder: Path) -> list[Path]:
    """Starts of the newest training, back to the one that was no resume; tests are left out.

    Args:
        folder: where tools/train.py wrote; each start has a folder with a time stamp.

    Returns:
        The starts' folders, oldest first.
    """
    chain: list[Path] = []
    for log in sorted(folder.glob("*/vis_data/scalars.json"), reverse=True):
        start = log.parent.parent
        if not any("iter" in record for record in read_records(log)):
            continue
        chain.append(start)
        config = log.parent / "config.py"
        text = config.read_text(encoding="utf-8") if config.exists() else ""
        if not re.search(r"^resume = True$", text, re.MULTILINE):
            break
    return chain[::-1]


def read_records(log: Path) -> list[dict[str, Any]]:
    """Records of a `scalars.json`, without a line that an interrupt cut off.

    Args:
        log: the file.

    Returns:
        Its records with a step, as dicts.
    """
    records = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue  # a line that an interrupt cut off
        if isinstance(record, dict) and isinstance(record.get("step"), int | float):
            records.append(record)
    return records


def band(curves: Sequence[Points], *, num_points: int = 120) -> dict[str, list[float | None]]:
    """Mean and spread of one curve over seeds.

    Args:
        curves: one per seed.
        num_points: at most so many points; steps are averaged in windows beyond.

    Returns:
        `x`, `mean`, `low`, `high` of equal length: mean ± one standard deviation over seeds (the
        mean itself where only one seed has the step).
    """
    steps = sorted({step for curve in curves for step in curve})
    if not steps:
        return {"x": [], "mean": [], "low": [], "high": []}
    windows = np.array_split(np.array(steps), min(num_points, len(steps)))
    out: dict[str, list[float | None]] = {"x": [], "mean": [], "low": [], "high": []}
    for window in windows:
        per_seed = []
        for curve in curves:
            inside = [curve[step] for step in window.tolist() if step in curve]
            if inside:
                per_seed.append(float(np.mean(inside)))
        mean = float(np.mean(per_seed))
        sd = float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else 0.0
        out["x"].append(float(window.mean()))
        out["mean"].append(mean)
        out["low"].append(mean - sd)
        out["high"].append(mean + sd)
    return out


def order_keys(keys: set[str]) -> list[str]:
    """Losses first, then their parts, then counts, then validation metrics."""

    def rank(key: str) -> tuple[int, str]:
        if "/" in key:
            return 4, key
        if key == "loss":
            return 0, key
        if "loss" in key:
            return 1, key
        return (3, key) if key.startswith(("num_", "grad")) else (2, key)

    return sorted(keys, key=rank)


def curve_bands(work_dirs: dict[str, Sequence[str | Path]]) -> dict[str, dict[str, Any]]:
    """Bands of every logged scalar.

    Args:
        work_dirs: per config the work directories of its seeds.

    Returns:
        Per key, in reading order, per config what `band` gives. Of the validation metrics those of
        `VALIDATION` are kept.
    """
    read = {name: [read_scalars(folder) for folder in dirs] for name, dirs in work_dirs.items()}
    keys = {key for scalars in read.values() for scalar in scalars for key in scalar}
    wanted = {name for figure in VALIDATION for name in (figure.key, figure.mmdet_key)}
    keys = {key for key in keys if "/" not in key or key.rsplit("/", 1)[1] in wanted}
    out: dict[str, dict[str, Any]] = {}
    for key in order_keys(keys):
        out[key] = {}
        for name, scalars in read.items():
            curves = [scalar[key] for scalar in scalars if key in scalar]
            if curves:
                out[key][name] = band(curves)
    return out
