"""The match table against pycocotools, with the complement of each subset marked as ignored."""

import contextlib
import copy
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmthermal.evaluation.greedy import MISSED
from mmthermal.evaluation.matching import MatchTable
from mmthermal.evaluation.overlap import AREA_SUBSETS, DEFAULT_SUBSETS, Subset, largest_overlap

REAL = Path(__file__).parents[2] / "../shared/data/hituav160/annotations/val.json"
SUBSETS = (*DEFAULT_SUBSETS, *AREA_SUBSETS)


class SubsetEval(COCOeval):
    """pycocotools with an ignore flag for everything outside a subset."""

    outside: frozenset[int] = frozenset()

    def _prepare(self) -> None:
        super()._prepare()
        for gts in self._gts.values():
            for gt in gts:
                gt["ignore"] = gt["ignore"] or gt["id"] in self.outside


def to_coco(dataset: dict[str, Any]) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = copy.deepcopy(dataset)
        coco.createIndex()
    return coco


def ids_outside(coco: COCO, subset: Subset) -> frozenset[int]:
    """Ids of the ground truths that are not in a subset, measured image by image."""
    outside = set()
    for anns in coco.imgToAnns.values():
        found = largest_overlap(
            [ann["bbox"] for ann in anns],
            [ann["category_id"] for ann in anns],
            [ann["iscrowd"] for ann in anns],
        )
        if subset.key in found:
            inside = subset.select(found[subset.key])
            outside |= {ann["id"] for ann, keep in zip(anns, inside, strict=True) if not keep}
    return frozenset(outside)


def by_pycocotools(
    coco: COCO, detections: list[dict], subset: Subset, max_dets: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Precision (T, R, K) and recall (T, K) of a subset."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = SubsetEval(coco, coco.loadRes(copy.deepcopy(detections)), "bbox")
        evaluation.outside = ids_outside(coco, subset)
        evaluation.params.maxDets = [max_dets]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        if subset.key == "area":
            evaluation.params.areaRng = [[subset.above, subset.upto]]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][..., 0, 0], evaluation.eval["recall"][..., 0, 0]


def mean_of_valid(values: np.ndarray) -> float:
    return float(values[values > -1].mean()) if (values > -1).any() else -1.0


def assert_equals_pycocotools(coco: COCO, detections: list[dict], max_dets: int = 100) -> None:
    table = MatchTable.from_coco(coco, detections, subsets=SUBSETS, max_dets=max_dets)
    for subset in SUBSETS:
        precision, recall = by_pycocotools(coco, detections, subset, max_dets)
        name = subset.name
        close = {"abs": 1e-12, "rel": 0}
        assert table.average_precision(name) == pytest.approx(mean_of_valid(precision), **close)
        assert table.average_recall(name) == pytest.approx(mean_of_valid(recall), **close)
        for t, thr in enumerate(table.iou_thrs):
            assert table.average_precision(name, iou_thr=thr) == pytest.approx(
                mean_of_valid(precision[t]), **close
            )
        for k, cat_id in enumerate(table.cat_ids):
            for t, thr in enumerate(table.iou_thrs):
                _, ours = table.precision_recall(name, iou_thr=thr, cat_id=cat_id)
                np.testing.assert_allclose(ours, precision[t, :, k], atol=1e-12, rtol=0)
            assert table.average_recall(name, cat_id=cat_id) == pytest.approx(
                mean_of_valid(recall[:, k]), **close
            )


