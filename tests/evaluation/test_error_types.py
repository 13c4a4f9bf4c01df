"""TIDE's types, one example each, and calibration."""

import sys

import numpy as np
import pytest

from mmthermal.evaluation.error_types import ERROR_TYPES, calibration, error_types
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.precision import average_precision

P, R, NOWHERE = [0.0, 0, 10, 10], [50.0, 50, 10, 10], [80.0, 80, 5, 5]
SHIFTED = [0.0, 5, 10, 10]  # IoU with P: 50 / 150


def build(gts: list[tuple[int, list[float]]], dets: list[tuple[int, list[float], float]]):
    """One image with ground truths (class, box) and detections (class, box, score)."""
    return MatchTable(
        {
            "id": np.arange(1, len(gts) + 1),
            "img": np.zeros(len(gts), dtype=int),
            "cat": np.array([cat for cat, _ in gts], dtype=int),
            "box": np.array([box for _, box in gts], dtype=float).reshape(-1, 4),
            "crowd": np.zeros(len(gts), dtype=bool),
            "area": np.full(len(gts), 100.0),
            **{key: np.zeros(len(gts)) for key in ("iou", "iou_same", "iou_cross", "covered")},
        },
        {
            "img": np.zeros(len(dets), dtype=int),
            "cat": np.array([cat for cat, _, _ in dets], dtype=int),
            "box": np.array([box for _, box, _ in dets], dtype=float).reshape(-1, 4),
            "score": np.array([score for _, _, score in dets], dtype=float),
        },
        img_ids=[4],
        cat_ids=[2, 5],
        class_names=["person", "bicycle"],
    )


@pytest.mark.parametrize(
    ("det", "kind"),
    [
        ((1, P, 0.9), "cls"),
        ((0, SHIFTED, 0.9), "loc"),
        ((1, SHIFTED, 0.9), "both"),
        ((0, R, 0.5), "duplicate"),
        ((0, NOWHERE, 0.9), "background"),
    ],
)
def test_one_error_of_each_type(det: tuple, kind: str) -> None:
    table = build([(0, P), (0, R), (1, [20.0, 20, 9, 9])], [(0, R, 0.8), det])
    counts = error_types(table)["counts"]
    assert counts.pop("missed") == {"cls": 1, "loc": 1}.get(kind, 2)
    assert counts == {name: int(name == kind) for name in ERROR_TYPES if name != "missed"}


def test_gain_of_repairing_a_type() -> None:
    # The person is found only in the wrong place: AP of the class is 0 and would be 1.
    found = error_types(build([(0, P)], [(0, SHIFTED, 0.9)]))
    assert found["ap"] == 0
    assert found["dap"]["loc"] == pytest.approx(1)
    assert found["dap"]["duplicate"] == found["dap"]["background"] == 0
    assert found["iou_thr"] == 0.5 and found["background_iou"] == 0.1


def test_ap_is_that_of_the_table_at_every_threshold() -> None:
    rng = np.random.default_rng(0)
    boxes = [(int(rng.integers(2)), rng.uniform(5, 30, 4).tolist()) for _ in range(12)]
    dets = [
        (cat, (np.array(box) + rng.normal(0, 2, 4)).tolist(), float(rng.random()))
        for cat, box in boxes * 2
    ]
    table = build(boxes, dets)
    for thr in (0.5, 0.75):
        found = error_types(table, iou_thr=thr)
        assert found["ap"] == pytest.approx(average_precision(table, iou_thr=thr), abs=1e-12)


def test_nothing_detected_and_nothing_there() -> None:
    found = error_types(build([(0, P), (1, R)], []))
    assert found["counts"]["missed"] == 2 and found["ap"] == 0
    assert found["dap"]["missed"] == found["dap"]["false_negative"] == 1
    assert calibration(build([(0, P)], [])) == {"ece": 0, "mce": 0, "bins": []}
    assert error_types(build([], [(0, P, 0.9)]))["counts"]["background"] == 1
    neither = error_types(build([], []))
    assert (neither["ap"], neither["counts"]["missed"], neither["dap"]["missed"]) == (-1, 0, 0)


def test_calibration_of_a_counted_example() -> None:
    # Bin 0.9-1: scores .95, one right; bin 0.2-0.3: score .25, one wrong.
    found = calibration(build([(0, P)], [(0, P, 0.95), (0, NOWHERE, 0.25)]))
    assert found["ece"] == pytest.approx((0.05 + 0.25) / 2)
    assert found["mce"] == pytest.approx(0.25)
    filled = [(row["score"], row["precision"]) for row in found["bins"] if row["count"]]
    assert filled == [(0.25, 0), (0.95, 1)]


def test_bad_settings() -> None:
    table = build([(0, P)], [(0, P, 0.9)])
    with pytest.raises(ValueError, match="background_iou < iou_thr"):
        error_types(table, iou_thr=0.1, background_iou=0.5)
    with pytest.raises(ValueError, match="num_bins=0"):
        calibration(table, num_bins=0)
    with pytest.raises(ValueError, match="iou_thr=0"):
        calibration(table, iou_thr=0)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    with pytest.raises(ImportError, match="pip install hotcoco"):
        error_types(build([(0, P)], [(0, P, 0.9)]))


def test_thresholds_that_coco_does_not_have() -> None:
    # IoU of the detection with P is 4 / 10: a hit at 0.37, wrong at 0.42.
    table = build([(0, P)], [(0, [0.0, 0, 10, 4], 0.75)])
    assert error_types(table, iou_thr=0.37)["ap"] == pytest.approx(1)
    assert error_types(table, iou_thr=0.42)["counts"]["loc"] == 1
    assert calibration(table, iou_thr=0.37)["ece"] == pytest.approx(0.25)
    assert calibration(table, iou_thr=0.42)["ece"] == pytest.approx(0.75)


def test_detections_beyond_the_hundredth_count_if_the_table_keeps_them() -> None:
    junk = [(0, NOWHERE, 0.9)] * 120
    table = build([(0, P)], [*junk, (0, P, 0.5)])
    assert error_types(table)["counts"]["background"] == 100
    more = MatchTable(
        table.gts,
        {
            "img": np.zeros(121, dtype=int),
            "cat": np.zeros(121, dtype=int),
            "box": np.array([NOWHERE] * 120 + [P]),
            "score": np.array([0.9] * 120 + [0.5]),
        },
        img_ids=[4],
        cat_ids=[2, 5],
        class_names=["person", "bicycle"],
        max_dets=1000,
    )
    found = error_types(more)
    assert found["counts"]["background"] == 120 and found["counts"]["missed"] == 0
    assert found["ap"] == pytest.approx(average_precision(more, iou_thr=0.5), abs=1e-12)
