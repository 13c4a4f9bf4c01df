"""Results as JSON lines: what a line holds, and a file that a kill cut short."""

import json
from pathlib import Path

import pytest
from helpers_data import ROOT
from helpers_runs import write_comparison_runs
from mmengine.config import Config

from mmthermal.evaluation import average_precision
from mmthermal.studies.ground_truth import match_run
from mmthermal.studies.run_folder import Run
from mmthermal.studies.run_record import (
    FIGURES,
    append_result,
    describe,
    read_results,
    record,
    this_machine,
    where,
)
from mmthermal.studies.variants import Variant

CONFIG = ROOT / "configs" / "thermal" / "retina_composite.py"
FIELDS = (
    "study", "name", "seed", "data", "detector", "schedule", "precision", "config", "options",
    "cfg_options", "config_hash", "metrics", "finished", "device", "torch", "commit",
)  # fmt: skip


def test_a_line_holds_what_tables_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, [[folder]] = write_comparison_runs(tmp_path, {"a": 0.9}, seeds=(3,))
    done = json.loads((folder / "done.json").read_text())
    (folder / "done.json").write_text(json.dumps({**done, "finished": "2026-01-01"}))
    run = Run("a", 3, folder, CONFIG, "hash", ("train_cfg.max_epochs=7",))
    monkeypatch.chdir(ROOT)
    machine = dict(device="x86_64", torch="2", commit="c")
    line = record("mine", Variant("a", CONFIG, {"model.x": 1}), run, machine)
    assert tuple(line) == FIELDS
    assert line["config"] == "configs/thermal/retina_composite.py"
    assert line["schedule"] == "7e" and line["options"] == {"model.x": 1}
    assert list(line["metrics"]) == [figure.key for figure in FIGURES]
    assert line["metrics"]["overlapped_AP50"] == average_precision(
        match_run(run), "overlapped", iou_thr=0.5
    )
    monkeypatch.chdir(tmp_path)
    line = record("mine", Variant("a", CONFIG, {}), run, machine)
    assert Path(line["config"]) == CONFIG


def test_a_machine_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert this_machine()["commit"] == "unknown"


def test_undefined_metrics_are_left_out(tmp_path: Path) -> None:
    _, [[folder]] = write_comparison_runs(tmp_path, {"a": 0.9}, seeds=(3,), overlap=False)
    done = json.loads((folder / "done.json").read_text())
    (folder / "done.json").write_text(json.dumps({**done, "finished": "2026-01-01"}))
    run = Run("a", 3, folder, CONFIG)
    metrics = record("mine", Variant("a", CONFIG, {}), run, {})["metrics"]
    assert "AP50" in metrics and "overlapped_AP50" not in metrics


@pytest.mark.parametrize(
    ("wrapper", "log", "precision"),
    [
        ({"type": "OptimWrapper"}, "", "float32"),
        ({"type": "AmpOptimWrapper"}, "", "float16"),
        ({"type": "AmpOptimWrapper", "dtype": "bfloat16"}, "", "bfloat16"),
        ({"type": "Bfloat16OptimWrapper"}, "Training on cpu in bfloat16 autocast", "bfloat16"),
        ({"type": "Bfloat16OptimWrapper"}, "Training on cpu in float32 (bfloat16 is", "float32"),
    ],
)
def test_precision_is_what_was_trained_in(wrapper: dict, log: str, precision: str) -> None:
    cfg = Config(dict(model=dict(type="FasterRCNN"), optim_wrapper=wrapper))
    cfg.test_dataloader = dict(dataset=dict(data_root="../shared/data/hituav160/"))
    cfg.train_cfg = dict(max_iters=90)
    assert describe(cfg, log) == dict(
        data="hituav160", detector="Faster R-CNN", schedule="90 iterations", precision=precision
    )


def test_a_line_that_was_cut_short_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.jsonl"
    assert read_results(path) == []
    with pytest.raises(FileNotFoundError, match=r"results\.jsonl' don't exist: give files that"):
        read_results(path, required=True)
    append_result(path, {"name": "a"})
    append_result(path, {"name": "b"})
    path.write_text(path.read_text()[:-4])
    assert read_results(path) == [{"name": "a"}]
    append_result(path, {"name": "c"})
    assert read_results(path) == [{"name": "a"}, {"name": "c"}]


def test_lines_are_chosen_by_field() -> None:
    lines = [{"seed": 0, "precision": "float32"}, {"seed": 0}, {"seed": 1, "precision": "float32"}]
    assert where(lines, {"precision": "float32", "seed": 0}) == lines[:1]
    assert where(lines, {}) == lines