def random_scene(seed: int, num_images: int = 12) -> tuple[dict[str, Any], list[dict]]:
    """Crowded images with equal scores, crowds, empty images, classes without objects.

    Ids are out of order and have gaps. Coordinates are whole, so that IoUs are equal too.
    """
    rng = np.random.default_rng(seed)
    cats = [7, 3, 12, 5]  # 12 has no objects, 5 no detections
    images = [{"id": int(i), "width": 99, "height": 99} for i in rng.permutation(num_images) * 3]
    annotations: list[dict] = []
    detections: list[dict] = []
    for image in images:
        num = int(rng.integers(0, 12)) * int(rng.random() < 0.85)
        boxes = np.concatenate([rng.integers(0, 60, (num, 2)), rng.integers(0, 50, (num, 2))], 1)
        labels = rng.choice([7, 3, 5], num)
        for box, label in zip(boxes, labels, strict=True):
            annotations.append(
                {
                    "id": 0,
                    "image_id": image["id"],
                    "category_id": int(label),
                    "bbox": [float(v) for v in box],
                    "area": float(box[2] * box[3]) * float(rng.choice([1, 0.8])),
                    "iscrowd": int(rng.random() < 0.1),
                }
            )
        for _ in range(int(rng.integers(0, 25))):
            near = num and rng.random() < 0.8
            box = boxes[rng.integers(num)] if near else rng.integers(0, 50, 4)
            shift = rng.integers(-3, 4, 4) * (rng.random() < 0.7)
            detections.append(
                {
                    "image_id": image["id"],
                    "category_id": int(rng.choice([7, 3, 12])),
                    "bbox": [float(v) for v in np.maximum(box + shift, 0)],
                    "score": float(rng.integers(0, 5) / 5),
                }
            )
    for ann, ann_id in zip(annotations, rng.permutation(len(annotations)) + 1, strict=True):
        ann["id"] = int(ann_id)
    categories = [{"id": cat, "name": f"class {cat}"} for cat in cats]
    return {"images": images, "annotations": annotations, "categories": categories}, detections


@pytest.mark.parametrize("seed", range(8))
def test_random_scenes_equal_pycocotools(seed: int) -> None:
    dataset, detections = random_scene(seed)
    assert_equals_pycocotools(to_coco(dataset), detections)


@pytest.mark.parametrize("max_dets", [1, 3])
def test_few_detections_an_image_equal_pycocotools(max_dets: int) -> None:
    dataset, detections = random_scene(11)
    assert_equals_pycocotools(to_coco(dataset), detections, max_dets)
    table = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS)
    fewer = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS, max_dets=max_dets)
    for name in ("all", "overlapped", "small"):
        assert table.average_precision(name, max_dets=max_dets) == fewer.average_precision(name)
        assert table.average_recall(name, max_dets=max_dets) == fewer.average_recall(name)


def jittered(dataset: dict[str, Any], seed: int) -> list[dict]:
    """Detections made of the ground truth: moved, some doubled, missed or of a wrong class."""
    rng = np.random.default_rng(seed)
    cats = [category["id"] for category in dataset["categories"]]
    detections = []
    for ann in dataset["annotations"]:
        for _ in range(int(rng.choice([0, 1, 2], p=[0.1, 0.7, 0.2]))):
            box = np.array(ann["bbox"], dtype=float)
            box += np.tile(box[2:], 2) * rng.normal(0, 0.1, 4)
            label = ann["category_id"] if rng.random() < 0.9 else int(rng.choice(cats))
            detections.append(
                {
                    "image_id": ann["image_id"],
                    "category_id": label,
                    "bbox": np.maximum(box, 0.5).tolist(),
                    "score": float(rng.integers(1, 100) / 100),
                }
            )
    return detections


@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared/data/hituav160")
def test_real_annotations_equal_pycocotools() -> None:
    dataset = json.loads(REAL.read_text(encoding="utf-8"))
    chosen = {image["id"] for image in dataset["images"][::4]}
    dataset["images"] = [image for image in dataset["images"] if image["id"] in chosen]
    dataset["annotations"] = [a for a in dataset["annotations"] if a["image_id"] in chosen]
    coco = to_coco(dataset)
    table = MatchTable.from_coco(coco, jittered(dataset, 0))
    assert table.num_gts("overlapped") > 50 and table.num_gts("overlapped@0.3") > 10
    assert_equals_pycocotools(coco, jittered(dataset, 0))


def test_a_choice_of_classes_and_images_equals_pycocotools() -> None:
    dataset, detections = random_scene(3)
    coco = to_coco(dataset)
    images = sorted(coco.getImgIds())[2:9]
    table = MatchTable.from_coco(coco, detections, cat_ids=[3], img_ids=images)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(detections)), "bbox")
        evaluation.params.catIds, evaluation.params.imgIds = [3], images
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert table.average_precision() == pytest.approx(evaluation.stats[0], abs=1e-12)
    assert table.img_ids == images and table.class_names == ["class 3"]


