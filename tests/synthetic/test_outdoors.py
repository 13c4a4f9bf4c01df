"""Backgrounds out of doors: sky above ground."""

import numpy as np

from mmthermal.synthetic.camera import Camera
from mmthermal.synthetic.outdoors import draw_outdoors
from mmthermal.synthetic.sensor import temperature
from mmthermal.synthetic.surroundings import Surroundings

CAMERA = Camera((80, 60), 75.0, height=2.2, pitch=0.15)
CLEAR = Surroundings("night", 285.0, 0.0, 286.0, 250.0, 1e-3)


def test_clear_sky_is_colder_than_the_ground() -> None:
    colder = []
    for seed in range(20):
        found = draw_outdoors(np.random.default_rng(seed), CAMERA, CLEAR, 2, 5.0)
        kelvin = temperature(found.radiance)
        colder.append(kelvin[-8:].mean() - kelvin[:3].mean())
        assert abs(float(kelvin[-8:].mean()) - CLEAR.ground) < 8
    assert np.mean(np.array(colder) > 3) > 0.4  # where no house or tree hides the sky
    assert min(colder) > -8
