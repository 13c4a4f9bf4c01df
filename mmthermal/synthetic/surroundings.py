"""Where and when a scene takes place: time, weather and temperatures."""

from dataclasses import dataclass

import numpy as np


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

    @property
    def indoors(self) -> bool:
        """Whether there is a room around the scene."""
        return self.kind in ("indoor", "garage")


def draw_surroundings(rng: np.random.Generator) -> Surroundings:
    """Time, weather and temperatures of a scene."""
    kind = str(rng.choice(["day", "night", "indoor", "garage"], p=[0.36, 0.36, 0.20, 0.08]))
    if kind == "indoor":
        air = rng.uniform(290, 299)
        return Surroundings(kind, air, 0.0, air + rng.uniform(-2.0, 0.5), air, 0.0)
    if kind == "garage":
        air = rng.uniform(279, 297)
        return Surroundings(kind, air, 0.0, air + rng.uniform(-1.5, 0.5), air, 0.0)
    cloud = rng.uniform(0, 1) ** 0.7
    haze = float(np.exp(rng.uniform(np.log(2e-4), np.log(4e-3))))
    if kind == "day":
        air = float(np.clip(rng.normal(289, 8), 268, 308))
        sun = float((1 - cloud) * rng.uniform(0.3, 1.0))
        ground = air + 14 * sun + rng.uniform(-1.5, 2)
    else:
        air = float(np.clip(rng.normal(282, 7), 262, 301))
        sun = 0.0
        ground = air + rng.uniform(-2.0, 3.5)
    sky = air - rng.uniform(4, 10) - (1 - cloud) * rng.uniform(15, 35)
    return Surroundings(kind, air, sun, ground, sky, haze)
