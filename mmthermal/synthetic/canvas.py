"""The canvas on which bodies are painted far to near."""

# S supersampling factor; hires arrays are (H * S, W * S).

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic.boxes import Box
from mmthermal.synthetic.camera import Placed
from mmthermal.synthetic.sensor import Array, attenuate, radiance

_SHIFT = 4  # fractional bits of the polygon corners


@dataclass(frozen=True)
class Coverage:
    """Pixels of one painted body.

    Attributes:
        pixels: hires pixels of the whole body inside the image.
        box: x0, y0, x1, y1 in native pixels around them, or None when there are none.
        hidden: hires pixels taken from each earlier body, by index.
    """

    pixels: int
    box: Box | None
    hidden: dict[int, int]


class Canvas:
    """Radiance and ownership of the hires pixels of one frame.

    Args:
        background: (H * S, W * S) band radiance.
        factor: supersampling factor S.
    """

    def __init__(self, background: Array, factor: int) -> None:
        self.radiance = np.array(background, np.float32)
        self.owner: NDArray[np.int16] = np.full(background.shape, -1, np.int16)
        self.factor = factor

    def paint(
        self,
        placed: Placed,
        index: int,
        *,
        air: float,
        haze: float,
        texture: Array,
        opacity: float = 1.0,
    ) -> Coverage:
        """Paint a body over what is there; call it far to near.

        Args:
            placed: the projected body.
            index: number written into `owner`.
            air: air temperature, kelvin.
            haze: extinction per metre.
            texture: canvas-sized field, unit deviation, for the unevenness within the body.
            opacity: share of the radiance behind it that the body replaces, in (0, 1]; below 1
                it is a reflection and owns no pixels.
        """
        s = self.factor
        rows, cols = len(self.owner), len(self.owner[0])
        x0 = max(int(np.floor(placed.box[0] * s)) - 1, 0)
        y0 = max(int(np.floor(placed.box[1] * s)) - 1, 0)
        x1 = min(int(np.ceil(placed.box[2] * s)) + 2, cols)
        y1 = min(int(np.ceil(placed.box[3] * s)) + 2, rows)
        if x1 <= x0 or y1 <= y0:
            return Coverage(0, None, {})
        local = np.zeros((y1 - y0, x1 - x0), np.uint8)
        origin = np.array([x0 + 0.5, y0 + 0.5])
        for number, outline in enumerate(placed.polygons):
            corners = np.rint((outline * s - origin) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(local, [corners], number + 1, cv2.LINE_8, _SHIFT)
        mask = local > 0
        count = int(mask.sum())
        if count == 0:
            return Coverage(0, None, {})
        table = np.array([0.0, *placed.temperatures], np.float32)
        values = table[local[mask]] + np.float32(placed.body.texture) * texture[y0:y1, x0:x1][mask]
        own = attenuate(radiance(values), air, float(np.exp(-haze * placed.depth)))
        behind = self.radiance[y0:y1, x0:x1]
        if opacity < 1:
            behind[mask] += np.float32(opacity) * (own - behind[mask])
            return Coverage(0, None, {})
        behind[mask] = own
        owner = self.owner[y0:y1, x0:x1]
        times = np.bincount(owner[mask] + 1)[1:]
        owner[mask] = index
        return Coverage(
            pixels=count,
            box=_tight_box(mask, x0, y0, s),
            hidden={i: int(n) for i, n in enumerate(times) if n},
        )

    def visible(self, index: int) -> tuple[int, Box | None]:
        """Hires pixels of a body that nothing hides, and the box around them."""
        mask = self.owner == index
        return int(mask.sum()), _tight_box(mask, 0, 0, self.factor)


def _tight_box(mask: NDArray[np.bool_], x0: int, y0: int, factor: int) -> Box | None:
    cols, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if len(cols) == 0:
        return None
    return (
        (int(cols[0]) + x0) / factor,
        (int(rows[0]) + y0) / factor,
        (int(cols[-1]) + 1 + x0) / factor,
        (int(rows[-1]) + 1 + y0) / factor,
    )
