"""False positives per image at a fixed recall."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmthermal.common.checks import check_range

MAX_DETS = 100


def fppi_at_recall(
    ground_truth: COCO,
    detections: Sequence[Mapping[str, Any]],
    *,
    recall: float = 0.8,
    iou_thr: float = 0.5,
) -> dict[str, float | None]:
    """How many false positives an image has where a share of the objects is found.

    The score threshold is lowered until the share is reached; classes are taken together, with
    one threshold. Matching is COCO's, with at most 100 detections per image and class; those
    that match a crowd region count neither way.

    Args:
        ground_truth: the annotations.
        detections: in COCO's results format.
        recall: the share, in (0, 1].
        iou_thr: smallest IoU of a match, in (0, 1].

    Returns:
        ``fppi`` and ``threshold``, None where the recall isn't reached at any threshold; and
        ``max_recall``, what is reached at the lowest.

    Raises:
        ValueError: if a setting is out of range or nothing is annotated.
    """
    check_range("recall", recall, 0, 1, open_low=True)
    check_range("iou_thr", iou_thr, 0, 1, open_low=True)
    total = sum(not ann.get("iscrowd", 0) for ann in ground_truth.anns.values())
    if not total:
        raise ValueError("there is no ground truth, so that no recall can be reached")
    if not detections:
        return dict(fppi=None, threshold=None, max_recall=0.0)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        evaluation = COCOeval(ground_truth, ground_truth.loadRes(list(detections)), "bbox")
        evaluation.params.iouThrs = np.array([iou_thr])
        evaluation.params.maxDets = [MAX_DETS]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
    cells = [cell for cell in evaluation.evalImgs if cell is not None]
    scores = np.concatenate([np.asarray(cell["dtScores"], np.float64) for cell in cells])
    matched = np.concatenate([cell["dtMatches"][0] for cell in cells]) > 0
    ignored = np.concatenate([cell["dtIgnore"][0] for cell in cells]).astype(bool)
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    hits = np.cumsum((matched & ~ignored)[order])
    errors = np.cumsum((~matched & ~ignored)[order])
    max_recall = float(hits[-1] / total)
    # 1e-9: 0.8 * 5 objects are 4, whatever floats make of it
    at = int(np.searchsorted(hits, np.ceil(recall * total - 1e-9)))
    if at == len(hits):
        return dict(fppi=None, threshold=None, max_recall=max_recall)
    # detections of equal score can't be told apart by a threshold
    at = int(np.searchsorted(-scores, -scores[at], side="right")) - 1
    return dict(
        fppi=float(errors[at] / len(ground_truth.imgs)),
        threshold=float(scores[at]),
        max_recall=max_recall,
    )
