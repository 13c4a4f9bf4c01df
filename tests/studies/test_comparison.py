"""Comparisons of models of known skill."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers_comparison import compare_folders, compare_skills
from helpers_runs import write_comparison_runs

from mmthermal.common.run_state import NOT_FINITE, NotFiniteRunError
from mmthermal.studies.comparison import SCHEMA
from mmthermal.studies.verdict import points


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """B finds overlapped objects far more often than A, lone ones alike."""
    return compare_skills(tmp_path_factory.mktemp("better"), {"A": 0.3, "B": 0.9})


def test_a_better_model_is_called_better_where_it_is_better(better: dict[str, Any]) -> None:
    (pair,) = better["comparisons"]
    assert (pair["baseline"], pair["candidate"], pair["verdict"]) == ("A", "B", "better")
    assert pair["words"]["headline"] == "B is better than A on overlapped objects (AP50)"
    verdicts = {name: metric["verdict"] for name, metric in pair["metrics"].items()}
    assert verdicts["overlapped_AP50"] == verdicts["AP50"] == "better"


def test_the_other_way_round_it_is_worse(tmp_path: Path) -> None:
    (pair,) = compare_skills(tmp_path, {"A": 0.9, "B": 0.3})["comparisons"]
    assert pair["verdict"] == "worse"
    assert pair["metrics"]["overlapped_AP50"]["difference"] < -0.3


def test_equal_skill_shows_no_difference_and_how_large_one_had_to_be(tmp_path: Path) -> None:
    (pair,) = compare_skills(tmp_path, {"A": 0.6, "B": 0.6})["comparisons"]
    assert pair["verdict"] == "no difference shown"
    assert pair["words"]["headline"].startswith("No difference shown between B and A")
    interval = pair["metrics"]["overlapped_AP50"]["interval"]
    half = points((interval["high"] - interval["low"]) / 2, sign=False)
    assert f"smaller than about {half} points" in pair["words"]["primary"]


def test_it_is_json_and_repeats_exactly(better: dict[str, Any], tmp_path: Path) -> None:
    again = compare_skills(tmp_path, {"A": 0.3, "B": 0.9})
    assert json.loads(json.dumps(again, allow_nan=False))["comparisons"] == better["comparisons"]


def test_a_test_set_without_overlap(tmp_path: Path) -> None:
    found = compare_skills(tmp_path, {"A": 0.5, "B": 0.9}, overlap=False)
    (pair,) = found["comparisons"]
    assert pair["metrics"]["overlapped_AP50"]["difference"] is None
    assert "no such objects" in pair["words"]["primary"]
    assert pair["metrics"]["AP50"]["verdict"] == "better"
    json.dumps(found, allow_nan=False)


def test_the_gallery_shows_the_largest_gains_with_judged_boxes(better: dict[str, Any]) -> None:
    gains = [abs(item["gain"]) for item in better["gallery"]]
    assert gains == sorted(gains, reverse=True)
    first = better["gallery"][0]
    assert first["gain"] > 0
    assert first["candidate"] == "B"
    assert first["largest_iou"] > 0.1
    missed = first["panels"]["A"]["found"].count(False)
    wrong = sum(d["state"] == "error" for d in first["panels"]["A"]["detections"])
    assert first["panels"]["A"]["errors"] == missed + wrong


def test_the_record_keeps_its_form(better: dict[str, Any]) -> None:
    """Reports and tables of stored comparisons read these; a change needs another schema."""
    assert SCHEMA == better["schema"] == "mmthermal.comparison/1"
    assert list(better) == [
        "schema", "created", "settings", "data", "baseline", "seeds", "left_out", "metric_labels",
        "models", "comparisons", "pr_curves", "ap_by_overlap", "confusion", "error_types",
        "training_curves", "gallery",
    ]  # fmt: skip
    assert list(better["models"]["A"]) == [
        "work_dirs", "thresholds", "per_seed", "metrics", "per_class"
    ]  # fmt: skip
    (pair,) = better["comparisons"]
    assert list(pair) == ["baseline", "candidate", "verdict", "metrics", "others", "words"]
    assert list(pair["metrics"]["AP"]) == [
        "difference", "sd", "per_seed", "interval", "seed_interval", "bootstrap_interval",
        "p_value", "p_adjusted", "verdict",
    ]  # fmt: skip
    assert list(better["gallery"][0]) == [
        "image_id", "file_name", "width", "height", "seed", "gain", "candidate", "classes",
        "largest_iou", "gts", "panels",
    ]  # fmt: skip


def test_a_run_that_did_not_end_finite_is_not_compared(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.6, "B": 0.6})
    place = sorted(folders[1][0].glob("seed*"))[0] if len(folders[1]) == 1 else folders[1][0]
    (place / NOT_FINITE).write_text(json.dumps(dict(iteration=3, found="loss_cls=nan")))
    with pytest.raises(NotFiniteRunError, match="loss_cls=nan"):
        compare_folders(folders, ["A", "B"])


def test_ids_that_are_texts_give_the_same_comparison(
    better: dict[str, Any], tmp_path: Path
) -> None:
    ann_file, folders = write_comparison_runs(tmp_path, {"A": 0.3, "B": 0.9})
    content = json.loads(ann_file.read_text())
    for row in content["images"]:
        row["id"] = f"FLIR_{row['id']:05d}"
    for row in content["annotations"]:
        row["image_id"] = f"FLIR_{row['image_id']:05d}"
    ann_file.write_text(json.dumps(content))
    for path in tmp_path.rglob("predictions.bbox.json"):
        results = json.loads(path.read_text())
        for row in results:
            row["image_id"] = f"FLIR_{row['image_id']:05d}"
        path.write_text(json.dumps(results))
    found = compare_folders(folders, ["A", "B"])
    for key in ("comparisons", "gallery", "error_types", "confusion"):
        assert found[key] == better[key]


def test_the_seed_of_the_bootstrap_changes_the_intervals_alone(
    better: dict[str, Any], tmp_path: Path
) -> None:
    found = compare_skills(tmp_path, {"A": 0.3, "B": 0.9}, bootstrap_seed=1)
    one, other = (each["comparisons"][0]["metrics"]["AP50"] for each in (better, found))
    assert one["per_seed"] == other["per_seed"] and one["interval"] != other["interval"]
