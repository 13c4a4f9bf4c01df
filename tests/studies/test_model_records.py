"""What the report shows of each model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_comparison import compare_folders, compare_skills
from helpers_runs import write_comparison_runs

from mmthermal.evaluation import MatchTable, average_precision
from mmthermal.studies import statistics
from mmthermal.studies.model_records import mean_sd, number


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """B finds overlapped objects far more often than A, lone ones alike."""
    return compare_skills(tmp_path_factory.mktemp("better"), {"A": 0.3, "B": 0.9})


def test_undefined_values_are_none() -> None:
    assert [number(v) for v in (0.5, -1, float("nan"), 0)] == [0.5, None, None, 0]
    assert mean_sd([None, 1.0, 3.0]) == {"mean": 2.0, "sd": pytest.approx(2**0.5)}
    assert mean_sd([None, 1.0]) == {"mean": 1.0, "sd": None}
    assert mean_sd([None]) == {"mean": None, "sd": None}


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
