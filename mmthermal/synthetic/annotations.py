"""COCO annotations of rendered scenes, and the figures of a split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import box_iou
from mmthermal.synthetic.boxes import Box
from mmthermal.synthetic.rendering import Instance
from mmthermal.synthetic.settings import SyntheticSettings

OVERLAP_THRESHOLDS = (0.1, 0.3, 0.5)


def annotate(
    instances: Sequence[Instance], settings: SyntheticSettings, image_id: int, first_id: int
) -> list[dict[str, Any]]:
    """COCO annotations of one image.

    Args:
        instances: the objects of the rendered scene.
        settings: which box, what becomes crowd.
        image_id: id of the image.
        first_id: id of the first annotation.

    Returns:
        one dict per object of which at least a pixel is visible. Boxes are x, y, w, h in pixels.
        `iscrowd` 1 marks what cannot be labelled by eye: less visible than `min_visible`, or
        smaller than `min_side`. mmdet and pycocotools ignore those in the evaluation.
    """
    step = settings.scene.supersample
    kept = []
    for item in instances:
        box = item.visible_box
        if box is None or (box[2] - box[0]) < 1 or (box[3] - box[1]) < 1:
            continue
        kept.append(item)
    ids = {item.index: first_id + n for n, item in enumerate(kept)}
    found = []
    for item in kept:
        assert item.visible_box is not None
        chosen = item.visible_box if settings.box == "visible" else item.full_box
        wide, tall = chosen[2] - chosen[0], chosen[3] - chosen[1]
        crowd = item.visible < settings.min_visible or min(wide, tall) < settings.min_side
        found.append(
            {
                "id": ids[item.index],
                "image_id": image_id,
                "category_id": settings.scene.classes.index(item.category) + 1,
                "bbox": _xywh(chosen, step),
                "bbox_visible": _xywh(item.visible_box, step),
                "bbox_full": _xywh(item.full_box, step),
                "area": round(wide * tall, 3),
                "iscrowd": int(crowd),
                "visible": round(item.visible, 4),
                "truncated": round(max(item.truncated, 0.0), 4),
                "depth": round(item.depth, 2),
                "occluded_by": [ids[i] for i in item.occluded_by if i in ids],
            }
        )
    return found


def _xywh(box: Box, step: int) -> list[float]:
    values = (box[0], box[1], box[2] - box[0], box[3] - box[1])
    return [round(round(v * step) / step, 4) for v in values]


def describe(coco: dict[str, Any], total: NDArray[np.float64]) -> dict[str, Any]:
    """Figures of one split: images, objects, overlap, mean and deviation of the counts.

    Args:
        coco: content of the annotation file.
        total: (3,) number, sum and sum of squares of the counts of all images.

    Returns:
        the split's `statistics` in `info.json`.
    """
    names = {c["id"]: c["name"] for c in coco["categories"]}
    plain = [a for a in coco["annotations"] if not a["iscrowd"]]
    per_class = dict.fromkeys(names.values(), 0)
    by_image: dict[int, list[dict[str, Any]]] = {}
    for item in plain:
        per_class[names[item["category_id"]]] += 1
        by_image.setdefault(item["image_id"], []).append(item)
    best = overlap_of(list(by_image.values()))
    mean = total[1] / total[0] if total[0] else 0.0
    square = total[2] / total[0] if total[0] else 0.0
    return {
        "images": len(coco["images"]),
        "images_without_objects": len(coco["images"])
        - len({a["image_id"] for a in coco["annotations"]}),
        "objects": len(plain),
        "crowd": len(coco["annotations"]) - len(plain),
        "objects_per_class": per_class,
        "overlap_share": {
            str(t): round(float(np.mean(best > t)), 4) if len(best) else 0.0
            for t in OVERLAP_THRESHOLDS
        },
        "hidden_by_half_share": round(float(np.mean([a["visible"] < 0.5 for a in plain])), 4)
        if plain
        else 0.0,
        "mean": round(float(mean), 2),
        "std": round(float(np.sqrt(max(square - mean**2, 0.0))), 2),
    }


def overlap_of(groups: Sequence[Sequence[dict[str, Any]]]) -> NDArray[np.float64]:
    """Largest IoU of each annotation's `bbox` with another of its image, any class."""
    best = []
    for items in groups:
        boxes = np.array([a["bbox"] for a in items], np.float64)
        iou = box_iou(boxes[:, None], boxes)
        np.fill_diagonal(iou, 0)
        best.append(iou.max(axis=1))
    return np.concatenate(best) if best else np.zeros(0)
