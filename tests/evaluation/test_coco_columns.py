"""Reading COCO's formats into columns."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from mmthermal.evaluation.coco_columns import (
    chosen_ids,
    detection_columns,
    ground_truth_columns,
    is_crowd,
    keep_best,
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


@pytest.mark.parametrize(
    ("flags", "crowd"),
    [
        ({}, False),
        ({"iscrowd": 0, "ignore": 0}, False),
        ({"ignore": False}, False),
        ({"iscrowd": 1}, True),
        ({"iscrowd": 0, "ignore": 1}, True),
        ({"ignore": True}, True),
    ],
)
def test_what_is_a_crowd_region(gt_file: Path, flags: dict[str, Any], crowd: bool) -> None:
    content = json.loads(gt_file.read_text())
    content["annotations"][1].pop("iscrowd")
    content["annotations"][1].update(flags)
    gt_file.write_text(json.dumps(content))
    assert is_crowd(content["annotations"][1]) is crowd
    columns = ground_truth_columns(load_ground_truth(gt_file), np.array([9]), np.array([2, 5]))
    assert columns["crowd"].tolist() == [False, crowd, False, True]
    assert (columns["iou"][1] == 0) == crowd  # covers nothing
    assert (columns["iou_same"][0] == 0) == crowd


def test_no_ground_truth_at_all(gt_file: Path) -> None:
    columns = ground_truth_columns(load_ground_truth(gt_file), np.array([3]), np.array([5]))
    assert columns["box"].shape == (0, 4) and columns["crowd"].dtype == bool


def test_loading_is_silent(gt_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco = load_ground_truth(str(gt_file))
    assert load_ground_truth(coco) is coco
    assert capsys.readouterr().out == ""


def test_a_file_is_loaded_as_pycocotools_loads_it(gt_file: Path) -> None:
    coco, theirs = load_ground_truth(gt_file), COCO(str(gt_file))
    assert coco.imgs == theirs.imgs and coco.cats == theirs.cats
    without_flags = {i: {**ann, "iscrowd": 0} | theirs.anns[i] for i, ann in theirs.anns.items()}
    assert coco.anns == without_flags and set(coco.imgToAnns) == set(theirs.imgToAnns)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ('{"images": [], "annotations": []}', ValueError, "no list 'categories': give COCO"),
        ("[]", ValueError, "no list 'images'"),
        ("{", ValueError, "annotation file '.*a.json' is not valid JSON"),
        (None, FileNotFoundError, "annotation file '.*a.json' does not exist"),
    ],
)
def test_a_file_that_is_not_coco(
    tmp_path: Path, content: str | None, error: type, message: str
) -> None:
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    with pytest.raises(error, match=message):
        load_ground_truth(tmp_path / "a.json")


def test_detections_of_the_chosen_images_and_classes(gt_file: Path) -> None:
    boxes = np.arange(12.0).reshape(3, 4)
    columns = detection_columns(
        load_ground_truth(gt_file),
        np.array([9, 3, 9]),
        np.array([5, 5, 2]),
        boxes,
        np.array([0.5, 0.25, 1.0]),
        img_ids=np.array([3, 9]),
        cat_ids=np.array([5]),
    )
    assert columns["img"].tolist() == [1, 0] and columns["cat"].tolist() == [0, 0]
    assert columns["score"].tolist() == [0.5, 0.25]
    np.testing.assert_array_equal(columns["box"], boxes[:2])


@pytest.mark.parametrize("seed", range(5))
def test_the_best_detections_are_those_of_a_plain_sort(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num = 60
    dets = {
        "img": rng.integers(0, 4, num),
        "cat": rng.integers(0, 3, num),
        "box": rng.random((num, 4)),
        "score": rng.integers(0, 5, num) / 5,
    }
    expected = []
    for cat in range(3):
        rows = []
        for img in range(4):
            own = [i for i in range(num) if (dets["img"][i], dets["cat"][i]) == (img, cat)]
            own.sort(key=lambda i: -dets["score"][i])
            rows += [(i, rank) for rank, i in enumerate(own[:4])]
        expected += sorted(rows, key=lambda row: -dets["score"][row[0]])
    kept = keep_best(dets, num_classes=3, max_dets=4)
    assert kept["rank"].tolist() == [rank for _, rank in expected]
    for name, column in dets.items():
        np.testing.assert_array_equal(kept[name], column[[i for i, _ in expected]])


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
        {**RESULT, "image_id": 1.7},
        "text",
    ],
    ids=str,
)
def test_results_in_another_format(broken: Any) -> None:
    with pytest.raises(ValueError, match="COCO's results format"):
        read_results([RESULT, broken])


@pytest.mark.parametrize("box", [[1, 2], [1, 2, 3, 4, 5, 6, 7, 8], 1])
def test_boxes_of_other_than_four_numbers(box: Any) -> None:
    with pytest.raises(ValueError, match="COCO's results format"):
        read_results([{**RESULT, "bbox": box}] * 2)


def test_chosen_ids_are_sorted_once_each_and_known() -> None:
    assert chosen_ids("img_ids", None, [4, 2], "image").tolist() == [2, 4]
    assert chosen_ids("img_ids", [4, 2, 4], [2, 4, 7], "image").tolist() == [2, 4]
    with pytest.raises(ValueError, match=r"img_ids: the ground truth has no image \[5\]"):
        chosen_ids("img_ids", [5], [2, 4], "image")
