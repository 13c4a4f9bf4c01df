"""Things of the synthetic scenes that are warm or in the way but are not objects.

Hard negatives above all: upright and as warm as a person, or low and as warm as a dog.
"""

from collections.abc import Callable

import numpy as np

from mmthermal.synthetic.bodies import CORE, Body
from mmthermal.synthetic.surroundings import Surroundings


def _disc(u: float, w: float, radius: float, v: float = 0.01) -> list[tuple[float, float, float]]:
    turns = np.linspace(0, 2 * np.pi, 21)[:-1]
    return [(u + radius * np.cos(t), v, w + radius * np.sin(t)) for t in turns]


def manhole(rng: np.random.Generator, around: Surroundings) -> Body:
    """A cover over a warm shaft, flat on the ground."""
    body = Body(None, texture=0.5, flat=True)
    warm = around.ground + rng.uniform(3, 13)
    body.face(_disc(0, 0, rng.uniform(0.3, 0.5)), warm, two_sided=True)
    return body


def patch(rng: np.random.Generator, around: Surroundings) -> Body:
    """Ground that a parked engine has warmed, a damp spot, or a puddle that mirrors the sky."""
    body = Body(None, texture=0.8, flat=True)
    long, wide = rng.uniform(0.5, 2.3), rng.uniform(0.3, 0.9)
    turns = np.linspace(0, 2 * np.pi, 17)[:-1]
    wobble = rng.uniform(0.65, 1.2, len(turns))
    kind = rng.random()
    if kind < 0.45:
        value = around.ground + rng.uniform(2, 9)
    elif kind < 0.75:
        value = around.ground - rng.uniform(1.5, 5)
    else:
        value = around.ground + 0.25 * (around.sky - around.ground)
    outline = [
        (long * k * np.cos(t), 0.01, wide * k * np.sin(t))
        for t, k in zip(turns, wobble, strict=True)
    ]
    body.face(outline, value, two_sided=True)
    return body


def post(rng: np.random.Generator, around: Surroundings) -> Body:
    """An upright warm thing of a person's height: bollard, meter, standpipe, sun-warmed pole."""
    body = Body(None, texture=0.5)
    height, radius = rng.uniform(0.8, 2.1), rng.uniform(0.07, 0.2)
    warm = around.air + rng.uniform(1, 10) + around.sun * rng.uniform(0, 8)
    body.capsule((0, 0, 0), (0, height - radius, 0), radius, warm, radius * rng.uniform(0.7, 1.0))
    if rng.random() < 0.5:  # a head: meter, lantern, valve
        top = warm + rng.uniform(-2, 4)
        body.capsule((0, height, 0), (0, height + 0.06, 0), radius * rng.uniform(1.0, 1.6), top)
    if rng.random() < 0.35:
        body.capsule((0, height * 0.75, -0.25), (0, height * 0.75, 0.25), radius * 0.5, warm - 1)
    return body


def hot_pipe(rng: np.random.Generator, around: Surroundings) -> Body:
    """One or two hot pipes that stand upright, with a cooler jacket over part of them."""
    body = Body(None, texture=0.8)
    height = rng.uniform(1.2, 2.6)
    for index in range(int(rng.integers(1, 3))):
        w, radius = 0.28 * index, rng.uniform(0.06, 0.14)
        warm = around.air + rng.uniform(5, 18)
        body.capsule((0, 0, w), (0, height, w), radius, warm)
        if rng.random() < 0.6:
            low, high = sorted(rng.uniform(0.1, 0.9, 2) * height)
            body.capsule((-0.01, low, w), (-0.01, high, w), radius * 1.3, around.air + 2.5)
    return body


def lamp(rng: np.random.Generator, around: Surroundings) -> Body:
    """A street lamp: a thin pole at air temperature and a warm head."""
    body = Body(None, texture=0.2)
    height, side = rng.uniform(3.2, 6.5), rng.choice([-1.0, 1.0])
    pole = around.air + around.sun * rng.uniform(0, 5) + rng.uniform(-1, 0.5)
    body.capsule((0, 0, 0), (0, height, 0), 0.075, pole, 0.045)
    body.capsule((0, height, 0), (0.6 * side, height + 0.15, 0), 0.04, pole)
    head = around.air + (rng.uniform(4, 18) if around.sun < 0.2 else rng.uniform(0, 4))
    body.capsule((0.5 * side, height + 0.13, 0), (0.95 * side, height + 0.15, 0), 0.09, head)
    return body


def trunk(rng: np.random.Generator, around: Surroundings) -> Body:
    """A tree: a trunk that keeps the day's warmth under a crown near air temperature."""
    body = Body(None, texture=0.5)
    height = rng.uniform(1.7, 3.0)
    warm = around.air + rng.uniform(0, 3.5) + around.sun * rng.uniform(0, 4)
    leaf = around.air + rng.uniform(-1.5, 0.8) + around.sun
    radius = rng.uniform(0.09, 0.24)
    body.capsule((0, 0, 0), (rng.normal(0, 0.1), height, 0), radius, warm, radius * 0.7)
    spread, tall = rng.uniform(0.6, 1.2), rng.uniform(0.8, 2.0)
    for _ in range(int(rng.integers(22, 36))):
        u, v, w = rng.normal(0, 0.5 * spread), height + rng.uniform(0, tall), rng.normal(0, 0.4)
        u *= 1.3 - abs((v - height) / tall - 0.4)
        size = rng.uniform(0.16, 0.42) * spread
        body.capsule((u, v, w), (u + 0.2, v + 0.1, w), size, leaf + rng.normal(0, 0.15), size * 0.8)
    return body


