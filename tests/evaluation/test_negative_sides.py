"""Ground truths of a negative side: left out and counted, as mmdet's data sets leave them out."""

import json
from pathlib import Path

import pytest
from mmdet.datasets import CocoDataset
from mmengine.registry import init_default_scope
from pycocotools.coco import COCO

from mmthermal.evaluation import MatchTable, OverlapCocoMetric, average_precision
from mmthermal.evaluation.negative_sides import say_left_out, with_sides

GOOD, THIN = [10.0, 10.0, 20.0, 30.0], [60.0, 10.0, 0.0, 20.0]
BAD = ([30.0, 10.0, -20.0, 30.0], [10.0, 40.0, 20.0, -30.0], [30.0, 40.0, -20.0, -30.0])


pytestmark = pytest.mark.usefixtures("said")


def annotation(number: int, bbox: list[float]) -> dict:
    area = abs(bbox[2] * bbox[3])
    return dict(id=number, image_id=1, category_id=1, bbox=bbox, area=area, iscrowd=0)


def file_of(folder: Path, *boxes: list[float]) -> Path:
    content = dict(
        images=[dict(id=1, file_name="1.png", width=96, height=64)],
        annotations=[annotation(i, box) for i, box in enumerate(boxes, 1)],
        categories=[dict(id=1, name="person")],
    )
    path = folder / "val.json"
    path.write_text(json.dumps(content))
    return path


DETECTION = dict(image_id=1, category_id=1, bbox=GOOD, score=0.9)


@pytest.mark.parametrize("bad", BAD)
def test_only_a_negative_side_is_left_out(bad: list[float]) -> None:
    left_out: list[dict] = []
    rows = [annotation(1, GOOD), annotation(2, bad), annotation(3, THIN)]
    assert with_sides(rows, left_out) == [rows[0], rows[2]]
    assert left_out == [rows[1]]


@pytest.mark.parametrize("box", [None, [], [1, 2, None, 3], "1234", [0, 0, float("nan"), 1]])
def test_what_is_no_box_is_left_to_other_checks(box: object) -> None:
    left_out: list[dict] = []
    assert with_sides([dict(id=1, bbox=box), dict(id=2)], left_out)[0]["bbox"] is box
    assert left_out == []


def test_it_is_said_once_with_the_number_and_the_file(said: list[str]) -> None:
    say_left_out([], "a.json")
    assert said == []
    for _ in range(2):
        say_left_out([annotation(7, BAD[0]), annotation(8, BAD[1])], "a.json")
    (line,) = said
    assert line.startswith("a.json: 2 of the annotations have a negative width or height")
    assert "annotation 7 with bbox [30.0, 10.0, -20.0, 30.0]" in line


@pytest.mark.parametrize("load", [str, COCO])
def test_figures_are_those_without_it(load: type, tmp_path: Path, said: list[str]) -> None:
    table = MatchTable.from_coco(load(str(file_of(tmp_path, GOOD, *BAD))), [DETECTION])
    assert (table.num_gts(), average_precision(table, "all")) == (1, pytest.approx(1))
    assert len(said) == 1 and "3 of the annotations" in said[0]


def test_a_box_of_no_width_counts_as_for_coco(tmp_path: Path, said: list[str]) -> None:
    table = MatchTable.from_coco(file_of(tmp_path, GOOD, THIN), [DETECTION])
    assert table.num_gts() == 2
    assert said == []


def test_the_metric_goes_on_and_the_data_set_leaves_out_the_same(
    tmp_path: Path, said: list[str]
) -> None:
    init_default_scope("mmdet")
    path = file_of(tmp_path, GOOD, BAD[0])
    info = CocoDataset(
        ann_file=str(path), data_prefix=dict(img=""), metainfo=dict(classes=("person",))
    ).get_data_info(0)
    assert [i["bbox"] for i in info["instances"]] == [[10.0, 10.0, 30.0, 40.0]]
    metric = OverlapCocoMetric(ann_file=str(path))
    metric.dataset_meta = dict(classes=("person",))
    prediction = dict(img_id=1, bboxes=[[10.0, 10.0, 30.0, 40.0]], scores=[0.9], labels=[0])
    figures = metric.compute_metrics([({}, prediction)])
    assert figures["bbox_mAP"] == 1.0
    assert len(said) == 1 and "1 of the annotations" in said[0]
