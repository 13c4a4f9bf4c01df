"""F1 and false positives at one score threshold, classes taken together."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmthermal.common.boxes import Floats
from mmthermal.common.checks import check_range
from mmthermal.evaluation.match_table import HIT, IGNORED, MatchTable


def best_f1(
    table: MatchTable,
    subset: str = "all",
    iou_thr: float = 0.5,
    *,
    cat_id: int | None = None,
    image_counts: ArrayLike | None = None,
) -> dict[str, float]:
    """Find the one score threshold at which F1 is largest.

    Hits, false positives and ground truths of all classes are pooled (micro average).

    Args:
        table: the matched detections.
        subset: the subset's name.
        iou_thr: one of the thresholds.
        cat_id: one class; all of them if None.
        image_counts: (I,) how often each image occurs; once each if None.

    Returns:
        ``f1``, ``threshold`` (detections of at least this score are kept), ``precision`` and
        ``recall``; all -1 without ground truth, F1 0 at threshold 1 without a hit.

    Raises:
        ValueError: for a subset, threshold or class that the table lacks, or bad counts.
    """
    scores, hits, kept, total = _pooled(table, subset, iou_thr, cat_id, image_counts)
    if total <= 0:
        return dict.fromkeys(("f1", "threshold", "precision", "recall"), -1.0)
    if not len(scores) or hits[-1] == 0:
        return {"f1": 0.0, "threshold": 1.0, "precision": 0.0, "recall": 0.0}
    last = np.r_[scores[1:] != scores[:-1], True]  # a threshold takes equal scores together
    f1 = np.where(last, 2 * hits / (kept + total), -1.0)
    return _point(int(np.argmax(f1)), scores, hits, kept, total)


def f1_at(
    table: MatchTable,
    threshold: float,
    subset: str = "all",
    iou_thr: float = 0.5,
    *,
    cat_id: int | None = None,
    image_counts: ArrayLike | None = None,
) -> dict[str, float]:
    """F1, precision and recall of the detections with at least a given score.

    Args:
        table: the matched detections.
        threshold: the score.
        subset: the subset's name.
        iou_thr: one of the thresholds.
        cat_id: one class; all of them pooled if None.
        image_counts: (I,) how often each image occurs; once each if None.

    Returns:
        As :func:`best_f1`, with the threshold that was given.

    Raises:
        ValueError: as :func:`best_f1`.
    """
    scores, hits, kept, total = _pooled(table, subset, iou_thr, cat_id, image_counts)
    if total <= 0:
        return {"f1": -1.0, "threshold": threshold, "precision": -1.0, "recall": -1.0}
    at = _last_of(scores, threshold)
    if at < 0:
        return {"f1": 0.0, "threshold": threshold, "precision": 0.0, "recall": 0.0}
    return {**_point(at, scores, hits, kept, total), "threshold": threshold}


def fppi_at_recall(
    table: MatchTable, recall: float = 0.8, *, iou_thr: float = 0.5
) -> dict[str, float | None]:
    """How many false positives an image has where a share of all objects is found.

    The score threshold is lowered until the share is reached. Detections that match a crowd
    region count neither way.

    Args:
        table: the matched detections.
        recall: the share, in (0, 1].
        iou_thr: one of the thresholds.

    Returns:
        ``fppi`` and ``threshold``, None where the recall isn't reached at any threshold; and
        ``max_recall``, what is reached at the lowest.

    Raises:
        ValueError: if a setting is out of range or nothing is annotated.
    """
    check_range("recall", recall, 0, 1, open_low=True)
    scores, hits, kept, total = _pooled(table, "all", iou_thr, None, None)
    if total <= 0:
        raise ValueError("there is no ground truth, so that no recall can be reached")
    if not len(scores):
        return dict(fppi=None, threshold=None, max_recall=0.0)
    max_recall = float(hits[-1] / total)
    # 1e-9 allows for rounding: 0.8 * 5 objects are 4
    at = int(np.searchsorted(hits, np.ceil(recall * total - 1e-9)))
    if at == len(hits):
        return dict(fppi=None, threshold=None, max_recall=max_recall)
    at = _last_of(scores, scores[at])
    return dict(
        fppi=float((kept[at] - hits[at]) / len(table.img_ids)),
        threshold=float(scores[at]),
        max_recall=max_recall,
    )


def _pooled(
    table: MatchTable,
    subset: str,
    iou_thr: float,
    cat_id: int | None,
    image_counts: ArrayLike | None,
) -> tuple[Floats, NDArray[Any], NDArray[Any], float]:
    """Scores of the classes together, falling, with running counts of hits and kept ones."""
    weights = table.image_weights(image_counts)
    cells = table.cells(subset, iou_thr, cat_id)
    states = [np.zeros(0, np.int8), *(table.states(cell) for cell in cells)]
    total = sum(table.weighted_gts(cell, weights) for cell in cells)
    rows = table.rows_by_score(cat_id=cat_id)
    state = np.concatenate(states)[rows - rows.min(initial=len(table.dets["score"]))]
    scores = table.dets["score"][rows]
    if weights is None:
        return scores, np.cumsum(state == HIT), np.cumsum(state != IGNORED), total
    count = weights[table.dets["img"][rows]]
    return scores, np.cumsum(count * (state == HIT)), np.cumsum(count * (state != IGNORED)), total


def _last_of(scores: Floats, threshold: float) -> int:
    """Index of the last of the falling scores that reach a threshold, equal ones included."""
    return int(np.searchsorted(-scores, -threshold, side="right")) - 1


def _point(
    at: int, scores: Floats, hits: NDArray[Any], kept: NDArray[Any], total: float
) -> dict[str, float]:
    """F1, threshold, precision and recall with the detections up to ``at`` kept."""
    return {
        "f1": float(2 * hits[at] / (kept[at] + total)),
        "threshold": float(scores[at]),
        "precision": float(hits[at] / kept[at]) if kept[at] else 0.0,
        "recall": float(hits[at] / total),
    }
