"""Scenes: which objects, groups and clutter stand in which surroundings."""

from dataclasses import dataclass

import numpy as np

from mmthermal.synthetic.backdrop import Backdrop
from mmthermal.synthetic.camera import Camera, Placed, place
from mmthermal.synthetic.clutter import draw_clutter
from mmthermal.synthetic.settings import SceneSettings
from mmthermal.synthetic.stage import Stage
from mmthermal.synthetic.surroundings import Surroundings

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


@dataclass
class Scene:
    """A composed scene.

    Attributes:
        camera: the camera.
        around: surroundings.
        backdrop: the empty scene.
        placed: objects and clutter, in any order.
        gloss: reflectance of the floor, in [0, 1).
    """

    camera: Camera
    around: Surroundings
    backdrop: Backdrop
    placed: list[Placed]
    gloss: float


def _setting(stage: Stage) -> str:
    return stage.around.kind if stage.around.indoors else "outdoor"


def _single(stage: Stage) -> None:
    """Try to place one object that overlaps no other."""
    weights = _SINGLES[_setting(stage)]
    names = [n for n in stage.settings.classes if weights[n] > 0] or list(stage.settings.classes)
    shares = np.array([max(weights[n], 1e-3) for n in names])
    name = str(stage.rng.choice(names, p=shares / shares.sum()))
    least = 0.35 if stage.rng.random() < 0.15 else 0.7
    stage.alone(stage.make(name), name, None, least=least)


def _group(stage: Stage) -> None:
    """Try to place a group whose members overlap in the image."""
    known, where = set(stage.settings.classes), _setting(stage)
    rates = {n: getattr(g, where) for n, g in _GROUPS.items() if g.needs <= known}
    rates = {n: rate for n, rate in rates.items() if rate > 0}
    if not rates:
        _single(stage)
        return
    shares = np.array(list(rates.values()))
    name = str(stage.rng.choice(list(rates), p=shares / shares.sum()))
    lead = _GROUPS[name].lead
    place_of = {"rider": "bicycle", "walker with dog": "dog"}.get(name, lead)
    yaw = stage.heading("bicycle" if name == "rider" else lead)
    body = stage.make(lead, pose="ride") if name == "rider" else stage.make(lead)
    first = stage.alone(body, place_of, yaw, least=0.75)
    if first is not None:
        _join(stage, name, first, yaw)


def _join(stage: Stage, name: str, first: Placed, yaw: float) -> None:
    """Place the other members of a group beside its first."""
    rng, members = stage.rng, [first]
    wide = first.footprint[2] - first.footprint[0]
    deep = first.footprint[3] - first.footprint[1]
    if name == "rider":
        bike = place(stage.make("bicycle", ridden=True), stage.camera, first.position, yaw)
        stage.placed.append(bike)
        members.append(bike)
        if rng.random() < 0.15:
            stage.beside("person", members, yaw, (0.3, 1.0), (0.4, 1.6))
    elif name == "walkers":
        for _ in range(int(rng.choice([1, 2, 3], p=[0.62, 0.27, 0.11]))):
            towards = yaw if rng.random() < 0.7 else stage.heading("person")
            stage.beside("person", members, towards + rng.normal(0, 0.15), (0.05, 0.5), (0.2, 2.2))
    elif name == "walker with dog":
        stage.beside("dog", members, yaw + rng.normal(0, 0.5), (0.1, 0.6), (0.2, 0.8), least=0.12)
    elif name == "person at car":
        for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3]))):
            across, ahead = (0.0, 0.48 * wide), (0.5 * deep + 0.35, 0.5 * deep + 1.4)
            stage.beside("person", [first], stage.heading("person"), across, ahead, least=0.05)
    elif name == "parked cars":
        across, ahead = (0.3 * wide, 0.9 * wide), (1.05 * deep, 1.5 * deep)
        stage.beside("car", members, yaw + rng.normal(0, 0.06), across, ahead, least=0.1)
    elif name == "person at bicycle":
        stage.beside("person", members, stage.heading("person"), (0.0, 0.6), (0.3, 0.6), least=0.12)
    else:  # two dogs, two bicycles
        kind = _GROUPS[name].lead
        stage.beside(kind, members, yaw + rng.normal(0, 0.6), (0.1, 0.7), (0.25, 0.9))


def _litter(stage: Stage, mean: float) -> None:
    """Place hard negatives."""
    for _ in range(int(stage.rng.poisson(mean))):
        body = draw_clutter(stage.rng, stage.around)
        yaw = stage.rng.uniform(-np.pi, np.pi)
        for _ in range(6):
            new = place(body, stage.camera, stage.spot(None), float(yaw))
            if stage.fits(new, least=0.3):
                stage.placed.append(new)
                break


def compose(rng: np.random.Generator, settings: SceneSettings) -> Scene:
    """Draw a scene.

    Args:
        rng: source of everything in it.
        settings: what to draw.
    """
    stage = Stage(rng, settings)
    if rng.random() >= settings.empty:
        wanted = 1 + int(rng.poisson(settings.objects - 1))
        # share of groups among the units (groups and singles) that gives the wanted overlap
        in_groups = min(settings.overlap / 0.83, 1.0)
        chance = in_groups / (in_groups + 2.15 * (1 - in_groups))
        for _ in range(4 * wanted + 8):
            if stage.count() >= wanted:
                break
            if rng.random() < chance:
                _group(stage)
            else:
                _single(stage)
    # no number is drawn where every scene is littered: the default set stays as it is
    if settings.clutter_share == 1 or rng.random() < settings.clutter_share:
        _litter(stage, settings.clutter)
    polished = stage.around.indoors and rng.random() < 0.6
    gloss = rng.uniform(0.04, 0.16) if polished else 0.0
    return Scene(stage.camera, stage.around, stage.backdrop, stage.placed, gloss)
