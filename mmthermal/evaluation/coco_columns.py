"""COCO's ground truth and results as columns: arrays with a row for each object.

Shapes: D detections, G ground truths.
"""

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO

from mmthermal.common.boxes import Floats
from mmthermal.evaluation.greedy import Ints
from mmthermal.evaluation.overlap import OVERLAP_KEYS, largest_overlap


def read_results(
    detections: Sequence[Mapping[str, Any]] | str | PathLike[str],
) -> tuple[Ints, Ints, Floats, Floats]:
    """Turn detections in COCO's results format into columns.

    Args:
        detections: dicts with ``image_id``, ``category_id``, ``bbox`` (x, y, width, height) and
            ``score``, or the path of a JSON file of them.

    Returns:
        Image ids (D,), category ids (D,), boxes (D, 4) and scores (D,).

    Raises:
        ValueError: if they are not in that format.
    """
    results: Any = detections
    if isinstance(detections, (str, PathLike)):
        results = json.loads(Path(detections).read_text(encoding="utf-8"))
    if not isinstance(results, Sequence):
        raise ValueError(
            f"detections are a {type(results).__name__}: COCO's results format is a list "
            "of dicts with image_id, category_id, bbox and score"
        )
    try:
        image_ids = np.array([d["image_id"] for d in results], dtype=np.int64)
        category_ids = np.array([d["category_id"] for d in results], dtype=np.int64)
        boxes = np.array([d["bbox"] for d in results], dtype=np.float64).reshape(-1, 4)
        scores = np.array([d["score"] for d in results], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"a detection is not in COCO's results format ({error!r}): each needs image_id, "
            "category_id, bbox = [x, y, width, height] and score"
        ) from error
    return image_ids, category_ids, boxes, scores


def load_ground_truth(coco_gt: COCO | str | PathLike[str]) -> COCO:
    """Return loaded annotations without pycocotools' chatter on stdout."""
    if isinstance(coco_gt, COCO):
        return coco_gt
    if not isinstance(coco_gt, (str, PathLike)):
        raise TypeError(
            f"coco_gt is a {type(coco_gt).__name__}: give pycocotools' COCO or the path of an "
            "annotation file"
        )
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(coco_gt))


def chosen_ids(name: str, chosen: Sequence[int] | None, known: Sequence[int], what: str) -> Ints:
    """Rising unique ids, checked against those of the file."""
    if chosen is None:
        return np.unique(np.asarray(known, dtype=np.int64))
    ids = np.unique(np.asarray(chosen, dtype=np.int64))
    strangers = np.setdiff1d(ids, known)
    if strangers.size:
        raise ValueError(
            f"{name}: the ground truth has no {what} {strangers[:5].tolist()} "
            f"({strangers.size} unknown in all)"
        )
    return ids


def ground_truth_columns(coco: COCO, img_ids: Ints, cat_ids: Ints) -> dict[str, NDArray[Any]]:
    """Ground truths of the chosen images and classes as columns.

    Overlap is measured among all annotations of an image, also those of classes that are not
    evaluated: what hides an object does not depend on the question.
    """
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "img", "cat", "box", "crowd", "area", *OVERLAP_KEYS)
    }
    cat_inds = {cat: k for k, cat in enumerate(cat_ids.tolist())}
    for i, img_id in enumerate(img_ids.tolist()):
        anns = coco.imgToAnns.get(img_id, [])
        if not anns:
            continue
        overlap = largest_overlap(
            [ann["bbox"] for ann in anns],
            [ann["category_id"] for ann in anns],
            [ann.get("iscrowd", 0) for ann in anns],
        )
        for j, ann in enumerate(anns):
            if ann["category_id"] not in cat_inds:
                continue
            columns["id"].append(ann["id"])
            columns["img"].append(i)
            columns["cat"].append(cat_inds[ann["category_id"]])
            columns["box"].append(ann["bbox"])
            columns["crowd"].append(bool(ann.get("iscrowd", 0)))
            columns["area"].append(ann.get("area", ann["bbox"][2] * ann["bbox"][3]))
            for key in OVERLAP_KEYS:
                columns[key].append(overlap[key][j])
    types: dict[str, Any] = {"id": np.int64, "img": np.int64, "cat": np.int64, "crowd": bool}
    arrays = {name: np.array(rows, dtype=types.get(name, float)) for name, rows in columns.items()}
    arrays["box"] = arrays["box"].reshape(-1, 4)
    return arrays
