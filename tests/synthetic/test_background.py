"""Backgrounds: temperatures, sky above ground, walls of rooms."""

import numpy as np
import pytest

from mmthermal.synthetic.background import draw_surroundings, make_backdrop
from mmthermal.synthetic.bodies import Surroundings
from mmthermal.synthetic.canvas import Camera
from mmthermal.synthetic.sensor import temperature

CAMERA = Camera((80, 60), 75.0, height=2.2, pitch=0.15)
CLEAR = Surroundings("night", 285.0, 0.0, 286.0, 250.0, 1e-3)
ROOM = Surroundings("indoor", 294.0, 0.0, 293.0, 294.0, 0.0)


def test_all_kinds_of_surroundings_occur_with_sane_temperatures() -> None:
    drawn = [draw_surroundings(np.random.default_rng(s)) for s in range(300)]
    shares = {
        k: np.mean([d.kind == k for d in drawn]) for k in ("day", "night", "indoor", "garage")
    }
    assert min(shares.values()) > 0.03 and sum(shares.values()) == pytest.approx(1.0)
    for d in drawn:
        assert 262 <= d.air <= 308
        assert d.sky <= d.air and 0 <= d.sun <= 1
        assert d.air - 4 < d.ground < d.air + 18
    assert all(d.sun == 0 for d in drawn if d.kind != "day")


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("around", [CLEAR, ROOM], ids=["outdoors", "room"])
def test_shape_and_range(around: Surroundings, factor: int) -> None:
    for seed in range(4):
        found = make_backdrop(np.random.default_rng(seed), CAMERA, around, factor, least_depth=8.0)
        kelvin = temperature(found.radiance)
        assert found.radiance.shape == (60 * factor, 80 * factor)
        assert found.radiance.dtype == np.float32
        assert np.isfinite(kelvin).all() and 235 < kelvin.min() and kelvin.max() < 325
        assert found.wall >= 8.0


def test_clear_sky_is_colder_than_the_ground() -> None:
    colder = []
    for seed in range(20):
        found = make_backdrop(np.random.default_rng(seed), CAMERA, CLEAR, 2, least_depth=5.0)
        kelvin = temperature(found.radiance)
        colder.append(kelvin[-8:].mean() - kelvin[:3].mean())
        assert abs(float(kelvin[-8:].mean()) - CLEAR.ground) < 8
    assert np.mean(np.array(colder) > 3) > 0.4  # where no house or tree hides the sky
    assert min(colder) > -8


def test_room_has_walls_and_fixtures_within_them() -> None:
    found = make_backdrop(np.random.default_rng(3), CAMERA, ROOM, 2, least_depth=6.0)
    assert np.isfinite(found.half_width)
    assert len(found.fixtures) > 0
    for _, (x, z), _ in found.fixtures:
        assert abs(x) <= found.half_width and 0 < z <= found.wall


def test_same_seed_same_background() -> None:
    one = make_backdrop(np.random.default_rng(9), CAMERA, CLEAR, 3, least_depth=5.0)
    two = make_backdrop(np.random.default_rng(9), CAMERA, CLEAR, 3, least_depth=5.0)
    other = make_backdrop(np.random.default_rng(10), CAMERA, CLEAR, 3, least_depth=5.0)
    np.testing.assert_array_equal(one.radiance, two.radiance)
    assert not np.array_equal(one.radiance, other.radiance)
