"""Labels as COCO's records, with a count of what was left out."""

import contextlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers_checking import codes
from helpers_convert import picture
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmengine.structures import InstanceData
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmthermal.checking.annotations import check_annotations
from mmthermal.convert.labels import Label, LabelledImage, LabelSet
from mmthermal.convert.to_coco import Classes, to_coco


def one(tmp_path: Path, *labels: Label, classes: Classes | None = None):
    image = LabelledImage(picture(tmp_path / "f" / "a.png"), labels, sequence="s1")
    sets = [LabelSet("train", [image])]
    classes = classes or Classes()
    return to_coco(sets[0], tmp_path, classes.order(sets), classes)


def test_a_box_becomes_a_record_that_the_check_accepts(tmp_path) -> None:
    content, counts = one(tmp_path, Label("car", (1.5, 2, 10, 20.25)), Label("bus", (30, 2, 9, 9)))
    assert content["images"] == [
        dict(id=1, file_name="f/a.png", width=64, height=48, sequence="s1")
    ]
    assert content["categories"] == [dict(id=1, name="bus"), dict(id=2, name="car")]
    assert content["annotations"][0] == dict(
        id=1, image_id=1, category_id=2, bbox=[1.5, 2, 10, 20.25], area=202.5, iscrowd=0
    )
    assert counts == {}
    assert codes(check_annotations(content, "a")) == {"rare-classes": "note"}


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((5, 5, 0, 9), "box without area"),
        ((5, 5, -4, 9), "box without area"),
        ((float("nan"), 5, float("nan"), 9), "box without area"),
        ((70, 5, 9, 9), "box with less than a pixel inside its image"),
        ((63.5, 5, 9, 9), "box with less than a pixel inside its image"),
    ],
)
def test_what_is_left_out_is_counted(tmp_path, box, reason) -> None:
    content, counts = one(tmp_path, Label("car", box), Label("car", (1, 1, 5, 5)))
    assert len(content["annotations"]) == 1
    assert counts == {reason: 1}
    assert counts.examples == {reason: str(tmp_path / "f" / "a.png")}


def test_boxes_are_clipped_at_the_border(tmp_path) -> None:
    content, counts = one(tmp_path, Label("car", (-5, 40, 20, 20)))
    assert content["annotations"][0]["bbox"] == [0, 40, 15, 8]
    assert content["annotations"][0]["area"] == 120
    assert counts == {"kept: box clipped at the border": 1}


def test_classes_are_renamed_chosen_and_ignored(tmp_path) -> None:
    labels = [Label(name, (1, 1, 5, 5)) for name in ("Car", "Van", "DontCare", "Dog")]
    classes = Classes(("vehicle",), {"Car": "vehicle", "Van": "vehicle"}, ("DontCare",))
    content, counts = one(tmp_path, *labels, classes=classes)
    assert content["categories"] == [dict(id=1, name="vehicle")]
    assert [(a["category_id"], a["iscrowd"]) for a in content["annotations"]] == [
        (1, 0),
        (1, 0),
        (1, 1),
    ]
    assert counts == {
        "box of class 'Dog', which is not asked for": 1,
        "kept: box as a crowd region": 1,
    }


def test_a_class_of_crowd_regions_alone_is_none(tmp_path) -> None:
    """Nothing could be learnt of it; asked for by name it is kept."""
    labels = [Label("Car", (1, 1, 5, 5)), Label("DontCare", (9, 9, 5, 5), crowd=True)]
    content, _ = one(tmp_path, *labels)
    assert [category["name"] for category in content["categories"]] == ["Car"]
    assert [row["iscrowd"] for row in content["annotations"]] == [0, 1]
    content, _ = one(tmp_path, *labels, classes=Classes(("DontCare", "Car")))
    assert [category["name"] for category in content["categories"]] == ["DontCare", "Car"]


