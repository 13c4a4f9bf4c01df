"""Training curves over starts and seeds."""

import json
from pathlib import Path

import pytest

from mmthermal.studies.curves import band, curve_bands, order_keys, read_scalars


def write(
    work_dir: Path, stamp: str, records: list[dict], tail: str = "", *, resume: bool = False
) -> None:
    folder = work_dir / stamp / "vis_data"
    folder.mkdir(parents=True)
    for record in records:
        if not any("/" in key for key in record):  # a record of training, not of validation
            record["iter"] = record["step"]
    text = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "config.py").write_text(f"resume = {resume}\n")
    (folder / "scalars.json").write_text(text + tail)


def test_a_resumed_run_is_one_curve_and_the_later_start_counts(tmp_path: Path) -> None:
    write(tmp_path, "20260101_1", [{"loss": 3.0, "step": 1}, {"loss": 9.0, "step": 2}])
    write(tmp_path, "20260101_2", [{"loss": 2.0, "step": 2}, {"loss": 1.0, "step": 3}], resume=True)
    assert read_scalars(tmp_path) == {"loss": {1.0: 3.0, 2.0: 2.0, 3.0: 1.0}}


def test_an_older_training_of_the_folder_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, "20260101_1", [{"loss": 3.0, "step": 1}, {"loss": 9.0, "step": 2}])
    write(tmp_path, "20260101_2", [{"loss": 2.0, "step": 1}])
    assert read_scalars(tmp_path) == {"loss": {1.0: 2.0}}


def test_a_line_cut_off_by_an_interrupt_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a", [{"loss": 3.0, "step": 1}], tail='{"loss": 2.0, "st')
    assert read_scalars(tmp_path) == {"loss": {1.0: 3.0}}


def test_bookkeeping_and_non_finite_values_are_no_curves(tmp_path: Path) -> None:
    record = {"loss": float("nan"), "lr": 0.1, "time": 1.0, "epoch": 1, "step": 1, "cls_pos": 0.5}
    write(tmp_path, "a", [record])
    assert read_scalars(tmp_path) == {"cls_pos": {1.0: 0.5}}


def test_band_is_mean_and_standard_deviation() -> None:
    found = band([{1.0: 1.0, 2.0: 5.0}, {1.0: 3.0}])
    # sd of (1, 3) is sqrt(2); step 2 has one seed
    assert found["x"] == [1.0, 2.0]
    assert found["mean"] == [2.0, 5.0]
    assert found["low"] == pytest.approx([2 - 2**0.5, 5.0])
    assert found["high"] == pytest.approx([2 + 2**0.5, 5.0])


def test_long_curves_are_averaged_in_windows() -> None:
    found = band([{float(k): float(k) for k in range(1000)}], num_points=10)
    assert found["x"] == found["mean"] == pytest.approx([49.5 + 100 * k for k in range(10)])


def test_no_curve_is_an_empty_band() -> None:
    assert band([{}]) == {"x": [], "mean": [], "low": [], "high": []}


def test_losses_come_first_and_validation_last() -> None:
    keys = {"num_pos", "coco/AP", "f1_pos", "loss_cls", "loss"}
    assert order_keys(keys) == ["loss", "loss_cls", "f1_pos", "num_pos", "coco/AP"]


def test_parts_that_one_config_lacks_and_metrics_of_single_classes(tmp_path: Path) -> None:
    write(tmp_path / "a", "x", [{"loss": 1.0, "step": 1}, {"coco/person_AP": 0.1, "step": 1}])
    write(tmp_path / "b", "x", [{"loss": 1.0, "f1_pos": 0.5, "step": 1}, {"c/AP": 0.1, "step": 1}])
    found = curve_bands({"A": [tmp_path / "a"], "B": [tmp_path / "b"]})
    assert list(found) == ["loss", "f1_pos", "c/AP"]
    assert list(found["loss"]) == ["A", "B"]
    assert list(found["f1_pos"]) == ["B"]
