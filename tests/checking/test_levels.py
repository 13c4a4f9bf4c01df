"""Level and gain: figures, drift, splits."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_checking import codes

from mmthermal.checking.image_facts import ImageFacts
from mmthermal.checking.levels import (
    check_levels,
    compare_levels,
    describe_levels,
    natural_key,
)

GOOD = ImageFacts("a.png", width=64, height=48, dtype="uint16", low=7000, high=9000, spread=100)


def frames(levels, **changes):
    return [
        replace(GOOD, path=f"f{i}.png", level=float(level), **changes)
        for i, level in enumerate(levels)
    ]


def test_frame_9_comes_before_frame_10() -> None:
    assert sorted(["f10.png", "f9.png", "f1.png"], key=natural_key) == [
        "f1.png",
        "f9.png",
        "f10.png",
    ]


def test_figures() -> None:
    facts = [*frames([8000, 8100, 8200]), ImageFacts("b.png", problem="missing")]
    found = describe_levels(facts)
    assert found["bits"] == {"16": 3} and found["sizes"] == {"64 × 48": 3}
    assert (found["level"], found["spread"], found["low"]) == (8100, 100, 7000)
    assert describe_levels(facts[3:]) == {}


def test_a_steady_camera_has_no_finding() -> None:
    assert check_levels(frames(8000 + np.arange(20) % 3), ["a"] * 20) == []


def test_drift_along_a_sequence() -> None:
    facts = frames(8000 + 30 * np.arange(20))
    found = {f.code: f for f in check_levels(facts, ["a"] * 20)}
    assert found["level-drifts"].examples == ("a",)
    rng = np.random.default_rng(0)
    mixed = [facts[i] for i in rng.permutation(20)]  # the order of the list does not matter
    assert "level-drifts" in codes(check_levels(mixed, ["a"] * 20))
    shuffled = frames(8000 + 30 * rng.permutation(20))
    assert codes(check_levels(shuffled, ["a"] * 20)) == {"level-varies": "note"}


def test_frames_of_several_sequences_are_kept_apart() -> None:
    """One rises, one falls, one stays; frames that can't be read count for none."""
    rise = 8000 + 30 * np.arange(20)
    levels = np.stack([rise, rise[::-1], np.full(20, 8000)], axis=1).ravel()
    facts = [*frames(levels), ImageFacts("x.png", problem="missing")]
    found = {f.code: f for f in check_levels(facts, [*["up", "down", "flat"] * 20, "lost"])}
    drift = found["level-drifts"]
    assert (drift.examples, drift.count, drift.total) == (("up", "down"), 2, 4)


def test_blank_frames_have_no_bit_depth() -> None:
    dark = frames([0] * 9, low=0, high=0)
    good = frames([8000] * 5)
    assert describe_levels([*dark, *good])["bits"] == {"16": 5}
    assert describe_levels(dark)["bits"] == {"8": 9}
    found = compare_levels({"train": good, "val": [*dark, *good]})
    assert "bit-depth-between-splits" not in codes(found)


def test_a_split_of_another_level_gain_or_depth() -> None:
    train = frames([8000] * 5)
    assert compare_levels({"train": train, "val": frames([8050] * 5)}) == []
    assert codes(compare_levels({"train": train, "val": frames([8300] * 5)})) == {
        "level-between-splits": "warning"
    }
    assert codes(compare_levels({"train": train, "val": frames([8000] * 5, spread=300)})) == {
        "level-between-splits": "warning"
    }
    stretched = frames([128] * 5, dtype="uint8", low=0, high=255)
    (finding,) = compare_levels({"train": train, "val": stretched})
    assert (finding.severity, finding.code) == ("error", "bit-depth-between-splits")
    assert finding.where == "train, val"
    assert compare_levels({"train": train}) == []


@pytest.mark.parametrize(("step", "varies"), [(80, False), (160, True)])
def test_half_the_contrast_is_much_for_a_level(step: float, varies: bool) -> None:
    """Deviations of 0.4 and 0.8 of the contrast within a picture."""
    found = check_levels(frames(8000 + step * (np.arange(20) % 2)), ["a"] * 20)
    assert codes(found) == ({"level-varies": "note"} if varies else {})
