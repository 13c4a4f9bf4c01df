"""The stage of a scene: camera, backdrop, and bodies that are placed so that they fit."""

from collections.abc import Callable

import numpy as np

from mmthermal.synthetic.background import make_backdrop
from mmthermal.synthetic.bicycle import bicycle
from mmthermal.synthetic.bodies import Body
from mmthermal.synthetic.boxes import largest_iou, share_inside
from mmthermal.synthetic.camera import Camera, Placed, place
from mmthermal.synthetic.car import car
from mmthermal.synthetic.dog import dog
from mmthermal.synthetic.person import person
from mmthermal.synthetic.settings import SceneSettings
from mmthermal.synthetic.surroundings import Surroundings, draw_surroundings

MAKERS: dict[str, Callable[..., Body]] = {
    "person": person,
    "bicycle": bicycle,
    "car": car,
    "dog": dog,
}
"""Who draws a body of which class."""


def draw_camera(rng: np.random.Generator, around: Surroundings, size: tuple[int, int]) -> Camera:
    """A camera on a wall, a pole or a tripod, with one of three lenses."""
    width, height = size
    view = np.deg2rad(
        [rng.uniform(50, 60), rng.uniform(32, 45), rng.uniform(80, 95)][
            int(rng.choice(3, p=[0.55, 0.25, 0.20]))
        ]
    )
    focal = width / 2 / np.tan(view / 2)
    if not around.indoors and rng.random() < 0.18:
        return Camera(size, float(focal), rng.uniform(4, 8), float(np.deg2rad(rng.uniform(20, 36))))
    above = rng.uniform(1.6, 2.7)
    if not around.indoors:
        above = float(np.exp(rng.uniform(np.log(1.4), np.log(5.0))))
    horizon = rng.uniform(0.08, 0.45) * height
    return Camera(
        size, float(focal), float(above), float(np.arctan((height / 2 - horizon) / focal))
    )


class Stage:
    """Camera, surroundings and backdrop of a scene, and what has been placed in it.

    Args:
        rng: source of all that is drawn.
        settings: what to draw.
    """

    def __init__(self, rng: np.random.Generator, settings: SceneSettings) -> None:
        self.rng = rng
        self.settings = settings
        self.around = draw_surroundings(rng)
        self.camera = draw_camera(rng, self.around, settings.size)
        self.placed: list[Placed] = []
        height = settings.size[1]
        self.near = max(
            self.camera.focal * 1.72 / (0.66 * height),
            0.92 * self.camera.ground_distance(height),
        )
        self.backdrop = make_backdrop(
            rng, self.camera, self.around, settings.supersample, least_depth=1.6 * self.near + 2.0
        )
        far = max(self.camera.focal * 1.72 / (0.115 * height), 1.8 * self.near)
        self.far = max(min(far, self.backdrop.wall - 0.8), self.near + 0.5)

    def make(self, name: str, **kwargs: object) -> Body:
        """A body of the class."""
        return MAKERS[name](self.rng, self.around, **kwargs)

    def spot(self, name: str | None) -> tuple[float, float]:
        """Somewhere on the ground, at a distance that suits the size of the class."""
        low, high = {
            "car": (
                max(self.near, self.camera.focal * 4.2 / (0.8 * self.settings.size[0])),
                1.5 * self.far,
            ),
            "dog": (self.near * 0.8, max(0.5 * self.far, self.near)),
            "bicycle": (self.near, max(0.75 * self.far, self.near * 1.1)),
        }.get(name or "", (self.near, self.far))
        high = max(min(high, self.backdrop.wall - 1.0), low * 1.01)
        z = float(np.exp(self.rng.uniform(np.log(low), np.log(high))))
        column = self.rng.uniform(0.0, self.settings.size[0])
        depth = z * np.cos(self.camera.pitch) + self.camera.height * np.sin(self.camera.pitch)
        x = (column - self.settings.size[0] / 2) * depth / self.camera.focal
        return float(x), z

    def heading(self, name: str) -> float:
        """Yaw of an object."""
        if name in ("car", "bicycle"):
            main = self.rng.choice([0.0, np.pi, np.pi / 2, -np.pi / 2], p=[0.31, 0.31, 0.19, 0.19])
            return float(main + self.rng.normal(0, 0.3))
        return float(self.rng.uniform(-np.pi, np.pi))

    def fits(self, new: Placed, *, friends: tuple[Placed, ...] = (), least: float = 0.6) -> bool:
        """Whether a body is in view, in the room and not inside another."""
        x, z = new.position
        if z > self.backdrop.wall - 0.4 or abs(x) > self.backdrop.half_width - 0.3:
            return False
        if share_inside(new.box, self.settings.size) < least:
            return False
        for other in self.placed:
            if other.body.flat or new.body.flat:
                continue
            if _collide(new, other, 0.55 if other in friends else 1.0):
                return False
        return True

    def alone(self, body: Body, place_of: str, yaw: float | None, *, least: float) -> Placed | None:
        """Place a body where it overlaps no object so far.

        Args:
            body: the shape.
            place_of: class whose usual distances are taken.
            yaw: its direction; drawn anew with each try when None.
            least: least share of its box inside the image.
        """
        bias = -0.01 if body.category == "person" and place_of == "bicycle" else 0.0
        for _ in range(14):
            heading = self.heading(place_of) if yaw is None else yaw
            new = place(body, self.camera, self.spot(place_of), heading, bias=bias)
            objects = [p.box for p in self.placed if p.body.category]
            if largest_iou(new.box, objects) <= 0.07 and self.fits(new, least=least):
                self.placed.append(new)
                return new
        return None

    def beside(
        self,
        name: str,
        anchors: list[Placed],
        yaw: float,
        dx: tuple[float, float],
        dz: tuple[float, float],
        *,
        least: float = 0.16,
    ) -> None:
        """Try to place an object whose box overlaps one of the anchors' boxes.

        Args:
            name: its class.
            anchors: members of the group so far; the new one is added.
            yaw: its direction.
            dx: least and greatest distance across, metres; the side is drawn.
            dz: the same ahead.
            least: least IoU of the whole boxes.
        """
        body = self.make(name)
        for _ in range(14):
            anchor = anchors[int(self.rng.integers(len(anchors)))]
            x = anchor.position[0] + self.rng.choice([-1.0, 1.0]) * self.rng.uniform(*dx)
            z = anchor.position[1] + self.rng.choice([-1.0, 1.0]) * self.rng.uniform(*dz)
            new = place(body, self.camera, (float(x), float(z)), yaw)
            if not least <= largest_iou(new.box, [a.box for a in anchors]) <= 0.72:
                continue
            if self.fits(new, friends=tuple(anchors), least=0.5):
                self.placed.append(new)
                anchors.append(new)
                return

    def count(self) -> int:
        """Objects placed so far."""
        return sum(1 for p in self.placed if p.body.category)


def _collide(a: Placed, b: Placed, shrink: float) -> bool:
    """Whether footprints, shrunk about their middles, overlap."""
    for low, high in ((0, 2), (1, 3)):
        mid = (
            abs((a.footprint[low] + a.footprint[high]) - (b.footprint[low] + b.footprint[high])) / 2
        )
        reach = (a.footprint[high] - a.footprint[low] + b.footprint[high] - b.footprint[low]) / 2
        if mid >= max(shrink * reach, 0.1):
            return False
    return True
