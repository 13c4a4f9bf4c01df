"""Precision and recall against pycocotools, with the complement of each subset as ignored."""

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_tables import NOWHERE, SUBSETS, P, Q, R, random_scene, scene, to_coco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1, f1_at
from mmthermal.evaluation.outcomes import confusion, duplicates_per_gt, pairs_found
from mmthermal.evaluation.overlap import largest_overlap
from mmthermal.evaluation.precision import (
    average_precision,
    average_recall,
    log_average_miss_rate,
    precision_recall,
)
from mmthermal.evaluation.subsets import DEFAULT_SUBSETS, Subset

REAL = Path(__file__).parents[2] / "../shared/data/hituav160/annotations/val.json"


class SubsetEval(COCOeval):
    """pycocotools with an ignore flag for everything outside a subset."""

    outside: frozenset[int] = frozenset()

    def _prepare(self) -> None:
        super()._prepare()
        for gts in self._gts.values():
            for gt in gts:
                gt["ignore"] = gt["ignore"] or gt["id"] in self.outside


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
        assert average_precision(table, name) == pytest.approx(mean_of_valid(precision), **close)
        assert average_recall(table, name) == pytest.approx(mean_of_valid(recall), **close)
        for t, thr in enumerate(table.iou_thrs):
            assert average_precision(table, name, iou_thr=thr) == pytest.approx(
                mean_of_valid(precision[t]), **close
            )
        for k, cat_id in enumerate(table.cat_ids):
            for t, thr in enumerate(table.iou_thrs):
                _, ours = precision_recall(table, name, iou_thr=thr, cat_id=cat_id)
                np.testing.assert_allclose(ours, precision[t, :, k], atol=1e-12, rtol=0)
            assert average_recall(table, name, cat_id=cat_id) == pytest.approx(
                mean_of_valid(recall[:, k]), **close
            )


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
        assert average_precision(table, name, max_dets=max_dets) == average_precision(fewer, name)
        assert average_recall(table, name, max_dets=max_dets) == average_recall(fewer, name)


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
    assert average_precision(table) == pytest.approx(evaluation.stats[0], abs=1e-12)
    assert table.img_ids == images and table.class_names == ["class 3"]


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
    again = MatchTable.from_coco(coco, copies)  # before by_pycocotools writes into "ignore"
    for subset in DEFAULT_SUBSETS:
        precision, recall = by_pycocotools(coco, copies, subset)
        close = {"abs": 1e-12, "rel": 0}
        resampled = average_precision(table, subset.name, image_counts=counts)
        assert resampled == pytest.approx(mean_of_valid(precision), **close)
        resampled = average_precision(table, subset.name, image_counts=counts, iou_thr=0.75)
        assert resampled == pytest.approx(mean_of_valid(precision[5]), **close)
        resampled = average_recall(table, subset.name, image_counts=counts)
        assert resampled == pytest.approx(mean_of_valid(recall), **close)
    assert best_f1(table, image_counts=counts) == pytest.approx(best_f1(again))
    assert f1_at(table, 0.4, image_counts=counts) == pytest.approx(f1_at(again, 0.4))


def test_counts_of_one_are_no_counts() -> None:
    dataset, detections = random_scene(5)
    table = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS)
    ones = np.ones(len(table.img_ids), dtype=int)
    for subset in SUBSETS:
        assert average_precision(table, subset.name, image_counts=ones) == pytest.approx(
            average_precision(table, subset.name), abs=1e-15
        )
        assert best_f1(table, subset.name, image_counts=ones) == best_f1(table, subset.name)


def test_no_image_at_all_is_nothing_to_measure() -> None:
    dataset, detections = random_scene(5)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    zeros = np.zeros(len(table.img_ids))
    assert average_precision(table, image_counts=zeros) == -1
    assert average_recall(table, image_counts=zeros) == -1
    assert best_f1(table, image_counts=zeros)["f1"] == -1


def test_log_average_miss_rate() -> None:
    # Two images. Found at .9 one of four objects, at .7 a second one; one error at .8, another at
    # .1: 0.5 false positives per image from .8 on, 1 from .1 on. The curve's miss rate is 3/4 up
    # to 0.5 and 2/4 beyond; samples at 10^-2, 10^-1.75, ..., 10^0 lie below .5 seven times.
    table = scene(
        [(1, 1, P), (1, 1, R), (2, 1, P), (2, 1, R)],
        [(1, 1, P, 0.9), (1, 1, NOWHERE, 0.8), (1, 1, R, 0.7), (2, 1, NOWHERE, 0.1)],
    )
    expected = np.exp((7 * np.log(3 / 4) + 2 * np.log(2 / 4)) / 9)
    assert log_average_miss_rate(table, cat_id=1) == pytest.approx(expected)
    assert log_average_miss_rate(table) == pytest.approx(expected)  # no bicycle: left out
    assert log_average_miss_rate(table, "overlapped") == -1
    assert log_average_miss_rate(scene([(1, 1, P)], [])) == 1
    perfect = scene([(1, 1, P)], [(1, 1, P, 0.9)])
    assert log_average_miss_rate(perfect) == pytest.approx(1e-10)


def test_no_detection() -> None:
    table = scene([(1, 1, P), (1, 1, Q)], [])
    assert average_precision(table) == 0 and average_recall(table) == 0
    assert average_precision(table, "isolated") == -1
    assert best_f1(table) == {"f1": 0, "threshold": 1, "precision": 0, "recall": 0}
    assert f1_at(table, 0.5)["f1"] == 0
    assert confusion(table, score_thr=0.5).tolist() == [[0, 0, 2], [0, 0, 0], [0, 0, 0]]
    assert duplicates_per_gt(table, 0.5) == 0
    assert pairs_found(table, 0.5)["none"] == 1


def test_no_ground_truth() -> None:
    table = scene([], [(1, 1, P, 0.9)])
    assert average_precision(table) == -1 and average_recall(table) == -1
    assert best_f1(table)["f1"] == -1 and f1_at(table, 0.5)["f1"] == -1
    assert (precision_recall(table)[1] == -1).all()
    assert confusion(table, "all", score_thr=0.5)[-1, 0] == 1


def test_a_rate_of_false_positives_that_is_just_reached_counts() -> None:
    """Two errors on two images are one per image, the last of the nine rates."""
    dets = [(1, 1, NOWHERE, 0.9), (2, 1, NOWHERE, 0.8), (1, 1, P, 0.7)]
    found = log_average_miss_rate(scene([(1, 1, P)], dets))
    assert found == pytest.approx(1e-10 ** (1 / 9))
