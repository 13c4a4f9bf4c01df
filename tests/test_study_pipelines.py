"""Each variant of the studies of data: its pipelines load, and differ where the study says so."""

import copy
import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import CONFIGS, data_options, write_coco
from mmdet.registry import DATASETS, HOOKS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmthermal.common.config import merge_options, read_config
from mmthermal.studies.variants import Variant, read_study

STUDIES = {name: read_study(CONFIGS / "studies" / f"{name}.py") for name in
           ("gain_control", "augmentations")}  # fmt: skip
CASES = [(study, variant) for study, found in STUDIES.items() for variant in found.variants]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A few images of the depth of each study's data."""
    root = tmp_path_factory.mktemp("studies")
    splits = {"train": 2, "val": 2}
    return {
        "gain_control": write_coco(root / "a", splits=splits, bits=16, size=(160, 128)),
        "augmentations": write_coco(root / "b", splits=splits, bits=8, size=(160, 128)),
    }


@functools.cache
def _read_once(path: Path) -> Config:
    return read_config(path)


def changed(variant: Variant) -> Config:
    """The variant's whole config."""
    cfg = copy.deepcopy(_read_once(variant.config))
    merge_options(cfg, variant.options)
    return cfg


def config_of(variant: Variant, root: Path) -> Config:
    init_default_scope("mmdet")
    cfg = changed(variant)
    merge_options(cfg, data_options(root))
    return cfg


def image(cfg: Config, loader: str, index: int = 0) -> torch.Tensor:
    settings = {
        **cfg[f"{loader}_dataloader"].dataset,
        "serialize_data": False,
    }  # saves a gc.collect
    sample: dict[str, Any] = DATASETS.build(settings)[index]
    return sample["inputs"]


@pytest.mark.parametrize(("study", "name"), CASES)
def test_images_arrive_with_the_channels_of_the_network(
    study: str, name: str, data: dict[str, Path]
) -> None:
    variant = STUDIES[study].variants[name]
    cfg = config_of(variant, data[study])
    channels = cfg.model.backbone.in_channels
    for loader in ("train", "val", "test"):
        inputs = image(cfg, loader)
        assert inputs.shape[0] == channels == len(cfg.model.data_preprocessor.mean)
        assert inputs.dtype == torch.float32 and torch.isfinite(inputs).all()
    assert torch.equal(image(cfg, "test"), image(cfg, "test"))  # drift is each image's own
    if name != "gain_window":  # the rectangles here are colder than its window
        drifts = not torch.equal(image(cfg, "val"), image(cfg, "test"))
        assert drifts == (study == "gain_control")


def test_copies_end_before_the_training_does() -> None:
    variants = STUDIES["augmentations"].variants
    for name, variant in variants.items():
        cfg = changed(variant)
        steps = [step["type"] for step in cfg.train_dataloader.dataset.pipeline]
        switches = [h for h in cfg.custom_hooks if h["type"] == "PipelineSwitchHook"]
        to_the_end = name.endswith("to_the_end")
        assert ("OverlapCopyPaste" in steps) == ("copy_paste" in name)
        assert len(switches) == ("copy_paste" in name and not to_the_end)
        for settings in switches:
            assert settings["switch_epoch"] == cfg.train_cfg.max_epochs * 2 // 3
            after = [step["type"] for step in HOOKS.build(settings).switch_pipeline]
            assert after == [step for step in steps if step != "OverlapCopyPaste"]
