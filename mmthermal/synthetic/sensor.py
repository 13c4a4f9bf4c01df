"""Model of an uncooled long-wave infrared camera: temperatures in, raw 16-bit counts out.

The chain is radiance -> optics (point spread, box-sampled pixels) -> detector (fixed pattern,
drift, temporal noise) -> counts on the linear scale of a radiometric core: 100 counts per kelvin.
"""

# H, W image height and width in native pixels; S supersampling factor; K kelvin.

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

COUNTS_PER_KELVIN = 100.0
"""Scale of the raw counts: 29 500 counts are 295 K."""

PLANCK_B = 1428.0
"""Planck constant of the band in kelvin, as radiometric LWIR cores report it (8-14 um)."""

_SCALE = float(np.expm1(PLANCK_B / 300.0))


def radiance(temperature: Array | float) -> Array:
    """Band radiance of a black body, 1 at 300 K.

    Args:
        temperature: any shape, kelvin, > 0.

    Returns:
        same shape, float32, R / (exp(B / T) - 1) with R such that radiance(300) = 1.
    """
    value = np.float32(_SCALE) / np.expm1(
        np.float32(PLANCK_B) / np.asarray(temperature, np.float32)
    )
    return np.asarray(value, np.float32)


def temperature(band_radiance: Array | float) -> Array:
    """Apparent temperature in kelvin of a band radiance: the inverse of `radiance`."""
    value = np.float32(PLANCK_B) / np.log1p(
        np.float32(_SCALE) / np.asarray(band_radiance, np.float32)
    )
    return np.asarray(value, np.float32)


def attenuate(band_radiance: Array, air: float, transmission: Array | float) -> Array:
    """Radiance after a path through air that emits at its own temperature.

    Args:
        band_radiance: any shape, at the object.
        air: temperature of the air, kelvin.
        transmission: share of the radiance that arrives, in [0, 1], broadcastable.

    Returns:
        transmission * object + (1 - transmission) * air.
    """
    path = radiance(air)
    return np.asarray(path + transmission * (band_radiance - path), np.float32)


@dataclass(frozen=True)
class FixedPattern:
    """What one camera adds to each of its frames, in kelvin.

    Attributes:
        columns: (1, W) stripes of the column amplifiers.
        pixels: (H, W) offset of each pixel left after the shutter calibration.
        shading: (H, W) low-frequency offset: narcissus, warm housing, vignetting; in [-1, 1].
        bad: (H, W) bool, pixels stuck at a rail.
        offset: radiometric error of the camera.
    """

    columns: Array
    pixels: Array
    shading: Array
    bad: NDArray[np.bool_]
    offset: float


def smooth_noise(rng: np.random.Generator, height: int, width: int, cell: float) -> Array:
    """Gaussian random field with features of about `cell` pixels, zero mean, unit deviation."""
    rows, cols = max(2, round(height / cell)), max(2, round(width / cell))
    coarse = rng.standard_normal((rows, cols), dtype=np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    mean, deviation = cv2.meanStdDev(field)
    scale = 1 / max(float(deviation[0, 0]), 1e-6)
    return np.asarray(field * np.float32(scale) - np.float32(mean[0, 0] * scale), np.float32)


@lru_cache(maxsize=64)
def fixed_pattern(
    seed: int, spawn_key: tuple[int, ...], size: tuple[int, int], bad_share: float
) -> FixedPattern:
    """Fixed pattern of the camera that a seed names; the same arguments give the same camera.

    Args:
        seed: entropy of the data set.
        spawn_key: key of the camera in the tree of seeds.
        size: (width, height) in pixels.
        bad_share: share of pixels stuck at a rail, in [0, 1].
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))
    width, height = size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    centre = rng.uniform(-0.25, 0.25, 2)
    bowl = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) * rng.choice([-1.0, 1.0])
    shading = bowl / 1.3 + 0.45 * smooth_noise(rng, height, width, width / 3)
    shading -= shading.mean()
    return FixedPattern(
        columns=rng.standard_normal((1, width), dtype=np.float32),
        pixels=rng.standard_normal((height, width), dtype=np.float32),
        shading=np.asarray(shading / np.abs(shading).max(), np.float32),
        bad=rng.random((height, width)) < bad_share,
        offset=float(rng.normal(0, 0.8)),
    )


def expose(
    rng: np.random.Generator, hires: Array, pattern: FixedPattern, *, factor: int, netd: float
) -> NDArray[np.uint16]:
    """Raw frame of a scene.

    Args:
        rng: source of the temporal noise and of the drift since the last shutter calibration.
        hires: (H * factor, W * factor) band radiance.
        pattern: the camera's fixed pattern, (H, W).
        factor: supersampling factor S, >= 1.
        netd: noise-equivalent temperature difference in kelvin, >= 0; the frame's own value
            varies by a quarter, and the fixed pattern scales with it.

    Returns:
        (H, W) uint16 counts, 100 per kelvin.
    """
    height, width = hires.shape[0] // factor, hires.shape[1] // factor
    pixels = cv2.resize(hires, (width, height), interpolation=cv2.INTER_AREA)
    # a box pixel over the optical blur: sigma is that of the optics alone
    pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.65, 1.05))
    apparent = temperature(np.asarray(pixels, np.float32))
    level = netd * rng.uniform(0.75, 1.25)
    since_shutter = rng.uniform(0.2, 1.0)
    apparent = apparent + np.float32(pattern.offset + rng.normal(0, 0.3))
    apparent += pattern.shading * np.float32(rng.uniform(0.1, 0.6) * since_shutter)
    apparent += pattern.columns * np.float32(0.6 * level * since_shutter)
    apparent += pattern.pixels * np.float32(0.8 * level * since_shutter)
    apparent += rng.standard_normal((height, width), dtype=np.float32) * np.float32(level)
    if pattern.bad.any():
        apparent[pattern.bad] = float(apparent.max()) + 5.0
    counts = np.rint(apparent * np.float32(COUNTS_PER_KELVIN))
    return np.clip(counts, 0, 65535).astype(np.uint16)
