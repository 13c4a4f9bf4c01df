"""The layout of FLIR-aligned."""

import pytest
from helpers_convert import picture, text, voc

from mmthermal.convert.flir_aligned import read_flir_aligned


@pytest.mark.parametrize("lists", ["", "ImageSets/Main"])
@pytest.mark.parametrize("inner", ["", "align"])
def test_the_thermal_picture_of_each_pair(tmp_path, lists, inner) -> None:
    folder = tmp_path / inner
    for number, split in (("00002", "train"), ("08864", "validation")):
        stem = f"FLIR_{number}_PreviewData"
        picture(folder / "JPEGImages" / f"{stem}.jpeg")
        picture(folder / "JPEGImages" / f"FLIR_{number}_RGB.jpg")
        text(folder / "Annotations" / f"{stem}.xml", voc([("bicycle", 3, 4, 13, 24)]))
        text(folder / lists / f"align_{split}.txt", f"{stem}\n")
    train, val = read_flir_aligned(tmp_path)
    assert (train.split, val.split) == ("train", "val")
    assert [image.path.name for image in train.images] == ["FLIR_00002_PreviewData.jpeg"]
    assert [image.path.name for image in val.images] == ["FLIR_08864_PreviewData.jpeg"]
    assert train.images[0].labels[0].name == "bicycle"