def test_overlap_counts_objects_of_classes_that_are_not_evaluated() -> None:
    dataset, detections = random_scene(3)
    coco = to_coco(dataset)
    every = MatchTable.from_coco(coco, detections)
    one = MatchTable.from_coco(coco, detections, cat_ids=[3])
    assert one.num_gts("overlapped_cross") == every.num_gts("overlapped_cross", cat_id=3) > 0


# ---------------------------------------------------------------- resamples


@pytest.mark.parametrize("seed", range(4))
def test_image_counts_equal_an_image_that_is_really_repeated(seed: int) -> None:
    dataset, detections = random_scene(seed)
    rng = np.random.default_rng(seed)
    for detection in detections:  # no equal scores within one image and class
        detection["score"] = float(rng.random())
    table = MatchTable.from_coco(to_coco(dataset), detections)
    counts = rng.multinomial(len(table.img_ids), np.ones(len(table.img_ids)) / len(table.img_ids))
    assert counts.max() > 1 and counts.min() == 0
    repeated: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    repeated["categories"] = dataset["categories"]
    copies = []
    for img_id, count in zip(table.img_ids, counts, strict=True):
        for _ in range(count):
            new = len(repeated["images"]) + 1
            repeated["images"].append({"id": new, "width": 99, "height": 99})
            for ann in dataset["annotations"]:
                if ann["image_id"] == img_id:
                    number = len(repeated["annotations"]) + 1
                    repeated["annotations"].append({**ann, "image_id": new, "id": number})
            copies += [{**d, "image_id": new} for d in detections if d["image_id"] == img_id]
    coco = to_coco(repeated)
    for subset in DEFAULT_SUBSETS:
        precision, recall = by_pycocotools(coco, copies, subset)
        close = {"abs": 1e-12, "rel": 0}
        resampled = table.average_precision(subset.name, image_counts=counts)
        assert resampled == pytest.approx(mean_of_valid(precision), **close)
        resampled = table.average_precision(subset.name, image_counts=counts, iou_thr=0.75)
        assert resampled == pytest.approx(mean_of_valid(precision[5]), **close)
        resampled = table.average_recall(subset.name, image_counts=counts)
        assert resampled == pytest.approx(mean_of_valid(recall), **close)
    again = MatchTable.from_coco(coco, copies)
    assert table.best_f1(image_counts=counts) == pytest.approx(again.best_f1())
    assert table.f1_at(0.4, image_counts=counts) == pytest.approx(again.f1_at(0.4))


def test_counts_of_one_are_no_counts() -> None:
    dataset, detections = random_scene(5)
    table = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS)
    ones = np.ones(len(table.img_ids), dtype=int)
    for subset in SUBSETS:
        assert table.average_precision(subset.name, image_counts=ones) == pytest.approx(
            table.average_precision(subset.name), abs=1e-15
        )
        assert table.best_f1(subset.name, image_counts=ones) == table.best_f1(subset.name)


def test_no_image_at_all_is_nothing_to_measure() -> None:
    dataset, detections = random_scene(5)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    zeros = np.zeros(len(table.img_ids))
    assert table.average_precision(image_counts=zeros) == -1
    assert table.average_recall(image_counts=zeros) == -1
    assert table.best_f1(image_counts=zeros)["f1"] == -1


# ---------------------------------------------------------------- closed forms


def scene(
    gts: list[tuple[int, int, list[float]]], dets: list[tuple[int, int, list[float], float]]
) -> MatchTable:
    """Two images, two classes; ground truths and detections as (image, class, box[, score])."""
    dataset = {
        "images": [{"id": i, "width": 99, "height": 99} for i in (1, 2)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "bicycle"}],
        "annotations": [
            {
                "id": n + 1,
                "image_id": img,
                "category_id": cat,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for n, (img, cat, box) in enumerate(gts)
        ],
    }
    results = [
        {"image_id": img, "category_id": cat, "bbox": box, "score": score}
        for img, cat, box, score in dets
    ]
    return MatchTable.from_coco(to_coco(dataset), results)


