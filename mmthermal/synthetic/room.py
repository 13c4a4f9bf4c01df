"""Backgrounds of rooms and garages: walls, ceiling, floor, and what hangs on the walls."""

# All fields are hires: (H * S, W * S), S the supersampling factor.

import numpy as np

from mmthermal.synthetic.backdrop import Backdrop, look_up, texture_tile
from mmthermal.synthetic.bodies import Body
from mmthermal.synthetic.camera import Camera
from mmthermal.synthetic.sensor import radiance
from mmthermal.synthetic.surroundings import Surroundings


def draw_room(
    rng: np.random.Generator,
    camera: Camera,
    around: Surroundings,
    factor: int,
    least_depth: float,
) -> Backdrop:
    """Background of a room or a garage.

    Args:
        rng: source of its layout and textures.
        camera: the camera.
        around: weather and temperatures.
        factor: supersampling factor.
        least_depth: how far away the wall stands at least, metres.
    """
    ray_x, ray_y, ray_z = camera.rays(factor)
    garage = around.kind == "garage"
    wall = rng.uniform(14, 30) if garage else float(np.exp(rng.uniform(np.log(6), np.log(18))))
    wall = max(wall, least_depth)
    half = rng.uniform(7, 14) if garage else rng.uniform(1.8, 6)
    ceiling = camera.height + rng.uniform(0.25, 1.2)
    fall = np.where(ray_y < 0, camera.height, ceiling - camera.height) / np.maximum(
        np.abs(ray_y), 1e-6
    )
    t = np.minimum(fall, wall / np.maximum(ray_z, 1e-6)).astype(np.float32)
    to_side = (half / np.maximum(np.abs(ray_x), 1e-6)).astype(np.float32)
    depth = np.minimum(t, to_side)
    is_side = to_side < t
    x = np.asarray(depth * ray_x, np.float32)
    y = np.asarray(camera.height + depth * ray_y, np.float32)
    z = np.asarray(depth * ray_z, np.float32)
    is_back = ~is_side & (z > wall - 1e-3)
    is_flat = ~is_side & ~is_back
    tile = texture_tile(rng, 0.3)
    a = np.where(is_side, z, x)
    b = np.where(is_flat, z, y)
    grain = look_up(tile, a + 20, b + 5, 9.0)
    left, right, back, top = (around.air + rng.normal(0, 0.6) for _ in range(4))
    field = np.where(is_side, np.where(x < 0, left, right), np.where(is_back, back, around.ground))
    field = np.where(is_flat & (y > camera.height), top + 0.5, field)
    # warm air gathers under the ceiling, corners lose heat
    field = field + np.float32(rng.uniform(0.1, 0.5)) * (y - np.float32(1.2)) * ~is_flat
    corner = np.minimum(np.abs(half - np.abs(x)), np.abs(wall - z))
    edge = np.where(is_flat, corner, np.minimum(y, ceiling - y))
    field = field - np.float32(rng.uniform(0.3, 1.4)) * np.exp(-edge / np.float32(0.35))
    field = field + np.float32(rng.uniform(0.15, 0.4)) * grain
    if not garage and rng.random() < 0.35:  # tiles or planks
        field = field + 0.35 * (is_flat & ((a % 0.6 < 0.06) | (b % 0.6 < 0.06)))
    fixtures = _fixtures(rng, around, wall, half, ceiling)
    return Backdrop(radiance(np.asarray(field, np.float32)), wall, half, fixtures)


def _fixtures(
    rng: np.random.Generator, around: Surroundings, wall: float, half: float, ceiling: float
) -> list[tuple[Body, tuple[float, float], float]]:
    """Windows with radiators, doors, screens, lights and pipes of a room."""
    found: list[tuple[Body, tuple[float, float], float]] = []

    def panel(u0: float, v0: float, u1: float, v1: float, value: float) -> Body:
        body = Body(None, texture=0.25)
        body.face([(u0, v0, 0), (u0, v1, 0), (u1, v1, 0), (u1, v0, 0)], value, two_sided=True)
        return body

    spots: list[tuple[tuple[float, float], float]] = []
    for x in np.arange(-half + 0.8, half - 0.6, 2.2):
        spots.append(((float(x), wall - 0.02), 0.0))
    for z in np.arange(3.0, wall - 1.0, 2.6):
        spots.append(((-half + 0.02, float(z)), np.pi / 2))
        spots.append(((half - 0.02, float(z)), np.pi / 2))
    outside = around.air + rng.choice([-1.0, 1.0], p=[0.8, 0.2]) * rng.uniform(1, 7)
    for position, yaw in spots:
        draw = rng.random()
        if draw < 0.2:
            top = min(2.1, ceiling - 0.2)
            found.append((panel(-0.6, 0.95, 0.6, top, outside), position, yaw))
            if rng.random() < 0.5:
                warm = around.air + rng.uniform(6, 22)
                body = panel(-0.55, 0.15, 0.55, 0.75, warm - 2)
                for u in np.arange(-0.5, 0.55, 0.14):
                    body.capsule((u, 0.17, -0.03), (u, 0.73, -0.03), 0.03, warm)
                found.append((body, position, yaw))
        elif draw < 0.34:
            value = around.air + rng.uniform(-2.0, 0.8)
            found.append((panel(-0.45, 0.0, 0.45, min(2.05, ceiling - 0.1), value), position, yaw))
        elif draw < 0.42:
            value = around.air + rng.uniform(3, 9)
            found.append((panel(-0.5, 1.0, 0.5, 1.6, value), position, yaw))
        elif draw < 0.5:
            body = Body(None, texture=0.4)
            value = around.air + rng.uniform(2, 16)
            body.capsule((0, 0, 0), (0, ceiling, 0), 0.06, value)
            found.append((body, position, yaw))
        elif draw < 0.58:
            u, v = rng.uniform(-0.5, 0.5), rng.uniform(0.3, 1.4)
            value = around.air + rng.uniform(1, 10)
            found.append((panel(u, v, u + 0.15, v + 0.2, value), position, yaw))
    for z in np.arange(4.0, wall, 3.5):
        if rng.random() < 0.6:
            light = Body(None, texture=0.2)
            u = rng.uniform(-0.3, 0.3) * half
            rim = [(u - 0.5, ceiling, -0.15), (u - 0.5, ceiling, 0.15)]
            rim += [(u + 0.5, ceiling, 0.15), (u + 0.5, ceiling, -0.15)]
            light.face(rim, around.air + rng.uniform(3, 15), two_sided=True)
            found.append((light, (0.0, float(z)), 0.0))
    return found
