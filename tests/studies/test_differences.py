"""Each model against the baseline: differences, intervals, adjustment."""

from pathlib import Path

import pytest
from helpers_comparison import compare_folders, compare_skills
from helpers_runs import write_comparison_runs

from mmthermal.studies import statistics
from mmthermal.studies.differences import check_settings


def test_the_same_predictions_give_exactly_nothing(tmp_path: Path) -> None:
    _, (folders, _) = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.5})
    (pair,) = compare_folders([folders, folders], ["A", "B"])["comparisons"]
    for record in pair["metrics"].values():
        assert record["difference"] == 0
        assert (record["interval"]["low"], record["interval"]["high"]) == (0, 0)
        assert record["verdict"] == "no difference shown"


def test_three_configs_are_each_compared_with_the_first_and_adjusted(tmp_path: Path) -> None:
    found = compare_skills(tmp_path, {"A": 0.6, "B": 0.6, "C": 0.9})
    pairs = found["comparisons"]
    assert [(p["baseline"], p["candidate"]) for p in pairs] == [("A", "B"), ("A", "C")]
    for metric in found["metric_labels"]:
        raw = [p["metrics"][metric]["p_value"] for p in pairs]
        adjusted = [p["metrics"][metric]["p_adjusted"] for p in pairs]
        assert adjusted == pytest.approx(statistics.holm(raw))
    assert [p["verdict"] for p in pairs] == ["no difference shown", "better"]


def test_the_words_name_the_candidates_that_a_claim_was_adjusted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "holm", lambda p_values: [0.125] * len(p_values))
    _, pair = compare_skills(tmp_path, {"A": 0.6, "B": 0.6, "C": 0.9})["comparisons"]
    assert pair["verdict"] == "no difference shown"
    assert "for 2 candidates no difference is shown (adjusted p 0.125)" in pair["words"]["primary"]


def test_one_seed_cannot_show_anything(tmp_path: Path) -> None:
    (pair,) = compare_skills(tmp_path, {"A": 0.1, "B": 0.95}, seeds=(3,))["comparisons"]
    assert pair["verdict"] == "no difference shown"
    assert "One seed shows no spread" in pair["words"]["primary"]
    metric = pair["metrics"]["overlapped_AP50"]
    assert metric["interval"]["low"] is None
    assert metric["bootstrap_interval"]["low"] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"primary": "mAP"}, "choose one of 'overlapped_AP50'"),
        ({"resamples": 99}, "at least 100"),
        ({"level": 95}, "must lie in"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    full = {"primary": "AP50", "resamples": 100, "level": 0.95, **settings}
    with pytest.raises(ValueError, match=message):
        check_settings(**full)


def test_the_verdict_rests_on_the_adjusted_p_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "holm", lambda p_values: [0.2 for _ in p_values])
    (pair,) = compare_skills(tmp_path, {"A": 0.3, "B": 0.9})["comparisons"]
    assert pair["metrics"]["AP50"]["p_value"] < 0.05
    assert pair["metrics"]["AP50"]["verdict"] == pair["verdict"] == "no difference shown"
