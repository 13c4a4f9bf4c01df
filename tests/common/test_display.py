"""Gain control for display."""

import numpy as np
import pytest

from mmthermal.common.display import to_display


def test_linear_between_the_tails() -> None:
    image = np.arange(20000, 20256, dtype=np.uint16).reshape(16, 16)
    shown = to_display(image, tail=0)
    assert shown.dtype == np.uint8 and shown.shape == (16, 16, 3)
    np.testing.assert_array_equal(shown[..., 0].ravel(), np.arange(256))
    assert (shown == shown[..., :1]).all()


def test_tails_are_rejected() -> None:
    """One dead and one hot pixel of 1,000 don't cost the scene its contrast."""
    image = np.linspace(20000, 20100, 1000).reshape(25, 40)
    image[0, 0], image[24, 39] = 0, 65535
    shown = to_display(image)[..., 0]
    assert shown[0, 0] == 0 and shown[24, 39] == 255
    inner = shown.ravel()[10:-10].astype(int)
    assert inner.min() < 5 and inner.max() > 250
    flat = to_display(image, tail=0)[..., 0].ravel()[1:-1].astype(int)
    assert flat.max() - flat.min() <= 1


def test_faint_contrast_of_16_bit_counts_becomes_visible() -> None:
    image = np.random.default_rng(0).normal(29300, 20, (60, 80)).astype(np.uint16)
    assert to_display(image)[..., 0].std() > 40


def test_order_of_temperatures_is_kept() -> None:
    image = np.random.default_rng(0).normal(0, 1, 500).reshape(20, 25)
    shown = to_display(image)[..., 0].ravel()[image.ravel().argsort()].astype(int)
    assert (np.diff(shown) >= 0).all()


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_uniform_image_and_no_finite_value_are_no_error(shape: tuple[int, ...]) -> None:
    assert (to_display(np.full(shape, 21000, np.uint16)) == 0).all()
    assert (to_display(np.full(shape, np.nan)) == 0).all()


def test_nan_counts_as_the_minimum() -> None:
    image = np.arange(100.0).reshape(10, 10)
    image[5, 5] = np.nan
    shown = to_display(image, tail=0)
    assert (shown[5, 5] == 0).all() and (shown[9, 9] == 255).all()


def test_eight_bit_colour_comes_back_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(to_display(image), image)


def test_input_is_left_alone() -> None:
    image = np.arange(100, dtype=np.uint16).reshape(10, 10)
    before = image.copy()
    to_display(image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("tail", [-1, 50, float("nan")])
def test_refuses_tails_out_of_range(tail: float) -> None:
    with pytest.raises(ValueError, match=r"tail=.*: must lie in \[0, 50\)"):
        to_display(np.zeros((2, 2)), tail=tail)


@pytest.mark.parametrize("shape", [(5,), (4, 5, 2), (1, 4, 5, 3)])
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="image has shape"):
        to_display(np.zeros(shape))
