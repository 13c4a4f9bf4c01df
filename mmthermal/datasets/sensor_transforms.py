"""What sensor, optics and camera do to an image: drift, noise, blur, polarity, resolution.

All work at any bit depth and on any number of channels (the same change for all): sizes are in
standard deviations of the image, measured over all its pixels. They belong before gain control and
normalisation. ``RandomApply`` of mmcv gives one a probability.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from numpy.typing import NDArray

from mmthermal.common.checks import check_count, check_pair, check_range

Floats = NDArray[np.float32]


class SensorTransform(BaseTransform):
    """Base of the transforms here: one image in, one out, numbers from NumPy's global state.

    Args:
        seed: None draws from NumPy's global state, as mmdet's transforms do. A number gives each
            image a change of its own that never changes, to imitate another camera at test time.

    Raises:
        TypeError: if ``seed`` is no integer.
        ValueError: if it is negative.
    """

    def __init__(self, *, seed: int | None = None) -> None:
        if seed is not None:
            check_count("seed", seed)
        self.seed = seed

    def change(self, image: Floats, rng: Any) -> Floats:
        """Change an image.

        Args:
            image: (H, W) or (H, W, C), not to be changed in place.
            rng: ``numpy.random`` or a ``RandomState``.

        Returns:
            the changed image.
        """
        raise NotImplementedError

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``, float32 afterwards.

        Args:
            results: the sample; with a ``seed`` it must have ``img_id``.

        Returns:
            the sample.
        """
        rng = np.random
        if self.seed is not None:
            key = np.random.SeedSequence([self.seed, *str(results["img_id"]).encode()])
            rng = np.random.RandomState(key.generate_state(4))  # type: ignore[assignment]
        image = np.asarray(results["img"], np.float32)
        results["img"] = self.change(image, rng).astype(np.float32, copy=False)
        return results

    def __repr__(self) -> str:
        """Name and settings."""
        settings = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


def spread(image: Floats) -> float:
    """Standard deviation of an image, the unit of the settings here."""
    return float(image.std(dtype=np.float64))


def like(field: NDArray, image: Floats) -> Floats:
    """A field (H, W) as something that can be added to an image of several channels."""
    field = field.astype(np.float32, copy=False)
    return field if image.ndim == 2 else field[..., None]


def smooth_field(height: int, width: int, rng: Any) -> Floats:
    """A random field without detail, -1 to 1: three by three values, interpolated."""
    coarse = rng.uniform(-1, 1, (3, 3)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / max(float(np.abs(field).max()), 1e-6), np.float32)


@TRANSFORMS.register_module()
class RandomDrift(SensorTransform):
    r"""Drift of gain and offset since the last calibration, and shading over the image.

    .. math:: y = (x - m)(1 + g) + m + s\,(o + v)

    with m, s mean and deviation of the image, g and o uniform in ±``gain`` and ±``offset``, v a
    smooth field within ±``shading``.

    Args:
        gain: largest relative change of the gain, in [0, 1).
        offset: largest change of the level, in standard deviations, >= 0.
        shading: largest change from place to place, in standard deviations, >= 0.
        seed: as :class:`SensorTransform`.

    Raises:
        TypeError: if a setting is not a number.
        ValueError: if one is out of range.
    """

    def __init__(
        self,
        *,
        gain: float = 0.1,
        offset: float = 0.5,
        shading: float = 0.3,
        seed: int | None = None,
    ) -> None:
        super().__init__(seed=seed)
        check_range("gain", gain, 0, 1, open_high=True)
        check_range("offset", offset, 0)
        check_range("shading", shading, 0)
        self.gain, self.offset, self.shading = gain, offset, shading

    def change(self, image: Floats, rng: Any) -> Floats:
        """Add the drift; see the base class."""
        gain, offset, shading = rng.uniform(-1, 1, 3) * (self.gain, self.offset, self.shading)
        field = smooth_field(image.shape[0], image.shape[1], rng) * np.float32(shading)
        mean = np.float32(image.mean(dtype=np.float64))
        change = like(field + np.float32(offset), image) * np.float32(spread(image))
        return (image - mean) * np.float32(1 + gain) + mean + change


