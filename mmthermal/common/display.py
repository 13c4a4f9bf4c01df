"""Automatic gain control for display: raw counts to 8-bit grey. Not for training."""

import numpy as np


def to_display(image: np.ndarray, *, tail: float = 0.5) -> np.ndarray:
    """Linear gain control with tail rejection, as thermal cameras do it for a screen.

    Args:
        image: (H, W), (H, W, 1) or (H, W, 3), any numeric type; NaN counts as the minimum.
        tail: percentage of the pixels rejected at either end, in [0, 50).

    Returns:
        (H, W, 3), uint8; three equal channels for a one-channel image. An 8-bit colour image
        comes back as it is.

    Raises:
        ValueError: for another shape, or a tail out of range.

    Source: the "linear with tail rejection" of camera manuals.
    """
    if not 0 <= tail < 50:
        raise ValueError(f"tail={tail!r}: must lie in [0, 50)")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"image has shape {image.shape}, expected (H, W), (H, W, 1) or (H, W, 3)")
    if image.ndim == 3 and image.dtype == np.uint8:
        return image
    values = image.astype(np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros((*image.shape[:2], 3), np.uint8)
    low, high = np.percentile(finite, [tail, 100 - tail])
    scaled = (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12)
    grey = (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
