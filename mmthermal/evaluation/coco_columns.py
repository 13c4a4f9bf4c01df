"""COCO's ground truth and results as columns: arrays with a row for each object.

Shapes: D detections, G ground truths.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO

from mmthermal.common.boxes import Floats
from mmthermal.common.files import read_json
from mmthermal.evaluation.greedy import Ints
from mmthermal.evaluation.negative_sides import say_left_out, with_sides
from mmthermal.evaluation.overlap import OVERLAP_KEYS, largest_overlap


def load_results(
    detections: Sequence[Mapping[str, Any]] | str | PathLike[str],
) -> Sequence[Mapping[str, Any]]:
    """Load detections in COCO's results format.

    Args:
        detections: the path of a JSON file, or detections that are loaded, which are returned as
            they are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if they are no list.
    """
    results: Any = detections
    if isinstance(detections, (str, PathLike)):
        results = read_json(Path(detections), what="detections")
    if not isinstance(results, Sequence):
        raise ValueError(
            f"detections are a {type(results).__name__}: COCO's results format is a list "
            "of dicts with image_id, category_id, bbox and score"
        )
    return results


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
        FileNotFoundError: if there is no such file.
        ValueError: if they are not in that format.
    """
    results = load_results(detections)
    try:
        image_ids = _whole([d["image_id"] for d in results])
        category_ids = _whole([d["category_id"] for d in results])
        boxes = np.array([d["bbox"] for d in results] or np.empty((0, 4)), dtype=np.float64)
        scores = np.array([d["score"] for d in results], dtype=np.float64)
        if boxes.shape != (len(results), 4):
            raise ValueError(f"boxes of shape {boxes.shape[1:]}")
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(
            f"a detection is not in COCO's results format ({error!r}): each needs image_id, "
            "category_id, bbox = [x, y, width, height] and score"
        ) from error
    return image_ids, category_ids, boxes, scores


def _whole(ids: list[Any]) -> Ints:
    """Ids as whole numbers."""
    found = np.array(ids)
    if found.dtype.kind == "f" and (found % 1 != 0).any():
        raise ValueError(f"the id {found[found % 1 != 0][0]} is no whole number")
    return found.astype(np.int64)


def load_ground_truth(coco_gt: COCO | str | PathLike[str]) -> COCO:
    """Load COCO annotations, without pycocotools' prints on stdout.

    Args:
        coco_gt: the path of an annotation file, or annotations that are loaded, which are
            returned as they are.

    Returns:
        The annotations; those of a file all have a field ``iscrowd``, and none of them a negative
        width or height.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: it is neither a path nor pycocotools' COCO.
        ValueError: the file is not JSON, or not COCO annotations.
    """
    if isinstance(coco_gt, COCO):
        return coco_gt
    if not isinstance(coco_gt, (str, PathLike)):
        raise TypeError(
            f"coco_gt is a {type(coco_gt).__name__}: give pycocotools' COCO or the path of an "
            "annotation file"
        )
    path = Path(coco_gt)
    content = read_json(path, what="annotation file")
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key) if isinstance(content, dict) else None, list):
            raise ValueError(f"{str(path)!r} has no list {key!r}: give COCO annotations")
    for annotation in content["annotations"]:
        annotation.setdefault("iscrowd", 0)
    left_out: list[dict[str, Any]] = []
    content["annotations"] = with_sides(content["annotations"], left_out)
    say_left_out(left_out, str(path))
    coco = COCO()
    coco.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def is_crowd(annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation is a crowd region: a place to ignore, and no object to find.

    Args:
        annotation: COCO's; ``"ignore": 1`` is as ``"iscrowd": 1``, as in the training.
    """
    return bool(annotation.get("iscrowd", 0)) or bool(annotation.get("ignore", 0))


def chosen_ids(name: str, chosen: Sequence[int] | None, known: Sequence[int], what: str) -> Ints:
    """Return rising unique ids, checked against those of the file.

    Args:
        name: of the setting, for the error.
        chosen: the ids; all known ones if None.
        known: those of the file.
        what: they stand for, for the error.

    Raises:
        ValueError: for an id that the file lacks.
    """
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

    Args:
        coco: the annotations.
        img_ids: (I,) rising ids of images.
        cat_ids: (C,) rising ids of classes.

    Returns:
        (G,) columns ``id``, ``img`` and ``cat`` (indices into the ids), ``box`` (G, 4), ``crowd``,
        ``area`` and the values of ``largest_overlap``; by image, then in the file's order,
        without boxes of a negative side.
    """
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "img", "cat", "box", "crowd", "area", *OVERLAP_KEYS)
    }
    cat_inds = {cat: k for k, cat in enumerate(cat_ids.tolist())}
    left_out: list[dict[str, Any]] = []
    for i, img_id in enumerate(img_ids.tolist()):
        anns = with_sides(coco.imgToAnns.get(img_id, []), left_out)
        if not anns:
            continue
        overlap = largest_overlap(
            [ann["bbox"] for ann in anns],
            [ann["category_id"] for ann in anns],
            [is_crowd(ann) for ann in anns],
        )
        for j, ann in enumerate(anns):
            if ann["category_id"] not in cat_inds:
                continue
            columns["id"].append(ann["id"])
            columns["img"].append(i)
            columns["cat"].append(cat_inds[ann["category_id"]])
            columns["box"].append(ann["bbox"])
            columns["crowd"].append(is_crowd(ann))
            columns["area"].append(ann.get("area", ann["bbox"][2] * ann["bbox"][3]))
            for key in OVERLAP_KEYS:
                columns[key].append(overlap[key][j])
    say_left_out(left_out, "the annotation file")
    types: dict[str, Any] = {"id": np.int64, "img": np.int64, "cat": np.int64, "crowd": bool}
    arrays = {name: np.array(rows, dtype=types.get(name, float)) for name, rows in columns.items()}
    arrays["box"] = arrays["box"].reshape(-1, 4)
    return arrays


