"""A scene as the camera sees it, and what remains visible of each object."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic.boxes import Box, share_inside
from mmthermal.synthetic.camera import Placed, place
from mmthermal.synthetic.canvas import Canvas, Coverage
from mmthermal.synthetic.scene import Scene
from mmthermal.synthetic.sensor import Array, smooth_noise
from mmthermal.synthetic.settings import SceneSettings


@dataclass(frozen=True)
class Instance:
    """What is known of one object in the image.

    Attributes:
        index: its number in `Rendered.owner`.
        category: class name.
        visible_box: x0, y0, x1, y1 around its visible pixels, native pixels; None if hidden.
        full_box: the same around the whole object, clipped to the image.
        visible: share of its pixels inside the image that nothing hides, in [0, 1].
        truncated: share of its whole box beyond the image border, in [0, 1].
        depth: metres.
        occluded_by: indices of objects that hide more than 2 % of it.
    """

    index: int
    category: str
    visible_box: Box | None
    full_box: Box
    visible: float
    truncated: float
    depth: float
    occluded_by: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """A rendered scene before the sensor.

    Attributes:
        radiance: (H * S, W * S) band radiance at the camera.
        owner: (H * S, W * S) index into `order`, -1 for the background.
        order: the bodies, far to near.
        instances: the objects among them, those outside the image left out.
    """

    radiance: Array
    owner: NDArray[np.int16]
    order: list[Placed]
    instances: list[Instance]


def render(rng: np.random.Generator, scene: Scene, settings: SceneSettings) -> Rendered:
    """Paint a scene far to near and measure what remains visible of each object.

    Args:
        rng: source of the uneven temperature within bodies.
        scene: the composed scene.
        settings: size and supersampling; the same as for `compose`.
    """
    canvas = Canvas(scene.backdrop.radiance, settings.supersample)
    cols, rows = (side * settings.supersample for side in settings.size)
    coarse = smooth_noise(rng, rows // 2 + 1, cols // 2 + 1, 3.5)
    coarse += smooth_noise(rng, rows // 2 + 1, cols // 2 + 1, 11)
    texture = np.asarray(cv2.resize(coarse / np.float32(1.4), (cols, rows)), np.float32)
    around = scene.around
    fixtures = [place(b, scene.camera, p, yaw) for b, p, yaw in scene.backdrop.fixtures]
    fixtures.sort(key=lambda p: -p.near)
    for fixture in fixtures:
        canvas.paint(fixture, -1, air=around.air, haze=around.haze, texture=texture)
    order = sorted(scene.placed, key=lambda p: -p.near)
    if scene.gloss > 0:
        for item in order:
            twin = place(item.body, scene.camera, item.position, item.yaw, mirror=True)
            canvas.paint(
                twin, -1, air=around.air, haze=around.haze, texture=texture, opacity=scene.gloss
            )
    covers: list[Coverage] = []
    hidden_by: dict[int, list[tuple[int, int]]] = {}
    for index, item in enumerate(order):
        cover = canvas.paint(item, index, air=around.air, haze=around.haze, texture=texture)
        covers.append(cover)
        if item.body.category:
            for back, pixels in cover.hidden.items():
                hidden_by.setdefault(back, []).append((index, pixels))
    instances = []
    for index, (item, cover) in enumerate(zip(order, covers, strict=True)):
        if item.body.category is None or cover.box is None:
            continue
        seen, box = canvas.visible(index)
        fronts = hidden_by.get(index, [])
        instances.append(
            Instance(
                index=index,
                category=item.body.category,
                visible_box=box,
                full_box=cover.box,
                visible=seen / cover.pixels,
                truncated=1.0 - share_inside(item.box, settings.size),
                depth=item.depth,
                occluded_by=tuple(i for i, n in fronts if n > 0.02 * cover.pixels),
            )
        )
    return Rendered(canvas.radiance, canvas.owner, order, instances)
