"""Reading COCO's formats into columns."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmthermal.evaluation.coco_columns import (
    chosen_ids,
    ground_truth_columns,
    load_ground_truth,
    read_results,
)

RESULT = {"image_id": 3, "category_id": 8, "bbox": [1, 2, 3, 4], "score": 0.5}


@pytest.fixture
def gt_file(tmp_path: Path) -> Path:
    """Image 9 with two persons and a lamp that overlap, a crowd, and image 3 without objects."""
    anns: list[dict[str, Any]] = [
        {"id": 1, "category_id": 5, "bbox": [0, 0, 10, 10], "area": 70, "iscrowd": 0},
        {"id": 2, "category_id": 5, "bbox": [5, 0, 10, 10], "iscrowd": 0},
        {"id": 4, "category_id": 2, "bbox": [0, 0, 10, 9]},
        {"id": 3, "category_id": 5, "bbox": [0, 0, 90, 90], "area": 1, "iscrowd": 1},
    ]
    dataset = {
        "images": [{"id": 9}, {"id": 3}],
        "annotations": [{"image_id": 9, **ann} for ann in anns],
        "categories": [{"id": 5, "name": "person"}, {"id": 2, "name": "lamp"}],
    }
    path = tmp_path / "gt.json"
    path.write_text(json.dumps(dataset))
    return path


def test_columns_of_the_ground_truth(gt_file: Path) -> None:
    columns = ground_truth_columns(load_ground_truth(gt_file), np.array([3, 9]), np.array([2, 5]))
    assert columns["id"].tolist() == [1, 2, 4, 3]
    assert columns["img"].tolist() == [1, 1, 1, 1]
    assert columns["cat"].tolist() == [1, 1, 0, 1]
    assert columns["crowd"].tolist() == [False, False, False, True]
    assert columns["area"].tolist() == [70, 100, 90, 1]  # width times height where it is missing
    np.testing.assert_allclose(columns["iou"], [0.9, 50 / 150, 0.9, 0])
    np.testing.assert_allclose(columns["iou_same"], [50 / 150, 50 / 150, 0, 0])


def test_overlap_is_measured_with_classes_that_are_left_out(gt_file: Path) -> None:
    columns = ground_truth_columns(load_ground_truth(gt_file), np.array([3, 9]), np.array([5]))
    assert columns["id"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(columns["iou"], [0.9, 50 / 150, 0])


def test_no_ground_truth_at_all(gt_file: Path) -> None:
    columns = ground_truth_columns(load_ground_truth(gt_file), np.array([3]), np.array([5]))
    assert columns["box"].shape == (0, 4) and columns["crowd"].dtype == bool


def test_loading_is_silent(gt_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco = load_ground_truth(str(gt_file))
    assert load_ground_truth(coco) is coco
    assert capsys.readouterr().out == ""


def test_results(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([RESULT, {**RESULT, "score": 1}]))
    for source in ([RESULT, {**RESULT, "score": 1}], path, str(path)):
        images, cats, boxes, scores = read_results(source)
        assert images.tolist() == [3, 3] and cats.tolist() == [8, 8]
        assert boxes.tolist() == [[1, 2, 3, 4]] * 2 and scores.tolist() == [0.5, 1]
    assert read_results([])[2].shape == (0, 4)


@pytest.mark.parametrize(
    "broken",
    [
        {key: value for key, value in RESULT.items() if key != "score"},
        {**RESULT, "bbox": [1, 2, 3]},
        {**RESULT, "image_id": "a.png"},
        "text",
    ],
    ids=str,
)
def test_results_in_another_format(broken: Any) -> None:
    with pytest.raises(ValueError, match="COCO's results format"):
        read_results([RESULT, broken])


def test_chosen_ids_are_sorted_once_each_and_known() -> None:
    assert chosen_ids("img_ids", None, [4, 2], "image").tolist() == [2, 4]
    assert chosen_ids("img_ids", [4, 2, 4], [2, 4, 7], "image").tolist() == [2, 4]
    with pytest.raises(ValueError, match=r"img_ids: the ground truth has no image \[5\]"):
        chosen_ids("img_ids", [5], [2, 4], "image")
