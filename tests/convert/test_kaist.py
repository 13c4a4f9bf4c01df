"""KAIST's layouts and its labels for groups and doubtful persons."""

import pytest
from helpers_convert import picture, text

from mmthermal.convert.kaist import read_kaist

TEXT = """% bbGt version=3
person 3 4 10 20 0 0 0 0 0 0 0
people 20 4 30 20 1 0 0 0 0 0 0
person? 3 24 10 20 0 0 0 0 0 0 0
cyclist 13 24 10 20 2 13 24 5 20 0 0
person 3 4 10 20 0 0 0 0 0 1 0
broken 1 2
"""
XML = "<annotation><object><name>person?</name><bndbox><x>3</x><y>4</y><w>10</w><h>20</h></bndbox>"


@pytest.mark.parametrize("images", ["images", ""])
def test_text_files_and_the_usual_split(tmp_path, images) -> None:
    for frame in ("set00/V000/I00001", "set06/V001/I00019"):
        video, name = frame.rsplit("/", 1)
        for band in ("lwir", "visible"):
            picture(tmp_path / images / video / band / f"{name}.jpg")
        text(tmp_path / "annotations" / f"{frame}.txt", TEXT)
    train, test = read_kaist(tmp_path)
    assert (train.split, test.split) == ("train", "test")
    image = train.images[0]
    assert image.path == tmp_path / images / "set00/V000/lwir/I00001.jpg"
    assert image.sequence == "set00/V000"
    assert [(b.name, b.crowd) for b in image.labels] == [
        ("person", False),
        ("people", True),
        ("person?", True),
        ("cyclist", False),
        ("person", True),
    ]
    assert image.labels[0].box == (3, 4, 10, 20)
    assert train.dropped == {"line that is not a label": 1}
    place = tmp_path / "annotations/set00/V000/I00001.txt"
    assert train.dropped.examples == {"line that is not a label": f"{place}, line 7"}


def test_lists_and_the_better_labels_go_first(tmp_path) -> None:
    picture(tmp_path / "images/set00/V000/lwir/I00001.jpg")
    text(tmp_path / "annotations/set00/V000/I00001.txt", TEXT)
    xml = tmp_path / "annotations-xml-new-sanitized/set00/V000/I00001.xml"
    text(xml, XML + "</object></annotation>")
    lists = {"mine": text(tmp_path / "imageSets/l.txt", "set00/V000/I00001\nset00/V000/I00002\n")}
    (labels,) = read_kaist(tmp_path, lists)
    assert [(b.name, b.crowd) for b in labels.images[0].labels] == [("person?", True)]
    assert labels.dropped == {"image without a label file": 1}


def test_a_byte_order_mark_takes_no_label(tmp_path) -> None:
    picture(tmp_path / "set00/V000/lwir/I00001.jpg")
    text(tmp_path / "annotations/set00/V000/I00001.txt", "\ufeffperson 3 4 10 20\n")
    (train,) = read_kaist(tmp_path)
    assert [label.name for label in train.images[0].labels] == ["person"]


def test_another_folder_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="annotations-xml-new"):
        read_kaist(tmp_path)


def test_pictures_may_be_png(tmp_path) -> None:
    there = picture(tmp_path / "set00/V000/lwir/I00001.png")
    text(tmp_path / "annotations/set00/V000/I00001.txt", TEXT)
    (train,) = read_kaist(tmp_path)
    assert train.images[0].path == there


def test_both_spellings_of_a_frame_in_a_list(tmp_path) -> None:
    for name in ("I00001", "I00002"):
        picture(tmp_path / f"images/set00/V000/lwir/{name}.jpg")
        text(tmp_path / f"annotations/set00/V000/{name}.txt", TEXT)
    path = text(tmp_path / "l.txt", "set00_V000_I00001\nset00/V000/I00002\n")
    (labels,) = read_kaist(tmp_path, {"mine": path})
    assert [image.path.stem for image in labels.images] == ["I00001", "I00002"]
    assert [image.sequence for image in labels.images] == ["set00/V000"] * 2


@pytest.mark.parametrize("name", ["I00002", "set00_V000", "set00-V000-I00002.jpg"])
def test_a_line_that_names_no_frame_is_said(tmp_path, name) -> None:
    picture(tmp_path / "images/set00/V000/lwir/I00001.jpg")
    text(tmp_path / "annotations/set00/V000/I00001.txt", TEXT)
    path = text(tmp_path / "l.txt", f"\nset00/V000/I00001\n{name}\n")
    where = rf"l\.txt, line 3: '{name.removesuffix('.jpg')}' names no frame: write lines such as"
    with pytest.raises(ValueError, match=where):
        read_kaist(tmp_path, {"mine": path})


def test_labels_of_a_picture_of_another_size_are_left_out(tmp_path) -> None:
    picture(tmp_path / "images/set00/V000/lwir/I00001.jpg")
    size = "<annotation><size><width>640</width><height>512</height></size>"
    content = XML.replace("<annotation>", size) + "</object></annotation>"
    text(tmp_path / "annotations-xml-new/set00/V000/I00001.xml", content)
    (train,) = read_kaist(tmp_path)
    (reason,) = train.dropped
    assert train.images == [] and "<size> is not its picture's" in reason
