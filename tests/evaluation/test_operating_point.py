"""F1 of counted examples, and false positives where a share of the objects is found."""

import contextlib
import io

import numpy as np
import pytest
from helpers_tables import NOWHERE, P, Q, R, random_scene, scene, to_coco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1, f1_at, fppi_at_recall
from mmthermal.evaluation.outcomes import confusion, duplicates_per_gt


def test_f1_of_a_counted_example() -> None:
    table = scene(
        [(1, 1, P), (1, 1, Q), (1, 1, R), (2, 2, P)],
        [(1, 1, P, 0.9), (1, 1, NOWHERE, 0.8), (2, 2, P, 0.7), (1, 1, R, 0.6), (2, 1, R, 0.2)],
    )
    # hits / kept / ground truths: .9 1/1/4, .8 1/2/4, .7 2/3/4, .6 3/4/4, .2 3/5/4
    assert best_f1(table) == {
        "f1": pytest.approx(2 * 3 / (4 + 4)),
        "threshold": 0.6,
        "precision": 3 / 4,
        "recall": 3 / 4,
    }
    assert f1_at(table, 0.7)["f1"] == pytest.approx(2 * 2 / (3 + 4))
    assert f1_at(table, 0.75)["f1"] == pytest.approx(2 * 1 / (2 + 4))
    assert f1_at(table, 0.95) == {"f1": 0, "threshold": 0.95, "precision": 0, "recall": 0}
    # overlapped are P and Q of image 1; R and the bicycle are ignored with their detections
    assert table.num_gts("overlapped") == 2
    assert best_f1(table, "overlapped")["f1"] == pytest.approx(2 * 1 / (1 + 2))
    assert f1_at(table, 0.0, "overlapped")["precision"] == pytest.approx(1 / 3)
    assert f1_at(table, 0.0, cat_id=2)["f1"] == 1


def test_equal_scores_are_kept_or_dropped_together() -> None:
    table = scene([(1, 1, P)], [(1, 1, P, 0.5), (1, 1, NOWHERE, 0.5)])
    assert best_f1(table)["precision"] == 0.5


