r"""Gain control: an image of any bit depth as one of 0..255, without rounding.

One implementation for training, prediction and drawing. Every function takes (H, W) of any numeric
type and gives (H, W) float32 in [0, 255]; NaN counts as the smallest finite value, infinity as the
largest. None draws random numbers: the same image gives the same result.

:data:`GAIN_CONTROLS` names them for configs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.common.checks import check_choice, check_count, check_range

TOP = 255.0
Floats = NDArray[np.float32]


def _finite(image: NDArray) -> NDArray[np.float64]:
    """The image in float64, with its smallest or largest finite value for what is not finite."""
    if image.ndim != 2:
        raise ValueError(f"image has shape {image.shape}, expected (H, W)")
    values = image.astype(np.float64)
    finite = values[np.isfinite(values)]
    if finite.size == values.size:
        return values
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    return np.nan_to_num(values, nan=low, posinf=high, neginf=low)


def _percentiles(image: NDArray, low: float, high: float) -> tuple[float, float]:
    """Percentiles of the finite values; 0 and 0 without any."""
    finite = image[np.isfinite(image)]
    bottom, top = np.percentile(finite, [low, high]) if finite.size else (0.0, 0.0)
    return float(bottom), float(top)


def _to_range(values: NDArray[np.float64], low: float, high: float) -> Floats:
    """Straight line from ``low`` to 0 and ``high`` to 255, clipped; 0 where they are equal."""
    scaled = (values - low) * (TOP / max(high - low, 1e-12))
    return np.clip(scaled, 0, TOP).astype(np.float32)


def percentile_stretch(image: NDArray, *, low: float = 0.5, high: float = 99.5) -> Floats:
    """Straight line between two percentiles, clipped beyond them.

    Args:
        image: (H, W).
        low: percentile that becomes 0, in [0, 100).
        high: percentile that becomes 255, in (low, 100].

    Returns:
        (H, W) in [0, 255].

    Raises:
        ValueError: for another shape, or a setting out of range.

    Source: the "linear with tail rejection" of camera manuals.
    """
    check_range("low", low, 0, 100, open_high=True)
    check_range("high", high, low, 100, open_low=True)
    return _to_range(_finite(image), *_percentiles(image, low, high))


def plateau_equalise(image: NDArray, *, plateau: float = 3.0, bins: int = 1024) -> Floats:
    r"""Histogram equalisation whose counts are cut at a plateau.

    .. math:: y(x) = 255 \sum_{k \le x} \min(h_k, P) / \sum_k \min(h_k, P)

    straight within a bin, so that no two levels become one. A large uniform background takes no
    more of the range than P allows.

    Args:
        image: (H, W).
        plateau: P over the mean count of the bins that have any, > 0; large is plain
            equalisation, near 0 gives every occupied bin the same share.
        bins: number of bins between smallest and largest value, >= 2.

    Returns:
        (H, W) in [0, 255].

    Raises:
        TypeError: if ``bins`` is no integer.
        ValueError: for another shape, or a setting out of range.

    Source: V. E. Vickers, Plateau equalization algorithm for real-time display of high-quality
    infrared imagery, Optical Engineering 35 (1996).
    """
    check_range("plateau", plateau, 0, open_low=True)
    check_count("bins", bins, 2)
    values = _finite(image)
    if not values.size or values.min() == values.max():
        return np.zeros(values.shape, np.float32)
    counts, edges = np.histogram(values, bins)
    cut = np.minimum(counts, plateau * counts[counts > 0].mean())
    height = np.concatenate([[0.0], np.cumsum(cut)]) / cut.sum()
    return (TOP * np.interp(values, edges, height)).astype(np.float32)


def clahe(
    image: NDArray, *, clip: float = 2.0, tiles: tuple[int, int] = (4, 4), bins: int = 256
) -> Floats:
    """Contrast-limited adaptive histogram equalisation.

    As OpenCV's, but straight within a bin, so that levels of 16 bits stay apart. (OpenCV's own has
    65,536 bins for 16 bits, of which a tile of a small image fills so few that no clip limit
    acts.)

    Args:
        image: (H, W).
        clip: largest slope, against that of a straight line from minimum to maximum, >= 1.
        tiles: number of tiles along width and height, >= 1 each.
        bins: of each tile's histogram, >= 2.

    Returns:
        (H, W) in [0, 255].

    Raises:
        TypeError: if a count is no integer.
        ValueError: for another shape, or a setting out of range.

    Source: K. Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV
    (1994).
    """
    check_range("clip", clip, 1)
    columns, rows = tiles
    check_count("tiles", columns, 1)
    check_count("tiles", rows, 1)
    check_count("bins", bins, 2)
    values = _finite(image)
    if not values.size or values.min() == values.max():
        return np.zeros(values.shape, np.float32)
    height, width = values.shape
    level = (values - values.min()) * (bins / (values.max() - values.min()))
    inds = np.minimum(level.astype(np.int64), bins - 1)
    # whole tiles: the image is continued by its mirror, as OpenCV does it
    padded = np.pad(inds, ((0, -height % rows), (0, -width % columns)), mode="symmetric")
    size = padded.shape[0] // rows, padded.shape[1] // columns
    y, x = (np.arange(n) // s for n, s in zip(padded.shape, size, strict=True))
    tile_inds = y[:, None] * columns + x
    counts = np.bincount((tile_inds * bins + padded).ravel(), minlength=rows * columns * bins)
    share = counts.reshape(rows, columns, bins) / (size[0] * size[1])
    limit = clip / bins
    cut = np.minimum(share, limit)
    cut += (share - cut).sum(axis=2, keepdims=True) / bins
    curves = np.concatenate([np.zeros((rows, columns, 1)), np.cumsum(cut, axis=2)], axis=2)
    (top, bottom, v), (left, right, u) = (
        _between_tiles(n, s, m)
        for n, s, m in zip((height, width), size, (rows, columns), strict=True)
    )
    v, within = v[:, None], level - inds

    def curve(i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
        here = curves[i[:, None], j, inds]
        return here + within * (curves[i[:, None], j, inds + 1] - here)

    upper = (1 - u) * curve(top, left) + u * curve(top, right)
    lower = (1 - u) * curve(bottom, left) + u * curve(bottom, right)
    return (TOP * np.clip((1 - v) * upper + v * lower, 0, 1)).astype(np.float32)


def _between_tiles(
    pixels: int, size: int, num: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """For each pixel along a side: the tiles before and after it, and the share of the latter."""
    place = (np.arange(pixels) + 0.5) / size - 0.5
    before = np.floor(place).astype(np.int64)
    share = place - before
    return np.clip(before, 0, num - 1), np.clip(before + 1, 0, num - 1), share


def temperature_window(
    image: NDArray, *, low: float, high: float, scale: float = 1.0, offset: float = 0.0
) -> Floats:
    """Straight line between two fixed values: the same temperature gives the same grey.

    Args:
        image: (H, W).
        low: value that becomes 0, in the unit of ``scale * image + offset``.
        high: value that becomes 255, above ``low``.
        scale: unit of the image, > 0, such as 0.01 for counts of 10 mK.
        offset: added after it, such as -273.15 for degrees Celsius.

    Returns:
        (H, W) in [0, 255].

    Raises:
        ValueError: for another shape, or a setting out of range.
    """
    check_range("low", low)
    check_range("high", high, low, open_low=True)
    check_range("scale", scale, 0, open_low=True)
    check_range("offset", offset)
    return _to_range(scale * _finite(image) + offset, low, high)


def local_detail(
    image: NDArray,
    *,
    gain: float = 2.0,
    base_share: float = 0.7,
    radius: int = 4,
    edge: float = 0.1,
    tail: float = 0.5,
) -> Floats:
    r"""Local detail enhancement: a smooth base is compressed, what is left is amplified.

    .. math:: y = 255\,\bigl(\tfrac{1 - s}{2} + s\,b + g\,(x - b)\bigr)

    with x stretched between percentiles and b its guided filter: the mean of a window where the
    window varies less than ``edge``, the pixel itself at stronger edges, so that no halos arise.

    Args:
        image: (H, W).
        gain: g, of the detail, >= 0.
        base_share: s, share of the range that the base takes, in (0, 1].
        radius: of the filter's window, in pixels, >= 1.
        edge: standard deviation, in shares of the stretched range, from which a window counts as
            an edge, > 0.
        tail: percentage of the pixels outside the stretched range at either end, in [0, 50).

    Returns:
        (H, W) in [0, 255].

    Raises:
        TypeError: if ``radius`` is no integer.
        ValueError: for another shape, or a setting out of range.

    Source: N. Liu and D. Zhao, Detail enhancement for high-dynamic-range infrared images based on
    guided image filter, Infrared Physics & Technology 67 (2014); the filter: He, Sun and Tang,
    ECCV 2010.
    """
    check_range("gain", gain, 0)
    check_range("base_share", base_share, 0, 1, open_low=True)
    check_count("radius", radius, 1)
    check_range("edge", edge, 0, open_low=True)
    check_range("tail", tail, 0, 50, open_high=True)
    low, high = _percentiles(image, tail, 100 - tail)
    unit = (_finite(image) - low) / max(high - low, 1e-12)
    box = partial(
        cv2.blur, ksize=(2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT_101
    )
    mean = box(unit)
    variance = np.maximum(box(unit * unit) - mean * mean, 0)
    slope = variance / (variance + edge * edge)
    base = box(slope) * unit + box(mean - slope * mean)
    base_in_range = np.clip(base, 0, 1)
    out = (1 - base_share) / 2 + base_share * base_in_range + gain * (unit - base)
    return (TOP * np.clip(out, 0, 1)).astype(np.float32)


def raw(image: NDArray) -> Floats:
    """The image itself, as a channel beside others; not brought to [0, 255].

    Args:
        image: (H, W).

    Returns:
        (H, W).
    """
    return _finite(image).astype(np.float32)


GAIN_CONTROLS: dict[str, Callable[..., Floats]] = {
    "stretch": percentile_stretch,
    "plateau": plateau_equalise,
    "clahe": clahe,
    "window": temperature_window,
    "detail": local_detail,
    "raw": raw,
}
"""Functions by the name that configs give them."""


def gain_control(settings: Mapping[str, Any]) -> Callable[[NDArray], Floats]:
    """The function that a config asks for, with its settings.

    Args:
        settings: ``method``, a name in :data:`GAIN_CONTROLS`, and settings of that function.

    Returns:
        function of one (H, W) image.

    Raises:
        TypeError: for a setting that the method doesn't have, or lacks.
        ValueError: for an unknown method, or a setting out of range.
    """
    given = dict(settings)
    method = given.pop("method", None)
    check_choice("method", method, list(GAIN_CONTROLS))
    control = partial(GAIN_CONTROLS[method], **given)
    control(np.zeros((8, 8)))  # a wrong setting fails here and not in a worker
    return control
