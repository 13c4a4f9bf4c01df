"""The empty scene, and the textures of its surfaces."""

from dataclasses import dataclass

import cv2
import numpy as np

from mmthermal.synthetic.bodies import Body
from mmthermal.synthetic.sensor import Array, smooth_noise


@dataclass(frozen=True)
class Backdrop:
    """The empty scene.

    Attributes:
        radiance: (H * S, W * S) at the camera.
        wall: Z of the wall or the tree line that ends the ground, metres.
        half_width: |X| of the side walls of a room, infinite out of doors.
        fixtures: bodies that hang on the walls, with position (X, Z) and yaw.
    """

    radiance: Array
    wall: float
    half_width: float
    fixtures: list[tuple[Body, tuple[float, float], float]]


def texture_tile(rng: np.random.Generator, rough: float) -> Array:
    """Texture tile, 192 x 192, unit deviation: large patches plus grain in the share `rough`."""
    field = smooth_noise(rng, 192, 192, 64) + 0.6 * smooth_noise(rng, 192, 192, 24)
    field += rough * (smooth_noise(rng, 192, 192, 8) + 0.8 * smooth_noise(rng, 192, 192, 3))
    return np.asarray(field / cv2.meanStdDev(field)[1][0, 0], np.float32)


def look_up(tile: Array, a: Array, b: Array, per_metre: float) -> Array:
    """Texture at metric coordinates; the tile is mirrored beyond its border."""
    field = cv2.remap(
        tile,
        np.ascontiguousarray(a * per_metre, np.float32),
        np.ascontiguousarray(b * per_metre, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(field, np.float32)
