"""What the tools do with their arguments."""

import argparse
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmthermal.engine import launch
from mmthermal.engine.launch import (
    add_common_arguments,
    load_config,
    scale_lr,
    use_amp,
)

CONFIG = """
model = dict(type='RetinaNet', bbox_head=dict(num_classes=3))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
auto_scale_lr = dict(enable=False, base_batch_size=16)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CONFIG)
    return tmp_path / "mine.py"


def parse(*argv: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_common_arguments(parser)
    return parser.parse_args([str(a) for a in argv])


def test_options_override_and_may_add_keys_below_a_section(path: Path) -> None:
    cfg = load_config(
        parse(
            path,
            "--cfg-options",
            "model.bbox_head.num_classes=2",
            "optim_wrapper.clip_grad.max_norm=3",
        )
    )
    assert cfg.model.bbox_head.num_classes == 2
    assert cfg.optim_wrapper.clip_grad.max_norm == 3
    assert cfg.model.type == "RetinaNet"


def test_work_dir_comes_from_the_argument_the_config_or_the_name(path: Path) -> None:
    assert load_config(parse(path)).work_dir == "work_dirs/mine"
    path.write_text(CONFIG + "work_dir = 'from_config'\n")
    assert load_config(parse(path)).work_dir == "from_config"
    assert load_config(parse(path, "--work-dir", "arg")).work_dir == "arg"


def test_launcher_and_both_spellings_of_local_rank(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert load_config(parse(path)).launcher == "none"
    assert parse(path, "--local_rank", 1).local_rank == 1
    assert parse(path, "--local-rank=2").local_rank == 2
    cfg = load_config(parse(path, "--launcher", "pytorch"))
    assert cfg.launcher == "pytorch"
    with pytest.raises(SystemExit):
        parse(path, "--launcher", "pbs")


def test_missing_config(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        load_config(parse(tmp_path / "nothing.py"))


@pytest.mark.parametrize(
    ("cuda", "before", "after"),
    [
        (False, "OptimWrapper", "Bfloat16OptimWrapper"),
        (True, "OptimWrapper", "AmpOptimWrapper"),
        (True, "Bfloat16OptimWrapper", "Bfloat16OptimWrapper"),
        (False, "Bfloat16OptimWrapper", "Bfloat16OptimWrapper"),
        (False, None, "Bfloat16OptimWrapper"),
    ],
)
def test_amp_by_device(
    path: Path, monkeypatch: pytest.MonkeyPatch, cuda: bool, before: str | None, after: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(launch, "has_bfloat16", lambda device: True)
    cfg = Config.fromfile(path)
    if before is None:
        del cfg.optim_wrapper["type"]
    else:
        cfg.optim_wrapper.type = before
    use_amp(cfg)
    assert cfg.optim_wrapper.type == after
    assert cfg.optim_wrapper.get("loss_scale") == (
        "dynamic" if after == "AmpOptimWrapper" else None
    )


@pytest.mark.parametrize("has", [True, False])
def test_amp_on_a_gpu_without_bfloat16_is_float16(
    path: Path, monkeypatch: pytest.MonkeyPatch, has: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(launch, "has_bfloat16", lambda device: has)
    cfg = Config.fromfile(path)
    cfg.optim_wrapper.update(type="Bfloat16OptimWrapper", enabled="auto")
    use_amp(cfg)
    expected = ("Bfloat16OptimWrapper", None) if has else ("AmpOptimWrapper", "dynamic")
    assert (cfg.optim_wrapper.type, cfg.optim_wrapper.get("loss_scale")) == expected
    assert ("enabled" in cfg.optim_wrapper) == has


def test_scale_lr(path: Path) -> None:
    cfg = Config.fromfile(path)
    scale_lr(cfg)
    assert cfg.auto_scale_lr.enable is True
    cfg.pop("auto_scale_lr")
    with pytest.raises(KeyError, match="base_batch_size"):
        scale_lr(cfg)
