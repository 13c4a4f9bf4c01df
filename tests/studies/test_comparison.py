"""Comparisons of models of known skill."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_runs import write_comparison_runs

from mmthermal.evaluation import MatchTable, average_precision
from mmthermal.studies import comparison as comparison_module
from mmthermal.studies import statistics
from mmthermal.studies.comparison import compare, points, verdict_in_words
from mmthermal.studies.run_folder import collect_runs, shared_test_set


def run(root: Path, skills: dict[str, float], **settings: Any) -> dict[str, Any]:
    data = {k: settings.pop(k) for k in ("seeds", "classes", "overlap") if k in settings}
    _, folders = write_comparison_runs(root, skills, **data)
    return compare_folders(folders, list(skills), **settings)


def compare_folders(folders: list[list[Path]], names: list[str], **settings: Any) -> dict[str, Any]:
    groups = collect_runs(folders, names=names)
    settings = {"resamples": 100, "say": lambda line: None, **settings}
    return compare(groups, shared_test_set(groups), **settings)


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """B finds overlapped objects far more often than A, lone ones alike."""
    return run(tmp_path_factory.mktemp("better"), {"A": 0.3, "B": 0.9})


def test_a_better_model_is_called_better_where_it_is_better(better: dict[str, Any]) -> None:
    (pair,) = better["comparisons"]
    assert (pair["baseline"], pair["candidate"], pair["verdict"]) == ("A", "B", "better")
    assert pair["words"]["headline"] == "B is better than A on overlapped objects (AP50)"
    verdicts = {name: metric["verdict"] for name, metric in pair["metrics"].items()}
    assert verdicts["overlapped_AP50"] == verdicts["AP50"] == "better"


def test_the_other_way_round_it_is_worse(tmp_path: Path) -> None:
    (pair,) = run(tmp_path, {"A": 0.9, "B": 0.3})["comparisons"]
    assert pair["verdict"] == "worse"
    assert pair["metrics"]["overlapped_AP50"]["difference"] < -0.3


def test_equal_skill_shows_no_difference_and_how_large_one_had_to_be(tmp_path: Path) -> None:
    (pair,) = run(tmp_path, {"A": 0.6, "B": 0.6})["comparisons"]
    assert pair["verdict"] == "no difference shown"
    assert pair["words"]["headline"].startswith("No difference shown between B and A")
    interval = pair["metrics"]["overlapped_AP50"]["interval"]
    half = points((interval["high"] - interval["low"]) / 2, sign=False)
    assert f"smaller than about {half} points" in pair["words"]["primary"]


def test_the_same_predictions_give_exactly_nothing(tmp_path: Path) -> None:
    _, (folders, _) = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.5})
    (pair,) = compare_folders([folders, folders], ["A", "B"])["comparisons"]
    for record in pair["metrics"].values():
        assert record["difference"] == 0
        assert (record["interval"]["low"], record["interval"]["high"]) == (0, 0)
        assert record["verdict"] == "no difference shown"


def test_figures_are_those_of_the_match_table(tmp_path: Path) -> None:
    ann_file, folders = write_comparison_runs(tmp_path, {"A": 0.4, "B": 0.8})
    found = compare_folders(folders, ["A", "B"])
    tables = [
        [MatchTable.from_coco(ann_file, folder / "predictions.bbox.json") for folder in group]
        for group in folders
    ]
    values = np.array(
        [[average_precision(t, "overlapped", iou_thr=0.5) for t in group] for group in tables]
    )
    per_seed = [found["models"][name]["per_seed"]["overlapped_AP50"] for name in "AB"]
    np.testing.assert_allclose(per_seed, values, atol=1e-12)
    metric = found["comparisons"][0]["metrics"]["overlapped_AP50"]
    np.testing.assert_allclose(metric["per_seed"], values[1] - values[0], atol=1e-12)
    expected = statistics.paired_t_interval(values[1] - values[0]).as_dict()
    assert metric["seed_interval"] == pytest.approx(expected)
    assert found["models"]["A"]["metrics"]["overlapped_AP50"]["sd"] == pytest.approx(
        values[0].std(ddof=1)
    )


def test_it_is_json_and_repeats_exactly(better: dict[str, Any], tmp_path: Path) -> None:
    again = run(tmp_path, {"A": 0.3, "B": 0.9})
    assert json.loads(json.dumps(again, allow_nan=False))["comparisons"] == better["comparisons"]


def test_three_configs_are_each_compared_with_the_first_and_adjusted(tmp_path: Path) -> None:
    found = run(tmp_path, {"A": 0.6, "B": 0.6, "C": 0.9})
    pairs = found["comparisons"]
    assert [(p["baseline"], p["candidate"]) for p in pairs] == [("A", "B"), ("A", "C")]
    for metric in found["metric_labels"]:
        raw = [p["metrics"][metric]["p_value"] for p in pairs]
        adjusted = [p["metrics"][metric]["p_adjusted"] for p in pairs]
        assert adjusted == pytest.approx(statistics.holm(raw))
    assert [p["verdict"] for p in pairs] == ["no difference shown", "better"]


def test_one_seed_cannot_show_anything(tmp_path: Path) -> None:
    (pair,) = run(tmp_path, {"A": 0.1, "B": 0.95}, seeds=(3,))["comparisons"]
    assert pair["verdict"] == "no difference shown"
    assert "One seed shows no spread" in pair["words"]["primary"]
    metric = pair["metrics"]["overlapped_AP50"]
    assert metric["interval"]["low"] is None
    assert metric["bootstrap_interval"]["low"] > 0


def test_seeds_that_one_config_lacks_are_left_out(tmp_path: Path) -> None:
    _, (a, b) = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.5}, seeds=(0, 1, 2))
    lines: list[str] = []
    found = compare_folders([a, b[1:]], ["A", "B"], say=lines.append)
    assert found["seeds"] == [1, 2]
    assert found["left_out"] == {"A": [0]}
    assert "A: seeds [0] are left out, other configs lack them" in lines
    with pytest.raises(ValueError, match="share no seed"):
        compare_folders([a[:1], b[1:]], ["A", "B"])


def test_a_test_set_without_overlap(tmp_path: Path) -> None:
    found = run(tmp_path, {"A": 0.5, "B": 0.9}, overlap=False)
    (pair,) = found["comparisons"]
    assert pair["metrics"]["overlapped_AP50"]["difference"] is None
    assert "no such objects" in pair["words"]["primary"]
    assert pair["metrics"]["AP50"]["verdict"] == "better"
    json.dumps(found, allow_nan=False)


def test_groups_of_images_are_resampled_together(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.7})
    found = compare_folders(folders, ["A", "B"], group_key="block")
    assert found["settings"]["num_groups"] == 5
    with pytest.raises(ValueError, match=r"group_key='flight': 40 image records lack it"):
        compare_folders(folders, ["A", "B"], group_key="flight")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"primary": "mAP"}, "choose one of overlapped_AP50"),
        ({"resamples": 99}, "at least 100"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    full = {"primary": "AP50", "resamples": 100, "level": 0.95, **settings}
    with pytest.raises(ValueError, match=message):
        comparison_module.check_settings(**full)


def test_every_part_of_the_page_has_its_data(better: dict[str, Any]) -> None:
    assert better["data"]["num_gts"]["all"] == 120
    assert better["data"]["num_gts"]["overlapped"] == 80
    assert set(better["pr_curves"]) == {"all", "overlapped", "isolated"}
    curve = better["pr_curves"]["overlapped"]["B"]
    assert np.mean(curve["mean"]) == pytest.approx(
        better["models"]["B"]["metrics"]["overlapped_AP50"]["mean"], abs=1e-4
    )
    assert list(better["training_curves"]) == ["loss", "loss_cls", "f1_pos"]
    counts = better["error_types"]["A"]["counts"]
    assert counts["missed"] > better["error_types"]["B"]["counts"]["missed"]
    matrix = np.array(better["confusion"]["all"]["A"])
    assert matrix.shape == (3, 3)
    assert matrix[:2].sum() == pytest.approx(120)
    assert set(better["models"]["A"]["per_class"]["overlapped"]) == {"person", "vehicle"}


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


def test_words_for_points() -> None:
    assert points(0.0281) == "+2.8"
    assert points(-0.0281) == "−2.8"
    assert points(0.5, sign=False) == "50.0"


def test_words_name_the_other_metrics(better: dict[str, Any]) -> None:
    pair = better["comparisons"][0]
    words = verdict_in_words(
        "A", "B", pair["metrics"], primary="AP50", num_seeds=3, level=0.95
    )  # fmt: skip
    assert words["headline"] == "B is better than A on all objects (AP50)"
    assert "AP50, overlapped objects: +" in words["others"]
