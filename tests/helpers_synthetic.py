"""Surroundings, a camera, scenes and settings for the tests of the embedded data set."""

from typing import Any

import numpy as np

from mmthermal.synthetic.bodies import Body
from mmthermal.synthetic.camera import Camera, place
from mmthermal.synthetic.rendering import Rendered, render
from mmthermal.synthetic.scene import compose
from mmthermal.synthetic.settings import SceneSettings, SyntheticSettings
from mmthermal.synthetic.surroundings import Surroundings

COLD = Surroundings("night", 273.0, 0.0, 273.0, 240.0, 1e-3)
MILD = Surroundings("indoor", 294.0, 0.0, 293.0, 294.0, 0.0)
CAMERA = Camera((640, 480), 600.0, height=1.5, pitch=0.0)
SETTINGS = SceneSettings(empty=0.0)


def metres(body: Body, yaw: float = 0.0) -> tuple[float, float]:
    """Width and height of a body seen from 20 m."""
    x0, y0, x1, y1 = place(body, CAMERA, (0.0, 20.0), yaw).box
    return (x1 - x0) * 20 / 600, (y1 - y0) * 20 / 600


def draw(seed: int, settings: SceneSettings = SETTINGS) -> Rendered:
    """A scene, composed and rendered."""
    rng = np.random.default_rng(seed)
    return render(rng, compose(rng, settings), settings)


def settings(**changes: Any) -> SyntheticSettings:
    """Settings of a set of three images, with changes."""
    values = dict(
        num_train=1, num_val=1, num_test=1, seed=0, scene=SceneSettings(), netd=0.05,
        bad_pixels=0.0, cameras=4, box="visible", min_visible=0.25, min_side=3.0,
    )  # fmt: skip
    return SyntheticSettings(**(values | changes))