@TRANSFORMS.register_module()
class RandomFixedPattern(SensorTransform):
    """Fixed-pattern noise: what calibration has left of columns, rows, pixels, and dead pixels.

    The strength of each part is uniform between 0 and its setting.

    Args:
        columns: deviation of the columns' offsets, in standard deviations of the image, >= 0.
        rows: likewise of the rows.
        pixels: likewise of the pixels.
        dead: share of the pixels stuck at the smallest or largest value, in [0, 0.1].
        seed: as :class:`SensorTransform`.

    Raises:
        TypeError: if a setting is not a number.
        ValueError: if one is out of range.
    """

    def __init__(
        self,
        *,
        columns: float = 0.1,
        rows: float = 0.0,
        pixels: float = 0.05,
        dead: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__(seed=seed)
        for name, value in (("columns", columns), ("rows", rows), ("pixels", pixels)):
            check_range(name, value, 0)
        check_range("dead", dead, 0, 0.1)
        self.columns, self.rows, self.pixels, self.dead = columns, rows, pixels, dead

    def change(self, image: Floats, rng: Any) -> Floats:
        """Add the pattern; see the base class."""
        height, width = image.shape[:2]
        columns, rows, pixels = rng.uniform(0, 1, 3) * (self.columns, self.rows, self.pixels)
        pattern = columns * rng.standard_normal((1, width))
        pattern = pattern + rows * rng.standard_normal((height, 1))
        pattern = pattern + pixels * rng.standard_normal((height, width))
        out = image + like(pattern, image) * np.float32(spread(image))
        stuck = rng.random_sample((height, width))
        out[stuck < self.dead / 2] = image.min()
        out[stuck > 1 - self.dead / 2] = image.max()
        return out


@TRANSFORMS.register_module()
class RandomTemporalNoise(SensorTransform):
    """White noise of each pixel, as that of one frame.

    Args:
        sigma: smallest and largest standard deviation, in those of the image, >= 0.
        seed: as :class:`SensorTransform`.

    Raises:
        TypeError: if a setting is not a number.
        ValueError: if one is out of range.
    """

    def __init__(
        self, *, sigma: tuple[float, float] = (0.0, 0.15), seed: int | None = None
    ) -> None:
        super().__init__(seed=seed)
        self.sigma = check_pair("sigma", sigma)

    def change(self, image: Floats, rng: Any) -> Floats:
        """Add the noise; see the base class."""
        sigma = rng.uniform(*self.sigma) * spread(image)
        return image + like(sigma * rng.standard_normal(image.shape[:2]), image)


@TRANSFORMS.register_module()
class RandomBlur(SensorTransform):
    """Defocus: a Gaussian of random width.

    Args:
        sigma: smallest and largest width, in pixels, > 0.
        seed: as :class:`SensorTransform`.

    Raises:
        TypeError: if a setting is not a number.
        ValueError: if one is out of range.
    """

    def __init__(self, *, sigma: tuple[float, float] = (0.3, 1.2), seed: int | None = None) -> None:
        super().__init__(seed=seed)
        self.sigma = check_pair("sigma", sigma, open_low=True)

    def change(self, image: Floats, rng: Any) -> Floats:
        """Blur; see the base class."""
        blurred = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(*self.sigma)))
        return np.asarray(blurred, np.float32).reshape(image.shape)


@TRANSFORMS.register_module()
class RandomPolarity(SensorTransform):
    r"""White-hot becomes black-hot: :math:`y = \min x + \max x - x`.

    Args:
        prob: share of the images, in [0, 1].
        seed: as :class:`SensorTransform`.

    Raises:
        TypeError: if a setting is not a number.
        ValueError: if one is out of range.
    """

    def __init__(self, *, prob: float = 0.5, seed: int | None = None) -> None:
        super().__init__(seed=seed)
        check_range("prob", prob, 0, 1)
        self.prob = prob

    def change(self, image: Floats, rng: Any) -> Floats:
        """Turn over; see the base class."""
        if rng.uniform() >= self.prob or not image.size:
            return image
        return image.min() + image.max() - image


@TRANSFORMS.register_module()
class RandomResolutionDrop(SensorTransform):
    """An image as a smaller sensor sees it, enlarged to its own size again; boxes stay.

    One of the sizes is drawn; the image is averaged down until it fits into it, with its ratio
    kept, and interpolated up. Images that fit already stay as they are.

    Args:
        sizes: widths and heights of sensors, in pixels, >= 1.
        seed: as :class:`SensorTransform`.

    Raises:
        TypeError: if a size is no integer.
        ValueError: if there is none, or one is out of range.
    """

    def __init__(
        self,
        *,
        sizes: Sequence[tuple[int, int]] = ((160, 120), (80, 60)),
        seed: int | None = None,
    ) -> None:
        super().__init__(seed=seed)
        if not sizes:
            raise ValueError("sizes=(): give at least one (width, height)")
        for size in sizes:
            for side in size:
                check_count("sizes", side, 1)
        self.sizes = [tuple(size) for size in sizes]

    def change(self, image: Floats, rng: Any) -> Floats:
        """Drop resolution; see the base class."""
        sensor = self.sizes[rng.randint(len(self.sizes))]
        height, width = image.shape[:2]
        factor = min(sensor[0] / width, sensor[1] / height)
        if factor >= 1:
            return image
        size = max(round(width * factor), 1), max(round(height * factor), 1)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32).reshape(image.shape)
