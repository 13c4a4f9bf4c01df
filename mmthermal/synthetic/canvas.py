"""Camera over a ground plane, and the canvas on which bodies are painted far to near."""

# S supersampling factor; hires arrays are (H * S, W * S). World: X right, Y up, Z ahead, metres.

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic.bodies import Body, Floats
from mmthermal.synthetic.sensor import Array, attenuate, radiance

_SHIFT = 4  # fractional bits of the polygon corners
_ARC = np.linspace(np.pi / 2, 3 * np.pi / 2, 6)
_NEAR = 0.3


@dataclass(frozen=True)
class Camera:
    """A pinhole camera at a height over flat ground, looking ahead and down.

    Attributes:
        size: (W, H) in native pixels.
        focal: focal length in native pixels.
        height: metres over the ground.
        pitch: angle below the horizontal, radians.
    """

    size: tuple[int, int]
    focal: float
    height: float
    pitch: float

    def project(self, points: Floats) -> Floats:
        """Image position and depth of world points.

        Args:
            points: (..., 3) metres.

        Returns:
            (..., 3): x, y in native pixels (pixel i covers [i, i + 1)) and depth in metres along
            the optical axis. Depth is kept above 0.3 m.
        """
        sin, cos = np.sin(self.pitch), np.cos(self.pitch)
        fall = self.height - points[..., 1]
        depth = np.maximum(points[..., 2] * cos + fall * sin, _NEAR)
        down = fall * cos - points[..., 2] * sin
        x = self.size[0] / 2 + self.focal * points[..., 0] / depth
        y = self.size[1] / 2 + self.focal * down / depth
        return np.stack([x, y, depth], axis=-1)

    def rays(self, factor: int) -> tuple[Array, Array, Array]:
        """Directions of the hires pixels: X (1, W*S), Y (H*S, 1), Z (H*S, 1), depth 1."""
        sin, cos = np.sin(self.pitch), np.cos(self.pitch)
        u = ((np.arange(self.size[0] * factor) + 0.5) / factor - self.size[0] / 2) / self.focal
        v = ((np.arange(self.size[1] * factor) + 0.5) / factor - self.size[1] / 2) / self.focal
        up, ahead = -sin - v * cos, cos - v * sin
        single = np.float32
        return u.astype(single)[None], up.astype(single)[:, None], ahead.astype(single)[:, None]

    def ground_distance(self, y: float) -> float:
        """Z of the ground seen at image row y; infinity at and above the horizon."""
        v = (y - self.size[1] / 2) / self.focal
        fall = np.sin(self.pitch) + v * np.cos(self.pitch)
        if fall <= 1e-6:
            return float("inf")
        return float(self.height / fall * (np.cos(self.pitch) - v * np.sin(self.pitch)))


@dataclass(eq=False)
class Placed:
    """A body at its place in the scene, projected into the image.

    Attributes:
        body: the shape.
        position: (X, Z) on the ground.
        yaw: direction of its forward axis, radians.
        polygons: outlines in native pixels, in painting order.
        temperatures: of the outlines, kelvin.
        box: x0, y0, x1, y1 of the whole body, beyond the image border too.
        depth: metres along the optical axis.
        near: Z that decides what is in front: smaller is nearer.
        footprint: (X0, Z0, X1, Z1) on the ground.
    """

    body: Body
    position: tuple[float, float]
    yaw: float
    polygons: list[Floats]
    temperatures: list[float]
    box: tuple[float, float, float, float]
    depth: float
    near: float
    footprint: tuple[float, float, float, float]


