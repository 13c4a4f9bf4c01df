"""Cars: a prism of sheet metal with glass, wheels, bonnet and exhaust."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmthermal.synthetic.bodies import Body, mix
from mmthermal.synthetic.surroundings import Surroundings

# u forward, v up, w to the left, metres.
_SILL = 0.24
Corner = tuple[float, float, float]
_Outline = list[tuple[float, float]]


@dataclass(frozen=True)
class _Profile:
    """Side view of a car: lengths and heights in metres, cabin corners as shares of the length."""

    length: float
    belt: float
    top: float
    nose: float
    cabin: tuple[float, float, float, float]  # rear low, rear top, front top, front low


_PROFILES = {
    "saloon": _Profile(4.5, 0.86, 1.42, 0.70, (-0.34, -0.20, 0.10, 0.24)),
    "hatch": _Profile(3.95, 0.90, 1.48, 0.74, (-0.47, -0.36, 0.10, 0.27)),
    "suv": _Profile(4.5, 1.05, 1.72, 0.92, (-0.48, -0.40, 0.11, 0.24)),
    "van": _Profile(4.9, 1.15, 1.95, 1.00, (-0.49, -0.47, 0.24, 0.40)),
}


@dataclass(frozen=True)
class _Size:
    """A profile at its scale, metres; half is half the width."""

    name: str
    length: float
    half: float
    belt: float
    top: float
    nose: float
    cabin: tuple[float, float, float, float]

    @property
    def axles(self) -> tuple[float, float]:
        """Where the front and the rear axle are, u."""
        return (0.31 * self.length, -0.29 * self.length)

    @property
    def shoulders(self) -> tuple[float, float]:
        """Height of the hull where the cabin begins, front and rear."""
        return self.belt - 0.04, self.belt if self.name == "saloon" else self.belt + 0.02


@dataclass(frozen=True)
class _Heat:
    """Temperatures of the parts, kelvin; engine is 0 (cold) to 1 (hot)."""

    engine: float
    paint: float
    flat_paint: float
    glass: float
    bonnet: float
    grille: float
    tyre: float
    disc: float
    under: float


def car(rng: np.random.Generator, around: Surroundings) -> Body:
    """A car as a prism with glass, wheels, bonnet and exhaust; parked cold or with a warm engine.

    Sheet metal follows air, sun and cold sky; glass mirrors the sky; a running engine warms the
    bonnet, the grille, the tyres and the ground under the car.
    """
    size = _draw_size(rng)
    heat = _draw_heat(rng, around)
    hull = _hull(size)
    body = Body("car", texture=0.3)
    _underside(body, size, heat)
    _ends(body, size, heat, hull)
    _lamps(body, size, mix(around.air, around.sky, 0.1) + heat.engine * 4)
    if heat.engine > 0.3:
        _exhaust(body, rng, size, around.air, heat.engine)
    _flanks(body, size, heat, hull, around.air)
    _cabin(body, size, heat)
    return body


def _draw_size(rng: np.random.Generator) -> _Size:
    name = str(rng.choice(list(_PROFILES), p=[0.36, 0.32, 0.22, 0.10]))
    shape = _PROFILES[name]
    scale = rng.uniform(0.93, 1.06)
    length, half = shape.length * scale, 0.5 * 1.78 * rng.uniform(0.95, 1.05)
    rear_low, rear_top, front_top, front_low = (length * c for c in shape.cabin)
    return _Size(
        name,
        length,
        half,
        shape.belt * scale,
        shape.top * scale,
        shape.nose * scale,
        (rear_low, rear_top, front_top, front_low),
    )


def _draw_heat(rng: np.random.Generator, around: Surroundings) -> _Heat:
    air, sky, sun = around.air, around.sky, around.sun
    running = rng.random() < 0.62
    engine = rng.uniform(0.35, 1.0) if running else rng.uniform(0, 0.12)
    paint = air + sun * rng.uniform(2, 14) + rng.normal(0, 1.2)
    if around.kind == "night":
        paint -= rng.uniform(0.3, 2.5)
    flat_paint = mix(paint, sky, rng.uniform(0.08, 0.22))  # faces that look up
    glass = mix(air + 3 * sun, sky, rng.uniform(0.12, 0.4)) + rng.uniform(0, 1.5)
    bonnet = flat_paint + engine * rng.uniform(5, 20)
    grille = paint + engine * rng.uniform(8, 24)
    tyre = air + 4 * sun + engine * rng.uniform(4, 14)
    disc = tyre + engine * rng.uniform(2, 20)
    under = around.ground + engine * rng.uniform(1, 6) - sun * rng.uniform(2, 6)
    return _Heat(engine, paint, flat_paint, glass, bonnet, grille, tyre, disc, under)


def _outward(corners: Sequence[Corner], w: float) -> Sequence[Corner]:
    """Corners of a face of the left (w > 0) or the right side, wound so that it looks outward."""
    return corners if w > 0 else corners[::-1]


def _hull(size: _Size) -> _Outline:
    """Outline (u, v) of the side below the cabin, from the front sill over the top backwards."""
    front, rear = size.length / 2, -size.length / 2
    hood_v, tail_v = size.shoulders
    rear_low, _, _, front_low = size.cabin
    return [
        (front - 0.05, _SILL),
        (front, size.nose * 0.62),
        (front - 0.12, size.nose),
        (front_low, hood_v),
        (rear_low, tail_v),
        (rear + 0.04, tail_v - 0.03),
        (rear, _SILL + 0.2),
        (rear + 0.08, _SILL),
    ]


def _underside(body: Body, size: _Size, heat: _Heat) -> None:
    """The warm ground below, and the wheels seen from the ends and under the sill."""
    front, rear, half = size.length / 2, -size.length / 2, size.half
    inner = half * 0.85
    patch = [(front * 0.86, 0.02, -inner), (rear * 0.8, 0.02, -inner)]
    patch += [(rear * 0.8, 0.02, inner), (front * 0.86, 0.02, inner)]
    body.face(patch, heat.under, two_sided=True)
    for u in size.axles:
        for w in (-1.0, 1.0):
            outer = w * half * 0.98
            within = w * (half * 0.98 - 0.2)
            tread = [(u + 0.28, 0.0, outer), (u + 0.28, 0.45, outer)]
            tread += [(u + 0.28, 0.45, within), (u + 0.28, 0.0, within)]
            body.face(tread, heat.tyre, two_sided=True)


def _ends(body: Body, size: _Size, heat: _Heat, hull: _Outline) -> None:
    """Faces across the car: bumper, grille and bonnet, then boot and rear."""
    half = size.half
    for corner, value in (
        (0, heat.paint + 0.5 * heat.engine * 6),
        (1, heat.grille),
        (2, heat.bonnet),
        (4, heat.flat_paint),
        (5, heat.paint),
        (6, heat.paint + 1.0 * heat.engine),
    ):
        p, q = hull[corner], hull[corner + 1]
        strip = [(p[0], p[1], -half), (q[0], q[1], -half), (q[0], q[1], half), (p[0], p[1], half)]
        body.face(strip, value)


def _lamps(body: Body, size: _Size, value: float) -> None:
    front, half, nose = size.length / 2, size.half, size.nose
    for w in (-1.0, 1.0):
        outer, inner = w * half * 0.95, w * half * 0.6
        lamp = [(front + 0.01, nose * 0.66, outer), (front - 0.08, nose * 0.92, outer)]
        lamp += [(front - 0.08, nose * 0.92, inner), (front + 0.01, nose * 0.66, inner)]
        body.face(_outward(lamp, -w), value)


def _exhaust(body: Body, rng: np.random.Generator, size: _Size, air: float, engine: float) -> None:
    rear = -size.length / 2
    v, w = _SILL + 0.02, size.half * 0.6 * rng.choice([-1.0, 1.0])
    pipe = [(rear - 0.02, v - 0.07, w - 0.08), (rear - 0.02, v - 0.07, w + 0.08)]
    pipe += [(rear - 0.02, v + 0.07, w + 0.08), (rear - 0.02, v + 0.07, w - 0.08)]
    body.face(pipe, air + engine * rng.uniform(15, 45))


def _flanks(body: Body, size: _Size, heat: _Heat, hull: _Outline, air: float) -> None:
    """Sheet metal of both sides, and the wheels on it."""
    circle = np.linspace(0, 2 * np.pi, 17)[:-1]
    for w in (1.0, -1.0):
        panel = [(u, v, w * size.half) for u, v in hull]
        body.face(_outward(panel, w), heat.paint)
        for u in size.axles:
            for radius, value in ((0.33, air - 0.5), (0.30, heat.tyre), (0.19, heat.disc)):
                wheel = [
                    (u + radius * np.cos(t), 0.31 + radius * np.sin(t), w * (size.half + 0.01))
                    for t in circle
                ]
                body.face(_outward(wheel, w), value)


def _cabin(body: Body, size: _Size, heat: _Heat) -> None:
    """Glass all round under a metal roof, narrower at the top."""
    low, high, top = size.half * 0.94, size.half * 0.74, size.top
    rear_low, rear_top, front_top, front_low = size.cabin
    hood_v, tail_v = size.shoulders

    def across(low_u: float, low_v: float, top_u: float) -> list[Corner]:
        return [(low_u, low_v, low), (top_u, top, high), (top_u, top, -high), (low_u, low_v, -low)]

    body.face(across(front_low, hood_v, front_top)[::-1], heat.glass)
    rear_window = heat.glass if size.name != "van" else heat.paint
    body.face(across(rear_low, tail_v, rear_top), rear_window)
    for w in (1.0, -1.0):
        quad = [
            (front_low, hood_v, w * low),
            (front_top, top, w * high),
            (rear_top, top, w * high),
            (rear_low, tail_v, w * low),
        ]
        body.face(_outward(quad, w), heat.paint)
        pts = np.array(quad, np.float64)
        mid_low, mid_top = pts[[0, 3]].mean(0), pts[[1, 2]].mean(0)
        panes = ((pts[0], pts[1], mid_top, mid_low), (mid_low, mid_top, pts[2], pts[3]))
        for pane in panes[:1] if size.name == "van" else panes:
            centre = np.mean(pane, axis=0)
            small = centre + 0.80 * (np.array(pane) - centre) + np.array([0, 0, w * 0.01])
            body.face(small if w > 0 else small[::-1], heat.glass)
    roof = [(front_top, top, high), (rear_top, top, high)]
    roof += [(rear_top, top, -high), (front_top, top, -high)]
    body.face(roof[::-1], heat.flat_paint + 0.5)
