"""Composed scenes: what stands in them, and how much overlaps."""

import numpy as np
import pytest
from helpers_synthetic import SETTINGS, draw

from mmthermal.synthetic.boxes import largest_iou
from mmthermal.synthetic.scene import compose
from mmthermal.synthetic.settings import CLASSES, SceneSettings


def share_of_overlap(settings: SceneSettings, scenes: int) -> float:
    best = []
    for seed in range(scenes):
        boxes = [i.visible_box for i in draw(seed, settings).instances if i.visible >= 0.25]
        for a, box in enumerate(boxes):
            best.append(largest_iou(box, [other for b, other in enumerate(boxes) if a != b]))
    return float(np.mean(np.array(best) > 0.1))


def test_person_height_falls_with_distance() -> None:
    heights, inverse = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scene = compose(rng, SETTINGS)
        for placed in scene.placed:
            if placed.body.category == "person":
                heights.append((placed.box[3] - placed.box[1]) / scene.camera.focal)
                inverse.append(1 / placed.depth)
    assert np.corrcoef(heights, inverse)[0, 1] > 0.9
    # height * distance is the stature: 1 to 2.1 m, foreshortened from above
    stature = np.array(heights) / np.array(inverse)
    assert 0.9 < np.percentile(stature, 2) and np.percentile(stature, 98) < 2.4


@pytest.mark.parametrize(("wanted", "low", "high"), [(0.0, 0.0, 0.04), (0.4, 0.28, 0.52)])
def test_overlap_share_follows_the_setting(wanted: float, low: float, high: float) -> None:
    settings = SceneSettings(empty=0.0, overlap=wanted, supersample=2)
    assert low <= share_of_overlap(settings, 70) <= high


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [0.2, 0.4, 0.6, 0.8])
def test_overlap_share_is_within_the_documented_range(wanted: float) -> None:
    settings = SceneSettings(empty=0.0, overlap=wanted)
    assert share_of_overlap(settings, 300) == pytest.approx(wanted, abs=0.08)


def test_only_the_chosen_classes_appear() -> None:
    for classes in (("dog",), ("car", "person"), ("bicycle",)):
        settings = SceneSettings(classes=classes, empty=0.0)
        drawn = {i.category for seed in range(12) for i in draw(seed, settings).instances}
        assert drawn == set(classes)


def test_every_class_appears() -> None:
    drawn = {i.category for seed in range(25) for i in draw(seed).instances}
    assert drawn == set(CLASSES)


def test_a_share_of_the_scenes_is_littered() -> None:
    settings = SceneSettings(empty=1.0, clutter=8.0, clutter_share=0.4)
    littered = sum(bool(draw(seed, settings).order) for seed in range(40))
    assert 8 <= littered <= 24  # 16 +- 2.6 standard deviations


def test_empty_scenes_hold_clutter_only() -> None:
    clutter = 0
    for seed in range(8):
        found = draw(seed, SceneSettings(empty=1.0, clutter=4.0))
        assert found.instances == []
        clutter += len(found.order)
    assert clutter > 8
