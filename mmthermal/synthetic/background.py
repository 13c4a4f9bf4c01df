"""Background of the synthetic scenes: a street, a park, a square, a room, a garage."""

# All fields are hires: (H * S, W * S), S the supersampling factor.

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic.bodies import Body, Surroundings
from mmthermal.synthetic.canvas import Camera
from mmthermal.synthetic.sensor import Array, attenuate, radiance, smooth_noise


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
    draw = _room if around.kind in ("indoor", "garage") else _outdoors
    # two subpixels are enough for what has few edges; the bodies get all of them
    coarse = min(factor, 2)
    found = draw(rng, camera, around, coarse, least_depth)
    if coarse == factor:
        return found
    size = (camera.size[0] * factor, camera.size[1] * factor)
    full = cv2.resize(found.radiance, size, interpolation=cv2.INTER_LINEAR)
    return replace(found, radiance=np.asarray(full, np.float32))


def _tile(rng: np.random.Generator, rough: float) -> Array:
    """Texture tile, 192 x 192, unit deviation: large patches plus grain in the share `rough`."""
    field = smooth_noise(rng, 192, 192, 64) + 0.6 * smooth_noise(rng, 192, 192, 24)
    field += rough * (smooth_noise(rng, 192, 192, 8) + 0.8 * smooth_noise(rng, 192, 192, 3))
    return np.asarray(field / cv2.meanStdDev(field)[1][0, 0], np.float32)


