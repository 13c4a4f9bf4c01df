"""Average precision, average recall and miss rate of a matched table.

Shapes: I images, R = 101 recalls.
"""

import numpy as np
from numpy.typing import ArrayLike

from mmthermal.common.boxes import Floats
from mmthermal.evaluation.match_table import ERROR, HIT, MatchTable

RECALL_GRID = np.linspace(0.0, 1.0, 101)
MISS_RATE_FPPI = np.logspace(-2.0, 0.0, 9)
"""False positives per image at which the log-average miss rate samples the curve."""


def average_precision(
    table: MatchTable,
    subset: str = "all",
    *,
    iou_thr: float | None = None,
    cat_id: int | None = None,
    image_counts: ArrayLike | None = None,
    max_dets: int | None = None,
) -> float:
    """COCO's average precision of a subset, over all images or a resample of them.

    Args:
        table: the matched detections.
        subset: the subset's name.
        iou_thr: one of the thresholds; the mean over all of them if None.
        cat_id: one class; the mean over the classes if None.
        image_counts: (I,) how often each image of ``img_ids`` occurs in a resample; once
            each if None. An image that occurs n times counts n times; among equal scores its
            copies stand next to each other.
        max_dets: keep fewer detections per image and class than the table has.

    Returns:
        A value in [0, 1], or -1 without ground truth.

    Raises:
        ValueError: for a subset, threshold or class that the table lacks, or bad counts.
    """
    weights = table.image_weights(image_counts)
    rows = _interpolated(table, subset, iou_thr, cat_id, weights, max_dets)
    return float(np.mean(rows)) if rows else -1.0


def average_recall(
    table: MatchTable,
    subset: str = "all",
    *,
    iou_thr: float | None = None,
    cat_id: int | None = None,
    image_counts: ArrayLike | None = None,
    max_dets: int | None = None,
) -> float:
    """Recall at all detections, averaged over thresholds and classes (COCO's AR).

    Args:
        table: the matched detections.
        subset: the subset's name.
        iou_thr: one of the thresholds; the mean over all of them if None.
        cat_id: one class; the mean over the classes if None.
        image_counts: (I,) how often each image occurs; once each if None.
        max_dets: keep fewer detections per image and class than the table has.

    Returns:
        A value in [0, 1], or -1 without ground truth.

    Raises:
        ValueError: as :func:`average_precision`.
    """
    weights = table.image_weights(image_counts)
    values = []
    for cell in table.cells(subset, iou_thr, cat_id):
        total = table.weighted_gts(cell, weights)
        if total > 0:
            hits = table.class_curve(cell, max_dets).hits
            values.append(table.class_weights(cell[1], weights)[hits].sum() / total)
    return float(np.mean(values)) if values else -1.0


def precision_recall(
    table: MatchTable, subset: str = "all", *, iou_thr: float = 0.5, cat_id: int | None = None
) -> tuple[Floats, Floats]:
    """Interpolated precision on COCO's recall grid.

    Args:
        table: the matched detections.
        subset: the subset's name.
        iou_thr: one of the thresholds.
        cat_id: one class; the mean over the classes if None.

    Returns:
        Recall (R,) from 0 to 1 and precision (R,) in [0, 1], or all -1 without ground truth. The
        mean of the precision is the average precision.

    Raises:
        ValueError: as :func:`average_precision`.
    """
    rows = _interpolated(table, subset, iou_thr, cat_id, None, None)
    precision = np.mean(rows, axis=0) if rows else np.full(len(RECALL_GRID), -1.0)
    return RECALL_GRID.copy(), precision


def log_average_miss_rate(
    table: MatchTable, subset: str = "all", *, iou_thr: float = 0.5, cat_id: int | None = None
) -> float:
    """Geometric mean of the miss rate at nine rates of false positives (MR⁻²).

    Source: Dollár et al., Pedestrian Detection, PAMI 2012: 0.01 to 1 false positives per
    image, evenly spaced in the logarithm; where the curve starts later, the miss rate is 1.

    Args:
        table: the matched detections.
        subset: the subset's name.
        iou_thr: one of the thresholds.
        cat_id: one class; the mean over the classes if None.

    Returns:
        A value in [0, 1], smaller is better, or -1 without ground truth.

    Raises:
        ValueError: as :func:`average_precision`.
    """
    values = []
    for cell in table.cells(subset, iou_thr, cat_id):
        total = table.weighted_gts(cell, None)
        if total <= 0:
            continue
        state = table.states(cell)
        hits, errors = np.cumsum(state == HIT), np.cumsum(state == ERROR)
        at = np.searchsorted(errors / len(table.img_ids), MISS_RATE_FPPI, side="right") - 1
        recall = np.r_[0.0, hits / total][at + 1]
        values.append(np.exp(np.log(np.maximum(1 - recall, 1e-10)).mean()))
    return float(np.mean(values)) if values else -1.0


def _interpolated(
    table: MatchTable,
    subset: str,
    iou_thr: float | None,
    cat_id: int | None,
    weights: Floats | None,
    max_dets: int | None,
) -> list[Floats]:
    """(R,) interpolated precision for each class with ground truth and each threshold.

    Precision falls between hits, so only the hits are looked at. An image that occurs n times
    puts n equal detections in a row, whose precision rises: its end is what counts.
    """
    rows = []
    running: dict[int, tuple[Floats, Floats]] = {}  # counts of a class, and their running sum
    for cell in table.cells(subset, iou_thr, cat_id):
        total = table.weighted_gts(cell, weights)
        if total <= 0:
            continue
        precision = np.zeros(len(RECALL_GRID))
        rows.append(precision)
        curve = table.class_curve(cell, max_dets)
        if not curve.hits.size:
            continue
        if weights is None:
            hits = np.arange(1.0, len(curve.hits) + 1)
            kept = curve.hits + 1.0 - curve.ignored_before_hit
        else:
            k = cell[1]
            if k not in running:
                counts = table.class_weights(k, weights)
                running[k] = counts, np.cumsum(counts)
            counts, sums = running[k]
            hits, kept = np.cumsum(counts[curve.hits]), sums[curve.hits]
            if curve.ignored.size:
                ignored = np.r_[0.0, np.cumsum(counts[curve.ignored])]
                kept = kept - ignored[curve.ignored_before_hit]
        envelope = np.maximum.accumulate((hits / (kept + np.spacing(1)))[::-1])[::-1]
        at = np.searchsorted(hits / total, RECALL_GRID, side="left")
        reached = at < len(envelope)
        precision[reached] = envelope[at[reached]]
    return rows
