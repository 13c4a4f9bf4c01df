"""The charts of a report are those of its comparison."""

from pathlib import Path
from typing import Any

import pytest
from helpers_comparison import compare_skills

from mmthermal.studies.report_charts import (
    ERROR_LABELS,
    error_charts,
    overlap_charts,
    pr_charts,
    training_charts,
)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return compare_skills(tmp_path_factory.mktemp("runs"), {"A": 0.3, "B": 0.9})


def test_a_curve_of_each_model_for_each_subset(comparison: dict[str, Any]) -> None:
    charts = pr_charts(comparison)
    assert [chart["title"] for chart in charts] == [
        "All objects",
        "Overlapped objects",
        "Isolated objects",
    ]
    for chart in charts:
        assert chart["svg"].count('<path class="line') == 2


def test_bins_of_overlap_that_have_objects(comparison: dict[str, Any]) -> None:
    charts = overlap_charts(comparison)
    assert ">isolated<" in charts["iou"] and ">&gt; 0.1<" in charts["iou"]
    assert ">&gt; 0.5<" not in charts["iou"]  # no object overlaps so much
    for subset in ("isolated", "overlapped"):
        number = comparison["ap_by_overlap"][subset]["num_gts"]
        assert f"n = {number}<" in charts["iou"]
    mean = comparison["ap_by_overlap"]["overlapped"]["models"]["B"]["mean"]
    assert f"<title>B, &gt; 0.1: {100 * mean:.3f}</title>" in charts["iou"]


def test_a_chart_of_each_logged_scalar(comparison: dict[str, Any]) -> None:
    found = {chart["title"]: chart["models"] for chart in training_charts(comparison)}
    assert found == {"loss": ["A", "B"], "loss_cls": ["A", "B"], "f1_pos": ["B"]}


def test_errors_of_each_type(comparison: dict[str, Any]) -> None:
    charts = error_charts(comparison)
    for name in "AB":
        for key, label in ERROR_LABELS.items():
            count = comparison["error_types"][name]["counts"][key]
            assert f"<title>{name}, {label}: {count:.1f}</title>" in charts["counts"]
    assert charts["lost"].count("<rect") == 2 * len(ERROR_LABELS)


def test_without_overlap_there_are_no_such_bins(tmp_path: Path) -> None:
    charts = overlap_charts(compare_skills(tmp_path, {"A": 0.5, "B": 0.6}, overlap=False))
    assert "0.1" not in charts["iou"]
