"""The table of matches: subsets, input in COCO's formats, and bad input."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers_tables import random_scene, scene, to_coco

from mmthermal.evaluation.figures import summary
from mmthermal.evaluation.greedy import MISSED
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1
from mmthermal.evaluation.outcomes import confusion
from mmthermal.evaluation.precision import average_precision
from mmthermal.evaluation.subsets import Subset


def test_overlap_counts_objects_of_classes_that_are_not_evaluated() -> None:
    dataset, detections = random_scene(3)
    coco = to_coco(dataset)
    every = MatchTable.from_coco(coco, detections)
    one = MatchTable.from_coco(coco, detections, cat_ids=[3])
    assert one.num_gts("overlapped_cross") == every.num_gts("overlapped_cross", cat_id=3) > 0


def test_the_worked_example_of_the_documentation() -> None:
    # docs/images/draw_overlap_example.py: four persons, the middle two overlap.
    persons = [[47, 67, 11, 20], [62, 72, 10, 17], [64, 77, 12, 16], [82, 65, 12, 16]]
    found = [
        ([62, 71, 10, 18], 0.95),
        ([47, 68, 12, 19], 0.9),
        ([60, 74, 10, 17], 0.8),
        ([65, 78, 12, 15], 0.7),
        ([40, 88, 9, 14], 0.6),
    ]
    table = scene([(1, 1, box) for box in persons], [(1, 1, box, score) for box, score in found])
    np.testing.assert_allclose(table.gts["iou"], [0, 96 / 266, 96 / 266, 0])
    np.testing.assert_allclose(table.gts["covered"], [0, 96 / 170, 96 / 192, 0])
    assert table.taken_gts("all").tolist() == [1, 0, MISSED, 2, MISSED]
    assert table.taken_gts("isolated").tolist() == [1, 0, MISSED, 2, MISSED]
    # all: precision 1 up to recall .5 (51 of 101 grid points), 3/4 up to .75 (25), 0 beyond
    assert average_precision(table, iou_thr=0.5) == pytest.approx((51 + 25 * 3 / 4) / 101)
    # overlapped: hit, ignored, error, hit, error: precision 1 up to .5, 2/3 up to 1
    assert average_precision(table, "overlapped", iou_thr=0.5) == pytest.approx(
        (51 + 50 * 2 / 3) / 101
    )
    # isolated: ignored, hit, error, ignored, error: precision 1 up to .5
    assert average_precision(table, "isolated", iou_thr=0.5) == pytest.approx(51 / 101)
    assert best_f1(table)["f1"] == pytest.approx(3 / 4)
    assert best_f1(table, "overlapped")["f1"] == pytest.approx(2 * 2 / (3 + 2))


def test_paths_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, detections = random_scene(1)
    gt_file, det_file = tmp_path / "gt.json", tmp_path / "det.json"
    gt_file.write_text(json.dumps(dataset))
    det_file.write_text(json.dumps(detections))
    table = MatchTable.from_coco(gt_file, str(det_file))
    direct = MatchTable.from_coco(to_coco(dataset), detections)
    assert summary(table) == summary(direct)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 99999}, "image ids that the ground truth lacks: .99999."),
        ({"category_id": 99}, "category ids that the ground truth lacks"),
        ({"score": float("nan")}, "NaN"),
        ({"bbox": [1, 2, 3]}, "COCO's results format"),
        ({"score": None}, "COCO's results format|NaN"),
    ],
)
def test_bad_detections(change: dict, message: str) -> None:
    dataset, detections = random_scene(1)
    detections[0] = {**detections[0], **change}
    with pytest.raises(ValueError, match=message):
        MatchTable.from_coco(to_coco(dataset), detections)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iou_thrs": [0.0, 0.5]}, "must lie in"),
        ({"iou_thrs": []}, "a list of numbers"),
        ({"max_dets": 0}, "at least 1"),
        ({"cat_ids": [99]}, r"no category \[99\]"),
        ({"img_ids": [-1]}, r"no image \[-1\]"),
        ({"subsets": [Subset("x", "iou", above=0.1), Subset("x", "iou", above=0.2)]}, "twice"),
    ],
)
def test_bad_settings(settings: dict, message: str) -> None:
    dataset, detections = random_scene(1)
    with pytest.raises(ValueError, match=message):
        MatchTable.from_coco(to_coco(dataset), detections, **settings)


def test_bad_questions() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    with pytest.raises(ValueError, match="subset='hidden': this table has 'all', 'overlapped'"):
        average_precision(table, "hidden")
    with pytest.raises(ValueError, match="cat_id=99"):
        average_precision(table, cat_id=99)
    with pytest.raises(ValueError, match="image_counts has shape"):
        average_precision(table, image_counts=[1, 2])
    with pytest.raises(ValueError, match="at least 0"):
        average_precision(table, image_counts=-np.ones(len(table.img_ids)))
    with pytest.raises(ValueError, match=r"iou_thr=0\.0: must lie"):
        confusion(table, score_thr=0.5, iou_thr=0.0)
    with pytest.raises(TypeError, match="coco_gt is a dict"):
        MatchTable.from_coco(dataset, detections)
    with pytest.raises(ValueError, match="detections are a dict"):
        MatchTable.from_coco(to_coco(dataset), {})
