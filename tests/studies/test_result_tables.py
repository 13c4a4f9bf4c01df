"""Tables of results: means, runs and paired differences against scipy's figures."""

from typing import Any

import numpy as np
import pytest
from helpers_results import result_line, result_lines
from scipy import stats

from mmthermal.studies.result_figures import probability_above
from mmthermal.studies.result_tables import (
    difference_in_words,
    differences_table,
    means_table,
    runs_table,
    seeds_in_words,
)

A = [0.55, 0.54, 0.53, 0.58]
B = [0.50, 0.52, 0.53, 0.53]
LINES = [*result_lines("a", A), *result_lines("b", B)]
ROWS = [{"name": "a", "label": "ours"}, {"name": "b"}]


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]


def spec(**more: Any) -> dict[str, Any]:
    return {"columns": ["AP50"], "rows": ROWS, **more}


def test_means_with_the_difference_to_the_baseline() -> None:
    table = means_table(LINES, spec(baseline=ROWS[1], against="AP50"))
    head, _, ours, base = cells(table)
    assert head == [
        "loss", "seeds", "n", "AP50", "AP50 − b, 95 % interval", "P(AP50 > b)"
    ]  # fmt: skip
    # 100 * mean, deviation with n - 1
    assert ours[:4] == ["ours", "0–3", "4", f"55.0 ± {100 * np.std(A, ddof=1):.1f}"]
    expected = stats.ttest_rel(A, B).confidence_interval(0.95)
    text = f"+3.0 ({100 * expected.low:+.1f} to {100 * expected.high:+.1f})"
    assert ours[4:] == [text.replace("-", "−"), f"{probability_above(A, B):.2f}"]
    assert base[4:] == ["–", "–"]


def test_two_runs_have_no_probability() -> None:
    lines = [line for line in LINES if line["seed"] < 2]
    assert cells(means_table(lines, spec(baseline=ROWS[1], against="AP50")))[2][-1] == "–"


def test_a_line_of_a_mean_shows_its_own_deviation() -> None:
    line = result_line("a", None, 0.447, seeds=[0, 1, 2], sd={"AP50": 0.008})
    row = cells(means_table([line], spec(columns=["AP50", "AP"], rows=ROWS[:1])))[2]
    assert row == ["ours", "0–2", "3", "44.7 ± 0.8", "–"]


def test_one_run_has_no_deviation() -> None:
    assert cells(means_table(LINES[:1], spec(rows=ROWS[:1])))[2][-1] == "55.0"


def test_a_figure_of_some_runs_is_not_averaged_silently() -> None:
    lines = [result_line("a", 0), result_line("a", 1, metrics={"AP": 0.2})]
    with pytest.raises(ValueError, match="AP50 is known of 1 of the 2 runs of 'a'"):
        means_table(lines, spec(rows=ROWS[:1]))
    row = cells(means_table(lines, spec(rows=ROWS[:1], complete=True)))[2]
    assert row[1:] == ["0", "1", "50.0"]


def test_a_row_without_runs_is_an_error_unless_optional() -> None:
    with pytest.raises(ValueError, match="no run of 'c'"):
        means_table(LINES, spec(rows=[*ROWS, {"name": "c"}]))
    table = means_table(LINES, spec(rows=[*ROWS, {"name": "c", "optional": True}]))
    assert len(table.splitlines()) == 4


def test_runs_by_variant_and_by_seed() -> None:
    lines = [*LINES, result_line("b", 4, precision=None)]
    rows = cells(runs_table(lines, spec()))[2:]
    assert [row[:2] for row in rows[:5]] == [["ours", str(s)] for s in range(4)] + [["b", "0"]]
    assert rows[-1] == ["b", "4", "unknown", "50.0"]
    rows = cells(runs_table(lines, spec(by_seed=True)))[2:]
    assert [row[0] for row in rows[:4]] == ["ours", "b", "ours", "b"]


def test_differences_in_full() -> None:
    row = {"label": "ours − b", "candidate": ROWS[0], "baseline": ROWS[1]}
    found = cells(differences_table(LINES, spec(rows=[row])))
    assert found[0] == [
        "difference",
        "figure",
        "n",
        "mean",
        "95 % interval",
        "better at",
        "P(A > B)",
    ]
    assert found[2][:4] == ["ours − b", "AP50", "4", "+3.0"]
    assert found[2][5] == "3 of 4"  # seed 2 is a tie
    with pytest.raises(ValueError, match="no seed at which both have AP"):
        differences_table(LINES, spec(rows=[row], columns=["AP"]))
    assert len(cells(differences_table(LINES, spec(rows=[{**row, "optional": True}], columns=["AP"])))) == 2  # fmt: skip # noqa: E501


def test_a_difference_for_a_sentence() -> None:
    value = {"candidate": ROWS[0], "baseline": ROWS[1], "figure": "AP50"}
    assert difference_in_words(LINES, value).startswith("+3.0 (−0.")
    assert difference_in_words(LINES, {**value, "interval": False}) == "+3.0"
    assert difference_in_words([LINES[0], LINES[4]], value) == "+5.0"
    with pytest.raises(ValueError, match="no seed at which both have AP50"):
        difference_in_words(LINES[:1], value)


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([0], "0"), ([0, 1], "0, 1"), ([2, 3, 5, 6, 7, 9], "2, 3, 5–7, 9"), ([3, 2, 1, 0], "0–3")],
)
def test_seeds_in_words(seeds: list[int], text: str) -> None:
    assert seeds_in_words(seeds) == text
