"""Scenes: what stands where, in which surroundings, and how it looks to the camera."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic import bodies
from mmthermal.synthetic.background import Backdrop, draw_surroundings, make_backdrop
from mmthermal.synthetic.bodies import Body, Surroundings
from mmthermal.synthetic.canvas import Camera, Canvas, Coverage, Placed, place
from mmthermal.synthetic.clutter import draw_clutter
from mmthermal.synthetic.sensor import Array, smooth_noise

Rng = np.random.Generator
Box = tuple[float, float, float, float]

CLASSES = ("person", "bicycle", "car", "dog")
"""Classes that can be drawn."""

_SINGLES = {
    "outdoor": {"person": 0.42, "car": 0.24, "bicycle": 0.12, "dog": 0.22},
    "indoor": {"person": 0.68, "dog": 0.24, "bicycle": 0.08, "car": 0.0},
    "garage": {"person": 0.48, "car": 0.36, "bicycle": 0.08, "dog": 0.08},
}


@dataclass(frozen=True)
class _Group:
    """A kind of group: its first member, the classes it needs, how often it occurs where."""

    lead: str
    needs: frozenset[str]
    outdoor: float
    indoor: float
    garage: float


_GROUPS = {
    "walkers": _Group("person", frozenset({"person"}), 0.36, 0.62, 0.34),
    "rider": _Group("person", frozenset({"person", "bicycle"}), 0.28, 0.06, 0.10),
    "walker with dog": _Group("person", frozenset({"person", "dog"}), 0.14, 0.22, 0.08),
    "person at car": _Group("car", frozenset({"person", "car"}), 0.11, 0.0, 0.26),
    "parked cars": _Group("car", frozenset({"car"}), 0.06, 0.0, 0.18),
    "person at bicycle": _Group("bicycle", frozenset({"person", "bicycle"}), 0.03, 0.04, 0.04),
    "dogs": _Group("dog", frozenset({"dog"}), 0.04, 0.06, 0.0),
    "bicycles": _Group("bicycle", frozenset({"bicycle"}), 0.02, 0.0, 0.0),
}


@dataclass(frozen=True)
class SceneSettings:
    """Settings of a scene and of the camera that looks at it.

    Attributes:
        size: (W, H) in pixels.
        classes: class names out of `CLASSES`.
        objects: mean number of objects of an image that has any, >= 1.
        overlap: wanted share of objects whose labelled box has an IoU > 0.1 with another, any
            class, in [0, 0.8]; with all classes the share reached is within 0.08 (300 images).
        empty: share of images without objects, in [0, 1].
        clutter: mean number of hard negatives of an image that has any, >= 0.
        clutter_share: share of images that may have any, in [0, 1].
        supersample: S, subpixels along each side of a pixel, >= 1.
    """

    size: tuple[int, int] = (160, 120)
    classes: tuple[str, ...] = CLASSES
    objects: float = 3.6
    overlap: float = 0.4
    empty: float = 0.04
    clutter: float = 2.2
    clutter_share: float = 1.0
    supersample: int = 3


@dataclass
class Scene:
    """A composed scene.

    Attributes:
        camera: the camera.
        around: surroundings.
        backdrop: the empty scene.
        placed: objects and clutter, in no order.
        gloss: reflectance of the floor, in [0, 1).
    """

    camera: Camera
    around: Surroundings
    backdrop: Backdrop
    placed: list[Placed]
    gloss: float


@dataclass(frozen=True)
class Instance:
    """What is known of one object in the image.

    Attributes:
        index: its number in `Rendered.owner`.
        category: class name.
        visible_box: x0, y0, x1, y1 around its visible pixels, native pixels; None if hidden.
        full_box: the same around the whole object, clipped to the image.
        visible: share of its pixels inside the image that nothing hides, in [0, 1].
        truncated: share of its whole box beyond the image border, in [0, 1].
        depth: metres.
        occluded_by: indices of objects that hide more than 2 % of it.
    """

    index: int
    category: str
    visible_box: Box | None
    full_box: Box
    visible: float
    truncated: float
    depth: float
    occluded_by: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """A rendered scene before the sensor.

    Attributes:
        radiance: (H * S, W * S) band radiance at the camera.
        owner: (H * S, W * S) index into `order`, -1 for the background.
        order: the bodies, far to near.
        instances: the objects among them, those outside the image left out.
    """

    radiance: Array
    owner: NDArray[np.int16]
    order: list[Placed]
    instances: list[Instance]


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    inter = wide * tall
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union


def clip_box(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box inside an image of (W, H)."""
    x0, y0 = min(max(box[0], 0.0), size[0]), min(max(box[1], 0.0), size[1])
    x1, y1 = min(max(box[2], 0.0), size[0]), min(max(box[3], 0.0), size[1])
    return (x0, y0, x1, y1)


