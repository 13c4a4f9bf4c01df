"""Surroundings: how often which, and with sane temperatures."""

import numpy as np
import pytest

from mmthermal.synthetic.surroundings import draw_surroundings


def test_all_kinds_of_surroundings_occur_with_sane_temperatures() -> None:
    drawn = [draw_surroundings(np.random.default_rng(s)) for s in range(300)]
    shares = {
        k: np.mean([d.kind == k for d in drawn]) for k in ("day", "night", "indoor", "garage")
    }
    assert min(shares.values()) > 0.03 and sum(shares.values()) == pytest.approx(1.0)
    for d in drawn:
        assert 262 <= d.air <= 308
        assert d.sky <= d.air and 0 <= d.sun <= 1
        assert d.air - 4 < d.ground < d.air + 18
    assert all(d.sun == 0 for d in drawn if d.kind != "day")
