"""The verdict in words."""

from typing import Any

import pytest

from mmthermal.studies.verdict import points, verdict_in_words

LABELS = {"AP50": "AP50, all objects", "overlapped_AP50": "AP50, overlapped objects"}


def record(
    difference: float | None, half: float | None, verdict: str, p: float = 0.5, adjusted: float = 1
) -> dict[str, Any]:
    ends = {"low": None, "high": None}
    if difference is not None and half is not None:
        ends = {"low": difference - half, "high": difference + half}
    return {
        "difference": difference, "interval": ends, "verdict": verdict,
        "p_value": p, "p_adjusted": adjusted,
    }  # fmt: skip


def words(primary: dict[str, Any], *, num_seeds: int = 3) -> dict[str, str]:
    other = record(0.05, 0.01, "better")
    metrics = {"AP50": primary, "overlapped_AP50": other}
    return verdict_in_words(
        "A", "B", metrics, labels=LABELS, primary="AP50", num_seeds=num_seeds, num_candidates=3,
        level=0.95,
    )  # fmt: skip


def test_words_for_points() -> None:
    assert points(0.0281) == "+2.8"
    assert points(-0.0281) == "−2.8"
    assert points(0.5, sign=False) == "50.0"


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        ("better", "B is better than A on all objects (AP50)"),
        ("worse", "B is worse than A on all objects (AP50)"),
        (
            "no difference shown",
            "No difference shown between B and A on all objects (AP50)",
        ),
    ],
)
def test_the_headline_is_the_verdict(verdict: str, headline: str) -> None:
    assert words(record(0.02, 0.01, verdict))["headline"] == headline


def test_figures_of_the_primary_metric_and_of_the_others() -> None:
    found = words(record(0.02, 0.01, "better"))
    assert found["primary"] == (
        "Difference +2.0 points (95 % interval +1.0 to +3.0), 3 paired seeds."
    )
    assert found["others"] == (
        "AP50, overlapped objects: +5.0 points (95 % interval +4.0 to +6.0), better."
    )


def test_what_cannot_be_seen_is_said() -> None:
    none = "no difference shown"
    assert "smaller than about 2.0 points" in words(record(0.01, 0.02, none))["primary"]
    one = words(record(0.01, None, none), num_seeds=1)["primary"]
    assert one.startswith("Difference +1.0 points, 1 paired seed. One seed shows no spread")
    assert "no such objects" in words(record(None, None, none))["primary"]


def test_a_claim_that_the_adjustment_withheld_is_said() -> None:
    found = words(record(0.02, 0.016, "no difference shown", p=0.0208, adjusted=0.0624))
    assert found["headline"].startswith("No difference shown")
    assert found["primary"] == (
        "Difference +2.0 points (95 % interval +0.4 to +3.6), 3 paired seeds. The interval leaves "
        "zero out, but after Holm's adjustment for 3 candidates no difference is shown (adjusted p "
        "0.0624)."
    )


def test_why_there_is_no_interval() -> None:
    undefined = record(0.01, None, "no difference shown")
    assert "One seed shows no spread" in words(undefined, num_seeds=1)["primary"]
    assert "all images are of one group" in words(undefined, num_seeds=3)["primary"]
