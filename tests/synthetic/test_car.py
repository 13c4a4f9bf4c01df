"""Cars: size, faces, warm engines and cold glass."""

import numpy as np
import pytest
from helpers_synthetic import CAMERA, COLD, metres

from mmthermal.synthetic.camera import place
from mmthermal.synthetic.car import car

rng = np.random.default_rng


@pytest.mark.parametrize("seed", range(8))
def test_car_has_a_cars_size_from_side_and_front(seed: int) -> None:
    wide, tall = metres(car(rng(seed), COLD))
    assert 3.5 < wide < 5.9 and 1.2 < tall < 2.4
    assert 1.5 < metres(car(rng(seed), COLD), np.pi / 2)[0] < 2.2


def test_car_shows_about_half_of_its_faces_from_anywhere() -> None:
    body = car(rng(1), COLD)
    for yaw in np.linspace(0, 2 * np.pi, 9):
        shown = len(place(body, CAMERA, (0.0, 12.0), float(yaw)).polygons)
        assert 0.2 * len(body.faces) < shown < 0.75 * len(body.faces)


def test_engines_run_in_some_cars_and_warm_the_tyres() -> None:
    hottest = [max(value for _, value, _ in car(rng(s), COLD).faces) for s in range(60)]
    assert 0.4 < np.mean(np.array(hottest) > COLD.air + 8) < 0.85


def test_glass_under_a_clear_sky_is_colder_than_the_air() -> None:
    coldest = [min(value for _, value, _ in car(rng(s), COLD).faces) for s in range(20)]
    assert np.mean(np.array(coldest) < COLD.air - 2) > 0.9
