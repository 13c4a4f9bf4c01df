"""Bicycles: size and views."""

import numpy as np
from helpers_synthetic import MILD, metres

from mmthermal.synthetic.bicycle import bicycle

rng = np.random.default_rng


def test_bicycle_has_a_bicycles_size_and_is_thin_from_the_front() -> None:
    wide, tall = metres(bicycle(rng(0), MILD))
    assert 1.55 < wide < 1.95 and 0.9 < tall < 1.2
    assert metres(bicycle(rng(0), MILD), np.pi / 2)[0] < 0.75
