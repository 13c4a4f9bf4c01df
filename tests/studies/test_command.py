"""The whole command on finished runs, and its early checks."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import ROOT, tiny_config, write_coco
from helpers_runs import write_comparison_runs

from mmthermal.studies.command import compare_command


def command(place: Path, **settings: Any) -> tuple[dict[str, Any], str]:
    lines: list[str] = []
    result = compare_command(
        work_dir=place / "out",
        tools_dir=place,
        resamples=settings.pop("resamples", 100),
        say=lines.append,
        **settings,
    )
    return result, "\n".join(lines)


def test_finished_runs_become_figures_and_a_page(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.3, "B": 0.9})
    result, text = command(tmp_path, runs=folders, names=["focal", "composite"])
    assert result["comparisons"][0]["verdict"] == "better"
    assert "composite is better than focal on overlapped objects (AP50)" in text
    for name in ("comparison.json", "comparison.csv", "report.html"):
        assert (tmp_path / "out" / name).stat().st_size > 1000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either configs to train or finished runs"),
        ({"configs": ["a.py", "b.py"], "runs": [["a"], ["b"]]}, "either configs"),
        ({"configs": ["a.py"]}, "at least two configs"),
        ({"configs": ["a.py", "b.py"], "names": ["a"]}, "1 names for 2 configs"),
        ({"configs": ["a.py", "b.py"], "resamples": 5}, "at least 100"),
        ({"configs": ["a.py", "b.py"], "primary": "x"}, "choose one of"),
    ],
)
def test_settings_are_checked_before_anything_runs(
    tmp_path: Path, settings: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        command(tmp_path, **settings)
    assert not (tmp_path / "out").exists()


def test_a_training_cut_short_is_told_before_anything_runs(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.3, "B": 0.9}, seeds=(0,))
    cut = folders[1][0]
    (cut / "done.json").unlink()
    (cut / "config.py").write_text("train_cfg = dict(max_epochs=2)\n")
    torch.save(dict(meta=dict(epoch=1, iter=9), state_dict={}), cut / "epoch_1.pth")
    (cut / "last_checkpoint").write_text(str(cut / "epoch_1.pth"))
    with pytest.raises(ValueError, match=r"seed0: the training did not end: epoch_1\.pth is of"):
        command(tmp_path, runs=folders, names=["A", "B"])
    assert not (tmp_path / "out").exists()


def test_the_group_key_is_checked_before_anything_runs(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.3, "B": 0.9}, seeds=(0,))
    with pytest.raises(ValueError, match="image records lack it"):
        command(tmp_path, runs=folders, names=["A", "B"], group_key="nothing")
    assert not (tmp_path / "out").exists()


def test_a_missing_library_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.3, "B": 0.9}, seeds=(0,))
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    with pytest.raises(ImportError, match="pip install hotcoco"):
        command(tmp_path, runs=folders)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_real_training_from_configs_to_the_page(tmp_path: Path) -> None:
    data = write_coco(tmp_path / "data")
    configs = []
    for name in ("retina_focal", "retina_composite"):
        cfg = tiny_config(f"retinanet/{name}_synthetic.py", data)
        cfg.train_cfg.max_epochs = 1
        cfg.dump(tmp_path / f"{name}.py")
        configs.append(tmp_path / f"{name}.py")
    settings = {
        "work_dir": tmp_path / "out",
        "tools_dir": ROOT / "tools",
        "configs": configs,
        "seeds": (0, 1),
        "resamples": 100,
    }
    lines: list[str] = []
    result = compare_command(say=lines.append, **settings)
    assert result["seeds"] == [0, 1]
    assert list(result["models"]) == ["retina_focal", "retina_composite"]
    assert "retina_composite" in result["training_curves"]["cls_pos"]
    assert "retina_focal" in result["training_curves"]["loss_cls"]
    assert (tmp_path / "out" / "report.html").exists()
    lines.clear()
    again = compare_command(say=lines.append, **settings)
    assert lines[0] == "4 of 4 runs are finished already"
    assert again["comparisons"] == result["comparisons"]