# P and Q overlap by 50 / 150; R stands alone.
P, Q, R = [0.0, 0, 10, 10], [5.0, 0, 10, 10], [50.0, 50, 10, 10]
NOWHERE = [80.0, 80, 5, 5]


def test_f1_of_a_counted_example() -> None:
    table = scene(
        [(1, 1, P), (1, 1, Q), (1, 1, R), (2, 2, P)],
        [(1, 1, P, 0.9), (1, 1, NOWHERE, 0.8), (2, 2, P, 0.7), (1, 1, R, 0.6), (2, 1, R, 0.2)],
    )
    # hits / kept / ground truths: .9 1/1/4, .8 1/2/4, .7 2/3/4, .6 3/4/4, .2 3/5/4
    assert table.best_f1() == {
        "f1": pytest.approx(2 * 3 / (4 + 4)),
        "threshold": 0.6,
        "precision": 3 / 4,
        "recall": 3 / 4,
    }
    assert table.f1_at(0.7)["f1"] == pytest.approx(2 * 2 / (3 + 4))
    assert table.f1_at(0.75)["f1"] == pytest.approx(2 * 1 / (2 + 4))
    assert table.f1_at(0.95) == {"f1": 0, "threshold": 0.95, "precision": 0, "recall": 0}
    # overlapped are P and Q of image 1; R and the bicycle are ignored with their detections
    assert table.num_gts("overlapped") == 2
    assert table.best_f1("overlapped")["f1"] == pytest.approx(2 * 1 / (1 + 2))
    assert table.f1_at(0.0, "overlapped")["precision"] == pytest.approx(1 / 3)
    assert table.f1_at(0.0, cat_id=2)["f1"] == 1


def test_equal_scores_are_kept_or_dropped_together() -> None:
    table = scene([(1, 1, P)], [(1, 1, P, 0.5), (1, 1, NOWHERE, 0.5)])
    assert table.best_f1()["precision"] == 0.5


@pytest.mark.parametrize("seed", range(4))
def test_best_f1_is_the_best_of_all_thresholds(seed: int) -> None:
    dataset, detections = random_scene(seed)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped", "isolated"):
        every = [table.f1_at(score, subset)["f1"] for score in np.linspace(0, 1, 21)]
        best = table.best_f1(subset)
        assert best["f1"] == pytest.approx(max(every))
        assert table.f1_at(best["threshold"], subset) == pytest.approx(best)


@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.8])
def test_f1_at_equals_dropping_the_detections(threshold: float) -> None:
    dataset, detections = random_scene(2)
    coco = to_coco(dataset)
    kept = [d for d in detections if d["score"] >= threshold]
    table = MatchTable.from_coco(coco, detections)
    dropped = MatchTable.from_coco(coco, kept)
    for subset in ("all", "overlapped"):
        ours = table.f1_at(threshold, subset)
        assert ours == pytest.approx({**dropped.f1_at(0.0, subset), "threshold": threshold})
        np.testing.assert_array_equal(
            table.confusion(subset, score_thr=threshold), dropped.confusion(subset, score_thr=0)
        )
        assert table.duplicates_per_gt(threshold, subset=subset) == pytest.approx(
            dropped.duplicates_per_gt(0, subset=subset)
        )


