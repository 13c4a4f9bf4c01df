"""Persons: size, temperatures, views."""

import numpy as np
import pytest
from helpers_synthetic import CAMERA, COLD, MILD, metres

from mmthermal.synthetic.bicycle import bicycle
from mmthermal.synthetic.bodies import CORE
from mmthermal.synthetic.camera import place
from mmthermal.synthetic.person import person
from mmthermal.synthetic.surroundings import Surroundings

rng = np.random.default_rng


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