def detection_columns(
    coco: COCO,
    image_ids: Ints,
    category_ids: Ints,
    boxes: Floats,
    scores: Floats,
    *,
    img_ids: Ints,
    cat_ids: Ints,
) -> dict[str, NDArray[Any]]:
    """Detections of the chosen images and classes as columns.

    Args:
        coco: the annotations that they were made for.
        image_ids: (D,) image id of each detection.
        category_ids: (D,) category id.
        boxes: (D, 4) x, y, width, height.
        scores: (D,) scores.
        img_ids: (I,) rising ids of images.
        cat_ids: (C,) rising ids of classes.

    Returns:
        Columns ``img`` and ``cat`` (indices into the ids), ``box`` and ``score``, in the order
        given.

    Raises:
        ValueError: if a detection names an image or a category that the annotations lack, or a
            box or a score is not finite.
    """
    for name, ids, known in (
        ("image", image_ids, coco.getImgIds()),
        ("category", category_ids, coco.getCatIds()),
    ):
        strangers = np.setdiff1d(ids, known)
        if strangers.size:
            raise ValueError(
                f"detections name {name} ids that the ground truth lacks: "
                f"{strangers[:5].tolist()} ({strangers.size} in all). "
                "Were they made for another annotation file?"
            )
    if not np.isfinite(boxes).all() or not np.isfinite(scores).all():
        raise ValueError("detections hold NaN or infinite boxes or scores")
    keep = np.isin(image_ids, img_ids) & np.isin(category_ids, cat_ids)
    return {
        "img": np.searchsorted(img_ids, image_ids[keep]),
        "cat": np.searchsorted(cat_ids, category_ids[keep]),
        "box": np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[keep],
        "score": np.asarray(scores, dtype=np.float64)[keep],
    }


def keep_best(
    dets: Mapping[str, NDArray[Any]], *, num_classes: int, max_dets: int
) -> dict[str, NDArray[Any]]:
    """Keep the best detections per image and class; sort by class, score, image, order.

    The sort is stable, as pycocotools' mergesort is, so equal scores are broken as there.

    Args:
        dets: (D,) columns as :func:`detection_columns` gives them.
        num_classes: number of classes.
        max_dets: detections kept per image and class.

    Returns:
        The columns, and ``rank``: how many of its image and class are better, in
        [0, ``max_dets``).
    """
    img, cat, score = dets["img"], dets["cat"], dets["score"]
    order = np.lexsort((-score, img, cat))
    group = img[order] * num_classes + cat[order]
    _, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
    first = np.zeros(len(counts), dtype=np.int64)
    if len(group):
        change = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        first[inverse.reshape(-1)[change]] = change
    rank = np.arange(len(order)) - first[inverse.reshape(-1)]
    kept, rank = order[rank < max_dets], rank[rank < max_dets]
    by_score = np.lexsort((-score[kept], cat[kept]))  # stable: image, then order in the file
    rows = kept[by_score]
    return {
        "img": img[rows],
        "cat": cat[rows],
        "box": dets["box"][rows],
        "score": score[rows],
        "rank": rank[by_score],
    }
