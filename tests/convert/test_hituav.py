"""The three forms of HIT-UAV."""

import json

import pytest
from helpers_convert import picture, text, voc

from mmthermal.convert.hituav import read_hituav

NAME = "0_100_30_0_03280"
CLASSES = ["Person", "Car", "Bicycle", "OtherVehicle", "DontCare"]


def check(sets) -> None:
    for labels in sets:
        assert labels.names == ("Person", "Car", "Bicycle", "OtherVehicle")
        assert [(b.name, b.box, b.crowd) for b in labels.images[0].labels] == [
            ("Car", (3, 4, 10, 20), False),
            ("DontCare", (20, 4, 16, 24), True),
        ]


def test_json(tmp_path) -> None:
    root = tmp_path / "normal_json"
    for split, name in (("train", "train"), ("val", "instances_val"), ("test", "test")):
        picture(root / split / f"{NAME}.jpg")
        content = dict(
            images=[dict(filename=f"{NAME}.jpg", height=48, width=64, id=5)],
            annotation=[
                dict(area=1, image_id=5, bbox=[3, 4, 10, 20], category_id=1, id=0),
                dict(area=1, image_id=5, bbox=[20, 4, 16, 24], category_id=4, id=1),
            ],
            categories=[dict(id=i, name=name) for i, name in enumerate(CLASSES)],
        )  # fmt: skip
        text(root / "annotations" / f"{name}.json", json.dumps(content))
    text(root / "annotations" / "log.json", "{}")
    sets = read_hituav(tmp_path)
    assert [labels.split for labels in sets] == ["train", "val", "test"]
    assert sets[1].images[0].path == root / "val" / f"{NAME}.jpg"
    check(sets)


def test_xml(tmp_path) -> None:
    root = tmp_path / "normal_xml"
    for i, split in enumerate(("train", "val")):
        picture(root / "JPEGImages" / f"{NAME}{i}.jpg")
        boxes = [("Car", 3, 4, 13, 24), ("DontCare", 20, 4, 36, 28)]
        text(root / "Annotations" / f"{NAME}{i}.xml", voc(boxes))
        text(root / "ImageSets" / "Main" / f"{split}.txt", f"{NAME}{i}\n")
    check(read_hituav(tmp_path))


def test_yolo(tmp_path) -> None:
    picture(tmp_path / "images" / "train" / f"{NAME}.jpg")
    lines = "1 0.125 0.2916666667 0.15625 0.4166666667\n4 0.4375 0.3333333333 0.25 0.5\n"
    text(tmp_path / "labels" / "train" / f"{NAME}.txt", lines)
    text(tmp_path / "dataset.yaml", f"train: images/train\nnames: {CLASSES}\n")
    (labels,) = read_hituav(tmp_path)
    assert [(b.name, b.crowd) for b in labels.images[0].labels] == [
        ("Car", False),
        ("DontCare", True),
    ]
    assert labels.images[0].labels[0].box == pytest.approx((3, 4, 10, 20))


def test_another_folder_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="normal_json"):
        read_hituav(tmp_path)


def test_crowd_regions_of_the_file_stay(tmp_path) -> None:
    picture(tmp_path / "train" / f"{NAME}.jpg")
    box = dict(id=1, image_id=5, bbox=[3, 4, 10, 20], category_id=1, iscrowd=1)
    content = dict(
        images=[dict(filename=f"{NAME}.jpg", height=48, width=64, id=5)],
        annotation=[box],
        categories=[dict(id=1, name="Car")],
    )
    text(tmp_path / "annotations" / "train.json", json.dumps(content))
    (labels,) = read_hituav(tmp_path)
    assert [(b.name, b.crowd) for b in labels.images[0].labels] == [("Car", True)]
