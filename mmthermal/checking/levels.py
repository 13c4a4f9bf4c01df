"""Level and gain of the pictures: how they differ, drift in time, and between the splits."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from mmthermal.checking.finding import Finding
from mmthermal.checking.image_facts import ImageFacts

SHIFT = 1.0
"""Difference of two splits' levels, in deviations within a picture, that is pointed out."""
_MIN_FRAMES = 10


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key by which frame 9 comes before frame 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def describe_levels(facts: Sequence[ImageFacts]) -> dict[str, Any]:
    """Figures of a split's values.

    Args:
        facts: of its pictures.

    Returns:
        numbers of pictures by bit depth (without those of one value, where there are others) and
        data type; range; medians of level and spread over the pictures, and the deviation of the
        levels; empty without a readable picture.
    """
    readable = [fact for fact in facts if not fact.problem]
    if not readable:
        return {}
    varied = [fact for fact in readable if not fact.blank]
    levels = np.array([fact.level for fact in readable])
    spreads = np.array([fact.spread for fact in readable])
    return {
        "bits": _count(fact.bits for fact in varied or readable),
        "dtypes": _count(fact.dtype for fact in readable),
        "channels": _count(fact.channels for fact in readable),
        "sizes": _count(f"{fact.width} × {fact.height}" for fact in readable),
        "low": min(fact.low for fact in readable),
        "high": max(fact.high for fact in readable),
        "level": float(np.median(levels)),
        "spread": float(np.median(spreads)),
        "level_deviation": float(levels.std()),
        "saturated_images": sum(fact.saturated > 0.01 for fact in readable),
    }


def _count(values: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[str(value)] = counts.get(str(value), 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def check_levels(facts: Sequence[ImageFacts], sequences: Sequence[str]) -> list[Finding]:
    """Level between pictures against contrast within, and drift along each sequence.

    Args:
        facts: of I pictures.
        sequences: (I,) the sequence that each belongs to; empty for none.

    Returns:
        findings.
    """
    rows = [
        (fact, sequence)
        for fact, sequence in zip(facts, sequences, strict=True)
        if not fact.problem and fact.spread > 0
    ]
    if len(rows) < _MIN_FRAMES:
        return []
    levels = np.array([fact.level for fact, _ in rows])
    spread = float(np.median([fact.spread for fact, _ in rows]))
    findings = []
    ratio = float(levels.std()) / spread
    if ratio > 0.5:
        findings.append(
            Finding(
                "note",
                "level-varies",
                f"the level of the pictures deviates by {ratio:.1f} times the contrast within one",
                "NormalizeFrame takes the level away; with Normalize (one mean for all) the "
                "network sees it",
                total=len(rows),
            )
        )
    frames: dict[str, list[ImageFacts]] = {name: [] for name in sequences}
    for fact, sequence in rows:
        frames[sequence].append(fact)
    drifting = [name for name, own in frames.items() if _drifts(own, spread)]
    if drifting:
        findings.append(
            Finding(
                "note",
                "level-drifts",
                "the level drifts by more than the contrast within a picture in "
                f"{len(drifting)} of {len(frames)} sequences",
                "NormalizeFrame, or RandomContrastBrightness with a larger brightness",
                count=len(drifting),
                total=len(frames),
                examples=tuple(name or "all files" for name in drifting[:5]),
            )
        )
    return findings


def _drifts(frames: Sequence[ImageFacts], spread: float) -> bool:
    """Whether the level rises or falls along a sequence, in the order of the file names."""
    frames = sorted(frames, key=lambda f: natural_key(f.path))
    levels = np.array([fact.level for fact in frames])
    if len(levels) < _MIN_FRAMES or np.ptp(levels) <= spread:
        return False
    return abs(float(spearmanr(np.arange(len(levels)), levels).statistic)) > 0.8


def compare_levels(splits: Mapping[str, Sequence[ImageFacts]]) -> list[Finding]:
    """Bit depth, level and gain of each split against the first one.

    Args:
        splits: facts by split, the training set first.

    Returns:
        findings.
    """
    figures = {name: describe_levels(facts) for name, facts in splits.items()}
    figures = {name: values for name, values in figures.items() if values}
    findings = []
    names = list(figures)
    for other in names[1:]:
        first = names[0]
        base, now = figures[first], figures[other]
        if next(iter(base["bits"])) != next(iter(now["bits"])):
            findings.append(
                Finding(
                    "error",
                    "bit-depth-between-splits",
                    f"{first} has pictures of {next(iter(base['bits']))} bits, {other} of "
                    f"{next(iter(now['bits']))}",
                    "export all splits in the same way",
                    where=f"{first}, {other}",
                )
            )
            continue
        spread = max(base["spread"], 1e-12)
        shift = abs(now["level"] - base["level"]) / spread
        gain = max(now["spread"], 1e-12) / spread
        if shift > SHIFT or not 0.5 <= gain <= 2:
            findings.append(
                Finding(
                    "warning",
                    "level-between-splits",
                    f"{other} differs from {first} in level by {shift:.1f} deviations of a "
                    f"picture and in gain by a factor of {gain:.2f}",
                    "use NormalizeFrame, or stretch the pictures in the same way; or it is the "
                    "season or camera that you want to test",
                    where=f"{first}, {other}",
                )
            )
    return findings
