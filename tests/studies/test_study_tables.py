"""Tables of a study: pairs by seed, and where the errors are."""

from pathlib import Path
from typing import Any

import pytest
from helpers_runs import write_comparison_runs

from mmthermal.studies.study_tables import errors_table, metrics_table


def line(name: str, seed: int, value: float) -> dict[str, Any]:
    metrics = dict.fromkeys(
        ("AP", "AP50", "overlapped_AP", "overlapped_AP50", "isolated_AP50", "best_f1",
         "best_f1_thr", "f1_at_0.5", "overlapped_best_f1"), value
    )  # fmt: skip
    return {"name": name, "seed": seed, "metrics": metrics}


def test_the_table_pairs_by_seed() -> None:
    """Two seeds that both rise by two points: a difference of 2 without any spread."""
    lines = [line("a", 0, 0.5), line("a", 1, 0.6), line("b", 0, 0.52), line("b", 1, 0.62)]
    rows = metrics_table([*lines, line("b", 2, 0.9)]).splitlines()
    assert rows[2].startswith("| a | 2 | 55.0 ± 7.1 |")
    assert "+2.0 (+2.0 to +2.0)" in rows[3]
    with pytest.raises(ValueError, match="no run of the baseline 'c'"):
        metrics_table(lines, baseline="c")
    rows = metrics_table(lines, only=["b", "a"]).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:4]] == ["| b", "| a"]
    with pytest.raises(ValueError, match="'a' differ in schedule: None and '24e': choose one"):
        metrics_table([*lines, line("a", 2, 0.9) | {"schedule": "24e"}])
    with pytest.raises(ValueError, match="no variant c among the results"):
        metrics_table(lines, only=["a", "c"])


def test_means_and_missing_metrics_leave_cells_empty() -> None:
    """Lines copied from a page: some are means of seeds, some lack a metric."""
    copied = line("b", 0, 0.5)
    del copied["metrics"]["overlapped_AP"], copied["metrics"]["overlapped_AP50"]
    mean = {"name": "c", "seed": None, "metrics": {"AP": 0.1}}
    rows = metrics_table([line("a", 0, 0.4), copied, mean]).splitlines()
    cells = [cell.strip() for cell in rows[3].split("|")[1:-1]]
    assert cells == ["b", "1", "50.0", "50.0", "", "", "50.0", "+10.0", "", "+10.0"]
    assert "| c |" not in "\n".join(rows)


def test_errors_of_the_overlapped_objects(tmp_path: Path) -> None:
    write_comparison_runs(tmp_path, {"bad": 0.2, "good": 0.9}, seeds=(0, 1))
    rows = errors_table([tmp_path / "model0", tmp_path / "model1"]).splitlines()
    head, bad, good = (
        [cell.strip() for cell in row.split("|")[1:-1]] for row in (rows[0], *rows[2:])
    )
    assert head[1:4] == ["seeds", "found", "wrong class"]
    assert bad[1] == good[1] == "0, 1"
    found, missed = head.index("found"), head.index("missed")
    assert int(good[found]) > int(bad[found]) and int(good[missed]) < int(bad[missed])
    objects = [sum(map(int, row[found : missed + 1])) for row in (bad, good)]
    assert objects[0] == pytest.approx(objects[1], abs=3) and objects[0] > 10  # rounded means
