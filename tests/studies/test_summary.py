"""The summary of a training, from logs as mmengine writes them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.hooks import CheckpointHook

from mmthermal.losses import CompositeLoss
from mmthermal.studies.summary import (
    draw_curves,
    format_summary,
    panels_of,
    read_run,
    summarize_run,
)

ROOT = Path(__file__).resolve().parents[2]


def write_start(
    work_dir: Path, stamp: str, records: list[dict[str, object]], *, resume: bool = False
) -> Path:
    """One start of a training as mmengine leaves it."""
    folder = work_dir / stamp / "vis_data"
    folder.mkdir(parents=True)
    (folder / "scalars.json").write_text("".join(json.dumps(r) + "\n" for r in records))
    (folder / "config.py").write_text(f"model = dict()\nresume = {resume}\nseed = 0\n")
    return folder.parent


def train(iteration: int, loss: float, **parts: float) -> dict[str, object]:
    keys = {"lr": 0.001, "epoch": 1, "iter": iteration, "step": iteration, "loss": loss}
    return {**keys, **parts}


def val(epoch: int, ap: float, **more: float) -> dict[str, object]:
    return {"coco/bbox_mAP": ap, "coco/bbox_mAP_50": 2 * ap, **more, "step": epoch}


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    """A training of three epochs, the second one best."""
    folder = tmp_path / "retina"
    parts = {"cls_pos": 0.5, "cls_neg": 0.004, "f1_pos": 0.7, "num_pos": 90.0, "loss_cls": 0.3}
    records = []
    for epoch, ap in enumerate((0.1, 0.31, 0.25), 1):
        records += [train(epoch * 10, 2.0 / epoch, **parts), val(epoch, ap)]
    write_start(folder, "20260101_000000", records)
    return folder


def test_last_and_best_validation(work_dir: Path) -> None:
    run = read_run(work_dir)
    assert (run.last_step, run.best_step) == (3, 2)
    assert run.metric("bbox_mAP") == {1: 0.1, 2: 0.31, 3: 0.25}
    lines = {line[2:20].strip(): line[20:].split() for line in format_summary(run).splitlines()}
    assert lines["AP"] == ["0.250", "0.310"]
    assert lines["AP50"] == ["0.500", "0.620"]
    assert lines["validation"] == ["last,", "epoch", "3", "best", "AP,", "epoch", "2"]
    assert format_summary(run).startswith(f"{work_dir}: 30 iterations")


def test_of_equal_ones_the_first_validation_is_best_as_for_mmengine(tmp_path: Path) -> None:
    write_start(tmp_path, "20260101_000000", [train(1, 1.0), val(1, 0.2), val(2, 0.2)])
    assert CheckpointHook.rule_map["greater"](0.2, 0.2) is False  # best_*.pth stays that of epoch 1
    assert read_run(tmp_path).best_step == 1


def test_overlap_is_shown_where_the_metric_gives_it(tmp_path: Path) -> None:
    more = {"coco/bbox_mAP_overlapped": 0.05, "coco/bbox_mAP_50_overlapped": -1.0}
    write_start(tmp_path, "20260101_000000", [train(1, 1.0), val(1, 0.2, **more)])
    lines = format_summary(read_run(tmp_path)).splitlines()
    assert next(x for x in lines if "AP overlapped" in x).split()[2:] == ["0.050", "0.050"]
    assert next(x for x in lines if "AP50 overlapped" in x).split()[2:] == ["–", "–"]
    assert not any("isolated" in line for line in lines)


def test_a_resumed_training_is_one(tmp_path: Path) -> None:
    write_start(tmp_path, "20260101_000000", [train(10, 9.0), train(20, 8.0), val(1, 0.1)])
    second = [train(20, 7.0), train(30, 6.0), val(2, 0.3)]
    write_start(tmp_path, "20260101_010000", second, resume=True)
    run = read_run(tmp_path)
    assert run.train["loss"] == {10: 9.0, 20: 7.0, 30: 6.0}
    assert run.metric("bbox_mAP") == {1: 0.1, 2: 0.3}


def test_an_older_training_in_the_same_folder_does_not_count(tmp_path: Path) -> None:
    write_start(tmp_path, "20260101_000000", [train(90, 9.0), val(9, 0.9)])
    write_start(tmp_path, "20260102_000000", [train(10, 3.0), val(1, 0.1)])
    run = read_run(tmp_path)
    assert run.train["loss"] == {10: 3.0}
    assert run.metric("bbox_mAP") == {1: 0.1}


def test_a_later_test_does_not_hide_the_training(work_dir: Path) -> None:
    write_start(work_dir, "20260103_000000", [{"coco/bbox_mAP": 0.9, "step": 0}])
    assert read_run(work_dir).last_step == 3


def test_lines_that_were_cut_off_and_nan_are_passed_over(work_dir: Path) -> None:
    log = work_dir / "20260101_000000" / "vis_data" / "scalars.json"
    more = '{"loss": NaN, "iter": 40, "step": 40}\n[1]\n{"loss": 1.0, "it'
    log.write_text(log.read_text() + more)
    assert max(read_run(work_dir).train["loss"]) == 30


def test_places_are_named(work_dir: Path) -> None:
    (work_dir / "epoch_3.pth").touch()
    (work_dir / "best_coco_bbox_mAP_epoch_2.pth").touch()
    # Written on another machine: the checkpoint is looked for in the folder as it is now.
    (work_dir / "last_checkpoint").write_text("/elsewhere/retina/epoch_3.pth")
    (work_dir / "retina.py").touch()
    old, new = work_dir / "test1" / "pictures", work_dir / "test2" / "pictures"
    for number, folder in enumerate((old, new)):
        folder.mkdir(parents=True)
        os.utime(folder, (number, number))
    text = summarize_run(work_dir)
    best = work_dir / "best_coco_bbox_mAP_epoch_2.pth"
    lines = [line.split() for line in text.splitlines()]
    assert ["best", "checkpoint", str(best)] in lines
    assert ["last", "checkpoint", str(work_dir / "epoch_3.pth")] in lines
    assert ["curves", str(work_dir / "curves.png")] in lines
    assert ["pictures", str(new)] in lines
    assert text.endswith(f"python tools/test.py {work_dir / 'retina.py'} {best}")


def test_the_curves_are_a_picture_and_nothing_is_left_beside_it(work_dir: Path) -> None:
    before = set(work_dir.iterdir())
    path = draw_curves(read_run(work_dir), work_dir / "curves.png")
    assert set(work_dir.iterdir()) == {*before, path}
    image = cv2.imread(str(path))
    assert image.shape[0] > 500  # four panels in two rows
    assert image.shape[1] > 900
    assert len(set(map(tuple, image.reshape(-1, 3)[::7].tolist()))) > 20


@pytest.mark.parametrize("prefix", ["", "s0."])
@pytest.mark.parametrize("form", ["ranked", "soft"])
def test_every_part_that_the_composite_loss_logs_has_its_panel(
    form: str, prefix: str, tmp_path: Path
) -> None:
    """Prefix: of a stage of Cascade R-CNN."""
    loss = CompositeLoss(f1_form=form)
    zero = torch.zeros(())
    logged = loss(
        torch.zeros(2, 3), torch.zeros(2).long(), torch.zeros(4, 3), box_sum=zero, dense_sum=zero
    )
    parts = {f"{prefix}{key}": float(value) for key, value in logged.items()}
    write_start(tmp_path, "20260101_000000", [train(10, 2.0, **parts), train(20, 1.0, **parts)])
    panels = {panel.title: set(panel.curves) for panel in panels_of(read_run(tmp_path))}
    f1 = {"rank"} if form == "ranked" else {"f1_pos", "f1_neg"}
    assert panels == {
        "losses": {"loss", *(prefix + key for key in ("loss_cls", "loss_bbox"))},
        "parts of the composite loss": {
            prefix + key for key in ("dense", "cls_pos", "cls_neg", "combined", *f1)
        },
        "anchors in the loss": {prefix + key for key in ("num_pos", "num_neg")},
    }


def test_before_the_first_validation(tmp_path: Path) -> None:
    write_start(tmp_path, "20260101_000000", [train(10, 3.0)])
    assert "no validation so far" in summarize_run(tmp_path)
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_a_missing_folder_and_one_without_logs_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere' does not exist"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="holds no log of a training"):
        read_run(tmp_path)


def test_the_tool_prints_the_summary_or_one_clear_line(work_dir: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", str(ROOT / "tools" / "summarize_run.py")]
    good = subprocess.run([*command, str(work_dir)], capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert "best AP, epoch 2" in good.stdout
    bad = subprocess.run([*command, "nowhere"], capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stderr.strip() == "work directory 'nowhere' does not exist: check the path"


def test_the_panel_of_the_validation_holds_average_precisions_only(tmp_path: Path) -> None:
    write_start(tmp_path, "20260101_000000", [train(1, 1.0), val(1, 0.2, **{"coco/best_f1": 0.6})])
    panel = panels_of(read_run(tmp_path))[-1]
    assert (panel.title, set(panel.curves)) == ("validation", {"AP", "AP50"})
