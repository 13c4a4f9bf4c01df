"""Clutter: never annotated, often as warm and as tall as an object."""

import numpy as np
import pytest

from mmthermal.synthetic.camera import Camera, place
from mmthermal.synthetic.clutter import CLUTTER, draw_clutter, post
from mmthermal.synthetic.surroundings import Surroundings

NIGHT = Surroundings("night", 283.0, 0.0, 284.0, 255.0, 1e-3)
ROOM = Surroundings("indoor", 294.0, 0.0, 293.0, 294.0, 0.0)
CAMERA = Camera((640, 480), 600.0, height=1.5, pitch=0.0)
MAKERS = sorted(
    {maker for table in CLUTTER.values() for maker, _ in table}, key=lambda m: m.__name__
)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda m: m.__name__)
def test_every_kind_can_be_drawn_and_has_no_class(maker: object) -> None:
    for seed in range(5):
        body = maker(np.random.default_rng(seed), NIGHT)
        assert body.category is None
        placed = place(body, CAMERA, (0.0, 15.0), 0.7)
        assert np.isfinite(placed.box).all() and placed.polygons
        assert all(220 < value < 340 for value in placed.temperatures)


def test_flat_clutter_lies_behind_everything() -> None:
    flat = [m for m in MAKERS if m(np.random.default_rng(0), NIGHT).flat]
    assert {m.__name__ for m in flat} == {"manhole", "patch"}
    for maker in flat:
        assert place(maker(np.random.default_rng(0), NIGHT), CAMERA, (0.0, 5.0), 0.0).near == 1e6


def test_posts_are_hard_negatives_of_a_persons_height_and_warmth() -> None:
    tall, warm = [], []
    for seed in range(40):
        body = post(np.random.default_rng(seed), NIGHT)
        _, y0, _, y1 = place(body, CAMERA, (0.0, 15.0), 0.0).box
        tall.append((y1 - y0) / 40)  # 600 px / 15 m
        warm.append(max(c[4] for c in body.capsules) - NIGHT.air)
    assert np.mean([1.2 < t < 2.2 for t in tall]) > 0.35
    assert np.mean([4 < w < 16 for w in warm]) > 0.4


def test_surroundings_choose_the_table() -> None:
    kinds = {draw_clutter(np.random.default_rng(s), ROOM).flat for s in range(60)}
    assert kinds == {False}  # no manholes indoors
    assert any(draw_clutter(np.random.default_rng(s), NIGHT).flat for s in range(60))
