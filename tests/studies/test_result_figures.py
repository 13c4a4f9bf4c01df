"""Paired differences of results against scipy's figures, and how a figure is written."""

import numpy as np
import pytest
from helpers_results import result_line, result_lines
from scipy import stats

from mmthermal.studies.result_figures import COLUMNS, chosen, paired, probability_above

A = [0.55, 0.54, 0.53, 0.58]
B = [0.50, 0.52, 0.53, 0.53]
LINES = [*result_lines("a", A), *result_lines("b", B)]
ROWS = [{"name": "a", "label": "ours"}, {"name": "b"}]


def test_probability_above_is_mann_whitneys() -> None:
    statistic = stats.mannwhitneyu(A, B).statistic
    assert probability_above(A, B) == pytest.approx(statistic / (len(A) * len(B)))
    assert probability_above([1, 2], [1, 2]) == 0.5
    assert probability_above([3], [1, 2]) == 1.0


def test_a_paired_difference_is_students() -> None:
    found = paired(LINES, *ROWS, "AP50")
    assert found is not None
    expected = stats.ttest_rel(A, B).confidence_interval(0.95)
    assert found.seeds == [0, 1, 2, 3]
    assert found.mean == pytest.approx(np.mean(A) - np.mean(B))
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (expected.low, expected.high), rel=1e-9
    )


def test_only_shared_seeds_with_the_figure_are_paired() -> None:
    lines = [*LINES, result_line("a", 9), result_line("b", 8), result_line("a", 8, metrics={})]
    found = paired(lines, *ROWS, "AP50")
    assert found is not None and found.seeds == [0, 1, 2, 3]
    assert paired(LINES, {"name": "a"}, {"name": "c"}, "AP50") is None


def test_several_pairs_of_variants_are_one_sample() -> None:
    """Two splits: what they differ in is in no difference, and no run meets the other split's."""
    easier = [*result_lines("c", [0.9, 0.8]), *result_lines("d", [0.85, 0.81])]
    sides = [{"names": ["a", "c"]}, {"names": ["b", "d"]}]
    found = paired([*LINES, *easier], *sides, "AP50")
    assert found is not None and found.seeds == [0, 1, 2, 3, 0, 1]
    expected = stats.ttest_rel([*A, 0.9, 0.8], [*B, 0.85, 0.81]).confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (expected.low, expected.high), rel=1e-9
    )
    assert found.chance is None  # two seeds of the second pair
    third = [*result_lines("c", [0.9, 0.8, 0.7]), *result_lines("d", [0.85, 0.81, 0.6])]
    found = paired([*LINES, *third], *sides, "AP50")
    assert found is not None
    expected = probability_above([0.9, 0.8, 0.7], [0.85, 0.81, 0.6])
    assert found.chance == pytest.approx((probability_above(A, B) + expected) / 2)
    alone = paired(LINES, *sides, "AP50")
    assert alone is not None and alone.seeds == [0, 1, 2, 3]
    with pytest.raises(ValueError):
        paired(LINES, {"names": ["a", "c"]}, {"name": "b"}, "AP50")


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert COLUMNS["AP50"].signed(-0.0003) == "0.0"
    assert COLUMNS["best_f1"].signed(-0.0003) == "0.000"
    assert COLUMNS["best_f1"].signed(-0.0174) == "−0.017"


def test_a_rows_fields_choose_and_its_label_does_not() -> None:
    row = {"name": "b", "label": "anything", "optional": True, "seeds": [2, 3]}
    assert chosen(LINES, row) == LINES[6:]
