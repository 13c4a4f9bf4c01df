"""Rooms: walls, and fixtures within them."""

import numpy as np

from mmthermal.synthetic.camera import Camera
from mmthermal.synthetic.room import draw_room
from mmthermal.synthetic.surroundings import Surroundings

CAMERA = Camera((80, 60), 75.0, height=2.2, pitch=0.15)
ROOM = Surroundings("indoor", 294.0, 0.0, 293.0, 294.0, 0.0)


def test_room_has_walls_and_fixtures_within_them() -> None:
    found = draw_room(np.random.default_rng(3), CAMERA, ROOM, 2, 6.0)
    assert np.isfinite(found.half_width)
    assert len(found.fixtures) > 0
    for _, (x, z), _ in found.fixtures:
        assert abs(x) <= found.half_width and 0 < z <= found.wall
