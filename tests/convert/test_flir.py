"""FLIR ADAS in its three forms."""

import json

import numpy as np
import pytest
from helpers_convert import picture, text

from mmthermal.convert.flir import read_flir_v1, read_flir_v2


def coco(file_name, image_id=7, **image):
    return json.dumps(
        dict(
            images=[dict(id=image_id, file_name=file_name, width=64, height=48, **image)],
            annotations=[dict(id=0, image_id=image_id, category_id=3, bbox=[3, 4, 10, 20])],
            categories=[dict(id=i, name=f"c{i}") for i in range(1, 81)],
        )
    )  # fmt: skip


def test_version_2_with_8_and_16_bits(tmp_path) -> None:
    for folder in ("images_thermal_train", "images_thermal_val", "video_thermal_test"):
        picture(tmp_path / folder / "data" / "video-a-frame-000000-b.jpg")
        picture(tmp_path / folder / "analyticsData" / "video-a-frame-000000-b.tiff", np.uint16)
        content = coco("data/video-a-frame-000000-b.jpg", extra_info=dict(video_id="a"))
        text(tmp_path / folder / "coco.json", content)
    sets = read_flir_v2(tmp_path)
    assert [labels.split for labels in sets] == ["train", "val", "test"]
    image = sets[2].images[0]
    assert image.path == tmp_path / "video_thermal_test/data/video-a-frame-000000-b.jpg"
    assert (image.labels[0].name, image.sequence, image.size) == ("c3", "a", (64, 48))
    assert len(sets[0].names) == 80  # unused ones go when the file is written
    image = read_flir_v2(tmp_path, bits=16)[0].images[0]
    assert image.path == tmp_path / "images_thermal_train/analyticsData/video-a-frame-000000-b.tiff"
    with pytest.raises(ValueError, match="bits=12"):
        read_flir_v2(tmp_path, bits=12)


def test_version_1_3_with_texts_as_ids(tmp_path) -> None:
    for split in ("train", "val", "video"):
        picture(tmp_path / split / "thermal_8_bit" / "FLIR_00001.jpeg")
        content = coco("thermal_8_bit/FLIR_00001.jpeg", "FLIR_00001")
        text(tmp_path / split / "thermal_annotations.json", content)
    sets = read_flir_v1(tmp_path)
    assert [labels.split for labels in sets] == ["train", "val", "test"]
    assert sets[0].images[0].path == tmp_path / "train/thermal_8_bit/FLIR_00001.jpeg"
    image = read_flir_v1(tmp_path, bits=16)[0].images[0]
    assert image.path == tmp_path / "train/thermal_16_bit/FLIR_00001.tiff"


def test_the_first_release(tmp_path) -> None:
    for split in ("training", "validation"):
        picture(tmp_path / split / "PreviewData" / "FLIR_00001.jpeg")
        boxes = [
            dict(id=1, image_id=0, category_id="91", bbox=[3, 4, 10, 20], iscrowd="0"),
            dict(id=2, image_id=0, category_id=4, bbox=[3, 4, 10, 20]),
            dict(id=3, image_id=0, category_id="1", bbox=[5, 4, 10, 20], iscrowd="1"),
        ]
        content = dict(annotation=boxes, image=dict(file_name="FLIR_00001", width=64, height=48))
        text(tmp_path / split / "Annotations" / "FLIR_00001.json", json.dumps(content))
    train, val = read_flir_v1(tmp_path)
    assert (train.split, val.split) == ("train", "val")
    image = train.images[0]
    assert image.path == tmp_path / "training/PreviewData/FLIR_00001.jpeg"
    assert [(b.name, b.crowd) for b in image.labels] == [
        ("other vehicle", False),
        ("person", True),
    ]
    assert train.dropped == {"box of a class that is not listed": 1}
    assert read_flir_v1(tmp_path, 16)[0].images[0].path.parts[-2:] == ("Data", "FLIR_00001.tiff")


def test_other_folders_are_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="images_thermal_train"):
        read_flir_v2(tmp_path)
    with pytest.raises(FileNotFoundError, match="thermal_annotations"):
        read_flir_v1(tmp_path)
