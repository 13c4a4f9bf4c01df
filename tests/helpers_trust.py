"""Trainings of seconds, stopped and taken up again."""

from pathlib import Path
from typing import Any

import torch
from helpers_data import tiny_config
from mmdet.registry import METRICS
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from mmthermal.common.safe_loading import load_file
from mmthermal.engine.launch import choose_checkpoint


@METRICS.register_module(force=True)
class FixedFigures(BaseMetric):
    """A metric that gives the figures that a test wants."""

    def __init__(self, figures: list[float]) -> None:
        super().__init__()
        self.figures = iter(figures)

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict[str, float]:
        return {"AP": next(self.figures)}


def tiny(
    root: Path,
    work: Path,
    *,
    name: str = "retinanet/retina_composite_synthetic.py",
    epochs: int = 2,
    workers: int = 0,
    figures: list[float] | None = None,
    **options: Any,
) -> Config:
    """A config of two batches an epoch, which draws nothing.

    Args:
        root: data of `write_coco`.
        work: work directory.
        name: path below configs.
        epochs: to train.
        workers: processes that load.
        figures: AP of each validation; no validation if None.
        **options: further keys, ``__`` for each dot.

    Returns:
        the config.
    """
    cfg = tiny_config(
        name,
        root,
        work_dir=str(work),
        experiment_name=str(work).replace("/", "_"),
        log_level="ERROR",
        train_cfg__max_epochs=epochs,
        train_cfg__val_interval=1,
        train_dataloader__num_workers=workers,
        train_dataloader__persistent_workers=workers > 0,
        **options,
    )
    del cfg.default_hooks["visualization"]
    if figures is None:
        cfg.default_hooks.checkpoint.save_best = None
        for key in ("val_dataloader", "val_cfg", "val_evaluator"):
            cfg[key] = None
    else:
        cfg.default_hooks.checkpoint.save_best = "AP"
        cfg.val_evaluator = dict(type="FixedFigures", figures=figures)
    return cfg


def train(root: Path, work: Path, **options: Any) -> Runner:
    """Train a config of `tiny`; ``resume=True`` takes up what is in the folder.

    Returns:
        the runner, at its end.
    """
    cfg = tiny(root, work, **options)
    choose_checkpoint(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Weights of a checkpoint."""
    return load_file(path)["state_dict"]


def differing(first: Any, second: Any, place: str = "") -> list[str]:
    """Places where two nested dicts and lists of tensors and numbers differ in any bit."""
    if isinstance(first, torch.Tensor):
        return [] if torch.equal(first, second) else [place]
    if isinstance(first, dict):
        if first.keys() != second.keys():
            return [place]
        return [p for key in first for p in differing(first[key], second[key], f"{place}.{key}")]
    if isinstance(first, list | tuple):
        if len(first) != len(second):
            return [place]
        pairs = enumerate(zip(first, second, strict=True))
        return [p for i, (a, b) in pairs for p in differing(a, b, f"{place}.{i}")]
    return [] if first == second else [place]


def tree(folder: Path, pattern: str) -> list[str]:
    """Names in a folder, sorted."""
    return sorted(path.name for path in folder.glob(pattern))
