"""Composed and rendered scenes: who is in front, what is visible, how much overlaps."""

from itertools import pairwise

import numpy as np
import pytest

from mmthermal.synthetic.scene import (
    CLASSES,
    Rendered,
    SceneSettings,
    box_iou,
    clip_box,
    compose,
    render,
)
from mmthermal.synthetic.sensor import temperature

SETTINGS = SceneSettings(empty=0.0)


def draw(seed: int, settings: SceneSettings = SETTINGS) -> Rendered:
    rng = np.random.default_rng(seed)
    return render(rng, compose(rng, settings), settings)


def share_of_overlap(settings: SceneSettings, scenes: int) -> float:
    best = []
    for seed in range(scenes):
        boxes = [i.visible_box for i in draw(seed, settings).instances if i.visible >= 0.25]
        for a, box in enumerate(boxes):
            ious = [box_iou(box, other) for b, other in enumerate(boxes) if a != b]
            best.append(max(ious, default=0.0))
    return float(np.mean(np.array(best) > 0.1))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 2 / 6),  # 1x2 shared of 4 + 4 - 2
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),
        ((0, 0, 4, 4), (1, 1, 2, 2), 1 / 16),
    ],
)
def test_iou(a: tuple, b: tuple, expected: float) -> None:
    assert box_iou(a, b) == pytest.approx(expected)


def test_clip() -> None:
    assert clip_box((-3.0, 5.0, 200.0, 90.0), (160, 80)) == (0.0, 5.0, 160, 80)


def test_nearer_bodies_own_the_pixels_they_share() -> None:
    pairs = 0
    for seed in range(25):
        found = draw(seed)
        depths = [p.near for p in found.order]
        assert all(a >= b for a, b in pairwise(depths))
        by_index = {i.index: i for i in found.instances}
        for item in found.instances:
            for front in item.occluded_by:
                assert front > item.index  # painted later
                assert found.order[front].near <= found.order[item.index].near
                assert by_index[front].depth <= item.depth + 0.3
                pairs += 1
    assert pairs > 15


def test_pixels_of_the_front_have_the_fronts_temperature() -> None:
    checked = 0
    for seed in range(25):
        found = draw(seed)
        for item in found.instances:
            if not item.occluded_by:
                continue
            front = found.order[item.occluded_by[-1]]
            x0, y0, x1, y1 = (round(3 * v) for v in clip_box(front.box, SETTINGS.size))
            mask = found.owner[y0:y1, x0:x1] == item.occluded_by[-1]
            kelvin = temperature(found.radiance[y0:y1, x0:x1][mask])
            # texture has unit deviation: 5 sigma; the air takes a few per cent of the contrast
            low, high = min(front.temperatures), max(front.temperatures)
            slack = 5 * front.body.texture + 0.1 * (high - low) + 3
            assert low - slack < kelvin.min() and kelvin.max() < high + slack
            checked += 1
    assert checked > 10


def test_visible_box_is_tight_around_the_visible_pixels() -> None:
    for seed in range(15):
        found = draw(seed)
        for item in found.instances:
            rows, cols = np.nonzero(found.owner == item.index)
            if len(rows) == 0:
                assert item.visible_box is None and item.visible == 0
                continue
            tight = (cols.min() / 3, rows.min() / 3, (cols.max() + 1) / 3, (rows.max() + 1) / 3)
            assert item.visible_box == pytest.approx(tight)
            full = item.full_box
            assert full[0] <= tight[0] and full[1] <= tight[1]
            assert full[2] >= tight[2] and full[3] >= tight[3]


def test_unhidden_objects_are_wholly_visible() -> None:
    alone = 0
    for seed in range(10):
        found = draw(seed, SceneSettings(empty=0.0, overlap=0.0, clutter=0.0, objects=1.0))
        for item in found.instances:
            assert item.visible == 1.0 and item.occluded_by == ()
            assert item.visible_box == item.full_box
            alone += 1
    assert alone >= 8


def test_hidden_pixels_and_visible_share_agree() -> None:
    settings = SceneSettings(empty=0.0, clutter=0.0)
    seen_pair = False
    for seed in range(30):
        for item in draw(seed, settings).instances:
            if item.visible < 0.97:
                assert item.occluded_by  # nothing but objects could hide it
                seen_pair = True
            if not item.occluded_by:
                assert item.visible > 0.8
    assert seen_pair


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


@pytest.mark.parametrize("size", [(32, 32), (96, 160), (320, 240)])
def test_other_image_sizes(size: tuple[int, int]) -> None:
    settings = SceneSettings(size=size, supersample=2, empty=0.0)
    found = [draw(seed, settings) for seed in range(4)]
    for item in found:
        assert item.radiance.shape == (size[1] * 2, size[0] * 2)
    assert sum(len(f.instances) for f in found) >= 4
