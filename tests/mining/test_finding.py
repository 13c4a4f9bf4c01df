"""False regions of an image against a slow reference in plain Python; the loss; the choice of k."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmthermal.mining.finding import (
    MiningSettings,
    find_false_regions,
    keep_hardest,
    negative_loss,
)
from mmthermal.mining.region_file import Region


def overlap(a, b, own=False):
    """IoU of two boxes x, y, w, h, or the share of a's own area."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = w * h if w > 0 and h > 0 else 0.0
    area = a[2] * a[3]
    whole = area if own else area + b[2] * b[3] - inter
    return inter / whole if inter else 0.0


def reference(boxes, scores, gts, crowd, settings):
    """The false regions, by the definition's own words."""
    order = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))
    kept = []
    for i in order:
        if scores[i] < settings.score_thr:
            continue
        on_object = any(
            overlap(boxes[i], gt, own=is_crowd)
            >= (settings.crowd_thr if is_crowd else settings.iou_thr)
            for gt, is_crowd in zip(gts, crowd, strict=True)
        )
        double = any(overlap(boxes[i], boxes[j]) > settings.nms_iou for j in kept)
        if not on_object and not double:
            kept.append(i)
    return kept


# few positions and scores, so that touching, equal and duplicate boxes are the rule
box = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 5)] * 2).map(
    lambda b: tuple(float(v) for v in b)
)


@given(
    st.lists(st.tuples(box, st.sampled_from([0.05, 0.1, 0.3, 0.9])), max_size=12),
    st.lists(st.tuples(box, st.booleans()), max_size=4),
    st.sampled_from([0.05, 0.1, 0.5, 1.0]),
    st.sampled_from([0.3, 0.5, 1.0]),
)
def test_equals_the_reference(dets, truths, iou_thr, nms_iou):
    settings = MiningSettings(iou_thr=iou_thr, nms_iou=nms_iou)
    boxes = np.array([d[0] for d in dets]).reshape(-1, 4)
    scores = np.array([d[1] for d in dets])
    gts = np.array([t[0] for t in truths]).reshape(-1, 4)
    crowd = np.array([t[1] for t in truths], dtype=bool)
    found = find_false_regions(boxes, scores, gts, crowd, settings)
    assert found.tolist() == reference(
        boxes.tolist(), scores.tolist(), gts.tolist(), crowd, settings
    )


@pytest.mark.parametrize(
    ("shift", "found"),
    [
        (9, []),  # 1 of 10 columns in common: IoU 10 / 190 > 0.05
        (10, [0]),  # they touch only
    ],
)
def test_iou_threshold(shift, found):
    boxes, gt = np.array([[shift, 0, 10, 10.0]]), np.array([[0, 0, 10, 10.0]])
    settings = MiningSettings(iou_thr=0.05)
    none = np.array([False])
    assert find_false_regions(boxes, np.array([0.9]), gt, none, settings).tolist() == found


def test_crowd_region_takes_by_share_of_the_detection():
    # IoU 16 / 10,000, but wholly inside
    boxes, gt = np.array([[50, 50, 4, 4.0]]), np.array([[0, 0, 100, 100.0]])
    args = boxes, np.array([0.9]), gt
    assert find_false_regions(*args, np.array([True]), MiningSettings()).tolist() == []
    assert find_false_regions(*args, np.array([False]), MiningSettings()).tolist() == [0]


def test_boxes_without_area_are_left_out():
    boxes = np.array([[1, 1, 0, 5.0], [1, 1, 5, 5]])
    empty = np.zeros((0, 4)), np.zeros(0, dtype=bool)
    assert find_false_regions(boxes, np.ones(2), *empty, MiningSettings()).tolist() == [1]


@pytest.mark.parametrize(
    ("score", "gamma", "expected"),
    [
        (0.5, 0.0, 0.75 * math.log(2)),  # cross-entropy of a negative
        (0.5, 2.0, 0.75 * 0.25 * math.log(2)),
        (0.9, 2.0, 0.75 * 0.81 * math.log(10)),
        (0.0, 2.0, 0.0),
        (1.0, 0.0, 0.75 * 53 * math.log(2)),  # as the largest number below 1
    ],
)
def test_loss_in_closed_form(score, gamma, expected):
    found = negative_loss(np.array([score]), alpha=0.25, gamma=gamma)
    assert found[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_loss_is_finite_and_rises_with_the_score():
    scores = np.array([0, 1e-12, 0.1, 0.5, 0.999999, 1.0])
    for gamma in (0.0, 0.5, 2.0):
        losses = negative_loss(scores, alpha=0.25, gamma=gamma)
        assert np.isfinite(losses).all()
        assert (np.diff(losses) > 0).all()


def regions(losses):
    return [Region(i, (0.0, 0.0, 4.0, 4.0), 1, 0.5, loss, 0, 0) for i, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("ratio", "count", "kept"),
    [
        (1.0, "objects", [1, 2, 0]),  # k = 1 * 3
        (0.67, "objects", [1, 2]),  # k = floor(2.01)
        (0.66, "objects", [1]),  # k = floor(1.98)
        (1.0, "images", [1, 2]),  # k = 1 * 2
        (0.0, "objects", []),
        (float("inf"), "images", [1, 2, 0, 3]),
    ],
)
def test_keeps_the_k_hardest(ratio, count, kept):
    settings = MiningSettings(ratio=ratio, count=count)
    found = keep_hardest(
        regions([0.2, 0.9, 0.2 + 1e-9, 0.1]), num_objects=3, num_images=2, settings=settings
    )
    assert [region.image_id for region in found] == kept


def test_ties_go_to_the_earlier_image():
    found = keep_hardest(
        regions([0.5, 0.7, 0.5, 0.5]), num_objects=3, num_images=3, settings=MiningSettings()
    )
    assert [region.image_id for region in found] == [1, 0, 2]


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("ratio", -1, ValueError),
        ("count", "boxes", ValueError),
        ("iou_thr", 0, ValueError),
        ("score_thr", 1.1, ValueError),
        ("nms_iou", "0.5", TypeError),
        ("crowd_thr", 0, ValueError),
    ],
)
def test_bad_settings(setting, value, error):
    with pytest.raises(error, match=setting):
        MiningSettings(**{setting: value})


def test_nms_of_1_suppresses_nothing():
    boxes, scores = np.array([[1, 1, 5, 5.0]] * 2), np.array([0.9, 0.8])
    empty = np.zeros((0, 4)), np.zeros(0, dtype=bool)
    found = find_false_regions(boxes, scores, *empty, MiningSettings(nms_iou=1.0))
    assert found.tolist() == [0, 1]
