"""Camera over a ground plane, and bodies placed on it and projected into the image."""

# S supersampling factor; hires arrays are (H * S, W * S). World: X right, Y up, Z ahead, metres.

from dataclasses import dataclass

import numpy as np

from mmthermal.synthetic.bodies import Body, Floats
from mmthermal.synthetic.boxes import Box
from mmthermal.synthetic.sensor import Array

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
    box: Box
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
        outlines = _capsule_outlines(starts, ends, rows[:, 6:] * camera.focal)
        for index in np.argsort(-(starts[:, 2] + ends[:, 2]), kind="stable"):
            polygons.append(outlines[index])
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


def _capsule_outlines(starts: Floats, ends: Floats, radii: Floats) -> Floats:
    """Outlines of capsules in the image.

    Args:
        starts: (N, 3) x, y and depth of one end.
        ends: (N, 3) of the other.
        radii: (N, 2) at both ends, metres times the focal length.

    Returns:
        (N, 12, 2), native pixels.
    """
    first, last = radii[:, 0] / starts[:, 2], radii[:, 1] / ends[:, 2]
    axis = np.arctan2(ends[:, 1] - starts[:, 1], ends[:, 0] - starts[:, 0])
    turns = axis[:, None] + _ARC
    unit = np.stack([np.cos(turns), np.sin(turns)], -1)
    caps = (
        starts[:, None, :2] + first[:, None, None] * unit,
        ends[:, None, :2] - last[:, None, None] * unit,
    )
    return np.concatenate(caps, axis=1)


def _turns_right(polygon: Floats) -> bool:
    """Whether the corners run clockwise in the image (y down)."""
    x, y = polygon[:, 0].tolist(), polygon[:, 1].tolist()
    return sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x))) > 0
