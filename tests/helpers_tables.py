"""Scenes with ground truth and detections, random ones and closed forms, for matched tables."""

import contextlib
import copy
import io
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from mmthermal.evaluation import AREA_SUBSETS, DEFAULT_SUBSETS, MatchTable

SUBSETS = (*DEFAULT_SUBSETS, *AREA_SUBSETS)
# P and Q overlap by 50 / 150; R stands alone.
P, Q, R = [0.0, 0, 10, 10], [5.0, 0, 10, 10], [50.0, 50, 10, 10]
NOWHERE = [80.0, 80, 5, 5]


def to_coco(dataset: dict[str, Any]) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = copy.deepcopy(dataset)
        coco.createIndex()
    return coco


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