def _look_up(tile: Array, a: Array, b: Array, per_metre: float) -> Array:
    """Texture at metric coordinates; the tile is mirrored beyond its border."""
    field = cv2.remap(
        tile,
        np.ascontiguousarray(a * per_metre, np.float32),
        np.ascontiguousarray(b * per_metre, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(field, np.float32)


def _sky(
    rng: np.random.Generator, around: Surroundings, elevation: Array, shape: tuple[int, int]
) -> Array:
    """Apparent temperature: near air at the horizon, cold overhead, clouds warmer."""
    low = around.air - rng.uniform(1, 5)
    rise = 1 - np.exp(-np.maximum(elevation, 0) / rng.uniform(0.12, 0.35))
    field = np.broadcast_to(low + (around.sky - low) * rise, shape).astype(np.float32)
    clouds = np.maximum(smooth_noise(rng, shape[0] // 2, shape[1] // 4, 22), 0)
    clouds = cv2.resize(clouds, (shape[1], shape[0] // 2), interpolation=cv2.INTER_LINEAR)
    clouds = cv2.resize(clouds, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return field + np.float32(rng.uniform(0, 5)) * clouds * rise.astype(np.float32)


def _outdoors(
    rng: np.random.Generator,
    camera: Camera,
    around: Surroundings,
    factor: int,
    least_depth: float,
) -> Backdrop:
    ray_x, ray_y, ray_z = camera.rays(factor)
    shape = (ray_y.shape[0], ray_x.shape[1])
    wall = max(float(np.exp(rng.uniform(np.log(16), np.log(70)))), least_depth)
    kind = str(rng.choice(["building", "trees", "open"], p=[0.42, 0.36, 0.22]))
    if kind == "open":
        wall = max(90.0, least_depth)
    to_ground = np.where(ray_y < -1e-6, camera.height / np.maximum(-ray_y, 1e-6), np.inf)
    to_wall = wall / np.maximum(ray_z, 1e-6)
    depth = np.minimum(to_ground, to_wall)
    first_ground = int(np.argmax(to_ground[:, 0] < to_wall[:, 0]))  # rows below are ground
    if not (to_ground < to_wall).any():
        first_ground = shape[0]
    x = np.asarray(depth * ray_x, np.float32)
    elevation = np.arctan2(ray_y, ray_z)

    field = _sky(rng, around, elevation, shape)
    transmission = np.ones((shape[0], 1), np.float32)
    if first_ground > 0:
        rows = slice(0, first_ground)
        y = np.broadcast_to(camera.height + depth[rows] * ray_y[rows], (first_ground, shape[1]))
        covered, surface = _far_side(rng, kind, around, x[rows], np.asarray(y, np.float32))
        field[rows] = np.where(covered, surface, field[rows])
    if first_ground < shape[0]:
        rows = slice(first_ground, shape[0])
        z = np.broadcast_to(depth[rows] * ray_z[rows], (shape[0] - first_ground, shape[1]))
        field[rows] = _ground(rng, around, x[rows], np.asarray(z, np.float32))
        transmission[rows] = np.exp(-around.haze * depth[rows])
    return Backdrop(
        radiance=attenuate(radiance(field), around.air, transmission),
        wall=wall,
        half_width=float("inf"),
        fixtures=[],
    )


def _far_side(
    rng: np.random.Generator, kind: str, around: Surroundings, x: Array, y: Array
) -> tuple[NDArray[np.bool_], Array]:
    """What ends the ground: (covered, temperature) over the rows above it."""
    tile = _tile(rng, 1.0 if kind == "trees" else 0.25)
    if kind == "building":
        height = rng.uniform(3.5, 14)
        left, right = np.sort(rng.uniform(-40, 40, 2)) if rng.random() < 0.4 else (-1e9, 1e9)
        facade = around.air + rng.uniform(-1, 3) + around.sun * rng.uniform(0, 8)
        field = facade + 0.5 * _look_up(tile, x + 30, y, 6.0)
        pitch_x, pitch_y = rng.uniform(2.0, 4.0), rng.uniform(2.7, 3.4)
        share_x, share_y = rng.uniform(0.3, 0.6), rng.uniform(0.4, 0.55)
        gx, gy = x / np.float32(pitch_x) + 64, y / np.float32(pitch_y)
        window = ((gx % 1) < share_x) & ((gy % 1) > 0.3) & ((gy % 1) < 0.3 + share_y)
        panes = rng.normal(0, 1.0, (8, 131)).astype(np.float32)
        if around.kind == "night":
            panes = panes + np.where(rng.random(panes.shape) < 0.3, 3.0, 0.0).astype(np.float32)
        number = panes[np.clip(gy, 0, 7).astype(np.int32), gx.astype(np.int32) % 131]
        glass = facade + 0.18 * (around.sky - facade) + 1.2 * number
        field = np.where(window, glass, field)
        plinth = y < 0.35
        field = np.where(plinth, field + np.float32(rng.uniform(0, 2.5)), field)
        covered = (y < height) & (x > left) & (x < right)
        if rng.random() < 0.5:  # trees or a fence line beside the building
            low, leaf = _trees(rng, around, x, y, tile, rng.uniform(1.5, 4))
            field = np.where(covered, field, leaf)
            covered = covered | low
        return covered, np.asarray(field, np.float32)
    tall = rng.uniform(3, 11) if kind == "trees" else rng.uniform(0.5, 3.0)
    return _trees(rng, around, x, y, tile, tall)


def _trees(
    rng: np.random.Generator, around: Surroundings, x: Array, y: Array, tile: Array, tall: float
) -> tuple[NDArray[np.bool_], Array]:
    skyline = _look_up(tile, x[-1:] + 30, np.full_like(x[-1:], 3.0), rng.uniform(4, 9))
    edge = tall * (1 + 0.22 * skyline) + 0.35 * _look_up(tile, x + 70, y, 10.0)
    leaf = around.air + rng.uniform(-1.0, 0.8) + around.sun * 1.5
    field = leaf + rng.uniform(0.4, 1.0) * _look_up(tile, x + 20, y, 8.0)
    return y < edge, np.asarray(field, np.float32)


def _ground(rng: np.random.Generator, around: Surroundings, x: Array, z: Array) -> Array:
    """Ground temperature: asphalt, paving or grass, a road across or along, kerbs, shadows."""
    tile = _tile(rng, 0.6)
    grassy = rng.random() < 0.4
    base = around.ground
    if grassy:
        base = around.air + 0.45 * (around.ground - around.air) - rng.uniform(0, 1.5)
    per_metre = 9.0
    patches = _look_up(tile, x + 20, z, per_metre)
    field = base + np.float32(rng.uniform(0.25, 0.9) * (1.5 if grassy else 1.0)) * patches
    if rng.random() < 0.75:
        turn = float(rng.choice([0.0, np.pi / 2])) + rng.normal(0, 0.25)
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        across = x * cos + z * sin + rng.uniform(-0.01, 0.01) * z * z
        middle = rng.uniform(5, 14) * sin + rng.uniform(-3, 3) * cos
        half = rng.uniform(1.2, 4.5)
        off = np.abs(across - middle)
        step = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.6, 3.5) + around.sun * rng.uniform(
            -2, 5
        )
        road = base + step + np.float32(rng.uniform(0.15, 0.5)) * patches
        if rng.random() < 0.5:  # tracks that tyres have warmed
            road = road + np.float32(rng.uniform(0.2, 1.0)) * (np.abs(off - half * 0.5) < 0.25)
        field = np.where(off < half, road, field)
        if rng.random() < 0.6:
            kerb = (off > half) & (off < half + 0.18)
            field = np.where(kerb, base + rng.uniform(-1.5, 2.5), field)
        if rng.random() < 0.5:
            along = z * cos - x * sin
            paint = (off < 0.07) & ((along % 4.0) < 2.2)
            field = np.where(paint, road - rng.uniform(0.4, 1.8), field)
    if around.sun > 0.25 and rng.random() < 0.7:  # shade of trees and houses
        slant = rng.normal(0, 0.6)
        shade = _look_up(_tile(rng, 0.1), x + z * np.float32(slant) + 20, z, 12.0)
        cool = np.clip((shade - np.float32(rng.uniform(-0.2, 1.0))) * 4, 0, 1)
        field = field - cool * np.float32(around.sun * rng.uniform(2, 7))
    return np.asarray(field, np.float32)


def _room(
    rng: np.random.Generator,
    camera: Camera,
    around: Surroundings,
    factor: int,
    least_depth: float,
) -> Backdrop:
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
    tile = _tile(rng, 0.3)
    a = np.where(is_side, z, x)
    b = np.where(is_flat, z, y)
    grain = _look_up(tile, a + 20, b + 5, 9.0)
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

    spots: list[tuple[tuple[float, float], float, float]] = []
    for x in np.arange(-half + 0.8, half - 0.6, 2.2):
        spots.append(((float(x), wall - 0.02), 0.0, wall))
    for z in np.arange(3.0, wall - 1.0, 2.6):
        spots.append(((-half + 0.02, float(z)), np.pi / 2, z))
        spots.append(((half - 0.02, float(z)), np.pi / 2, z))
    outside = around.air + rng.choice([-1.0, 1.0], p=[0.8, 0.2]) * rng.uniform(1, 7)
    for position, yaw, _ in spots:
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
