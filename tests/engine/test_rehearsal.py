"""What the first validation would fail with is said before the first iteration."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers_data import tiny_config, write_coco
from mmengine.runner import Runner

from mmthermal.engine.rehearsal import rehearse_validation

LOAD = [dict(type="LoadThermalImage"), dict(type="NormalizeFrame")]
KEYS = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coco(
        tmp_path_factory.mktemp("rehearsal") / "set", splits={"train": 2, "val": 2}, bits=8
    )


def runner(root: Path, work: Path, **options: Any) -> Runner:
    cfg = tiny_config("retinanet/retina_focal_synthetic.py", root, **options)
    cfg.work_dir, cfg.launcher, cfg.experiment_name = str(work), "none", work.name
    return Runner.from_cfg(cfg)


def packed(*steps: dict, keys: tuple[str, ...] = KEYS) -> list[dict]:
    return [*LOAD, *steps, dict(type="PackDetInputs", meta_keys=keys)]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("val_dataloader__dataset__pipeline", LOAD, "KeyError: 'inputs'"),
        (
            "val_dataloader__dataset__pipeline",
            packed(dict(type="Resize", scale_factor=1.0), keys=("img_id", "scale_factor")),
            "'img_shape'",
        ),
        ("val_dataloader__dataset__pipeline", packed(), "scale_factor"),
        (
            "val_dataloader__dataset__pipeline",
            [dict(type="LoadThermalImage", channels=3), *packed()[1:]],
            "3 channels",
        ),
        ("val_evaluator__metric", ["bbox", "segm"], "'segm' needs masks"),
        ("val_evaluator__ann_file", None, "ground truth is required"),
    ],
)
def test_errors_come_before_the_training(
    root: Path, tmp_path: Path, key: str, value: Any, words: str
) -> None:
    run = runner(root, tmp_path, **{key: value})
    with pytest.raises(ValueError, match=f"the validation would end.*{words}") as caught:
        run.train()
    assert run.iter == 0 and caught.value.__cause__ is not None


def test_nothing_of_it_stays(root: Path, tmp_path: Path) -> None:
    flip = dict(type="RandomFlip", prob=0.5)  # draws random numbers
    steps = packed(dict(type="Resize", scale_factor=1.0), flip)
    run = runner(root, tmp_path, val_dataloader__dataset__pipeline=steps)
    run._val_loop = run.build_val_loop(run._val_loop)
    run.model.train()
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    weights = {name: value.clone() for name, value in run.model.state_dict().items()}
    rehearse_validation(run)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert run.model.training and run.val_loop.evaluator.metrics[0].results == []
    assert all(torch.equal(value, weights[name]) for name, value in run.model.state_dict().items())