def bush(rng: np.random.Generator, around: Surroundings) -> Body:
    """A bush or a hedge, near air temperature; hides what stands behind it."""
    body = Body(None, texture=0.5)
    leaf = around.air + rng.uniform(-1.5, 1.0) + around.sun * rng.uniform(0, 3)
    spread = rng.uniform(0.3, 1.1)
    for _ in range(int(rng.integers(12, 22))):
        u, v, w = rng.normal(0, spread), rng.uniform(0.1, 0.75), rng.normal(0, 0.15)
        size = rng.uniform(0.1, 0.26)
        body.capsule((u, 0.1, w), (u, v, w), size, leaf + rng.normal(0, 0.2), size * 0.8)
    return body


def rock(rng: np.random.Generator, around: Surroundings) -> Body:
    """A low warm lump of a dog's size: a rock after sunset, a sack, an animal asleep."""
    body = Body(None, texture=0.7)
    warm = around.air + rng.uniform(1.5, 9) + 3 * around.sun
    for _ in range(int(rng.integers(2, 5))):
        u, radius = rng.normal(0, 0.22), rng.uniform(0.1, 0.24)
        body.capsule(
            (u, radius * 0.7, 0),
            (u + rng.normal(0, 0.12), radius * 0.8, 0),
            radius,
            warm + rng.normal(0, 0.5),
        )
    return body


def bird(rng: np.random.Generator, around: Surroundings) -> Body:
    """A small warm animal that is not a dog: bird, hedgehog, cat from far."""
    body = Body(None, texture=0.4)
    warm = around.air + 0.35 * (CORE - around.air)
    size = rng.uniform(0.06, 0.13)
    body.capsule((-size, size * 1.2, 0), (size, size * 1.5, 0), size, warm)
    body.capsule((size * 1.8, size * 2.3, 0), (size * 1.9, size * 2.4, 0), size * 0.6, warm + 2)
    return body


def _box(body: Body, size: tuple[float, float, float], values: tuple[float, float, float]) -> None:
    """Upright box around the origin; temperatures of front and back, sides, top."""
    u, v, w = size[0] / 2, size[1], size[2] / 2
    for sign in (1.0, -1.0):
        end = [(sign * u, 0, -w), (sign * u, v, -w), (sign * u, v, w), (sign * u, 0, w)]
        body.face(end if sign > 0 else end[::-1], values[0])
        side = [(-u, 0, sign * w), (u, 0, sign * w), (u, v, sign * w), (-u, v, sign * w)]
        body.face(side if sign > 0 else side[::-1], values[1])
    body.face([(u, v, -w), (-u, v, -w), (-u, v, w), (u, v, w)], values[2])


def cabinet(rng: np.random.Generator, around: Surroundings) -> Body:
    """An electric cabinet, vending machine or bin: an upright box with a warm front."""
    body = Body(None, texture=0.5)
    wide, tall = rng.uniform(0.4, 0.9), rng.uniform(0.8, 1.9)
    shell = around.air + rng.uniform(0, 2) + 3 * around.sun
    roof = shell + 0.15 * (around.sky - shell)
    _box(body, (wide, tall, wide * 0.7), (shell + rng.uniform(0, 7), shell, roof))
    return body


def vent(rng: np.random.Generator, around: Surroundings) -> Body:
    """An exhaust vent or a radiator: a low wide box, hot, with ribs."""
    body = Body(None, texture=0.6)
    wide, tall = rng.uniform(0.6, 1.5), rng.uniform(0.45, 0.8)
    warm = around.air + rng.uniform(5, 20)
    _box(body, (0.14, tall, wide), (warm - 2, warm - 4, warm))
    for w in np.arange(-wide / 2 + 0.08, wide / 2 - 0.05, 0.16):
        for u in (-0.08, 0.08):
            body.capsule((u, 0.06, w), (u, tall - 0.05, w), 0.035, warm)
    return body


def bench(rng: np.random.Generator, around: Surroundings) -> Body:
    """A bench or a table near air temperature."""
    body = Body(None, texture=0.3)
    value = around.air + rng.uniform(-1, 1.5) + around.sun * rng.uniform(0, 6)
    for v, u in ((0.45, 0.1), (0.45, 0.3), (0.65, -0.05), (0.82, -0.08)):
        body.capsule((u, v, -0.7), (u, v, 0.7), 0.045, value)
    for w in (-0.6, 0.6):
        body.capsule((0.0, 0.0, w), (0.0, 0.8, w), 0.03, value - 1)
        body.capsule((0.3, 0.0, w), (0.3, 0.45, w), 0.03, value - 1)
    return body


Maker = Callable[[np.random.Generator, Surroundings], Body]

CLUTTER: dict[str, tuple[tuple[Maker, float], ...]] = {
    "outdoor": (
        (post, 0.20), (lamp, 0.10), (trunk, 0.13), (bush, 0.11), (rock, 0.10), (manhole, 0.08),
        (patch, 0.10), (cabinet, 0.06), (hot_pipe, 0.04), (bench, 0.05), (bird, 0.03),
    ),
    "indoor": (
        (vent, 0.22), (hot_pipe, 0.22), (cabinet, 0.20), (post, 0.16), (bench, 0.10), (rock, 0.10),
    ),
}  # fmt: skip
"""What stands about out of doors and indoors, with relative frequencies."""


def draw_clutter(rng: np.random.Generator, around: Surroundings) -> Body:
    """One piece of clutter that fits the surroundings."""
    table = CLUTTER["indoor" if around.indoors else "outdoor"]
    weights = np.array([weight for _, weight in table])
    maker = table[int(rng.choice(len(table), p=weights / weights.sum()))][0]
    return maker(rng, around)
