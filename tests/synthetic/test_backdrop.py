"""Textures of surfaces."""

import numpy as np
import pytest

from mmthermal.synthetic.backdrop import look_up, texture_tile


def test_a_tile_has_unit_deviation_and_grain_on_request() -> None:
    smooth, rough = (texture_tile(np.random.default_rng(0), share) for share in (0.0, 1.0))
    assert smooth.shape == rough.shape == (192, 192)
    assert smooth.std() == pytest.approx(1, abs=1e-3) and rough.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(rough)).mean() > 2 * np.abs(np.diff(smooth)).mean()


def test_look_up_is_metric_and_mirrors_beyond_the_border() -> None:
    tile = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    metres = np.array([[0.0, 1.0, 3.5, 4.0]], np.float32)
    # two pixels a metre: pixels 0, 2, 7, and 8, which mirrors to 6
    np.testing.assert_allclose(look_up(tile, metres, metres * 0, 2.0), [[0, 2, 7, 6]], atol=1e-5)
