"""Overlap among ground truths: closed forms, a raster reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmthermal.evaluation.overlap import OVERLAP_KEYS, largest_overlap

# A (0, 0)-(10, 10), B the same moved by (5, 0): intersection 50, union 150; C far away.
A, B, C = [0, 0, 10, 10], [5, 0, 10, 10], [100, 100, 10, 10]


def test_two_boxes_of_one_class() -> None:
    found = largest_overlap([A, B, C], [1, 1, 1], [0, 0, 0])
    np.testing.assert_allclose(found["iou"], [50 / 150, 50 / 150, 0])
    np.testing.assert_allclose(found["iou_same"], [50 / 150, 50 / 150, 0])
    np.testing.assert_array_equal(found["iou_cross"], [0, 0, 0])
    np.testing.assert_allclose(found["covered"], [0.5, 0.5, 0])


def test_classes_are_told_apart() -> None:
    # D covers A's upper half: IoU with A 50/100, with B 25/125.
    found = largest_overlap([A, B, [0, 0, 10, 5]], [1, 2, 1], [0, 0, 0])
    np.testing.assert_allclose(found["iou_same"], [0.5, 0, 0.5])
    np.testing.assert_allclose(found["iou_cross"], [50 / 150, 50 / 150, 25 / 125])
    np.testing.assert_allclose(found["iou"], [0.5, 50 / 150, 0.5])


def test_covered_is_the_union_of_the_others() -> None:
    # Two boxes over the left half of A, of which one lies in the other: 50 of 100, not 75.
    found = largest_overlap([A, [0, 0, 5, 10], [0, 0, 5, 5]], [1, 1, 1], [0, 0, 0])
    np.testing.assert_allclose(found["covered"], [0.5, 1.0, 1.0])


def test_crowds_neither_cover_nor_count() -> None:
    found = largest_overlap([A, B, A], [1, 1, 1], [0, 1, 1])
    for key in OVERLAP_KEYS:
        np.testing.assert_array_equal(found[key], [0, 0, 0])


def test_equal_boxes_and_touching_edges() -> None:
    found = largest_overlap([A, A, [10, 0, 5, 10]], [1, 2, 3], [0, 0, 0])
    np.testing.assert_array_equal(found["iou"], [1, 1, 0])
    np.testing.assert_array_equal(found["covered"], [1, 1, 0])


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_overlap_with(count: int) -> None:
    found = largest_overlap([A][:count], [1][:count], [0][:count])
    assert all(found[key].shape == (count,) and not found[key].any() for key in OVERLAP_KEYS)


boxes_strategy = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 15), st.integers(0, 15)),
    min_size=1,
    max_size=12,
)


@given(boxes=boxes_strategy, seed=st.integers(0, 1000))
def test_equals_a_raster(boxes: list[tuple[int, ...]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, crowd = rng.integers(0, 3, len(boxes)), rng.random(len(boxes)) < 0.2
    found = largest_overlap(boxes, classes, crowd)
    rasters = np.zeros((len(boxes), 40, 40), dtype=bool)
    for raster, (x, y, w, h) in zip(rasters, boxes, strict=True):
        raster[y : y + h, x : x + w] = True
    for i, own in enumerate(rasters):
        others = [j for j in range(len(boxes)) if j != i and not crowd[j] and not crowd[i]]
        ious = {j: (own & rasters[j]).sum() / max((own | rasters[j]).sum(), 1) for j in others}
        same = [iou for j, iou in ious.items() if classes[j] == classes[i]]
        cross = [iou for j, iou in ious.items() if classes[j] != classes[i]]
        assert found["iou"][i] == pytest.approx(max(ious.values(), default=0))
        assert found["iou_same"][i] == pytest.approx(max(same, default=0))
        assert found["iou_cross"][i] == pytest.approx(max(cross, default=0))
        under = rasters[others].any(axis=0) & own if others else np.zeros_like(own)
        assert found["covered"][i] == pytest.approx(under.sum() / max(own.sum(), 1), abs=1e-12)


@given(boxes=boxes_strategy, seed=st.integers(0, 1000))
def test_order_does_not_matter(boxes: list[tuple[int, ...]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, crowd = rng.integers(0, 3, len(boxes)), rng.random(len(boxes)) < 0.2
    order = rng.permutation(len(boxes))
    straight = largest_overlap(boxes, classes, crowd)
    shuffled = largest_overlap(np.array(boxes)[order], classes[order], crowd[order])
    for key in OVERLAP_KEYS:
        np.testing.assert_allclose(shuffled[key], straight[key][order], atol=1e-12)


@pytest.mark.parametrize(
    ("boxes", "classes", "message"),
    [
        ([A, B], [1], "2 boxes, 1 category ids"),
        ([[0, 0, -1, 2]], [1], "at least 0"),
        ([[0, 0, float("nan"), 2]], [1], "finite"),
    ],
)
def test_bad_input(boxes: list, classes: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        largest_overlap(boxes, classes, [0] * len(classes))
