"""Bodies of the synthetic scenes: three-dimensional shapes whose parts have temperatures.

A body lives in its own frame, metres: u forward, v up from the ground, w to its left. Its parts
are capsules (limbs, tubes, poles) and flat faces (sheet metal, glass, patches on the ground).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CORE = 309.0
"""Core temperature of a warm-blooded body, kelvin."""


@dataclass(frozen=True)
class Surroundings:
    """What the temperature of a body depends on.

    Attributes:
        kind: 'day', 'night', 'indoor' or 'garage'.
        air: air temperature, kelvin.
        sun: heating by the sun, 0 (none) to 1 (clear noon).
        ground: surface temperature of the ground, kelvin.
        sky: apparent temperature of what glass and bare metal mirror, kelvin.
        haze: extinction of the air per metre.
    """

    kind: str
    air: float
    sun: float
    ground: float
    sky: float
    haze: float


@dataclass(eq=False)
class Body:
    """A shape with temperatures.

    Attributes:
        category: class name, or None for clutter, which is never annotated.
        capsules: one row each: start (3), end (3), radius at start and end, temperature.
        faces: (points (M, 3), temperature, two_sided), painted in this order before the
            capsules; a one-sided face is seen only from the side its winding turns to.
        texture: amplitude in kelvin of the uneven temperature within the body.
        flat: lies on the ground, so that everything else is in front of it.
    """

    category: str | None
    capsules: list[tuple[Sequence[float], Sequence[float], float, float, float]] = field(
        default_factory=list
    )
    faces: list[tuple[Floats, float, bool]] = field(default_factory=list)
    texture: float = 0.4
    flat: bool = False

    def capsule(
        self,
        start: Sequence[float],
        end: Sequence[float],
        radius: float,
        temperature: float,
        end_radius: float | None = None,
    ) -> None:
        """Add a capsule, tapered when `end_radius` is given."""
        tip = radius if end_radius is None else end_radius
        self.capsules.append((start, end, radius, tip, temperature))

    def face(
        self, points: Sequence[Sequence[float]], temperature: float, *, two_sided: bool = False
    ) -> None:
        """Add a flat face, given by its corners."""
        self.faces.append((np.asarray(points, np.float64), temperature, two_sided))


def _mix(air: float, warm: float, share: float) -> float:
    return air + share * (warm - air)


def _knee(hip: Floats, foot: Floats, thigh: float, shank: float, bend: float) -> Floats:
    """Joint of a two-link leg in the (u, v) plane; `bend` +1 puts the knee forward."""
    delta = foot - hip
    reach = min(float(np.hypot(*delta)), 0.999 * (thigh + shank))
    along = (thigh**2 - shank**2 + reach**2) / (2 * reach)
    off = np.sqrt(max(thigh**2 - along**2, 0.0))
    unit = delta / max(float(np.hypot(*delta)), 1e-9)
    normal = np.array([-unit[1], unit[0]]) * bend
    return np.asarray(hip + along * unit + off * normal)


def person(
    rng: np.random.Generator, around: Surroundings, *, pose: str | None = None, stature: float = 0.0
) -> Body:
    """A person whose skin is warm and whose clothes lie between skin and air.

    Args:
        rng: source of build, clothes and limb angles.
        around: surroundings that set the temperatures.
        pose: 'stand', 'walk', 'run' or 'ride'; drawn by chance when None.
        stature: height in metres; drawn by chance when 0.
    """
    if pose is None:
        pose = str(rng.choice(["stand", "walk", "run"], p=[0.38, 0.54, 0.08]))
    s = stature or float(np.clip(rng.normal(1.71, 0.10), 1.45, 1.98))
    if not stature and rng.random() < 0.1 and pose != "ride":
        s = float(rng.uniform(1.05, 1.4))
    girth = rng.uniform(0.88, 1.22)
    air = around.air
    chill = max(0.0, 293.0 - air)
    skin = CORE - rng.uniform(2.5, 5.0) - 0.16 * chill * rng.uniform(0.5, 1.3)
    warm_clothes = rng.random() < np.clip((297.0 - air) / 14.0, 0.05, 0.95)
    sunlit = around.sun * rng.uniform(0, 6.0)
    insulation = rng.uniform(0.16, 0.36) if warm_clothes else rng.uniform(0.38, 0.68)
    top = _mix(air, skin, insulation) + sunlit
    legs = _mix(air, skin, insulation * rng.uniform(0.7, 1.15)) + sunlit * 0.7
    sleeves = skin - 1.0 if (not warm_clothes and rng.random() < 0.6) else top - 0.5
    bare_legs = not warm_clothes and rng.random() < 0.35
    shins = skin - 1.5 if bare_legs else legs - rng.uniform(0.2, 1.2)
    shoes = _mix(air, skin, rng.uniform(0.05, 0.25))
    hands = skin - rng.uniform(0.0, 2.0) - 0.25 * chill * rng.random()
    if warm_clothes and rng.random() < 0.3:
        hands = _mix(air, skin, 0.3)
    hair = _mix(air, skin, rng.uniform(0.35, 0.7))

    body = Body("person", texture=float(0.03 * abs(skin - air) + 0.2))
    lean = {"stand": 0.01, "walk": 0.05, "run": 0.16}.get(pose, 0.0) + rng.normal(0, 0.015)
    hip_v = 0.525 * s
    hip_u = 0.0
    if pose == "ride":
        hip_v, hip_u, lean = 0.96, -0.22, rng.uniform(0.25, 0.65)
    torso = 0.29 * s
    shoulder_u = hip_u + torso * np.sin(lean)
    shoulder_v = hip_v + torso * np.cos(lean)
    phase = rng.uniform(0, 2 * np.pi)
    swing = {"stand": 0.06, "walk": 0.44, "run": 0.72}.get(pose, 0.0) * rng.uniform(0.75, 1.15)
    thigh, shank = 0.245 * s, 0.246 * s
    coat = warm_clothes and pose != "ride" and rng.random() < 0.3

    for side in (-1.0, 1.0):
        beat = phase + (np.pi if side > 0 else 0.0)
        hip = np.array([hip_u, hip_v])
        w_hip = side * 0.052 * s * girth
        if pose == "ride":
            # ankle over the pedal: crank of 0.17 m around the bottom bracket
            ankle = np.array([0.02 + 0.17 * np.cos(beat), 0.29 + 0.17 * np.sin(beat) + 0.08])
            knee = _knee(hip, ankle, thigh, shank, 1.0)
            w_foot = side * 0.11
        else:
            angle = swing * np.sin(beat)
            bent = swing * 1.5 * max(0.0, float(np.cos(beat))) + 0.05
            knee = hip + thigh * np.array([np.sin(angle), -np.cos(angle)])
            ankle = knee + shank * np.array([np.sin(angle - bent), -np.cos(angle - bent)])
            w_foot = w_hip * rng.uniform(0.7, 1.6 if pose == "stand" else 1.1)
        hip3, knee3 = (hip[0], hip[1], w_hip), (knee[0], knee[1], (w_hip + w_foot) / 2)
        ankle3 = (ankle[0], max(ankle[1], 0.05), w_foot)
        body.capsule(hip3, knee3, 0.057 * s * girth, legs, 0.041 * s * girth)
        body.capsule(knee3, ankle3, 0.038 * s * girth, shins, 0.025 * s)
        toe = (ankle3[0] + 0.105 * s, max(ankle3[1] - 0.035, 0.03), w_foot * 1.2)
        body.capsule(
            (ankle3[0] - 0.02, ankle3[1] - 0.015, w_foot), toe, 0.026 * s, shoes, 0.018 * s
        )
        if coat:
            hem = (knee3[0] * 0.6, hip_v - thigh * 0.85, knee3[2] * 1.3)
            body.capsule(hip3, hem, 0.07 * s * girth, top - 0.6, 0.075 * s * girth)

        # torso: a tapered column under each shoulder
        w_sh = side * 0.098 * s * girth
        shoulder = (shoulder_u, shoulder_v, w_sh)
        body.capsule(
            (shoulder_u, shoulder_v - 0.01, w_sh * 0.72),
            (hip_u, hip_v, w_hip * 0.85),
            0.052 * s * girth,
            top,
            0.060 * s * girth,
        )
        # arms
        if pose == "ride":
            hand = np.array([0.42, 1.02])
            elbow = _knee(np.array([shoulder_u, shoulder_v]), hand, 0.18 * s, 0.17 * s, -1.0)
            w_hand = side * 0.22
        else:
            style = rng.random()
            angle = -0.8 * swing * np.sin(beat) + rng.normal(0, 0.05)
            flex = rng.uniform(0.1, 0.35) if pose != "run" else rng.uniform(1.2, 1.7)
            if pose == "stand" and style < 0.3:
                angle, flex = 0.25, rng.uniform(1.3, 2.1)  # phone, crossed arms, bag
            elbow = np.array([shoulder_u, shoulder_v]) + 0.186 * s * np.array(
                [np.sin(angle), -np.cos(angle)]
            )
            hand = elbow + 0.165 * s * np.array([np.sin(angle + flex), -np.cos(angle + flex)])
            w_hand = w_sh * rng.uniform(1.1, 1.5) * (0.5 if flex > 1.25 else 1.0)
        elbow3 = (elbow[0], elbow[1], (w_sh * 1.25 + w_hand) / 2 if pose == "ride" else w_sh * 1.35)
        hand3 = (hand[0], hand[1], w_hand)
        body.capsule(shoulder, elbow3, 0.033 * s * girth, top - 0.3, 0.026 * s * girth)
        body.capsule(elbow3, hand3, 0.025 * s * girth, sleeves, 0.018 * s)
        body.capsule(hand3, hand3, 0.024 * s, hands)

    body.capsule(
        (shoulder_u, shoulder_v - 0.06 * s, 0.0), (hip_u, hip_v, 0.0), 0.066 * s * girth, top + 0.4
    )
    neck_u = shoulder_u + 0.05 * s * np.sin(lean)
    neck_v = shoulder_v + 0.035 * s
    body.capsule((shoulder_u, shoulder_v, 0.0), (neck_u, neck_v, 0.0), 0.033 * s, skin - 0.3)
    head_u = neck_u + 0.045 * s * np.sin(lean) + 0.012 * s
    head_v = shoulder_v + 0.118 * s
    nod = rng.normal(0, 0.012)
    body.capsule(
        (head_u + 0.022 * s, head_v - 0.033 * s, nod),
        (head_u + 0.018 * s, head_v + 0.012 * s, nod),
        0.040 * s,
        skin,
        0.046 * s,
    )
    cover = _mix(air, skin, 0.22) if warm_clothes and rng.random() < 0.45 else hair
    body.capsule(
        (head_u - 0.016 * s, head_v - 0.008 * s, nod),
        (head_u - 0.006 * s, head_v + 0.020 * s, nod),
        0.050 * s,
        cover,
        0.047 * s,
    )
    if pose != "ride" and rng.random() < 0.22:
        pack = _mix(air, skin, rng.uniform(0.02, 0.14))
        back = shoulder_u - 0.115 * s
        body.capsule(
            (back, shoulder_v - 0.05 * s, 0.0), (back, hip_v + 0.05 * s, 0.0), 0.075 * s, pack
        )
    return body


def bicycle(rng: np.random.Generator, around: Surroundings, *, ridden: bool = False) -> Body:
    """A bicycle: thin tubes near air temperature, tyres a little warmer when it is ridden."""
    air = around.air
    metal = (
        _mix(air, around.sky, rng.uniform(0.05, 0.25))
        + rng.normal(0, 1.0)
        + around.sun * rng.uniform(0, 4)
    )
    tyre = air + (rng.uniform(1.0, 5.0) if ridden else rng.uniform(-1.0, 1.0)) + 5.0 * around.sun
    saddle = air + (4.0 if ridden else rng.uniform(-0.5, 1.5) + 6 * around.sun)
    body = Body("bicycle", texture=0.3)
    wheel = rng.uniform(0.31, 0.35)
    back, front = -0.50, 0.54
    turns = np.linspace(0, 2 * np.pi, 15)
    for centre in (back, front):
        ring = np.stack([centre + wheel * np.cos(turns), wheel * (1 + np.sin(turns))], 1)
        ring[:, 1] += 0.02
        for a, b in pairwise(ring):
            body.capsule((a[0], a[1], 0.0), (b[0], b[1], 0.0), 0.024, tyre)
        body.capsule((centre, wheel + 0.02, 0.0), (centre, wheel + 0.02, 0.0), 0.035, metal + 0.5)
    hub_b, hub_f = (back, wheel + 0.02, 0.0), (front, wheel + 0.02, 0.0)
    crank, seat, head = (-0.02, 0.29, 0.0), (-0.22, 0.82, 0.0), (0.34, 0.84, 0.0)
    neck = (0.37, 0.72, 0.0)
    for a, b in ((crank, seat), (crank, neck), (seat, head), (hub_b, crank), (hub_b, seat)):
        body.capsule(a, b, 0.019, metal)
    body.capsule(head, hub_f, 0.017, metal)
    body.capsule(head, (0.38, 1.0, 0.0), 0.015, metal)
    body.capsule((0.40, 1.02, -0.26), (0.40, 1.02, 0.26), 0.018, metal + 0.8)
    body.capsule((-0.36, 0.93, 0.0), (-0.12, 0.92, 0.0), 0.05, saddle, 0.03)
    body.capsule(seat, (-0.235, 0.9, 0.0), 0.016, metal)
    body.capsule(crank, crank, 0.06, metal + (2.0 if ridden else 0.0))
    if rng.random() < 0.25:  # basket or bag
        spot = (0.55, 0.92, 0.0) if rng.random() < 0.5 else (-0.5, 0.85, 0.0)
        body.capsule(spot, (spot[0], spot[1] - 0.12, 0.0), 0.12, air + rng.uniform(-1, 2))
    return body


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


def car(rng: np.random.Generator, around: Surroundings) -> Body:
    """A car as a prism with glass, wheels, bonnet and exhaust; parked cold or with a warm engine.

    Sheet metal follows air, sun and cold sky; glass mirrors the sky; a running engine warms the
    bonnet, the grille, the tyres and the ground under the car.
    """
    name = str(rng.choice(list(_PROFILES), p=[0.36, 0.32, 0.22, 0.10]))
    shape = _PROFILES[name]
    scale = rng.uniform(0.93, 1.06)
    length, half = shape.length * scale, 0.5 * 1.78 * rng.uniform(0.95, 1.05)
    belt, top, nose = (v * scale for v in (shape.belt, shape.top, shape.nose))
    rear_low, rear_top, front_top, front_low = (length * c for c in shape.cabin)
    sill = 0.24
    front, rear = length / 2, -length / 2
    air, sky, sun = around.air, around.sky, around.sun
    running = rng.random() < 0.62
    heat = rng.uniform(0.35, 1.0) if running else rng.uniform(0, 0.12)
    paint = air + sun * rng.uniform(2, 14) + rng.normal(0, 1.2)
    if around.kind == "night":
        paint -= rng.uniform(0.3, 2.5)
    flat_paint = _mix(paint, sky, rng.uniform(0.08, 0.22))  # faces that look up
    glass = _mix(air + 3 * sun, sky, rng.uniform(0.12, 0.4)) + rng.uniform(0, 1.5)
    bonnet = flat_paint + heat * rng.uniform(5, 20)
    grille = paint + heat * rng.uniform(8, 24)
    tyre = air + 4 * sun + heat * rng.uniform(4, 14)
    disc = tyre + heat * rng.uniform(2, 20)
    under = around.ground + heat * rng.uniform(1, 6) - sun * rng.uniform(2, 6)

    body = Body("car", texture=0.3)
    inner = half * 0.85
    patch = [(front * 0.86, 0.02, -inner), (rear * 0.8, 0.02, -inner)]
    patch += [(rear * 0.8, 0.02, inner), (front * 0.86, 0.02, inner)]
    body.face(patch, under, two_sided=True)
    axles = (0.31 * length, -0.29 * length)
    # wheels seen from the ends and under the sill
    for u in axles:
        for w in (-1.0, 1.0):
            body.face(
                [
                    (u + 0.28, 0.0, w * half * 0.98),
                    (u + 0.28, 0.45, w * half * 0.98),
                    (u + 0.28, 0.45, w * (half * 0.98 - 0.2)),
                    (u + 0.28, 0.0, w * (half * 0.98 - 0.2)),
                ],
                tyre,
                two_sided=True,
            )

    hood_v, tail_v = belt - 0.04, belt if name in ("saloon",) else belt + 0.02
    side = [
        (front - 0.05, sill, 0),
        (front, nose * 0.62, 0),
        (front - 0.12, nose, 0),
        (front_low, hood_v, 0),
        (rear_low, tail_v, 0),
        (rear + 0.04, tail_v - 0.03, 0),
        (rear, sill + 0.2, 0),
        (rear + 0.08, sill, 0),
    ]
    ends = np.array(side, np.float64)

    def strip(a: int, b: int, value: float) -> None:
        p, q = ends[a], ends[b]
        body.face(
            [(p[0], p[1], -half), (q[0], q[1], -half), (q[0], q[1], half), (p[0], p[1], half)],
            value,
        )

    strip(0, 1, paint + 0.5 * heat * 6)
    strip(1, 2, grille)
    strip(2, 3, bonnet)
    strip(4, 5, flat_paint)
    strip(5, 6, paint)
    strip(6, 7, paint + 1.0 * heat)
    # lamps and plate
    for w in (-1.0, 1.0):
        lamp = [
            (front + 0.01, nose * 0.66, w * half * 0.95),
            (front - 0.08, nose * 0.92, w * half * 0.95),
        ]
        lamp += [
            (front - 0.08, nose * 0.92, w * half * 0.6),
            (front + 0.01, nose * 0.66, w * half * 0.6),
        ]
        body.face(lamp[::-1] if w > 0 else lamp, _mix(air, sky, 0.1) + heat * 4)
    if heat > 0.3:
        v, w = sill + 0.02, half * 0.6 * rng.choice([-1.0, 1.0])
        pipe = [(rear - 0.02, v - 0.07, w - 0.08), (rear - 0.02, v - 0.07, w + 0.08)]
        pipe += [(rear - 0.02, v + 0.07, w + 0.08), (rear - 0.02, v + 0.07, w - 0.08)]
        body.face(pipe, air + heat * rng.uniform(15, 45))
    circle = np.linspace(0, 2 * np.pi, 17)[:-1]
    for w in (1.0, -1.0):
        panel = ends.copy()
        panel[:, 2] = w * half
        body.face(panel if w > 0 else panel[::-1], paint)
        for u in axles:
            for radius, value in ((0.33, air - 0.5), (0.30, tyre), (0.19, disc)):
                wheel = [
                    (u + radius * np.cos(t), 0.31 + radius * np.sin(t), w * (half + 0.01))
                    for t in circle
                ]
                body.face(wheel if w > 0 else wheel[::-1], value)
    # cabin: glass all round under a metal roof, narrower at the top
    low, high = half * 0.94, half * 0.74
    bottom = ((front_low, hood_v), (rear_low, tail_v))
    upper = ((front_top, top), (rear_top, top))

    def ring(
        base: tuple[float, float], peak: tuple[float, float]
    ) -> list[tuple[float, float, float]]:
        return [
            (base[0], base[1], low),
            (peak[0], peak[1], high),
            (peak[0], peak[1], -high),
            (base[0], base[1], -low),
        ]

    body.face(ring(bottom[0], upper[0])[::-1], glass)
    rear_glass = glass if name != "van" else paint
    body.face(ring(bottom[1], upper[1]), rear_glass)
    for w in (1.0, -1.0):
        quad = [
            (bottom[0][0], bottom[0][1], w * low),
            (upper[0][0], upper[0][1], w * high),
            (upper[1][0], upper[1][1], w * high),
            (bottom[1][0], bottom[1][1], w * low),
        ]
        shell = quad if w > 0 else quad[::-1]
        body.face(shell, paint)
        pts = np.array(quad, np.float64)
        mid_low, mid_top = pts[[0, 3]].mean(0), pts[[1, 2]].mean(0)
        panes = ((pts[0], pts[1], mid_top, mid_low), (mid_low, mid_top, pts[2], pts[3]))
        for index, pane in enumerate(panes):
            if name == "van" and index == 1:
                continue
            centre = np.mean(pane, axis=0)
            small = centre + 0.80 * (np.array(pane) - centre) + np.array([0, 0, w * 0.01])
            body.face(small if w > 0 else small[::-1], glass)
    roof = [(upper[0][0], top, high), (upper[1][0], top, high)]
    roof += [(upper[1][0], top, -high), (upper[0][0], top, -high)]
    body.face(roof[::-1], flat_paint + 0.5)
    return body


def dog(rng: np.random.Generator, around: Surroundings) -> Body:
    """A dog: fur between air and skin, head and belly warmer, standing, walking or sitting."""
    air = around.air
    size = rng.uniform(0.36, 0.72)  # height at the shoulder, metres
    length = size * rng.uniform(1.0, 1.2)
    stout = rng.uniform(0.85, 1.2)
    coat = rng.uniform(0.28, 0.62)
    fur = _mix(air, CORE, coat) + around.sun * rng.uniform(0, 4)
    face = _mix(air, CORE - 2, min(coat + 0.28, 0.9))
    legs = _mix(air, CORE - 2, coat * rng.uniform(0.75, 1.0))
    body = Body("dog", texture=float(0.04 * abs(CORE - air) + 0.2))
    sitting = rng.random() < 0.2
    chest, rump = np.array([length / 2, 0.82 * size]), np.array([-length / 2, 0.80 * size])
    if sitting:
        rump = np.array([-length * 0.22, 0.30 * size])
        chest = np.array([length * 0.2, 0.78 * size])
    r_chest, r_rump = 0.19 * size * stout, 0.155 * size * stout
    body.capsule((chest[0], chest[1], 0), (rump[0], rump[1], 0), r_chest, fur, r_rump)
    belly = (0.0, (chest[1] + rump[1]) / 2 - 0.05 * size, 0)
    brisket = (chest[0] * 0.8, chest[1] - 0.07 * size, 0)
    body.capsule(brisket, belly, r_chest * 0.95, fur + 0.8, r_rump * 0.95)
    up = rng.uniform(0.05, 0.42)
    head = chest + size * np.array([0.34, up])
    body.capsule(
        (chest[0], chest[1] + 0.04, 0),
        (head[0], head[1], 0),
        0.13 * size * stout,
        fur + 0.5,
        0.10 * size,
    )
    body.capsule((head[0], head[1], 0), (head[0] + 0.05 * size, head[1], 0), 0.125 * size, face)
    muzzle = head + size * np.array([0.27, -0.07])
    body.capsule(
        (head[0] + 0.1 * size, head[1] - 0.03 * size, 0),
        (muzzle[0], muzzle[1], 0),
        0.075 * size,
        face + 0.5,
        0.05 * size,
    )
    nose = muzzle + np.array([0.05, 0.0]) * size
    body.capsule((nose[0], nose[1], 0), (nose[0], nose[1], 0), 0.03 * size, _mix(air, CORE, 0.3))
    pricked = rng.random() < 0.5
    for side in (-1.0, 1.0):
        w = side * 0.085 * size
        tip = (head[0] - 0.06 * size, head[1] + (0.2 if pricked else -0.12) * size, w * 1.4)
        body.capsule(
            (head[0] - 0.02 * size, head[1] + 0.08 * size, w),
            tip,
            0.05 * size,
            face - 1,
            0.025 * size,
        )
    phase, swing = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.5)
    for index, (joint, radius) in enumerate(((chest, 0.075), (rump, 0.095))):
        for side in (-1.0, 1.0):
            w = side * 0.10 * size * stout
            angle = swing * np.sin(phase + np.pi * ((side > 0) ^ (index == 1)))
            top = joint + np.array([-0.03 if index == 0 else 0.03, -0.05]) * size
            if sitting and index == 1:
                foot = np.array([top[0] + 0.3 * size, 0.04])
                body.capsule(
                    (top[0], top[1], w), (foot[0], foot[1], w * 1.6), 0.13 * size, legs, 0.04 * size
                )
                continue
            knee = top + 0.36 * size * np.array(
                [np.sin(angle) * 0.7 + (0.1 if index else 0.0), -1.0]
            )
            foot = np.array(
                [knee[0] + 0.3 * size * np.sin(angle) - (0.12 * size if index else 0), 0.035]
            )
            body.capsule(
                (top[0], top[1], w), (knee[0], knee[1], w), radius * size * stout, legs, 0.05 * size
            )
            body.capsule(
                (knee[0], knee[1], w), (foot[0], foot[1], w), 0.045 * size, legs - 0.8, 0.035 * size
            )
            body.capsule(
                (foot[0], foot[1], w), (foot[0] + 0.07 * size, foot[1], w), 0.035 * size, legs - 1.5
            )
    lift = rng.uniform(-0.2, 0.45)
    tail = rump + size * np.array([-0.38, lift])
    body.capsule(
        (rump[0] - r_rump * 0.7, rump[1] + 0.04 * size, 0),
        (tail[0], tail[1], 0),
        0.055 * size,
        fur - 1.5,
        0.025 * size,
    )
    return body
