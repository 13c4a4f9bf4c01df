"""YOLO's text files, with and without a YAML file."""

from pathlib import Path

import pytest
from helpers_convert import picture, text
from PIL import Image

from mmthermal.convert.yolo import parse_line, read_yolo

SIZE = (200, 100)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 0.5 0.5 0.1 0.2", ("car", (90, 40, 20, 20))),
        ("1 0.1 0.2 0.2 0.4", ("bus", (0, 0, 40, 40))),
        ("0 0.1 0.2 0.5 0.2 0.3 0.6", ("car", (20, 20, 80, 40))),  # a triangle
        ("0 0.5 0.5 0.1", None),
        ("0 0.5 0.5 0.1 0.2 0.9", None),  # a detection with its score
        ("car 0.5 0.5 0.1 0.2", None),
        ("0.5 0.5 0.5 0.1 0.2", None),
        ("-1 0.5 0.5 0.1 0.2", None),
        ("0 nan 0.5 0.1 0.2", None),
    ],
)
def test_lines(line, expected) -> None:
    label = parse_line(line, SIZE, {0: "car", 1: "bus"})
    if expected is None:
        assert label is None
    else:
        assert label.name == expected[0]
        assert label.box == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("tail", "keypoints", "box"),
    [
        ("", 4, (90, 40, 20, 20)),
        (" 0.9 0.9 0.1 0.1", 4, (90, 40, 20, 20)),
        (" 0.5 0.5 2" * 17, 51, (90, 40, 20, 20)),
        (" 0.9 0.9", 4, None),  # no polygon either
        (" 0.9 0.9 0.1 0.1", 0, (20, 10, 160, 80)),  # a polygon
        (" 0.5 0.5 2" * 17, 0, None),
    ],
)
def test_keypoints_behind_a_box(tail, keypoints, box) -> None:
    line = "0 0.5 0.5 0.1 0.2" + tail
    label = parse_line(line, SIZE, {0: "car"}, keypoints)
    assert (label and label.box) == (box and pytest.approx(box))


def test_a_pose_set_by_its_yaml_file(tmp_path) -> None:
    small(tmp_path, "train")
    lines = "0 0.5 0.5 0.25 0.5 0.9 0.9 0.1 0.1\n0 0.5 0.5 0.25 0.5 0.9 0.9\n"
    file = text(tmp_path / "labels" / "train" / "a.txt", lines)
    text(tmp_path / "data.yaml", "train: images/train\nnames: [car]\nkpt_shape: [2, 2]\n")
    (labels,) = read_yolo(tmp_path)
    assert [label.box for label in labels.images[0].labels] == [(24, 12, 16, 24)]
    assert labels.dropped.examples == {"line that is not a label": f"{file}, line 2"}


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.25 0.5 0.87", "0,0.5,0.5,0.25,0.5"])
def test_lines_that_are_no_labels_are_said_where_there_is_no_other(tmp_path, line) -> None:
    small(tmp_path, "train", "val")
    picture(tmp_path / "images" / "val" / "b.png")
    for split in ("train", "val"):
        text(tmp_path / "labels" / split / "a.txt", f"{line}\n{line}\n")
    first = tmp_path / "labels" / "train" / "a.txt"
    with pytest.raises(ValueError, match="can be read: expected lines of class") as error:
        read_yolo(tmp_path)
    assert str(error.value).endswith(
        f"; found: 4 × line that is not a label (first: {first}, line 1); 1 × image without a "
        f"label file, as background (first: {tmp_path / 'images/val/b.png'})"
    )


def small(root, *places):
    for place in places:
        picture(root / "images" / place / "a.png")
        text(root / "labels" / place / "a.txt", "0 0.5 0.5 0.25 0.5\n\n1 0.5 0.5 0.1 0.1\n")


def names(sets):
    return {
        labels.split: [label.name for i in labels.images for label in i.labels] for labels in sets
    }


