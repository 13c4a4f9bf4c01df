"""Bodies of the synthetic scenes: three-dimensional shapes whose parts have temperatures.

A body lives in its own frame, metres: u forward, v up from the ground, w to its left. Its parts
are capsules (limbs, tubes, poles) and flat faces (sheet metal, glass, patches on the ground).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CORE = 309.0
"""Core temperature of a warm-blooded body, kelvin."""


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


def mix(air: float, warm: float, share: float) -> float:
    """Temperature between that of the air (share 0) and a warmer one (share 1)."""
    return air + share * (warm - air)