def _inside(box: Box, size: tuple[int, int]) -> float:
    """Share of a box's area inside the image."""
    x0, y0, x1, y1 = clip_box(box, size)
    return (x1 - x0) * (y1 - y0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def _setting(around: Surroundings) -> str:
    return around.kind if around.kind in ("indoor", "garage") else "outdoor"


def draw_camera(rng: Rng, around: Surroundings, size: tuple[int, int]) -> Camera:
    """A camera on a wall, a pole or a tripod, with one of three lenses."""
    width, height = size
    view = np.deg2rad(
        [rng.uniform(50, 60), rng.uniform(32, 45), rng.uniform(80, 95)][
            int(rng.choice(3, p=[0.55, 0.25, 0.20]))
        ]
    )
    focal = width / 2 / np.tan(view / 2)
    if _setting(around) == "outdoor" and rng.random() < 0.18:
        return Camera(size, float(focal), rng.uniform(4, 8), float(np.deg2rad(rng.uniform(20, 36))))
    above = rng.uniform(1.6, 2.7)
    if _setting(around) == "outdoor":
        above = float(np.exp(rng.uniform(np.log(1.4), np.log(5.0))))
    horizon = rng.uniform(0.08, 0.45) * height
    return Camera(
        size, float(focal), float(above), float(np.arctan((height / 2 - horizon) / focal))
    )


class _Composer:
    """Puts objects into a scene; keeps what it has placed."""

    def __init__(self, rng: Rng, settings: SceneSettings) -> None:
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
        maker = getattr(bodies, name)
        body: Body = maker(self.rng, self.around, **kwargs)
        return body

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
        if _inside(new.box, self.settings.size) < least:
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
            objects = (p for p in self.placed if p.body.category)
            if all(box_iou(new.box, o.box) <= 0.07 for o in objects) and self.fits(
                new, least=least
            ):
                self.placed.append(new)
                return new
        return None

    def single(self) -> None:
        """Try to place one object that overlaps no other."""
        weights = _SINGLES[_setting(self.around)]
        names = [n for n in self.settings.classes if weights[n] > 0] or list(self.settings.classes)
        shares = np.array([max(weights[n], 1e-3) for n in names])
        name = str(self.rng.choice(names, p=shares / shares.sum()))
        least = 0.35 if self.rng.random() < 0.15 else 0.7
        self.alone(self.make(name), name, None, least=least)

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
            if not least <= max(box_iou(new.box, a.box) for a in anchors) <= 0.72:
                continue
            if self.fits(new, friends=tuple(anchors), least=0.5):
                self.placed.append(new)
                anchors.append(new)
                return

    def group(self) -> None:
        """Try to place a group whose members overlap in the image."""
        known, where = set(self.settings.classes), _setting(self.around)
        rates = {n: getattr(g, where) for n, g in _GROUPS.items() if g.needs <= known}
        rates = {n: rate for n, rate in rates.items() if rate > 0}
        if not rates:
            self.single()
            return
        shares = np.array(list(rates.values()))
        name = str(self.rng.choice(list(rates), p=shares / shares.sum()))
        lead = _GROUPS[name].lead
        place_of = {"rider": "bicycle", "walker with dog": "dog"}.get(name, lead)
        yaw = self.heading("bicycle" if name == "rider" else lead)
        body = self.make(lead, pose="ride") if name == "rider" else self.make(lead)
        first = self.alone(body, place_of, yaw, least=0.75)
        if first is not None:
            self.join(name, first, yaw)

    def join(self, name: str, first: Placed, yaw: float) -> None:
        """Place the other members of a group beside its first."""
        rng, members = self.rng, [first]
        wide = first.footprint[2] - first.footprint[0]
        deep = first.footprint[3] - first.footprint[1]
        if name == "rider":
            bike = place(self.make("bicycle", ridden=True), self.camera, first.position, yaw)
            self.placed.append(bike)
            members.append(bike)
            if rng.random() < 0.15:
                self.beside("person", members, yaw, (0.3, 1.0), (0.4, 1.6))
        elif name == "walkers":
            for _ in range(int(rng.choice([1, 2, 3], p=[0.62, 0.27, 0.11]))):
                towards = yaw if rng.random() < 0.7 else self.heading("person")
                self.beside(
                    "person", members, towards + rng.normal(0, 0.15), (0.05, 0.5), (0.2, 2.2)
                )
        elif name == "walker with dog":
            self.beside(
                "dog", members, yaw + rng.normal(0, 0.5), (0.1, 0.6), (0.2, 0.8), least=0.12
            )
        elif name == "person at car":
            for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3]))):
                across, ahead = (0.0, 0.48 * wide), (0.5 * deep + 0.35, 0.5 * deep + 1.4)
                self.beside("person", [first], self.heading("person"), across, ahead, least=0.05)
        elif name == "parked cars":
            across, ahead = (0.3 * wide, 0.9 * wide), (1.05 * deep, 1.5 * deep)
            self.beside("car", members, yaw + rng.normal(0, 0.06), across, ahead, least=0.1)
        elif name == "person at bicycle":
            self.beside(
                "person", members, self.heading("person"), (0.0, 0.6), (0.3, 0.6), least=0.12
            )
        else:  # two dogs, two bicycles
            kind = _GROUPS[name].lead
            self.beside(kind, members, yaw + rng.normal(0, 0.6), (0.1, 0.7), (0.25, 0.9))

    def count(self) -> int:
        """Objects placed so far."""
        return sum(1 for p in self.placed if p.body.category)

    def litter(self, mean: float) -> None:
        """Place hard negatives."""
        for _ in range(int(self.rng.poisson(mean))):
            body = draw_clutter(self.rng, self.around)
            yaw = self.rng.uniform(-np.pi, np.pi)
            for _ in range(6):
                new = place(body, self.camera, self.spot(None), float(yaw))
                if self.fits(new, least=0.3):
                    self.placed.append(new)
                    break


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