def by_pycocotools(coco: COCO, detections: list[dict], recall: float) -> dict[str, float | None]:
    """Lower the threshold score by score over pycocotools' own matches."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco, coco.loadRes(detections), "bbox")
        evaluation.params.iouThrs, evaluation.params.maxDets = np.array([0.5]), [100]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
    hits, errors = [], []
    for cell in filter(None, evaluation.evalImgs):
        for score, gt, ignored in zip(
            cell["dtScores"], cell["dtMatches"][0], cell["dtIgnore"][0], strict=True
        ):
            if not ignored:
                (hits if gt else errors).append(score)
    total = sum(not ann["iscrowd"] for ann in coco.anns.values())
    found: dict[str, float | None] = {"fppi": None, "threshold": None}
    for threshold in sorted({*hits, *errors}, reverse=True):
        if sum(score >= threshold for score in hits) >= recall * total - 1e-9:
            count = sum(score >= threshold for score in errors)
            found = {"fppi": count / len(coco.imgs), "threshold": threshold}
            break
    return {**found, "max_recall": len(hits) / total}


@pytest.mark.parametrize("seed", range(6))
def test_false_positives_at_a_recall_equal_pycocotools(seed: int) -> None:
    dataset, detections = random_scene(seed)  # with equal scores, equal IoUs and crowds
    coco = to_coco(dataset)
    table = MatchTable.from_coco(coco, detections)
    for recall in (0.05, 0.1, 0.2, 0.3, 0.5, 0.9):
        assert fppi_at_recall(table, recall) == by_pycocotools(coco, detections, recall)


@pytest.mark.parametrize("seed", range(4))
def test_best_f1_is_the_best_of_all_thresholds(seed: int) -> None:
    dataset, detections = random_scene(seed)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped", "isolated"):
        every = [f1_at(table, score, subset)["f1"] for score in np.linspace(0, 1, 21)]
        best = best_f1(table, subset)
        assert best["f1"] == pytest.approx(max(every))
        assert f1_at(table, best["threshold"], subset) == pytest.approx(best)


@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.8])
def test_f1_at_equals_dropping_the_detections(threshold: float) -> None:
    dataset, detections = random_scene(2)
    coco = to_coco(dataset)
    kept = [d for d in detections if d["score"] >= threshold]
    table = MatchTable.from_coco(coco, detections)
    dropped = MatchTable.from_coco(coco, kept)
    for subset in ("all", "overlapped"):
        ours = f1_at(table, threshold, subset)
        assert ours == pytest.approx({**f1_at(dropped, 0.0, subset), "threshold": threshold})
        np.testing.assert_array_equal(
            confusion(table, subset, score_thr=threshold), confusion(dropped, subset, score_thr=0)
        )
        assert duplicates_per_gt(table, threshold, subset=subset) == pytest.approx(
            duplicates_per_gt(dropped, 0, subset=subset)
        )


BOXES = [(1, 0), (1, 40), (2, 0), (2, 40), (3, 0)]  # image, x
IMAGES = 4


def found_at(dets, recall, crowd=()):
    coco = COCO()
    annotations = [
        dict(id=i, image_id=image, category_id=1, bbox=[x, 0, 10, 10], area=100, iscrowd=0)
        for i, (image, x) in enumerate(BOXES, 1)
    ]
    annotations += [
        dict(id=90 + i, image_id=image, category_id=1, bbox=[x, 0, 30, 30], area=900, iscrowd=1)
        for i, (image, x) in enumerate(crowd)
    ]
    images = [dict(id=i, width=100, height=50) for i in range(1, IMAGES + 1)]
    coco.dataset = dict(images=images, annotations=annotations, categories=[dict(id=1, name="a")])
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return fppi_at_recall(MatchTable.from_coco(coco, dets), recall)


def det(image, x, score):
    return dict(image_id=image, category_id=1, bbox=[x, 0, 10, 10], score=score)


# hit .9, miss .8, hits .7 .6, two misses .5, hit .4, miss .3
DETS = [
    det(1, 0, 0.9),
    det(4, 0, 0.8),
    det(1, 40, 0.7),
    det(2, 0, 0.6),
    det(4, 20, 0.5),
    det(4, 40, 0.5),
    det(2, 40, 0.4),
    det(3, 60, 0.3),
]


@pytest.mark.parametrize(
    ("recall", "fppi", "threshold"),
    [
        (0.2, 0 / 4, 0.9),
        (0.4, 1 / 4, 0.7),
        (0.6, 1 / 4, 0.6),  # 3 of 5
        (0.61, 3 / 4, 0.4),  # 4 of 5 are needed
        (0.8, 3 / 4, 0.4),
        (0.81, None, None),
    ],
)
def test_counts(recall, fppi, threshold):
    found = found_at(DETS, recall)
    assert (found["fppi"], found["threshold"]) == (fppi, threshold)
    assert found["max_recall"] == 0.8


def test_duplicates_are_false_and_crowd_counts_neither_way():
    extra = [det(1, 1, 0.95), det(4, 85, 0.99)]
    found = found_at(DETS + extra, 0.2, crowd=[(4, 80)])
    # the better-scored of two on one object is the hit, at .95; the one in the crowd counts not
    assert (found["fppi"], found["threshold"]) == (0.0, 0.95)
    found = found_at(DETS + extra, 0.4, crowd=[(4, 80)])
    assert found["fppi"] == 2 / 4  # the miss at .8, and the double at .9


def test_equal_scores_are_taken_together():
    dets = [det(1, 0, 0.5), det(4, 0, 0.5), det(4, 30, 0.5)]
    assert found_at(dets, 0.2)["fppi"] == 2 / 4


def test_no_detection():
    assert found_at([], 0.8) == dict(fppi=None, threshold=None, max_recall=0.0)


def test_bad_recall():
    with pytest.raises(ValueError, match="recall"):
        found_at(DETS, 0.0)


def test_rounding_of_the_share_asks_for_no_further_object():
    """0.28 times 25 is 7.000000000000001."""
    boxes = [[12.0 * i, 0, 10, 10] for i in range(25)]
    dets = [(1, 1, box, 0.9) for box in boxes[:7]]
    found = fppi_at_recall(scene([(1, 1, box) for box in boxes], dets), 0.28)
    assert (found["fppi"], found["threshold"]) == (0.0, 0.9)
