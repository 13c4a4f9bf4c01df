"""M3FD's layout."""

import pytest
from helpers_convert import picture, text, voc

from mmthermal.convert.m3fd import read_m3fd


@pytest.fixture
def root(tmp_path):
    for name in ("00000", "00001"):
        picture(tmp_path / "Ir" / f"{name}.png")
        picture(tmp_path / "Vis" / f"{name}.png")
        text(tmp_path / "Annotation" / f"{name}.xml", voc([("People", 3, 4, 13, 24)]))
    return tmp_path


def test_one_split_without_lists(root) -> None:
    (labels,) = read_m3fd(root)
    assert (labels.split, len(labels.images)) == ("all", 2)
    assert {image.path.parent.name for image in labels.images} == {"Ir"}


def test_lists_of_meta_and_given_ones(root) -> None:
    text(root / "meta" / "train.txt", "00000.png\n")
    text(root / "meta" / "val.txt", "00001.png\n")
    assert [labels.split for labels in read_m3fd(root)] == ["train", "val"]
    (labels,) = read_m3fd(root, {"mine": root / "meta" / "val.txt"})
    assert [image.path.name for image in labels.images] == ["00001.png"]
