"""Backgrounds out of doors: sky, buildings or trees, the ground with its roads and shade."""

# All fields are hires: (H * S, W * S), S the supersampling factor.

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic.backdrop import Backdrop, look_up, texture_tile
from mmthermal.synthetic.camera import Camera
from mmthermal.synthetic.sensor import Array, attenuate, radiance, smooth_noise
from mmthermal.synthetic.surroundings import Surroundings


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


def draw_outdoors(
    rng: np.random.Generator,
    camera: Camera,
    around: Surroundings,
    factor: int,
    least_depth: float,
) -> Backdrop:
    """Background of a street, a park or an open space.

    Args:
        rng: source of its layout and textures.
        camera: the camera.
        around: weather and temperatures.
        factor: supersampling factor.
        least_depth: how far away the wall stands at least, metres.
    """
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
    tile = texture_tile(rng, 1.0 if kind == "trees" else 0.25)
    if kind == "building":
        height = rng.uniform(3.5, 14)
        left, right = np.sort(rng.uniform(-40, 40, 2)) if rng.random() < 0.4 else (-1e9, 1e9)
        facade = around.air + rng.uniform(-1, 3) + around.sun * rng.uniform(0, 8)
        field = facade + 0.5 * look_up(tile, x + 30, y, 6.0)
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
    skyline = look_up(tile, x[-1:] + 30, np.full_like(x[-1:], 3.0), rng.uniform(4, 9))
    edge = tall * (1 + 0.22 * skyline) + 0.35 * look_up(tile, x + 70, y, 10.0)
    leaf = around.air + rng.uniform(-1.0, 0.8) + around.sun * 1.5
    field = leaf + rng.uniform(0.4, 1.0) * look_up(tile, x + 20, y, 8.0)
    return y < edge, np.asarray(field, np.float32)


def _ground(rng: np.random.Generator, around: Surroundings, x: Array, z: Array) -> Array:
    """Ground temperature: asphalt, paving or grass, a road across or along, kerbs, shadows."""
    tile = texture_tile(rng, 0.6)
    grassy = rng.random() < 0.4
    base = around.ground
    if grassy:
        base = around.air + 0.45 * (around.ground - around.air) - rng.uniform(0, 1.5)
    per_metre = 9.0
    patches = look_up(tile, x + 20, z, per_metre)
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
        shade = look_up(texture_tile(rng, 0.1), x + z * np.float32(slant) + 20, z, 12.0)
        cool = np.clip((shade - np.float32(rng.uniform(-0.2, 1.0))) * 4, 0, 1)
        field = field - cool * np.float32(around.sun * rng.uniform(2, 7))
    return np.asarray(field, np.float32)
