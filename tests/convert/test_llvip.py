"""LLVIP's layout."""

import pytest
from helpers_convert import picture, text, voc

from mmthermal.convert.llvip import read_llvip


def test_the_infrared_pictures_with_the_labels_of_one_folder(tmp_path) -> None:
    for split, name in (("train", "010001"), ("test", "190001")):
        picture(tmp_path / "infrared" / split / f"{name}.jpg")
        picture(tmp_path / "visible" / split / f"{name}.jpg")
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("person", 3, 4, 13, 24)]))
    train, test = read_llvip(tmp_path)
    assert (train.split, test.split) == ("train", "test")
    assert [image.path for image in train.images] == [tmp_path / "infrared/train/010001.jpg"]
    assert train.images[0].labels[0].box == (3, 4, 10, 20)
    assert train.dropped == test.dropped == {}


def test_labels_whose_picture_is_in_neither_folder_are_counted(tmp_path) -> None:
    for split, name in (("train", "010001"), ("test", "190001")):
        picture(tmp_path / "infrared" / split / f"{name}.jpg")
    for name in ("010001", "190001", "190002", "190003"):
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("person", 3, 4, 13, 24)]))
    train, test = read_llvip(tmp_path)
    assert train.dropped == {}
    reason = "label file without an image in train or test"
    assert test.dropped == {reason: 2}
    assert test.dropped.examples == {reason: str(tmp_path / "Annotations" / "190002.xml")}


def test_another_folder_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="Annotations"):
        read_llvip(tmp_path)