@pytest.mark.parametrize("listed", ["names: [car, bus]", "names: {0: car, 1: bus}"])
def test_a_yaml_file_with_folders(tmp_path, listed) -> None:
    small(tmp_path, "train", "val")
    text(tmp_path / "data.yaml", f"path: .\ntrain: images/train\nval: [images/val]\n{listed}\n")
    sets = read_yolo(tmp_path)
    assert names(sets) == {"train": ["car", "bus"], "val": ["car", "bus"]}
    assert sets[0].names == ("car", "bus")
    assert sets[0].images[0].labels[0].box == (24, 12, 16, 24)


def test_a_yaml_file_with_a_list_of_images_and_roboflows_paths(tmp_path) -> None:
    small(tmp_path, "x")
    text(tmp_path / "train.txt", "images/x/a.png\n")
    picture(tmp_path / "valid" / "images" / "b.png")
    text(tmp_path / "valid" / "labels" / "b.txt", "0 0.5 0.5 0.25 0.5")
    text(tmp_path / "data.yaml", "train: train.txt\nval: ../valid/images\nnames: [car, bus]\n")
    assert names(read_yolo(tmp_path)) == {"train": ["car", "bus"], "val": ["car"]}


def test_without_a_yaml_file(tmp_path) -> None:
    small(tmp_path, "train", "test")
    text(tmp_path / "classes.txt", "car\nbus\n")
    assert names(read_yolo(tmp_path)) == {"train": ["car", "bus"], "test": ["car", "bus"]}


def test_boxes_of_a_turned_picture_are_those_of_the_upright_one(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (64, 48)).save(tmp_path / "a.jpg", exif=exif)
    text(tmp_path / "a.txt", "0 0.5 0.5 0.25 0.5")
    (image,) = read_yolo(tmp_path)[0].images
    assert (image.size, image.labels[0].box) == ((48, 64), (18, 16, 12, 32))


@pytest.mark.parametrize("word", ["val", "valid", "validation"])
@pytest.mark.parametrize("form", ["images/{}", "{}/images", "yaml"])
def test_every_name_of_the_val_split(tmp_path, word, form) -> None:
    for name in ("train", word):
        place = tmp_path / ("images/{}" if form == "yaml" else form).format(name)
        picture(place / "a.png")
        text(Path(str(place).replace("images", "labels")) / "a.txt", "0 0.5 0.5 0.25 0.5")
    if form == "yaml":
        lines = f"train: images/train\n{word}: images/{word}\nnames: [class0]\n"
        text(tmp_path / "data.yaml", lines)
    sets = read_yolo(tmp_path)
    assert names(sets) == {"train": ["class0"], "val": ["class0"]}
    assert [labels.dropped for labels in sets] == [{}, {}]


def test_two_folders_of_one_split_are_joined(tmp_path) -> None:
    small(tmp_path, "train", "val", "valid")
    assert [len(labels.images) for labels in read_yolo(tmp_path)] == [1, 2]
    lines = "train: images/train\nval: images/val\nvalid: [images/valid, images/val]\n"
    text(tmp_path / "data.yaml", lines + "names: [car, bus]\n")
    assert [len(labels.images) for labels in read_yolo(tmp_path)] == [1, 2]


def test_pictures_in_no_split_are_counted(tmp_path) -> None:
    small(tmp_path, "train", "extra")
    picture(tmp_path / "images" / "b.png")
    reason = "image in a folder that is no split"
    (labels,) = read_yolo(tmp_path)
    assert labels.dropped == {reason: 2}
    assert labels.dropped.examples == {reason: str(tmp_path / "images" / "b.png")}


