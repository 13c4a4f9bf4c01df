"""Camera geometry and projected bodies."""

import numpy as np
import pytest

from mmthermal.synthetic.bodies import Body
from mmthermal.synthetic.camera import Camera, place

LEVEL = Camera(size=(80, 60), focal=100.0, height=1.5, pitch=0.0)


def test_projection_by_hand() -> None:
    # 10 m ahead, at camera height, 2 m to the right: x = 40 + 100*2/10 = 60, y = 30
    np.testing.assert_allclose(LEVEL.project(np.array([2.0, 1.5, 10.0])), [60, 30, 10])
    # its foot: y = 30 + 100*1.5/10 = 45
    np.testing.assert_allclose(LEVEL.project(np.array([2.0, 0.0, 10.0])), [60, 45, 10])


def test_pitch_of_the_camera_puts_the_point_it_looks_at_in_the_middle() -> None:
    camera = Camera((80, 60), 100.0, height=3.0, pitch=float(np.arctan2(3.0, 4.0)))
    # looks at the ground 4 m ahead, 5 m along the axis
    np.testing.assert_allclose(camera.project(np.array([0.0, 0.0, 4.0])), [40, 30, 5], atol=1e-9)


@pytest.mark.parametrize("pitch", [0.0, 0.2, 0.6])
def test_ground_distance_inverts_the_projection(pitch: float) -> None:
    camera = Camera((80, 60), 100.0, height=2.0, pitch=pitch)
    for z in (3.0, 6.0, 15.0):
        y = camera.project(np.array([0.0, 0.0, z]))[1]
        assert camera.ground_distance(float(y)) == pytest.approx(z)
    assert camera.ground_distance(-1000.0) == float("inf")


def test_rays_and_projection_agree() -> None:
    camera = Camera((80, 60), 100.0, height=2.0, pitch=0.3)
    x, y, z = camera.rays(1)
    point = np.array([7 * x[0, 11], 2.0 + 7 * y[40, 0], 7 * z[40, 0]])
    np.testing.assert_allclose(camera.project(point), [11.5, 40.5, 7], atol=1e-4)


def test_one_sided_face_shows_only_its_front() -> None:
    body = Body("car")
    body.face([(-1, 0, 0), (1, 0, 0), (1, 1, 0), (-1, 1, 0)], 300.0)  # turns to its left, +w
    assert len(place(body, LEVEL, (0.0, 10.0), np.pi).polygons) == 1
    assert len(place(body, LEVEL, (0.0, 10.0), 0.0).polygons) == 0


def test_near_capsules_are_painted_after_far_ones() -> None:
    body = Body("dog")
    body.capsule((0, 1, 0.3), (0, 1, 0.3), 0.2, 301.0)
    body.capsule((0, 1, -0.3), (0, 1, -0.3), 0.2, 302.0)
    assert place(body, LEVEL, (0.0, 8.0), 0.0).temperatures == [301.0, 302.0]
    assert place(body, LEVEL, (0.0, 8.0), np.pi).temperatures == [302.0, 301.0]


def test_capsule_spans_its_radius_in_pixels() -> None:
    body = Body("person")
    body.capsule((0, 1.5, 0), (0, 1.5, 0), 0.5, 300.0)  # a ball of 1 m at 10 m: 10 px
    box = place(body, LEVEL, (0.0, 10.0), 0.0).box
    np.testing.assert_allclose(box, (35, 25, 45, 35), atol=0.6)
