"""Bodies: size, temperatures, views."""

from collections.abc import Callable

import numpy as np
import pytest

from mmthermal.synthetic import bodies
from mmthermal.synthetic.bodies import (
    CORE,
    Body,
    Surroundings,
    bicycle,
    car,
    dog,
    person,
)
from mmthermal.synthetic.canvas import Camera, place

COLD = Surroundings("night", 273.0, 0.0, 273.0, 240.0, 1e-3)
MILD = Surroundings("indoor", 294.0, 0.0, 293.0, 294.0, 0.0)
CAMERA = Camera((640, 480), 600.0, height=1.5, pitch=0.0)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def metres(body: Body, yaw: float = 0.0) -> tuple[float, float]:
    """Width and height of a body seen from 20 m."""
    x0, y0, x1, y1 = place(body, CAMERA, (0.0, 20.0), yaw).box
    return (x1 - x0) * 20 / 600, (y1 - y0) * 20 / 600


@pytest.mark.parametrize("seed", range(12))
def test_standing_person_is_as_tall_as_asked_for(seed: int) -> None:
    wide, tall = metres(person(rng(seed), MILD, pose="stand", stature=1.75))
    assert 1.66 < tall < 1.86
    assert 0.2 < wide < 1.0


def test_legs_are_half_of_the_stature() -> None:
    # Drillis and Contini: hip at 0.530, knee at 0.285 of the stature
    for seed in range(10):
        thigh = person(rng(seed), MILD, pose="stand", stature=1.80).capsules[0]
        assert thigh[0][1] == pytest.approx(0.530 * 1.80, abs=0.03)
        assert thigh[1][1] == pytest.approx(0.285 * 1.80, abs=0.04)


def test_skin_of_the_head_is_on_top_and_feet_are_on_the_ground() -> None:
    for seed in range(20):
        body = person(rng(seed), COLD)
        bottom = place(body, CAMERA, (0.0, 20.0), 0.0).box[3]
        ground = 240 + 600 * 1.5 / 20
        assert abs(bottom - ground) < 0.12 * 600 / 20  # a lifted or a trodden foot: 12 cm
        warmest = max(body.capsules, key=lambda c: c[4])
        top = max(c[1][1] for c in body.capsules)
        assert warmest[1][1] > 0.93 * top


@pytest.mark.parametrize("around", [COLD, MILD])
def test_person_is_warmer_than_the_air_and_the_skin_is_warmest(around: Surroundings) -> None:
    for seed in range(20):
        body = person(rng(seed), around)
        values = np.array([c[4] for c in body.capsules])
        assert values.max() > around.air + 6
        assert values.max() < CORE
        face = max(
            c[4] for c in body.capsules if c[0][1] > 0.75 * max(k[0][1] for k in body.capsules)
        )
        trunk = np.median(values)
        assert face > trunk


def test_clothes_of_a_winter_day_are_nearer_to_the_air_than_skin() -> None:
    shares = []
    for seed in range(40):
        values = np.array([c[4] for c in person(rng(seed), COLD).capsules])
        shares.append((np.median(values) - COLD.air) / (values.max() - COLD.air))
    assert 0.15 < np.mean(shares) < 0.6


def test_walking_person_is_wider_from_the_side_than_from_the_front() -> None:
    side = np.mean([metres(person(rng(s), MILD, pose="walk"), 0.0)[0] for s in range(30)])
    front = np.mean([metres(person(rng(s), MILD, pose="walk"), np.pi / 2)[0] for s in range(30)])
    assert side > front * 1.1


def test_rider_sits_on_the_bicycle() -> None:
    for seed in range(10):
        rider = place(person(rng(seed), MILD, pose="ride"), CAMERA, (0.0, 20.0), 0.0).box
        bike = place(bicycle(rng(seed), MILD, ridden=True), CAMERA, (0.0, 20.0), 0.0).box
        assert bike[0] < rider[0] and rider[2] < bike[2]  # between the wheels' outer ends
        assert rider[1] < bike[1] and rider[3] < bike[3]  # higher, and off the ground


def test_bicycle_has_a_bicycles_size_and_is_thin_from_the_front() -> None:
    wide, tall = metres(bicycle(rng(0), MILD))
    assert 1.55 < wide < 1.95 and 0.9 < tall < 1.2
    assert metres(bicycle(rng(0), MILD), np.pi / 2)[0] < 0.75


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


def test_dog_is_a_dogs_size_and_warm() -> None:
    for seed in range(20):
        body = dog(rng(seed), COLD)
        wide, tall = metres(body)
        assert 0.35 < wide < 1.6 and 0.35 < tall < 1.2
        assert max(c[4] for c in body.capsules) > COLD.air + 12


@pytest.mark.parametrize("name", ["person", "bicycle", "car", "dog"])
def test_same_seed_same_body(name: str) -> None:
    make: Callable[..., Body] = getattr(bodies, name)
    one, two, other = make(rng(5), COLD), make(rng(5), COLD), make(rng(6), COLD)
    boxes = [place(b, CAMERA, (0.0, 20.0), 0.4).box for b in (one, two, other)]
    assert boxes[0] == boxes[1] != boxes[2]
    assert one.category == name
