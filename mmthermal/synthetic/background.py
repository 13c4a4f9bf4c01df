"""Background of a scene: out of doors or a room, by its surroundings."""

from dataclasses import replace

import cv2
import numpy as np

from mmthermal.synthetic.backdrop import Backdrop
from mmthermal.synthetic.camera import Camera
from mmthermal.synthetic.outdoors import draw_outdoors
from mmthermal.synthetic.room import draw_room
from mmthermal.synthetic.surroundings import Surroundings


def make_backdrop(
    rng: np.random.Generator,
    camera: Camera,
    around: Surroundings,
    factor: int,
    *,
    least_depth: float,
) -> Backdrop:
    """Background that fits the surroundings.

    Args:
        rng: source of its layout and textures.
        camera: the camera.
        around: place, weather, temperatures.
        factor: supersampling factor.
        least_depth: how far away the wall stands at least, metres.
    """
    draw = draw_room if around.indoors else draw_outdoors
    # two subpixels are enough for what has few edges; the bodies get all of them
    coarse = min(factor, 2)
    found = draw(rng, camera, around, coarse, least_depth)
    if coarse == factor:
        return found
    size = (camera.size[0] * factor, camera.size[1] * factor)
    full = cv2.resize(found.radiance, size, interpolation=cv2.INTER_LINEAR)
    return replace(found, radiance=np.asarray(full, np.float32))
