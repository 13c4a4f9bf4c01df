"""Bicycles."""

from itertools import pairwise

import numpy as np

from mmthermal.synthetic.bodies import Body, mix
from mmthermal.synthetic.surroundings import Surroundings


def bicycle(rng: np.random.Generator, around: Surroundings, *, ridden: bool = False) -> Body:
    """A bicycle: thin tubes near air temperature, tyres a little warmer when it is ridden."""
    air = around.air
    metal = (
        mix(air, around.sky, rng.uniform(0.05, 0.25))
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
