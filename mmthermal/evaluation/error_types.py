"""TIDE's error types and the calibration of scores, computed by hotcoco."""

from typing import Any

import numpy as np

from mmthermal.common.checks import check_count, check_range
from mmthermal.evaluation.match_table import MatchTable

ERROR_TYPES = {
    "cls": "Cls",
    "loc": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}
"""Our names of the types, and TIDE's."""


def error_types(
    table: MatchTable, *, iou_thr: float = 0.5, background_iou: float = 0.1
) -> dict[str, Any]:
    """Split the errors of all objects into TIDE's six types.

    A false positive is ``cls`` (right place, wrong class), ``loc`` (right class, IoU between the
    two limits), ``both`` (wrong class and IoU between the limits), ``duplicate`` (its object was
    already taken) or ``background`` (it overlaps with nothing); ``missed`` are objects that no
    detection can be blamed for. ``dap`` says by how much AP at ``iou_thr`` would rise if the
    errors of one type were repaired; ``false_positive`` and ``false_negative`` do so for all
    false positives and all missing objects. The gains do not add up.

    Source: Bolya et al., TIDE, ECCV 2020.

    Args:
        table: the detections and their ground truth.
        iou_thr: IoU of a true match, in (0, 1].
        background_iou: IoU below which a detection touches nothing, smaller than ``iou_thr``.

    Returns:
        ``ap``, in [0, 1]; ``dap``: type to gain in [0, 1]; ``counts``: type to number of errors
        among the detections kept per image and class; ``iou_thr``; ``background_iou``.

    Raises:
        ValueError: if the limits are out of range or in the wrong order.
    """
    if not 0 <= background_iou < iou_thr <= 1:
        raise ValueError(
            f"background_iou={background_iou!r}, iou_thr={iou_thr!r}: "
            "0 <= background_iou < iou_thr <= 1 is needed"
        )
    zeros = dict.fromkeys(ERROR_TYPES, 0)
    if not len(table.dets["score"]):  # nothing detected: every object is missed
        total = int((~table.gts["crowd"]).sum())
        gain = 1.0 if total else 0.0
        return {
            "ap": 0.0 if total else -1.0,
            "dap": {
                **dict.fromkeys(ERROR_TYPES, 0.0),
                "missed": gain,
                "false_positive": 0.0,
                "false_negative": gain,
            },
            "counts": {**zeros, "missed": total},
            "iou_thr": iou_thr,
            "background_iou": background_iou,
        }
    found = _evaluate(table, iou_thr).tide_errors(pos_thr=iou_thr, bg_thr=background_iou)
    names = {**ERROR_TYPES, "false_positive": "FP", "false_negative": "FN"}
    return {
        "ap": float(found["ap_base"]),
        "dap": {name: float(found["delta_ap"][theirs]) for name, theirs in names.items()},
        "counts": {name: int(found["counts"][theirs]) for name, theirs in ERROR_TYPES.items()},
        "iou_thr": iou_thr,
        "background_iou": background_iou,
    }


def calibration(table: MatchTable, *, num_bins: int = 10, iou_thr: float = 0.5) -> dict[str, Any]:
    """Compare scores with the share of detections that are right.

    Args:
        table: the detections and their ground truth.
        num_bins: equal bins of the score between 0 and 1, at least 1.
        iou_thr: IoU of a true match, in (0, 1].

    Returns:
        ``ece`` and ``mce``, the mean and largest gap in [0, 1] between score and precision of a
        bin; ``bins``: a list of ``low``, ``high``, ``score``, ``precision`` and ``count``.

    Raises:
        ValueError: if a setting is out of range.
    """
    check_count("num_bins", num_bins, 1)
    check_range("iou_thr", iou_thr, 0, 1, open_low=True)
    if not len(table.dets["score"]):
        return {"ece": 0.0, "mce": 0.0, "bins": []}
    found = _evaluate(table, iou_thr).calibration(n_bins=int(num_bins), iou_threshold=iou_thr)
    names = {
        "bin_lower": "low",
        "bin_upper": "high",
        "avg_confidence": "score",
        "avg_accuracy": "precision",
        "count": "count",
    }
    return {
        "ece": float(found["ece"]),
        "mce": float(found["mce"]),
        "bins": [{ours: row[theirs] for theirs, ours in names.items()} for row in found["bins"]],
    }


def import_hotcoco() -> Any:
    """Import the library that counts error types and calibration, which is an extra.

    Returns:
        hotcoco.

    Raises:
        ImportError: if it isn't installed.
    """
    try:
        import hotcoco
    except ImportError as error:
        raise ImportError(
            "error types and calibration need hotcoco: pip install hotcoco"
        ) from error
    return hotcoco


def _evaluate(table: MatchTable, iou_thr: float) -> Any:
    """Run hotcoco's matching on the table's columns; returns its evaluator."""
    hotcoco = import_hotcoco()
    img_ids, cat_ids = np.array(table.img_ids), np.array(table.cat_ids)
    gts, dets = table.gts, table.dets
    coco = hotcoco.COCO.from_arrays(
        [{"id": img, "width": 1, "height": 1, "file_name": ""} for img in table.img_ids],
        [
            {"id": cat, "name": name}
            for cat, name in zip(table.cat_ids, table.class_names, strict=True)
        ],
        img_ids[gts["img"]],
        cat_ids[gts["cat"]],
        gts["box"],
        area=gts["area"],
        iscrowd=gts["crowd"].astype(np.int64),
    )
    rows = np.column_stack([img_ids[dets["img"]], dets["box"], dets["score"], cat_ids[dets["cat"]]])
    evaluator = hotcoco.COCOeval(coco, coco.load_res(rows), "bbox")
    evaluator.params.iou_thrs = [iou_thr]
    evaluator.params.max_dets = [table.max_dets]
    evaluator.params.area_rng = [[0.0, 1e10]]
    evaluator.params.area_rng_lbl = ["all"]
    evaluator.evaluate()
    return evaluator
