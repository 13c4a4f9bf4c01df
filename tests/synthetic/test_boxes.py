"""Boxes by corners: clipping, the share inside, the largest IoU."""

import pytest

from mmthermal.synthetic.boxes import Box, clip_box, largest_iou, share_inside


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 2 / 6),  # 1x2 shared of 4 + 4 - 2
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),
        ((0, 0, 4, 4), (1, 1, 2, 2), 1 / 16),
    ],
)
def test_largest_iou_of_one(a: tuple, b: tuple, expected: float) -> None:
    assert largest_iou(a, [b]) == pytest.approx(expected)


def test_largest_iou_of_several_and_of_none() -> None:
    others = [(5.0, 5.0, 6.0, 6.0), (0.0, 0.0, 2.0, 1.0), (1.0, 0.0, 3.0, 2.0)]
    assert largest_iou((0.0, 0.0, 2.0, 2.0), others) == pytest.approx(1 / 2)
    assert largest_iou((0.0, 0.0, 2.0, 2.0), []) == 0.0


def test_clip() -> None:
    assert clip_box((-3.0, 5.0, 200.0, 90.0), (160, 80)) == (0.0, 5.0, 160, 80)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0.0, 0.0, 10.0, 10.0), 1.0),
        ((-5.0, 0.0, 5.0, 10.0), 0.5),
        ((155.0, 75.0, 165.0, 85.0), 0.25),  # 5 x 5 of 10 x 10
        ((200.0, 0.0, 210.0, 10.0), 0.0),
    ],
)
def test_share_inside(box: Box, expected: float) -> None:
    assert share_inside(box, (160, 80)) == pytest.approx(expected)