def test_confusion_prefers_the_right_class() -> None:
    # A person and a bicycle nearly on top of each other: each detection fits the other object
    # better, yet both have the right class.
    person, bicycle = [0.0, 0, 10, 10], [1.0, 0, 10, 10]
    table = scene([(1, 1, person), (1, 2, bicycle)], [(1, 1, bicycle, 0.9), (1, 2, person, 0.8)])
    assert table.confusion(score_thr=0.5).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_confusion_counts_wrong_classes_misses_and_background() -> None:
    table = scene(
        [(1, 1, P), (1, 2, Q), (1, 1, R), (2, 2, P)],
        [(1, 1, P, 0.9), (1, 1, Q, 0.8), (1, 1, R, 0.7), (2, 1, NOWHERE, 0.6), (2, 2, P, 0.1)],
    )
    assert table.confusion("all", score_thr=0.5).tolist() == [[2, 0, 0], [1, 0, 1], [1, 0, 0]]
    # overlapped: P and Q of image 1; R and the missed bicycle of image 2 are left out
    assert table.confusion("overlapped", score_thr=0.5).tolist() == [
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
    assert table.confusion("all", score_thr=0.5).tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_confusion_counts_every_object_once() -> None:
    dataset, detections = random_scene(6)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped"):
        matrix = table.confusion(subset, score_thr=0.2)
        for k, cat_id in enumerate(table.cat_ids):
            assert matrix[k].sum() == table.num_gts(subset, cat_id=cat_id)


def test_confusion_within_classes_is_that_of_the_average_precision() -> None:
    dataset, detections = random_scene(6)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped", "isolated"):
        hits = np.trace(table.confusion(subset, score_thr=0.0)[:-1, :-1])
        recall = table.f1_at(0.0, subset)["recall"]
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
    assert table.outcomes(score_thr=0.5) == expected
    assert table.outcomes("isolated", score_thr=0.5) == dict.fromkeys(expected, 0)


def test_an_object_is_not_merged_into_its_neighbours_own_box() -> None:
    # P's box covers half of Q, and no more
    assert scene([(1, 1, P), (1, 1, Q)], [(1, 1, P, 0.9)]).outcomes(score_thr=0.5)["missed"] == 1


def test_outcomes_count_every_object_once() -> None:
    dataset, detections = random_scene(6)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    for subset in ("all", "overlapped", "isolated"):
        counts = table.outcomes(subset, score_thr=0.2)
        assert sum(counts.values()) == table.num_gts(subset)
        matrix = table.confusion(subset, score_thr=0.2)[:-1, :-1]
        assert counts["found"] == np.trace(matrix)
        assert counts["wrong_class"] == matrix.sum() - np.trace(matrix)
    assert table.outcomes("all", score_thr=0.2)["merged"] > 0


def test_pairs() -> None:
    gts = [(1, 1, P), (1, 2, Q), (1, 1, R), (2, 1, P), (2, 1, Q)]
    table = scene(gts, [(1, 1, P, 0.9), (1, 1, Q, 0.8), (2, 1, P, 0.7), (2, 1, R, 0.9)])
    assert table.pairs_found(0.5) == {
        "num_pairs": 2,
        "both": 0.5,
        "both_right": 0.0,
        "one": 0.5,
        "none": 0.0,
    }
    assert table.pairs_found(0.95)["none"] == 1
    assert table.pairs_found(0.5, min_overlap=0.4) == {
        "num_pairs": 0,
        "both": -1,
        "both_right": -1,
        "one": -1,
        "none": -1,
    }
    right = scene(gts, [(img, cat, box, 0.9) for img, cat, box in gts])
    assert right.pairs_found(0.5)["both_right"] == 1


def test_one_detection_does_not_find_both_of_a_pair() -> None:
    middle = [2.0, 0, 10, 10]  # IoU with P 80/120, with Q 70/130: both above 0.5
    table = scene([(1, 1, P), (1, 1, Q)], [(1, 1, middle, 0.9)])
    assert table.pairs_found(0.5)["one"] == 1


def test_duplicates() -> None:
    table = scene(
        [(1, 1, P), (1, 1, R)],
        [(1, 1, P, 0.9), (1, 1, P, 0.8), (1, 1, P, 0.2), (1, 1, NOWHERE, 0.9), (1, 2, R, 0.9)],
    )
    assert table.duplicates_per_gt(0.5) == pytest.approx(1 / 2)
    assert table.duplicates_per_gt(0.1) == pytest.approx(2 / 2)
    assert table.duplicates_per_gt(0.1, subset="overlapped") == -1
    assert table.duplicates_per_gt(0.1, subset="isolated", cat_id=1) == pytest.approx(1)
    loose = [0.0, 0, 10, 6]  # IoU with P 60 / 100
    table = scene([(1, 1, P)], [(1, 1, P, 0.9), (1, 1, loose, 0.8)])
    assert table.duplicates_per_gt(0.5, 0.5) == 1 and table.duplicates_per_gt(0.5, 0.75) == 0


def test_log_average_miss_rate() -> None:
    # Two images. Found at .9 one of four objects, at .7 a second one; one error at .8, another at
    # .1: 0.5 false positives per image from .8 on, 1 from .1 on. The curve's miss rate is 3/4 up
    # to 0.5 and 2/4 beyond; samples at 10^-2, 10^-1.75, ..., 10^0 lie below .5 seven times.
    table = scene(
        [(1, 1, P), (1, 1, R), (2, 1, P), (2, 1, R)],
        [(1, 1, P, 0.9), (1, 1, NOWHERE, 0.8), (1, 1, R, 0.7), (2, 1, NOWHERE, 0.1)],
    )
    expected = np.exp((7 * np.log(3 / 4) + 2 * np.log(2 / 4)) / 9)
    assert table.log_average_miss_rate(cat_id=1) == pytest.approx(expected)
    assert table.log_average_miss_rate() == pytest.approx(expected)  # no bicycle: left out
    assert table.log_average_miss_rate("overlapped") == -1
    assert scene([(1, 1, P)], []).log_average_miss_rate() == 1
    perfect = scene([(1, 1, P)], [(1, 1, P, 0.9)])
    assert perfect.log_average_miss_rate() == pytest.approx(1e-10)


def test_no_detection() -> None:
    table = scene([(1, 1, P), (1, 1, Q)], [])
    assert table.average_precision() == 0 and table.average_recall() == 0
    assert table.average_precision("isolated") == -1
    assert table.best_f1() == {"f1": 0, "threshold": 1, "precision": 0, "recall": 0}
    assert table.f1_at(0.5)["f1"] == 0
    assert table.confusion(score_thr=0.5).tolist() == [[0, 0, 2], [0, 0, 0], [0, 0, 0]]
    assert table.duplicates_per_gt(0.5) == 0
    assert table.pairs_found(0.5)["none"] == 1


def test_no_ground_truth() -> None:
    table = scene([], [(1, 1, P, 0.9)])
    assert table.average_precision() == -1 and table.average_recall() == -1
    assert table.best_f1()["f1"] == -1 and table.f1_at(0.5)["f1"] == -1
    assert (table.precision_recall()[1] == -1).all()
    assert table.confusion("all", score_thr=0.5)[-1, 0] == 1


def test_the_worked_example_of_the_documentation() -> None:
    # docs/images/draw_overlap_example.py: four persons, the middle two overlap.
    persons = [[47, 67, 11, 20], [62, 72, 10, 17], [64, 77, 12, 16], [82, 65, 12, 16]]
    found = [
        ([62, 71, 10, 18], 0.95),
        ([47, 68, 12, 19], 0.9),
        ([60, 74, 10, 17], 0.8),
        ([65, 78, 12, 15], 0.7),
        ([40, 88, 9, 14], 0.6),
    ]
    table = scene([(1, 1, box) for box in persons], [(1, 1, box, score) for box, score in found])
    np.testing.assert_allclose(table.gts["iou"], [0, 96 / 266, 96 / 266, 0])
    np.testing.assert_allclose(table.gts["covered"], [0, 96 / 170, 96 / 192, 0])
    assert table.taken_gts("all").tolist() == [1, 0, MISSED, 2, MISSED]
    assert table.taken_gts("isolated").tolist() == [1, 0, MISSED, 2, MISSED]
    # all: precision 1 up to recall .5 (51 of 101 grid points), 3/4 up to .75 (25), 0 beyond
    assert table.average_precision(iou_thr=0.5) == pytest.approx((51 + 25 * 3 / 4) / 101)
    # overlapped: hit, ignored, error, hit, error: precision 1 up to .5, 2/3 up to 1
    assert table.average_precision("overlapped", iou_thr=0.5) == pytest.approx(
        (51 + 50 * 2 / 3) / 101
    )
    # isolated: ignored, hit, error, ignored, error: precision 1 up to .5
    assert table.average_precision("isolated", iou_thr=0.5) == pytest.approx(51 / 101)
    assert table.best_f1()["f1"] == pytest.approx(3 / 4)
    assert table.best_f1("overlapped")["f1"] == pytest.approx(2 * 2 / (3 + 2))


# ---------------------------------------------------------------- the whole, and bad input


def test_the_full_table_is_json_and_agrees_with_the_methods() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS)
    full = json.loads(json.dumps(table.to_dict(miss_rate=True, error_types=True), allow_nan=False))
    summary = full["summary"]
    assert summary["AP"] == table.average_precision()
    assert summary["overlapped_AP50"] == table.average_precision("overlapped", iou_thr=0.5)
    assert summary["isolated_AP75"] == table.average_precision("isolated", iou_thr=0.75)
    assert summary["best_f1_thr"] == summary["score_thr"] == full["score_thr"]
    assert summary["pairs_both"] == table.pairs_found(full["score_thr"])["both"]
    rows = {row["name"]: row for row in full["subsets"]}
    assert [*rows] == [subset.name for subset in SUBSETS]
    assert rows["overlapped"]["num_gt"] == summary["num_gt_overlapped"] > 0
    assert rows["overlapped"]["miss_rate"] == table.log_average_miss_rate("overlapped")
    per_class = rows["overlapped"]["per_class"]["class 7"]
    assert per_class["AP50"] == table.average_precision("overlapped", iou_thr=0.5, cat_id=7)
    assert full["confusion"]["overlapped"] == table.confusion(score_thr=full["score_thr"]).tolist()
    assert full["error_types"]["ap"] == pytest.approx(summary["AP50"])
    assert table.summary(score_thr=0.4)["score_thr"] == 0.4


