"""Backgrounds: shape, range, determinism."""

import numpy as np
import pytest

from mmthermal.synthetic.background import make_backdrop
from mmthermal.synthetic.camera import Camera
from mmthermal.synthetic.sensor import temperature
from mmthermal.synthetic.surroundings import Surroundings

CAMERA = Camera((80, 60), 75.0, height=2.2, pitch=0.15)
CLEAR = Surroundings("night", 285.0, 0.0, 286.0, 250.0, 1e-3)
ROOM = Surroundings("indoor", 294.0, 0.0, 293.0, 294.0, 0.0)


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


def test_same_seed_same_background() -> None:
    one = make_backdrop(np.random.default_rng(9), CAMERA, CLEAR, 3, least_depth=5.0)
    two = make_backdrop(np.random.default_rng(9), CAMERA, CLEAR, 3, least_depth=5.0)
    other = make_backdrop(np.random.default_rng(10), CAMERA, CLEAR, 3, least_depth=5.0)
    np.testing.assert_array_equal(one.radiance, two.radiance)
    assert not np.array_equal(one.radiance, other.radiance)
