"""The parts that bodies are made of."""

import numpy as np
import pytest

from mmthermal.synthetic.bodies import Body, mix


def test_a_capsule_keeps_its_radius_unless_it_is_tapered() -> None:
    body = Body("dog")
    body.capsule((0, 0, 0), (1, 0, 0), 0.2, 300.0)
    body.capsule((0, 0, 0), (1, 0, 0), 0.2, 300.0, 0.1)
    assert [c[2:] for c in body.capsules] == [(0.2, 0.2, 300.0), (0.2, 0.1, 300.0)]


def test_a_face_is_one_sided_unless_asked_for() -> None:
    body = Body("car")
    body.face([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 290.0)
    body.face([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 291.0, two_sided=True)
    assert [face[1:] for face in body.faces] == [(290.0, False), (291.0, True)]
    assert body.faces[0][0].dtype == np.float64 and body.faces[0][0].shape == (3, 3)


@pytest.mark.parametrize(("share", "expected"), [(0, 280.0), (0.25, 285.0), (1, 300.0)])
def test_mix(share: float, expected: float) -> None:
    assert mix(280.0, 300.0, share) == expected
