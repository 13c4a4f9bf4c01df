"""What a comparison shows, in words; the same in terminal and report."""

from collections.abc import Mapping
from typing import Any


def points(value: float, *, sign: bool = True) -> str:
    """A share as points with one decimal: 0.028 is +2.8."""
    text = f"{100 * value:{'+' if sign else ''}.1f}"
    return text.replace("-", "−")


def verdict_in_words(
    baseline: str,
    candidate: str,
    metrics: Mapping[str, Mapping[str, Any]],
    *,
    labels: Mapping[str, str],
    primary: str,
    num_seeds: int,
    num_candidates: int,
    level: float,
) -> dict[str, str]:
    """The verdict as a headline and two sentences.

    Args:
        baseline: its name.
        candidate: its name.
        metrics: a record per metric, as in a comparison.
        labels: per metric its label for people: what is measured, a comma, the objects.
        primary: the metric that the headline rests on.
        num_seeds: that both have.
        num_candidates: that the p values are adjusted for.
        level: confidence of the intervals and claims.

    Returns:
        `headline` (on the primary metric), `primary` (its figures), `others` (what the other
        metrics show).
    """
    record = metrics[primary]
    measure, objects = labels[primary].split(", ")
    what = f"on {objects} ({measure})"
    headlines = {
        "better": f"{candidate} is better than {baseline} {what}",
        "worse": f"{candidate} is worse than {baseline} {what}",
        "no difference shown": f"No difference shown between {candidate} and {baseline} {what}",
    }
    others = []
    for name, other in metrics.items():
        if name != primary and other["difference"] is not None:
            others.append(f"{labels[name]}: {_figures(other, level)}, {other['verdict']}")
    return {
        "headline": headlines[record["verdict"]],
        "primary": _primary_sentence(record, num_seeds, num_candidates, level),
        "others": "; ".join(others) + "." if others else "",
    }


def _figures(record: Mapping[str, Any], level: float) -> str:
    text = f"{points(record['difference'])} points"
    interval = record["interval"]
    if interval["low"] is not None:
        text += (
            f" ({100 * level:g} % interval {points(interval['low'])} to {points(interval['high'])})"
        )
    return text


def _primary_sentence(
    record: Mapping[str, Any], num_seeds: int, num_candidates: int, level: float
) -> str:
    if record["difference"] is None:
        return "The test set has no such objects, so there is nothing to compare."
    seeds = f"{num_seeds} paired seed{'s' if num_seeds != 1 else ''}"
    sentence = f"Difference {_figures(record, level)}, {seeds}."
    if record["interval"]["low"] is None:
        if num_seeds == 1:
            return f"{sentence} One seed shows no spread: give at least three, better five."
        return (
            f"{sentence} No interval: all images are of one group, or too few resamples hold such "
            "objects."
        )
    if record["verdict"] == "no difference shown":
        if record["p_value"] < 1 - level:
            return (
                f"{sentence} The interval leaves zero out, but after Holm's adjustment for "
                f"{num_candidates} candidates no difference is shown (adjusted p "
                f"{record['p_adjusted']:.3g})."
            )
        half = (record["interval"]["high"] - record["interval"]["low"]) / 2
        sentence += (
            f" Differences smaller than about {points(half, sign=False)} points cannot be seen "
            "with these seeds and images."
        )
    return sentence
