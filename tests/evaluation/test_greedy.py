"""The greedy matching against a plain loop, with equal IoUs, crowds and ignored objects."""

import numpy as np
import pytest

from mmthermal.evaluation.greedy import MISSED, Pairs, find_pairs, match_greedily, match_once


def slow_match(iou: np.ndarray, ignore: np.ndarray, crowd: np.ndarray, thr: float) -> list[int]:
    """Match one image by the loop of pycocotools, over detections best first."""
    order = np.argsort(ignore, kind="stable")
    taken = np.zeros(iou.shape[1], dtype=bool)
    result = []
    for row in iou:
        best, chosen = min(thr, 1 - 1e-10), MISSED
        for g in order:
            if taken[g] and not crowd[g]:
                continue
            if chosen != MISSED and not ignore[chosen] and ignore[g]:
                break
            if row[g] >= best:
                best, chosen = row[g], int(g)
        if chosen != MISSED:
            taken[chosen] = True
        result.append(chosen)
    return result


@pytest.mark.parametrize("seed", range(20))
def test_greedy_matching_equals_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_groups, thrs = 3, np.array([0.3, 0.5, 1.0])
    det_groups, gt_groups = rng.integers(0, num_groups, 15), rng.integers(0, num_groups, 10)
    iou = rng.integers(0, 6, (15, 10)) / 5  # with equal IoUs, and some of exactly 1
    crowd = rng.random(10) < 0.2
    ignore = np.stack([crowd, crowd | (rng.random(10) < 0.5), np.ones(10, dtype=bool)])
    det, gt = np.nonzero((iou >= 0.3) & (det_groups[:, None] == gt_groups[None]))
    order = np.lexsort((gt, iou[det, gt], det))
    pairs = Pairs(det[order], gt[order], iou[det, gt][order])
    inds, taken = match_greedily(pairs, det_groups, ignore, crowd, thrs)
    full = np.full((15, len(ignore), len(thrs)), MISSED)
    full[inds] = taken
    for group in range(num_groups):
        rows, columns = np.flatnonzero(det_groups == group), np.flatnonzero(gt_groups == group)
        for s, flags in enumerate(ignore):
            for t, thr in enumerate(thrs):
                part = iou[np.ix_(rows, columns)]
                local = slow_match(part, flags[columns], crowd[columns], thr)
                expected = [columns[j] if j != MISSED else MISSED for j in local]
                assert full[rows, s, t].tolist() == expected


def test_find_pairs_keeps_groups_apart_and_sorts_by_iou() -> None:
    box, near, far = [0.0, 0, 10, 10], [0.0, 0, 10, 8], [50.0, 0, 10, 10]
    pairs = find_pairs(
        np.array([box, box, far]),
        np.array([0, 1, 0]),
        np.array([box, near, near, box]),
        np.array([0, 0, 1, 2]),
        np.zeros(4, dtype=bool),
        min_iou=0.5,
    )
    assert pairs.first.tolist() == [0, 0, 1]
    assert pairs.second.tolist() == [1, 0, 2]
    assert pairs.iou.tolist() == [0.8, 1.0, 0.8]


def test_find_pairs_in_parts_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    dets, gts = rng.uniform(1, 20, (50, 4)), rng.uniform(1, 20, (30, 4))
    groups = rng.integers(0, 4, 50), rng.integers(0, 4, 30)
    args = (dets, groups[0], gts, groups[1], rng.random(30) < 0.2)
    whole = find_pairs(*args, min_iou=0.1)
    monkeypatch.setattr("mmthermal.evaluation.greedy._MAX_PAIRS", 7)
    parts = find_pairs(*args, min_iou=0.1)
    assert len(whole.first) > 50
    for name in ("first", "second", "iou"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_equal_ious_are_sorted_by_ground_truth_so_that_the_last_one_wins() -> None:
    box = np.array([[0.0, 0, 10, 10]])
    pairs = find_pairs(
        box, np.zeros(1, int), np.repeat(box, 3, 0), np.zeros(3, int), np.zeros(3, bool), min_iou=1
    )
    assert pairs.second.tolist() == [0, 1, 2]
    nobody = np.zeros((1, 3), dtype=bool)
    _, taken = match_greedily(pairs, np.zeros(1, int), nobody, nobody[0], np.array([0.5]))
    assert taken.item() == 2  # as in pycocotools, whose loop replaces a match by an equal one


def test_a_threshold_of_one_forgives_rounding() -> None:
    pairs = Pairs(np.array([0]), np.array([0]), np.array([1 - 5e-11]))
    nobody = np.zeros((1, 1), dtype=bool)
    _, taken = match_greedily(pairs, np.zeros(1, int), nobody, nobody[0], np.array([1.0]))
    assert taken.item() == 0


def test_one_subset_at_one_threshold_is_the_same_matching() -> None:
    rng = np.random.default_rng(0)
    dets, gts = rng.uniform(1, 20, (50, 4)), rng.uniform(1, 20, (30, 4))
    groups, gt_groups = rng.integers(0, 4, 50), rng.integers(0, 4, 30)
    crowd = rng.random(30) < 0.2
    pairs = find_pairs(dets, groups, gts, gt_groups, crowd, min_iou=0.1)
    inds, taken = match_greedily(pairs, groups, crowd[None], crowd, np.array([0.3]))
    once = match_once(pairs, groups, crowd, crowd, 0.3)
    assert (once != MISSED).sum() > 5
    np.testing.assert_array_equal(once[inds], taken[:, 0, 0])
    assert (np.delete(once, inds) == MISSED).all()
    near = pairs.where(pairs.iou >= 0.3)
    assert near.iou.min() >= 0.3 and len(near.first) == len(near.second) < len(pairs.first)
