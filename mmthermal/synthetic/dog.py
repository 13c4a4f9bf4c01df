"""Dogs: fur between air and skin, head and belly warmer."""

from dataclasses import dataclass

import numpy as np

from mmthermal.synthetic.bodies import CORE, Body, Floats, mix
from mmthermal.synthetic.surroundings import Surroundings

# u forward, v up, w to the left, metres.


@dataclass(frozen=True)
class _Build:
    """Height at the shoulder, girth and pose; chest and rump in the (u, v) plane."""

    size: float
    stout: float
    sitting: bool
    chest: Floats
    rump: Floats


@dataclass(frozen=True)
class _Coat:
    """Temperatures of the parts, kelvin."""

    fur: float
    face: float
    legs: float


def dog(rng: np.random.Generator, around: Surroundings) -> Body:
    """A dog: fur between air and skin, head and belly warmer, standing, walking or sitting."""
    air = around.air
    size = rng.uniform(0.36, 0.72)
    length = size * rng.uniform(1.0, 1.2)
    stout = rng.uniform(0.85, 1.2)
    share = rng.uniform(0.28, 0.62)
    coat = _Coat(
        fur=mix(air, CORE, share) + around.sun * rng.uniform(0, 4),
        face=mix(air, CORE - 2, min(share + 0.28, 0.9)),
        legs=mix(air, CORE - 2, share * rng.uniform(0.75, 1.0)),
    )
    body = Body("dog", texture=float(0.04 * abs(CORE - air) + 0.2))
    sitting = rng.random() < 0.2
    chest, rump = np.array([length / 2, 0.82 * size]), np.array([-length / 2, 0.80 * size])
    if sitting:
        rump = np.array([-length * 0.22, 0.30 * size])
        chest = np.array([length * 0.2, 0.78 * size])
    build = _Build(size, stout, sitting, chest, rump)
    _torso(body, build, coat)
    _head(body, rng, build, coat, nose=mix(air, CORE, 0.3))
    phase, swing = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.5)
    for index in range(2):
        for side in (-1.0, 1.0):
            angle = swing * np.sin(phase + np.pi * ((side > 0) ^ (index == 1)))
            if sitting and index == 1:
                _folded_leg(body, build, coat, side)
            else:
                _leg(body, build, coat, side, angle, hind=index == 1)
    _tail(body, rng, build, coat)
    return body


def _torso(body: Body, build: _Build, coat: _Coat) -> None:
    size, chest, rump = build.size, build.chest, build.rump
    r_chest, r_rump = 0.19 * size * build.stout, 0.155 * size * build.stout
    body.capsule((chest[0], chest[1], 0), (rump[0], rump[1], 0), r_chest, coat.fur, r_rump)
    belly = (0.0, (chest[1] + rump[1]) / 2 - 0.05 * size, 0)
    brisket = (chest[0] * 0.8, chest[1] - 0.07 * size, 0)
    body.capsule(brisket, belly, r_chest * 0.95, coat.fur + 0.8, r_rump * 0.95)


def _head(body: Body, rng: np.random.Generator, build: _Build, coat: _Coat, *, nose: float) -> None:
    """Neck, skull, muzzle, nose (of a temperature of its own) and ears."""
    size, chest = build.size, build.chest
    head = chest + size * np.array([0.34, rng.uniform(0.05, 0.42)])
    top = (head[0], head[1], 0)
    collar = (chest[0], chest[1] + 0.04, 0)
    body.capsule(collar, top, 0.13 * size * build.stout, coat.fur + 0.5, 0.10 * size)
    body.capsule(top, (head[0] + 0.05 * size, head[1], 0), 0.125 * size, coat.face)
    muzzle = head + size * np.array([0.27, -0.07])
    cheek = (head[0] + 0.1 * size, head[1] - 0.03 * size, 0)
    body.capsule(cheek, (muzzle[0], muzzle[1], 0), 0.075 * size, coat.face + 0.5, 0.05 * size)
    tip = muzzle + np.array([0.05, 0.0]) * size
    body.capsule((tip[0], tip[1], 0), (tip[0], tip[1], 0), 0.03 * size, nose)
    pricked = rng.random() < 0.5
    for side in (-1.0, 1.0):
        w = side * 0.085 * size
        end = (head[0] - 0.06 * size, head[1] + (0.2 if pricked else -0.12) * size, w * 1.4)
        root = (head[0] - 0.02 * size, head[1] + 0.08 * size, w)
        body.capsule(root, end, 0.05 * size, coat.face - 1, 0.025 * size)


def _hip(build: _Build, side: float, *, hind: bool) -> tuple[Floats, float]:
    """Where a leg begins: (u, v) and w."""
    joint = build.rump if hind else build.chest
    top = joint + np.array([0.03 if hind else -0.03, -0.05]) * build.size
    return top, side * 0.10 * build.size * build.stout


def _folded_leg(body: Body, build: _Build, coat: _Coat, side: float) -> None:
    """A hind leg of a sitting dog."""
    size = build.size
    top, w = _hip(build, side, hind=True)
    foot = (top[0] + 0.3 * size, 0.04, w * 1.6)
    body.capsule((top[0], top[1], w), foot, 0.13 * size, coat.legs, 0.04 * size)


def _leg(body: Body, build: _Build, coat: _Coat, side: float, angle: float, *, hind: bool) -> None:
    """A leg of a standing or walking dog."""
    size = build.size
    top, w = _hip(build, side, hind=hind)
    knee = top + 0.36 * size * np.array([np.sin(angle) * 0.7 + (0.1 if hind else 0.0), -1.0])
    foot = (knee[0] + 0.3 * size * np.sin(angle) - (0.12 * size if hind else 0), 0.035, w)
    knee3 = (knee[0], knee[1], w)
    thick = (0.095 if hind else 0.075) * size * build.stout
    body.capsule((top[0], top[1], w), knee3, thick, coat.legs, 0.05 * size)
    body.capsule(knee3, foot, 0.045 * size, coat.legs - 0.8, 0.035 * size)
    body.capsule(foot, (foot[0] + 0.07 * size, foot[1], w), 0.035 * size, coat.legs - 1.5)


def _tail(body: Body, rng: np.random.Generator, build: _Build, coat: _Coat) -> None:
    size, rump = build.size, build.rump
    r_rump = 0.155 * size * build.stout
    tail = rump + size * np.array([-0.38, rng.uniform(-0.2, 0.45)])
    root = (rump[0] - r_rump * 0.7, rump[1] + 0.04 * size, 0)
    body.capsule(root, (tail[0], tail[1], 0), 0.055 * size, coat.fur - 1.5, 0.025 * size)