def compose(rng: Rng, settings: SceneSettings) -> Scene:
    """Draw a scene.

    Args:
        rng: source of everything in it.
        settings: what to draw.
    """
    work = _Composer(rng, settings)
    if rng.random() >= settings.empty:
        wanted = 1 + int(rng.poisson(settings.objects - 1))
        # share of groups among the units (groups and singles) that gives the wanted overlap
        in_groups = min(settings.overlap / 0.83, 1.0)
        chance = in_groups / (in_groups + 2.15 * (1 - in_groups))
        for _ in range(4 * wanted + 8):
            if work.count() >= wanted:
                break
            if rng.random() < chance:
                work.group()
            else:
                work.single()
    # no number is drawn where every scene is littered: the default set stays as it is
    if settings.clutter_share == 1 or rng.random() < settings.clutter_share:
        work.litter(settings.clutter)
    polished = work.around.kind in ("indoor", "garage") and rng.random() < 0.6
    gloss = rng.uniform(0.04, 0.16) if polished else 0.0
    return Scene(work.camera, work.around, work.backdrop, work.placed, gloss)


def render(rng: Rng, scene: Scene, settings: SceneSettings) -> Rendered:
    """Paint a scene far to near and measure what remains visible of each object.

    Args:
        rng: source of the uneven temperature within bodies.
        scene: the composed scene.
        settings: size and supersampling; the same as for `compose`.
    """
    canvas = Canvas(scene.backdrop.radiance, settings.supersample)
    cols, rows = (side * settings.supersample for side in settings.size)
    coarse = smooth_noise(rng, rows // 2 + 1, cols // 2 + 1, 3.5)
    coarse += smooth_noise(rng, rows // 2 + 1, cols // 2 + 1, 11)
    texture = np.asarray(cv2.resize(coarse / np.float32(1.4), (cols, rows)), np.float32)
    around = scene.around
    fixtures = [place(b, scene.camera, p, yaw) for b, p, yaw in scene.backdrop.fixtures]
    fixtures.sort(key=lambda p: -p.near)
    for fixture in fixtures:
        canvas.paint(fixture, -1, air=around.air, haze=around.haze, texture=texture)
    order = sorted(scene.placed, key=lambda p: -p.near)
    if scene.gloss > 0:
        for item in order:
            twin = place(item.body, scene.camera, item.position, item.yaw, mirror=True)
            canvas.paint(
                twin, -1, air=around.air, haze=around.haze, texture=texture, opacity=scene.gloss
            )
    covers: list[Coverage] = []
    hidden_by: dict[int, list[tuple[int, int]]] = {}
    for index, item in enumerate(order):
        cover = canvas.paint(item, index, air=around.air, haze=around.haze, texture=texture)
        covers.append(cover)
        if item.body.category:
            for back, pixels in cover.hidden.items():
                hidden_by.setdefault(back, []).append((index, pixels))
    instances = []
    for index, (item, cover) in enumerate(zip(order, covers, strict=True)):
        if item.body.category is None or cover.box is None:
            continue
        seen, box = canvas.visible(index)
        fronts = hidden_by.get(index, [])
        instances.append(
            Instance(
                index=index,
                category=item.body.category,
                visible_box=box,
                full_box=cover.box,
                visible=seen / cover.pixels,
                truncated=1.0 - _inside(item.box, settings.size),
                depth=item.depth,
                occluded_by=tuple(i for i, n in fronts if n > 0.02 * cover.pixels),
            )
        )
    return Rendered(canvas.radiance, canvas.owner, order, instances)