def test_other_thresholds_leave_out_what_they_lack() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections, iou_thrs=[0.75])
    summary = table.to_dict()["summary"]
    assert summary["AP"] == summary["AP75"] and "AP50" not in summary
    with pytest.raises(ValueError, match=r"iou_thr=0.5: this table has \[0.75\]"):
        table.best_f1()


def test_paths_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, detections = random_scene(1)
    gt_file, det_file = tmp_path / "gt.json", tmp_path / "det.json"
    gt_file.write_text(json.dumps(dataset))
    det_file.write_text(json.dumps(detections))
    table = MatchTable.from_coco(gt_file, str(det_file))
    direct = MatchTable.from_coco(to_coco(dataset), detections)
    assert table.summary() == direct.summary()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 99999}, "image ids that the ground truth lacks: .99999."),
        ({"category_id": 99}, "category ids that the ground truth lacks"),
        ({"score": float("nan")}, "NaN"),
        ({"bbox": [1, 2, 3]}, "COCO's results format"),
        ({"score": None}, "COCO's results format|NaN"),
    ],
)
def test_bad_detections(change: dict, message: str) -> None:
    dataset, detections = random_scene(1)
    detections[0] = {**detections[0], **change}
    with pytest.raises(ValueError, match=message):
        MatchTable.from_coco(to_coco(dataset), detections)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iou_thrs": [0.0, 0.5]}, "must lie in"),
        ({"iou_thrs": []}, "a list of numbers"),
        ({"max_dets": 0}, "at least 1"),
        ({"cat_ids": [99]}, r"no category \[99\]"),
        ({"img_ids": [-1]}, r"no image \[-1\]"),
        ({"subsets": [Subset("x", "iou", above=0.1), Subset("x", "iou", above=0.2)]}, "twice"),
    ],
)
def test_bad_settings(settings: dict, message: str) -> None:
    dataset, detections = random_scene(1)
    with pytest.raises(ValueError, match=message):
        MatchTable.from_coco(to_coco(dataset), detections, **settings)


def test_bad_questions() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    with pytest.raises(ValueError, match="subset='hidden': this table has 'all', 'overlapped'"):
        table.average_precision("hidden")
    with pytest.raises(ValueError, match="cat_id=99"):
        table.average_precision(cat_id=99)
    with pytest.raises(ValueError, match="image_counts has shape"):
        table.average_precision(image_counts=[1, 2])
    with pytest.raises(ValueError, match="at least 0"):
        table.average_precision(image_counts=-np.ones(len(table.img_ids)))
    with pytest.raises(ValueError, match=r"iou_thr=0\.0: must lie"):
        table.confusion(score_thr=0.5, iou_thr=0.0)
    with pytest.raises(TypeError, match="coco_gt is a dict"):
        MatchTable.from_coco(dataset, detections)
    with pytest.raises(ValueError, match="detections are a dict"):
        MatchTable.from_coco(to_coco(dataset), {})
