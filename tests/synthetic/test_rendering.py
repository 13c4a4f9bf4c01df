"""Rendered scenes: who is in front, what is visible."""

from itertools import pairwise

import numpy as np
import pytest
from helpers_synthetic import SETTINGS, draw

from mmthermal.synthetic.boxes import clip_box
from mmthermal.synthetic.sensor import temperature
from mmthermal.synthetic.settings import SceneSettings


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


@pytest.mark.parametrize("size", [(32, 32), (96, 160), (320, 240)])
def test_other_image_sizes(size: tuple[int, int]) -> None:
    settings = SceneSettings(size=size, supersample=2, empty=0.0)
    found = [draw(seed, settings) for seed in range(4)]
    for item in found:
        assert item.radiance.shape == (size[1] * 2, size[0] * 2)
    assert sum(len(f.instances) for f in found) >= 4
