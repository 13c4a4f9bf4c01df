"""A comparison as JSON, CSV and text."""

import copy
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from helpers_runs import write_comparison_runs

from mmthermal.common.files import read_json
from mmthermal.studies.comparison import compare
from mmthermal.studies.comparison_files import CSV_COLUMNS, to_csv, to_table, write_comparison
from mmthermal.studies.differences import METRIC_NAMES
from mmthermal.studies.ground_truth import shared_test_set
from mmthermal.studies.run_folder import collect_runs


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    _, folders = write_comparison_runs(
        tmp_path_factory.mktemp("runs"), {"A, the first": 0.4, "B": 0.8}
    )
    groups = collect_runs(folders, names=["A, the first", "B"])
    return compare(groups, shared_test_set(groups), resamples=100, say=lambda line: None)


def test_csv_has_a_row_per_metric_with_the_figures(comparison: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["metric"] for row in rows[: len(METRIC_NAMES)]] == list(METRIC_NAMES)
    record = comparison["comparisons"][0]["metrics"]["overlapped_AP50"]
    assert rows[0]["baseline"] == "A, the first"
    assert float(rows[0]["difference"]) == record["difference"]
    assert float(rows[0]["interval_low"]) == record["interval"]["low"]
    assert rows[0]["verdict"] == "better"
    described = next(row for row in rows if row["metric"] == "AP75")
    assert described["verdict"] == described["interval_low"] == ""
    assert float(described["seed_interval_low"]) < float(described["seed_interval_high"])


def test_both_files_are_written_and_read_back(comparison: dict[str, Any], tmp_path: Path) -> None:
    json_path, csv_path = write_comparison(comparison, tmp_path / "new")
    assert read_json(json_path, what="comparison") == comparison
    assert csv_path.read_text() == to_csv(comparison)


def test_table_has_the_adjusted_p_of_several_candidates(comparison: dict[str, Any]) -> None:
    assert "adjusted p" not in to_table(comparison)
    pair = copy.deepcopy(comparison["comparisons"][0])
    pair["metrics"]["AP50"].update(p_adjusted=0.0624, verdict="no difference shown")
    pair["metrics"]["isolated_AP50"].update(p_adjusted=None)
    lines = to_table({**comparison, "comparisons": [pair, pair]}).splitlines()
    column = next(line for line in lines if line.startswith("metric")).index("adjusted p")
    cells = {line.split("  ")[0]: line[column:].split() for line in lines if len(line) > column}
    assert cells["AP50, all objects"] == ["0.0624", "no", "difference", "shown"]
    assert cells["AP50, isolated objects"][0] == "–"


def test_table_begins_with_the_verdict_and_its_columns_line_up(comparison: dict[str, Any]) -> None:
    lines = to_table(comparison).splitlines()
    assert lines[0] == "B is better than A, the first on overlapped objects (AP50)"
    head = next(n for n, line in enumerate(lines) if line.startswith("metric"))
    column = lines[head].index("verdict")
    for line in lines[head + 2 : head + 2 + len(METRIC_NAMES)]:
        assert line[column:] in ("better", "worse", "no difference shown")