def test_a_crowd_region_of_no_listed_class_is_one_for_each_class(tmp_path) -> None:
    """COCO's evaluation ignores detections of a region's own class only."""
    boxes = [Label("Car", (1, 1, 5, 5)), Label("Person", (9, 9, 5, 5)), Label("Car", (1, 9, 5, 5))]
    boxes[2] = replace(boxes[2], crowd=True)
    region = Label("DontCare", (20, 20, 20, 20), place="a.txt, line 4")
    content, counts = one(tmp_path, *boxes, region, classes=Classes(ignore=("DontCare",)))
    crowd = [(a["category_id"], a["bbox"]) for a in content["annotations"] if a["iscrowd"]]
    assert crowd == [(1, [1, 9, 5, 5]), (1, [20, 20, 20, 20]), (2, [20, 20, 20, 20])]
    assert [a["id"] for a in content["annotations"]] == [1, 2, 3, 4, 5]
    written = "kept: crowd region of no listed class, written once for each class"
    assert counts == {"kept: box as a crowd region": 2, written: 1}
    assert counts.examples[written] == "a.txt, line 4"
    assert "duplicate-box" not in codes(check_annotations(content, "a"))
    found = [
        dict(image_id=1, category_id=1, bbox=[1, 1, 5, 5], score=0.5),
        dict(image_id=1, category_id=2, bbox=[9, 9, 5, 5], score=0.5),
        *(dict(image_id=1, category_id=c, bbox=[22, 22, 9, 9], score=0.9) for c in (1, 2)),
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = content
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(found), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    assert judge.stats[1] == pytest.approx(1)  # no detection in the region is a false alarm


def test_training_ignores_a_region_that_is_there_twice_as_one() -> None:
    """Assigners take the largest overlap with a region, so that copies change nothing."""
    priors = torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 30], [22, 22, 60, 60], [40, 0, 50, 9]])
    objects = InstanceData(bboxes=priors[:1] + 1.0, labels=torch.zeros(1, dtype=torch.long))
    region = torch.tensor([[18.0, 18, 40, 40]])
    for candidates in (True, False):
        assigner = MaxIoUAssigner(0.5, 0.4, ignore_iof_thr=0.5, ignore_wrt_candidates=candidates)
        one, two = (
            assigner.assign(
                InstanceData(priors=priors), objects, InstanceData(bboxes=region.repeat(n, 1))
            ).gt_inds.tolist()
            for n in (1, 2)
        )
        assert one == two and -1 in one


def test_crowd_regions_without_any_class_are_counted(tmp_path) -> None:
    content, counts = one(tmp_path, Label("DontCare", (9, 9, 5, 5), crowd=True))
    assert (content["annotations"], content["categories"]) == ([], [])
    assert counts == {"crowd region, without a class to write it for": 1}


def test_a_class_that_does_not_occur_is_an_error(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"'bus'.*the labels have 'car'"):
        one(tmp_path, Label("car", (1, 1, 5, 5)), classes=Classes(("bus",)))


@pytest.mark.parametrize(
    "classes",
    [
        Classes(ignore=("dontcare",)),
        Classes(rename={"dontcare": "car"}),
        Classes(("car",), {"dontcare": "car"}),
        Classes(rename={"DontCare": "rest"}, ignore=("DontCare",)),  # its name is rest by then
    ],
)
def test_a_class_to_rename_or_ignore_that_does_not_occur_is_an_error(tmp_path, classes) -> None:
    labels = [Label("car", (1, 1, 5, 5)), Label("DontCare", (9, 9, 5, 5))]
    with pytest.raises(ValueError, match=r"'(?i:dontcare)': the labels have '\w+', '\w+'"):
        one(tmp_path, *labels, classes=classes)


def test_the_place_of_a_label_is_the_example(tmp_path) -> None:
    label = Label("car", (5, 5, 0, 9), place="a.txt, line 3")
    _, counts = one(tmp_path, label, Label("car", (1, 1, 5, 5)))
    assert counts.examples == {"box without area": "a.txt, line 3"}


def test_missing_and_broken_pictures_are_counted(tmp_path) -> None:
    (tmp_path / "b.png").write_text("no picture")
    labels = LabelSet(
        "train",
        [
            LabelledImage(tmp_path / "no.png", size=(64, 48)),
            LabelledImage(tmp_path / "no.png"),
            LabelledImage(tmp_path / "b.png"),
        ],
    )
    content, counts = to_coco(labels, tmp_path, (), Classes())
    assert content["images"] == []
    assert counts == {"image that does not exist": 1, "image that can't be read": 2}


def test_rounding_at_the_border_is_no_clipping(tmp_path) -> None:
    """Such as that of YOLO's shares of the width."""
    content, counts = one(tmp_path, Label("car", (-1e-9, 4, 64 + 2e-9, 20)))
    assert content["annotations"][0]["bbox"] == [0, 4, 64, 20]
    assert counts == {}
