"""The layout of IPHD, as readers of others have it."""

import numpy as np
import pytest
from helpers_convert import picture, text

from mmthermal.convert.iphd import read_iphd


def test_thermal_pictures_with_yolo_labels(tmp_path) -> None:
    name = "vid00161_YrRitw9Q_00012"
    for place in ("thermal/train", "thermal/valid", "depth/train"):
        picture(tmp_path / place / "images" / f"{name}.png", np.uint16)
        text(tmp_path / place / "labels" / f"{name}.txt", "0 0.5 0.5 0.25 0.5\nbroken\n")
    picture(tmp_path / "thermal/train/images" / "vid00001_00000.png", np.uint16)
    train, val = read_iphd(tmp_path)
    assert (train.split, val.split) == ("train", "val")
    (image,) = train.images
    assert image.path == tmp_path / "thermal/train/images" / f"{name}.png"
    assert image.sequence == "vid00161_YrRitw9Q"
    assert [(b.name, b.box) for b in image.labels] == [("person", (24, 12, 16, 24))]
    assert train.dropped == {"line that is not a label": 1, "image without a label file": 1}
    assert train.dropped.examples["line that is not a label"].endswith(f"{name}.txt, line 2")


def test_another_folder_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="'labels' beside"):
        read_iphd(tmp_path)


def test_folders_may_be_links(tmp_path) -> None:
    picture(tmp_path / "disk" / "images" / "vid00001_00000.png", np.uint16)
    text(tmp_path / "disk" / "labels" / "vid00001_00000.txt", "0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train").symlink_to(tmp_path / "disk")
    (train,) = read_iphd(tmp_path / "set")
    assert [image.path.name for image in train.images] == ["vid00001_00000.png"]