def test_pictures_of_other_keys_of_a_yaml_file_are_counted(tmp_path) -> None:
    small(tmp_path / "set", "train", "extra", "more")
    picture(tmp_path / "set" / "images" / "b.png")
    picture(tmp_path / "far" / "c.png")
    text(tmp_path / "set" / "list.txt", "images/more/a.png\nimages/more/no.png\n")
    (tmp_path / "link").symlink_to(tmp_path / "set", target_is_directory=True)
    lines = [
        f"path: {tmp_path / 'link'}",
        "train: images/train",
        "minival: images/extra",
        "mini: [list.txt, ../far]",
        "whole: images",
        "nc: 2",
        "author: ''",
        f"note: {'long ' * 100}",
        "roboflow: {version: 1}",
        "names: [car, bus]",
    ]
    text(tmp_path / "set" / "data.yaml", "\n".join(lines))
    (labels,) = read_yolo(tmp_path / "set")
    assert labels.dropped == {
        "image of 'minival' in the YAML file, which is no split": 1,
        "image of 'mini' in the YAML file, which is no split": 2,
        "image of 'whole' in the YAML file, which is no split": 1,
    }


def test_text_beside_the_images(tmp_path) -> None:
    picture(tmp_path / "a.png")
    text(tmp_path / "a.txt", "0 0.5 0.5 0.25 0.5")
    assert names(read_yolo(tmp_path)) == {"all": ["class0"]}


def test_background_and_bad_lines_are_counted(tmp_path) -> None:
    small(tmp_path, "train")
    picture(tmp_path / "images" / "train" / "b.png")
    text(tmp_path / "images" / "train" / "c.png", "no picture")
    text(tmp_path / "labels" / "train" / "a.txt", "0 0.5 0.5 0.25 0.5\nx\n0 1\n")
    (labels,) = read_yolo(tmp_path)
    assert [len(image.labels) for image in labels.images] == [1, 0]
    assert labels.dropped == {
        "line that is not a label": 2,
        "kept: image without a label file, as background": 1,
        "image that can't be read": 1,
    }
    assert labels.dropped.examples == {
        "line that is not a label": f"{tmp_path / 'labels/train/a.txt'}, line 2",
        "kept: image without a label file, as background": f"{tmp_path / 'images/train/b.png'}",
        "image that can't be read": f"{tmp_path / 'images/train/c.png'}",
    }
    assert labels.images[0].labels[0].place == f"{tmp_path / 'labels/train/a.txt'}, line 1"


def test_a_class_number_without_a_name_is_an_error(tmp_path) -> None:
    """Where names are given; a class1 beside them would be trained as a class of its own."""
    small(tmp_path, "train")
    text(tmp_path / "data.yaml", "train: images/train\nnames: [car]\n")
    where = r"labels/train/a\.txt, line 3: class 1 has no name, .* 0 to 0: correct the label"
    with pytest.raises(ValueError, match=where):
        read_yolo(tmp_path)
    (tmp_path / "data.yaml").unlink()
    text(tmp_path / "classes.txt", "car\n")
    with pytest.raises(ValueError, match=where):
        read_yolo(tmp_path)


def test_a_byte_order_mark_takes_nothing(tmp_path) -> None:
    picture(tmp_path / "images" / "a.png")
    text(tmp_path / "labels" / "a.txt", "\ufeff0 0.5 0.5 0.25 0.5\n")
    text(tmp_path / "classes.txt", "\ufeffcar\n")
    assert names(read_yolo(tmp_path)) == {"all": ["car"]}
    text(tmp_path / "data.yaml", "\ufefftrain: l.txt\nnames: [bus]\n")
    text(tmp_path / "l.txt", "\ufeffimages/a.png\n")
    (labels,) = read_yolo(tmp_path)
    assert [label.name for label in labels.images[0].labels] == ["bus"]
    assert labels.dropped == {}


def test_errors(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="no image with a label file"):
        read_yolo(tmp_path)
    picture(tmp_path / "images" / "a.png")
    with pytest.raises(FileNotFoundError, match="no label"):
        read_yolo(tmp_path)
    text(tmp_path / "data.yaml", "train: images\n")
    with pytest.raises(ValueError, match="no 'names'"):
        read_yolo(tmp_path)
    text(tmp_path / "data.yaml", "train: nowhere\nnames: [car]\n")
    with pytest.raises(FileNotFoundError, match="'nowhere'"):
        read_yolo(tmp_path)
