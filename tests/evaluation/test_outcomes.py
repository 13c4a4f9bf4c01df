"""What becomes of objects: closed forms, and sums that must agree with the matching."""

from collections.abc import Sequence

import numpy as np
import pytest
from helpers_tables import NOWHERE, P, Q, R, random_scene, scene, to_coco

from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import f1_at
from mmthermal.evaluation.outcomes import confusion, duplicates_per_gt, outcomes, pairs_found


def test_confusion_prefers_the_right_class() -> None:
    # A person and a bicycle nearly on top of each other: each detection fits the other object
    # better, yet both have the right class.
    person, bicycle = [0.0, 0, 10, 10], [1.0, 0, 10, 10]
    table = scene([(1, 1, person), (1, 2, bicycle)], [(1, 1, bicycle, 0.9), (1, 2, person, 0.8)])
    assert confusion(table, score_thr=0.5).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_confusion_counts_wrong_classes_misses_and_background() -> None:
    table = scene(
        [(1, 1, P), (1, 2, Q), (1, 1, R), (2, 2, P)],
        [(1, 1, P, 0.9), (1, 1, Q, 0.8), (1, 1, R, 0.7), (2, 1, NOWHERE, 0.6), (2, 2, P, 0.1)],
    )
    assert confusion(table, "all", score_thr=0.5).tolist() == [[2, 0, 0], [1, 0, 1], [1, 0, 0]]
    # overlapped: P and Q of image 1; R and the missed bicycle of image 2 are left out
    assert confusion(table, "overlapped", score_thr=0.5).tolist() == [
        [1, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
    ]


def test_confusion_leaves_out_everything_on_a_crowd() -> None:
    crowd = {"id": 1, "image_id": 1, "category_id": 1, "bbox": R, "area": 100.0, "iscrowd": 1}
    dataset = {
        "images": [{"id": 1, "width": 99, "height": 99}],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "bicycle"}],
        "annotations": [crowd],
    }
    inside = [52.0, 52, 4, 4]
    results = [
        {"image_id": 1, "category_id": cat, "bbox": box, "score": 0.9}
        for cat, box in ((1, R), (1, inside), (2, inside), (2, NOWHERE))
    ]
    table = MatchTable.from_coco(to_coco(dataset), results)
    assert confusion(table, "all", score_thr=0.5).tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_confusion_counts_every_object_once() -> None:
    dataset, detections = random_scene(6)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped"):
        matrix = confusion(table, subset, score_thr=0.2)
        for k, cat_id in enumerate(table.cat_ids):
            assert matrix[k].sum() == table.num_gts(subset, cat_id=cat_id)


def test_confusion_within_classes_is_that_of_the_average_precision() -> None:
    dataset, detections = random_scene(6)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped", "isolated"):
        hits = np.trace(confusion(table, subset, score_thr=0.0)[:-1, :-1])
        recall = f1_at(table, 0.0, subset)["recall"]
        assert hits == pytest.approx(recall * table.num_gts(subset))


def test_outcomes_take_the_first_that_fits() -> None:
    def row(y: int, box: Sequence[float]) -> list[float]:
        return [box[0], y, *box[2:]]

    gts = [(1, 1, row(y, box)) for y in range(0, 100, 20) for box in (P, Q)]
    detections = [
        (1, 1, row(0, P), 0.9),  # one found, the other's place by a wrong class
        (1, 2, row(0, Q), 0.9),
        (1, 1, row(20, [0, 0, 13, 10]), 0.9),  # P is found, and most of Q is in its box
        (1, 2, row(40, [0, 0, 35, 10]), 0.9),  # finds neither, covers both
        (1, 1, row(60, [0, 0, 3, 10]), 0.9),  # touches P alone
        (1, 1, row(80, P), 0.4),  # below the threshold
    ]
    expected = {"found": 2, "wrong_class": 1, "merged": 3, "loose": 1, "missed": 3}
    table = scene(gts, detections)
    assert outcomes(table, score_thr=0.5) == expected
    assert outcomes(table, "isolated", score_thr=0.5) == dict.fromkeys(expected, 0)


def test_an_object_is_not_merged_into_its_neighbours_own_box() -> None:
    # P's box covers half of Q, and no more
    assert outcomes(scene([(1, 1, P), (1, 1, Q)], [(1, 1, P, 0.9)]), score_thr=0.5)["missed"] == 1
    near = [P[0] + 0.4 * P[2], *P[1:]]  # more than half of it lies in P's box
    gts = [(1, 1, P), (1, 1, near)]
    around = [P[0], P[1], 1.4 * P[2], P[3]]
    assert outcomes(scene(gts, [(1, 1, P, 0.9)]), score_thr=0.5)["missed"] == 1
    assert outcomes(scene(gts, [(1, 1, around, 0.9)]), score_thr=0.5)["merged"] == 1


def test_outcomes_count_every_object_once() -> None:
    dataset, detections = random_scene(6)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped", "isolated"):
        counts = outcomes(table, subset, score_thr=0.2)
        assert sum(counts.values()) == table.num_gts(subset)
        matrix = confusion(table, subset, score_thr=0.2)[:-1, :-1]
        assert counts["found"] == np.trace(matrix)
        assert counts["wrong_class"] == matrix.sum() - np.trace(matrix)
    assert outcomes(table, "all", score_thr=0.2)["merged"] > 0


def test_pairs() -> None:
    gts = [(1, 1, P), (1, 2, Q), (1, 1, R), (2, 1, P), (2, 1, Q)]
    table = scene(gts, [(1, 1, P, 0.9), (1, 1, Q, 0.8), (2, 1, P, 0.7), (2, 1, R, 0.9)])
    assert pairs_found(table, 0.5) == {
        "num_pairs": 2,
        "both": 0.5,
        "both_right": 0.0,
        "one": 0.5,
        "none": 0.0,
    }
    assert pairs_found(table, 0.95)["none"] == 1
    assert pairs_found(table, 0.5, min_overlap=0.4) == {
        "num_pairs": 0,
        "both": -1,
        "both_right": -1,
        "one": -1,
        "none": -1,
    }
    right = scene(gts, [(img, cat, box, 0.9) for img, cat, box in gts])
    assert pairs_found(right, 0.5)["both_right"] == 1


def test_one_detection_does_not_find_both_of_a_pair() -> None:
    middle = [2.0, 0, 10, 10]  # IoU with P 80/120, with Q 70/130: both above 0.5
    table = scene([(1, 1, P), (1, 1, Q)], [(1, 1, middle, 0.9)])
    assert pairs_found(table, 0.5)["one"] == 1


def test_duplicates() -> None:
    table = scene(
        [(1, 1, P), (1, 1, R)],
        [(1, 1, P, 0.9), (1, 1, P, 0.8), (1, 1, P, 0.2), (1, 1, NOWHERE, 0.9), (1, 2, R, 0.9)],
    )
    assert duplicates_per_gt(table, 0.5) == pytest.approx(1 / 2)
    assert duplicates_per_gt(table, 0.1) == pytest.approx(2 / 2)
    assert duplicates_per_gt(table, 0.1, subset="overlapped") == -1
    assert duplicates_per_gt(table, 0.1, subset="isolated", cat_id=1) == pytest.approx(1)
    loose = [0.0, 0, 10, 6]  # IoU with P 60 / 100
    table = scene([(1, 1, P)], [(1, 1, P, 0.9), (1, 1, loose, 0.8)])
    assert duplicates_per_gt(table, 0.5, 0.5) == 1 and duplicates_per_gt(table, 0.5, 0.75) == 0
