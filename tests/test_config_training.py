"""Every config trains 20 iterations on small images, evaluates, saves and resumes."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import CLASSES, CONFIGS, config_names, data_options, write_coco
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmthermal.common.safe_loading import load_file

NAMES = config_names()
SIZE = (96, 64)  # width, height
ITERS = 10  # per epoch, of two images each


class LossRecorder(Hook):
    """Keeps the loss of every training iteration."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def after_train_iter(self, runner: Runner, batch_idx: int, **kwargs: Any) -> None:
        self.losses.append(float(kwargs["outputs"]["loss"]))


def dicts(node: Any) -> Iterator[dict]:
    """Every dict of a config, at any depth."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from dicts(value)


def small(name: str, root: Path, work_dir: Path, *, epochs: int, resume: bool) -> Config:
    """A config on the test's data: its model whole, its images small, nothing downloaded."""
    cfg = Config.fromfile(CONFIGS / name)
    cfg.merge_from_dict(data_options(root, batch_size=2))
    for part in dicts(cfg.model):
        if "num_classes" in part:
            part["num_classes"] = len(CLASSES)
        if "score_thr" in part:
            part["score_thr"] = 0.0  # CocoMetric gives no figures where there is no detection
        if "checkpoint" in str(part.get("init_cfg", "")):
            part["init_cfg"] = None
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
        cfg[loader].dataset.metainfo = dict(classes=CLASSES)
        for part in dicts(cfg[loader].dataset):
            if part.get("type") in ("Resize", "RandomResize") and "scale" in part:
                part["scale"] = SIZE
            if part.get("type") == "RandomCrop":
                part["crop_size"] = SIZE
    cfg.train_cfg.update(max_epochs=epochs, val_interval=1)
    cfg.merge_from_dict(dict(work_dir=str(work_dir), resume=resume, log_level="ERROR"))
    # the visualizer is kept by name: a new one for each run, else scalars go to the first run's
    cfg.experiment_name = cfg.visualizer.name = f"{work_dir.parent.name}_{epochs}"
    return cfg


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A small data set of 8 and one of 16 bits."""
    splits = {"train": 2 * ITERS, "val": 3}
    return {
        bits: write_coco(tmp_path_factory.mktemp(f"bits{bits}") / "data", splits=splits, bits=bits)
        for bits in (8, 16)
    }


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread: the models are too small for more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_configs_are_found() -> None:
    assert {
        "faster_rcnn/faster_rcnn_composite_hituav160.py",
        "atss/atss_r50_composite_coco.py",
    } < set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_trains_twenty_iterations_evaluates_saves_and_resumes(
    name: str, data: dict[int, Path], tmp_path: Path
) -> None:
    steps = Config.fromfile(CONFIGS / name).train_dataloader.dataset.pipeline
    root = data[16 if any(step["type"] == "NormalizeFrame" for step in steps) else 8]
    work_dir = tmp_path / "work"
    recorders, states = [], []
    for epochs in (1, 2):
        cfg = small(name, root, work_dir, epochs=epochs, resume=epochs == 2)
        runner = Runner.from_cfg(cfg)
        recorders.append(LossRecorder())
        runner.register_hook(recorders[-1])
        runner.train()
        assert (runner.iter, runner.epoch) == (epochs * ITERS, epochs)
        assert len(recorders[-1].losses) == ITERS  # a run that did not resume would have 2 * ITERS
        states.append(load_file(work_dir / f"epoch_{epochs}.pth"))
    assert all(math.isfinite(loss) and loss > 0 for r in recorders for loss in r.losses)
    scalars = "".join(path.read_text() for path in work_dir.glob("*/vis_data/scalars.json"))
    assert scalars.count('"coco/bbox_mAP"') == 2
    before, after = (state["state_dict"] for state in states)
    assert any(not torch.equal(before[key], after[key]) for key in before)
    # where averages are saved, mmengine keeps the trained weights, and their count, beside them
    trained = states[1].get("ema_state_dict", after)
    counts = [int(value) for key, value in trained.items() if key.endswith("num_iters")]
    assert counts == [2 * ITERS] * len(counts)
    assert bool(counts) == any(
        loss in name for loss in ("composite", "retina_ohem", "class_weight")
    )