def place(
    body: Body,
    camera: Camera,
    position: tuple[float, float],
    yaw: float,
    *,
    bias: float = 0.0,
    mirror: bool = False,
) -> Placed:
    """Put a body on the ground and project it.

    Args:
        body: the shape.
        camera: the camera.
        position: (X, Z) of the body's origin, metres; the body should be ahead of the camera.
        yaw: direction of the body's forward axis, radians: 0 to the right, -pi/2 to the camera.
        bias: added to the order of painting, metres; negative is nearer.
        mirror: the image of the body in a polished floor, upside down under the ground.
    """
    cos, sin = np.cos(yaw), np.sin(yaw)
    count = len(body.capsules)
    rows = np.array([(*c[0], *c[1], c[2], c[3]) for c in body.capsules], np.float64)
    rows = rows.reshape(count, 8)
    local = np.concatenate([rows[:, :3], rows[:, 3:6], *(f[0] for f in body.faces)])
    world = np.stack(
        [
            position[0] + local[:, 0] * cos - local[:, 2] * sin,
            -local[:, 1] if mirror else local[:, 1],
            position[1] + local[:, 0] * sin + local[:, 2] * cos,
        ],
        axis=-1,
    )
    image = camera.project(world)

    polygons: list[Floats] = []
    temperatures: list[float] = []
    at = 2 * count
    for points, value, two_sided in body.faces:
        flat = image[at : at + len(points), :2]
        at += len(points)
        if two_sided or _turns_right(flat) != mirror:
            polygons.append(flat)
            temperatures.append(value)
    if count:
        starts, ends = image[:count], image[count : 2 * count]
        first = camera.focal * rows[:, 6] / starts[:, 2]
        last = camera.focal * rows[:, 7] / ends[:, 2]
        axis = np.arctan2(ends[:, 1] - starts[:, 1], ends[:, 0] - starts[:, 0])
        turns = axis[:, None] + _ARC
        round_ = np.stack([np.cos(turns), np.sin(turns)], -1)
        outline = np.concatenate(
            [
                starts[:, None, :2] + first[:, None, None] * round_,
                ends[:, None, :2] - last[:, None, None] * round_,
            ],
            axis=1,
        )
        for index in np.argsort(-(starts[:, 2] + ends[:, 2]), kind="stable"):
            polygons.append(outline[index])
            temperatures.append(body.capsules[index][4])
    every = np.concatenate(polygons) if polygons else np.zeros((1, 2))
    low, high = every.min(0), every.max(0)
    near, far = world.min(0), world.max(0)
    middle = camera.project(np.array([position[0], 0.5, position[1]]))
    return Placed(
        body=body,
        position=position,
        yaw=yaw,
        polygons=polygons,
        temperatures=temperatures,
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        depth=float(middle[2]),
        near=1e6 if body.flat else position[1] + bias,
        footprint=(float(near[0]), float(near[2]), float(far[0]), float(far[2])),
    )


def _turns_right(polygon: Floats) -> bool:
    """Whether the corners run clockwise in the image (y down)."""
    x, y = polygon[:, 0].tolist(), polygon[:, 1].tolist()
    return sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x))) > 0


@dataclass(frozen=True)
class Coverage:
    """Pixels of one painted body.

    Attributes:
        pixels: hires pixels of the whole body inside the image.
        box: x0, y0, x1, y1 in native pixels around them, or None when there are none.
        hidden: hires pixels taken from each earlier body, by index.
    """

    pixels: int
    box: tuple[float, float, float, float] | None
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

    def visible(self, index: int) -> tuple[int, tuple[float, float, float, float] | None]:
        """Hires pixels of a body that nothing hides, and the box around them."""
        mask = self.owner == index
        return int(mask.sum()), _tight_box(mask, 0, 0, self.factor)


def _tight_box(
    mask: NDArray[np.bool_], x0: int, y0: int, factor: int
) -> tuple[float, float, float, float] | None:
    cols, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if len(cols) == 0:
        return None
    return (
        (int(cols[0]) + x0) / factor,
        (int(rows[0]) + y0) / factor,
        (int(cols[-1]) + 1 + x0) / factor,
        (int(rows[-1]) + 1 + y0) / factor,
    )
