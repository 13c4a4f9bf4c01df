"""Painting order, pixel counts and boxes."""

import numpy as np
import pytest

from mmthermal.synthetic.bodies import Body
from mmthermal.synthetic.camera import Camera, place
from mmthermal.synthetic.canvas import Canvas
from mmthermal.synthetic.sensor import radiance, temperature

S = 4
LEVEL = Camera(size=(80, 60), focal=100.0, height=1.5, pitch=0.0)


def board(width: float, height: float, kelvin: float, category: str = "person") -> Body:
    """An upright rectangle across the line of sight (yaw 0)."""
    body = Body(category, texture=0.0)
    w = width / 2
    body.face([(-w, 0, 0), (-w, height, 0), (w, height, 0), (w, 0, 0)], kelvin, two_sided=True)
    return body


def blank(kelvin: float = 280.0) -> Canvas:
    return Canvas(np.full((60 * S, 80 * S), radiance(kelvin), np.float32), S)


def paint(canvas: Canvas, placed: object, index: int, **kwargs: float) -> object:
    none = np.zeros(canvas.owner.shape, np.float32)
    return canvas.paint(placed, index, air=280.0, haze=0.0, texture=none, **kwargs)


def test_box_and_pixels_of_a_board() -> None:
    canvas = blank()
    # 1 m x 2 m at 10 m: 10 px x 20 px, foot at y = 45, centre at x = 40
    cover = paint(canvas, place(board(1.0, 2.0, 305.0), LEVEL, (0.0, 10.0), 0.0), 0)
    np.testing.assert_allclose(cover.box, (35, 25, 45, 45), atol=1.5 / S)
    assert cover.pixels == pytest.approx(10 * 20 * S * S, rel=0.08)
    inside = canvas.radiance[35 * S, 40 * S]
    assert float(temperature(inside)) == pytest.approx(305.0, abs=5e-3)
    assert float(temperature(canvas.radiance[5, 5])) == pytest.approx(280.0, abs=5e-3)


def test_front_replaces_what_is_behind() -> None:
    canvas = blank()
    back = paint(canvas, place(board(1.0, 2.0, 305.0), LEVEL, (0.0, 10.0), 0.0), 0)
    front = paint(canvas, place(board(0.5, 1.0, 290.0), LEVEL, (0.0, 8.0), 0.0), 1)
    owner = canvas.owner == 1
    assert float(np.abs(temperature(canvas.radiance[owner]) - 290.0).max()) < 5e-3
    seen, _ = canvas.visible(0)
    assert seen == back.pixels - front.hidden[0]
    assert canvas.visible(1)[0] == front.pixels


def test_outside_the_image_nothing_is_painted() -> None:
    canvas = blank()
    before = canvas.radiance.copy()
    cover = paint(canvas, place(board(1.0, 2.0, 305.0), LEVEL, (30.0, 10.0), 0.0), 0)
    assert cover.box is None and cover.pixels == 0
    np.testing.assert_array_equal(canvas.radiance, before)
    assert canvas.visible(0) == (0, None)


def test_a_reflection_is_faint_upside_down_and_owns_nothing() -> None:
    canvas = blank()
    body = board(1.0, 1.0, 310.0)
    twin = place(body, LEVEL, (0.0, 10.0), 0.0, mirror=True)
    np.testing.assert_allclose(twin.box, (35, 45, 45, 55), atol=1e-6)
    paint(canvas, twin, -1, opacity=0.1)
    assert (canvas.owner == -1).all()
    value = canvas.radiance[50 * S, 40 * S]
    expected = radiance(280.0) + 0.1 * (radiance(310.0) - radiance(280.0))
    assert float(value) == pytest.approx(float(expected), rel=1e-5)
