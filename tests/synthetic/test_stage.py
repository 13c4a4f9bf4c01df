"""The stage: where bodies may stand."""

import numpy as np
import pytest
from helpers_synthetic import CAMERA, COLD

from mmthermal.synthetic.boxes import largest_iou, share_inside
from mmthermal.synthetic.camera import place
from mmthermal.synthetic.settings import CLASSES, SceneSettings
from mmthermal.synthetic.stage import MAKERS, Stage

rng = np.random.default_rng


def test_every_class_has_a_maker() -> None:
    assert tuple(MAKERS) == CLASSES


@pytest.mark.parametrize("name", CLASSES)
def test_same_seed_same_body(name: str) -> None:
    make = MAKERS[name]
    one, two, other = make(rng(5), COLD), make(rng(5), COLD), make(rng(6), COLD)
    boxes = [place(b, CAMERA, (0.0, 20.0), 0.4).box for b in (one, two, other)]
    assert boxes[0] == boxes[1] != boxes[2]
    assert one.category == name


@pytest.mark.parametrize("seed", range(6))
def test_a_body_placed_alone_overlaps_no_other_and_is_in_view(seed: int) -> None:
    stage = Stage(rng(seed), SceneSettings())
    for _ in range(6):
        stage.alone(stage.make("person"), "person", None, least=0.7)
    boxes = [p.box for p in stage.placed]
    assert stage.count() == len(boxes) > 0
    for index, box in enumerate(boxes):
        assert largest_iou(box, boxes[:index]) <= 0.07
        assert share_inside(box, (160, 120)) >= 0.7


def test_a_body_placed_beside_another_overlaps_it() -> None:
    found = 0
    for seed in range(12):
        stage = Stage(rng(seed), SceneSettings())
        first = stage.alone(stage.make("person"), "person", 0.0, least=0.75)
        if first is None:
            continue
        members = [first]
        stage.beside("person", members, 0.0, (0.05, 0.5), (0.2, 2.2))
        for new in members[1:]:
            assert 0.16 <= largest_iou(new.box, [first.box]) <= 0.72
            found += 1
    assert found > 3


def test_nothing_stands_behind_the_wall_or_in_another_body() -> None:
    stage = Stage(rng(1), SceneSettings())
    body = stage.make("dog")
    behind = place(body, stage.camera, (0.0, stage.backdrop.wall + 1.0), 0.0)
    assert not stage.fits(behind, least=0.0)
    first = stage.alone(body, "dog", 0.0, least=0.7)
    assert first is not None
    assert not stage.fits(place(body, stage.camera, first.position, 0.0), least=0.0)
