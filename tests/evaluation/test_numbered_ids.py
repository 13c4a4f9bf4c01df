"""Ids that are texts give the figures of the same file with numbers, and of pycocotools."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmdet.evaluation.metrics import CocoMetric

from mmthermal.evaluation import OverlapCocoMetric
from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.figures import summary
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.numbered_ids import number_ids

CLASSES = ("person", "vehicle")


def scene() -> tuple[dict, list[dict]]:
    """Annotations of 12 images with ties in the scores, and predictions as mmdet collects them."""
    rng = np.random.default_rng(3)
    images = [dict(id=i, file_name=f"{i}.png", width=96, height=64) for i in range(1, 13)]
    annotations: list[dict] = []
    predictions = []
    for image in images:
        corners = rng.uniform(0, 40, (4, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(6, 20, (4, 2))], 1)
        cats = rng.integers(1, 3, 4)
        for box, cat in zip(boxes, cats.tolist(), strict=True):
            x, y, w, h = (*box[:2], *(box[2:] - box[:2]))
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image["id"],
                    category_id=cat,
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=0,
                )
            )
        found = np.concatenate([boxes + rng.normal(0, 1, boxes.shape), boxes[:2] + 15])
        predictions.append(
            dict(
                img_id=image["id"],
                bboxes=found,
                scores=rng.integers(1, 6, 6) / 5,
                labels=np.r_[cats - 1, 0, 1],
            )
        )
    categories = [dict(id=k, name=name) for k, name in enumerate(CLASSES, 1)]
    return dict(images=images, annotations=annotations, categories=categories), predictions


def as_texts(content: dict, predictions: list[dict], kind: str) -> None:
    """Turn ids of one kind into texts that sort as the numbers do."""
    if kind == "image":
        for image in content["images"]:
            image["id"] = f"FLIR_{image['id']:05d}"
        for annotation in content["annotations"]:
            annotation["image_id"] = f"FLIR_{annotation['image_id']:05d}"
        for prediction in predictions:
            prediction["img_id"] = f"FLIR_{prediction['img_id']:05d}"
    elif kind == "category":
        for category in content["categories"]:
            category["id"] = str(category["id"])
        for annotation in content["annotations"]:
            annotation["category_id"] = str(annotation["category_id"])
    else:
        for annotation in content["annotations"]:
            annotation["id"] = f"uuid-{annotation['id']}"


def figures(metric: type[CocoMetric], path: Path, content: dict, predictions: list[dict]) -> Any:
    path.write_text(json.dumps(content))
    built = metric(ann_file=str(path), metric="bbox")
    built.dataset_meta = dict(classes=CLASSES)
    return built.compute_metrics([({}, prediction) for prediction in copy.deepcopy(predictions)])


@pytest.mark.parametrize("kind", ["image", "category", "annotation"])
def test_the_figures_are_those_of_numbers(tmp_path: Path, kind: str) -> None:
    content, predictions = scene()
    expected = figures(OverlapCocoMetric, tmp_path / "a.json", content, predictions)
    as_texts(content, predictions, kind)
    found = figures(OverlapCocoMetric, tmp_path / "b.json", content, predictions)
    assert 0.05 < expected["bbox_mAP"] < 0.95
    assert found == expected


@pytest.mark.parametrize("kind", ["image", "category"])
def test_the_figures_are_pycocotools(tmp_path: Path, kind: str) -> None:
    """Which takes texts as ids of images and categories."""
    content, predictions = scene()
    as_texts(content, predictions, kind)
    expected = figures(CocoMetric, tmp_path / "a.json", content, predictions)
    found = figures(OverlapCocoMetric, tmp_path / "a.json", content, predictions)
    assert {key: found[key] for key in expected} == expected


def test_numbers_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(scene()[0]))
    coco = load_ground_truth(tmp_path / "a.json")
    numbered = number_ids(coco)
    assert numbered.coco is coco
    assert numbered.image_numbers([3, 1]) == [3, 1]


def test_an_unknown_text_is_named(tmp_path: Path) -> None:
    content, predictions = scene()
    as_texts(content, predictions, "image")
    (tmp_path / "a.json").write_text(json.dumps(content))
    numbered = number_ids(load_ground_truth(tmp_path / "a.json"))
    assert numbered.image_numbers(["FLIR_00002"]) == [2]
    with pytest.raises(ValueError, match=r"image ids .*'x.*1 in all"):
        numbered.image_numbers(["FLIR_00001", "x"])


@pytest.mark.parametrize("kind", ["image", "category"])
def test_a_table_takes_texts(tmp_path: Path, kind: str) -> None:
    """With numbers and with texts the same detections are matched alike."""
    found = []
    for name, kinds in (("a.json", []), ("b.json", [kind])):
        content, predictions = scene()
        for each in kinds:
            as_texts(content, predictions, each)
        path = tmp_path / name
        path.write_text(json.dumps(content))
        ids = [category["id"] for category in content["categories"]]
        results = [
            dict(
                image_id=p["img_id"],
                category_id=ids[label],
                score=float(score),
                bbox=[*box[:2], *(box[2:] - box[:2])],
            )
            for p in predictions
            for box, score, label in zip(p["bboxes"], p["scores"], p["labels"], strict=True)
        ]
        chosen = dict(img_ids=[image["id"] for image in content["images"][1:]], cat_ids=ids[:1])
        tables = [MatchTable.from_coco(path, results, **each) for each in ({}, chosen)]
        found.append([summary(table) for table in tables])
        if kind == "image" and kinds:
            with pytest.raises(ValueError, match="image ids that the ground truth lacks"):
                MatchTable.from_coco(path, [dict(results[0], image_id="x")])
            with pytest.raises(ValueError, match="results format"):
                MatchTable.from_coco(path, [{}])
    assert found[0] == found[1]
    assert 0.05 < found[0][0]["AP"] < 0.95


def test_numbers_rise_with_the_texts_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    """By it pycocotools tells detections of equal score apart."""
    content, predictions = scene()
    as_texts(content, predictions, "image")
    content["images"].reverse()
    (tmp_path / "a.json").write_text(json.dumps(content))
    numbered = number_ids(load_ground_truth(tmp_path / "a.json"))
    assert numbered.image_numbers(["FLIR_00001", "FLIR_00002", "FLIR_00012"]) == [1, 2, 12]
