"""Dogs: size and warmth."""

import numpy as np
from helpers_synthetic import COLD, metres

from mmthermal.synthetic.dog import dog

rng = np.random.default_rng


def test_dog_is_a_dogs_size_and_warm() -> None:
    for seed in range(20):
        body = dog(rng(seed), COLD)
        wide, tall = metres(body)
        assert 0.35 < wide < 1.6 and 0.35 < tall < 1.2
        assert max(c[4] for c in body.capsules) > COLD.air + 12
