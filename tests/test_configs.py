"""Every config is a short delta that builds; tests/test_config_training.py trains them."""

import copy
from typing import Any

import pytest
import torch
from helpers_data import CONFIGS
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

NAMES = sorted(path.name for path in CONFIGS.glob("*.py"))
TRAIN_CFG_KEYS = {"assigner", "sampler", "allowed_border", "pos_weight", "debug"}


def without_downloads(cfg: Any) -> Any:
    """The config with no pretrained weights asked for, at any depth."""
    if isinstance(cfg, dict):
        if "checkpoint" in str(cfg.get("init_cfg", "")):
            cfg["init_cfg"] = None
        for value in cfg.values():
            without_downloads(value)
    return cfg


def test_there_are_configs() -> None:
    expected = {
        "retina_composite.py",
        "retina_focal.py",
        "hituav160_retina_composite.py",
        "hituav160_retina_focal.py",
    }
    assert expected <= set(NAMES)
    assert any(name.startswith("retina_r50_composite") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_delta_is_short_and_holds_no_code(name: str) -> None:
    lines = (CONFIGS / name).read_text().splitlines()
    assert len(lines) <= 30
    assert lines[0].startswith("# ")
    for line in lines:
        assert not line.startswith(("import ", "from ", "def ", "for ", "if "))
        assert not line.lstrip().startswith(("/", "'/"))


@pytest.mark.parametrize("name", NAMES)
def test_config_builds_model_and_names_what_exists(name: str) -> None:
    init_default_scope("mmdet")
    cfg = Config.fromfile(CONFIGS / name)
    assert "mmthermal" in cfg.custom_imports.imports
    model = MODELS.build(without_downloads(copy.deepcopy(cfg.model)))
    assert sum(p.numel() for p in model.parameters()) > 100_000
    for section in ("train_dataloader", "val_dataloader", "test_dataloader"):
        dataset = cfg[section].dataset
        assert DATASETS.get(dataset.type) is not None
        assert dataset.ann_file and dataset.data_prefix.img
    assert cfg.val_evaluator.ann_file.endswith(cfg.val_dataloader.dataset.ann_file)
    assert cfg.val_evaluator.ann_file.startswith(cfg.val_dataloader.dataset.data_root)
    # a resolved config can be written down and read again: the run folder holds one
    again = Config.fromstring(cfg.pretty_text, ".py")
    assert again.model.to_dict() == cfg.model.to_dict()


@pytest.mark.parametrize("name", [name for name in NAMES if "retina" in name])
def test_every_train_cfg_key_is_read(name: str) -> None:
    cfg = Config.fromfile(CONFIGS / name)
    assert set(cfg.model.train_cfg) <= TRAIN_CFG_KEYS


@pytest.mark.parametrize(
    ("composite", "focal"),
    [
        ("retina_composite.py", "retina_focal.py"),
        ("hituav160_retina_composite.py", "hituav160_retina_focal.py"),
        ("retina_r50_composite_hituav160.py", "retina_r50_focal_hituav160.py"),
    ],
)
def test_baseline_is_identical_but_for_the_loss(composite: str, focal: str) -> None:
    a, b = (Config.fromfile(CONFIGS / name).to_dict() for name in (composite, focal))
    for cfg in (a, b):
        head = cfg["model"]["bbox_head"]
        assert head.pop("type") == ("CompositeRetinaHead" if cfg is a else "RetinaHead")
        assert (head.pop("loss_composite", None) is not None) == (cfg is a)
        cfg["model"]["train_cfg"].pop("sampler", None)
    assert a == b


@pytest.mark.skipif(
    not (CONFIGS.parents[2] / "shared/data/hituav160").is_dir(),
    reason="the data set ../shared/data/hituav160 is absent",
)
@pytest.mark.parametrize("name", [name for name in NAMES if "hituav160" in name])
def test_real_data_load_through_the_pipelines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONFIGS.parents[1])
    init_default_scope("mmdet")
    cfg = Config.fromfile(CONFIGS / name)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert train.metainfo["classes"] == val.metainfo["classes"] == ("person", "vehicle", "bicycle")
    assert (len(train), len(val)) == (2291, 575)
    sample = train[0]
    channels = 3 if "r50" in name else 1
    assert sample["inputs"].shape[0] == channels
    assert sample["inputs"].dtype == torch.float32
    assert len(sample["data_samples"].gt_instances) + len(sample["data_samples"].ignored_instances)


def types(steps: list[dict]) -> list[str]:
    """Names of the transforms of a pipeline."""
    return [step["type"] for step in steps]


@pytest.mark.parametrize("name", NAMES)
def test_images_are_normalised_once(name: str) -> None:
    """In the pipeline or in the preprocessor, but not in both, and once."""
    cfg = Config.fromfile(CONFIGS / name)
    mean, std = cfg.model.data_preprocessor.mean, cfg.model.data_preprocessor.std
    neutral = set(mean) == {0.0} and set(std) == {1.0}
    for section in ("train_dataloader", "val_dataloader", "test_dataloader"):
        names = types(cfg[section].dataset.pipeline)
        assert sum(name in ("NormalizeFrame", "Normalize") for name in names) == neutral, section
