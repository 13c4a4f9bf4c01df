"""Temperatures out of radiometric JPEG files, by flyr."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

UNITS = ("celsius", "kelvin")


def read_temperatures(data: bytes, *, unit: str = "celsius", name: str = "file") -> NDArray:
    """The temperatures that a thermal camera stored in its JPEG, beside the coloured picture.

    Args:
        data: the file's content.
        unit: ``'celsius'`` or ``'kelvin'``.
        name: of the file, for messages.

    Returns:
        (H, W) float32 of the sensor's own size, which may differ from the picture's.

    Raises:
        ImportError: without flyr, naming the extra that brings it.
        ValueError: if the file holds no temperatures, or they can't be read.
    """
    try:
        import flyr
    except ImportError:
        raise ImportError(
            "radiometric JPEG needs flyr, which is not installed: "
            "pip install 'mmthermal[radiometric]', or pip install flyr"
        ) from None
    try:
        thermogram = flyr.unpack(BytesIO(data))
        temperatures = thermogram.celsius if unit == "celsius" else thermogram.kelvin
    except Exception as error:  # flyr raises whatever a broken record leads to
        raise ValueError(
            f"{name} holds no temperatures that flyr can read ({type(error).__name__}: {error}): "
            "load plain pictures without radiometric=…"
        ) from None
    return np.asarray(temperatures, np.float32)
