"""Pictures of each split of a YOLO set."""

from pathlib import Path

import numpy as np
import pytest
from helpers_convert import picture, text

from mmthermal.convert.yolo import read_yolo
from mmthermal.convert.yolo_pictures import label_file, pictures_of_splits

COPY = ".npy beside the picture of its name, as ultralytics' cache=disk writes it"


def labelled(path: Path) -> Path:
    """A picture with a label file."""
    picture(path)
    text(label_file(path), "0 0.5 0.5 0.25 0.5\n")
    return path


def cvat(root: Path) -> dict[str, list[Path]]:
    """CVAT's YOLO 1.1."""
    found = {}
    for word in ("train", "valid"):
        places = [root / f"obj_{word}_data" / f"{word}{i}.png" for i in range(2)]
        lines = "".join(f"data/obj_{word}_data/{labelled(path).name}\n" for path in places)
        text(root / f"{word}.txt", lines)
        found[word.removesuffix("id")] = places
    text(root / "obj.names", "person\n")
    text(root / "obj.data", "classes = 1\ntrain = data/train.txt\nvalid = data/valid.txt\n")
    return found


def test_labels_lie_in_the_folder_beside_the_images_or_with_them(tmp_path) -> None:
    assert label_file(tmp_path / "images/a/1.png") == tmp_path / "images/a/1.txt"
    (tmp_path / "labels").mkdir()
    assert label_file(tmp_path / "images/a/1.png") == tmp_path / "labels/a/1.txt"


@pytest.mark.parametrize("yaml", ["", "train: images/train", "train: train.txt"])
def test_arrays_that_are_cached_beside_pictures_are_no_second_ones(tmp_path, yaml) -> None:
    path = labelled(tmp_path / "images/train/0.jpg")
    background = picture(tmp_path / "images/train/1.jpg")
    for name in "01":
        np.save(tmp_path / f"images/train/{name}.npy", np.zeros((48, 64, 3), np.uint8))
    np.save(tmp_path / "images/train/2.npy", np.zeros((48, 64), np.uint16))
    text(tmp_path / "labels/train/2.txt", "0 0.5 0.5 0.25 0.5\n")
    if yaml:
        text(tmp_path / "data.yaml", f"{yaml}\nnames: [person]\n")
        text(tmp_path / "train.txt", "".join(f"./images/train/{n}\n" for n in NAMES))
    (labels,) = read_yolo(tmp_path)
    array = tmp_path / "images/train/2.npy"
    assert [image.path for image in labels.images] == [path, background, array]
    assert labels.dropped[COPY] == 2
    assert labels.dropped.examples[COPY] == str(tmp_path / "images/train/0.npy")
    assert set(labels.dropped) == {COPY, "kept: image without a label file, as background"}


NAMES = ("0.jpg", "1.jpg", "2.npy")


def test_two_pictures_with_one_label_file_are_an_error(tmp_path) -> None:
    for name in ("0.jpg", "0.png", "1.jpg", "1.png", "2.jpg"):
        labelled(tmp_path / "images" / "train" / name)
    label = tmp_path / "images/train/0.txt"
    with pytest.raises(ValueError, match="2 label files belong to several pictures") as error:
        read_yolo(tmp_path)
    assert f"such as {str(label)!r} to 0.jpg and 0.png: keep one" in str(error.value)
    lists = "train: train.txt\nnames: [person]\n"
    text(tmp_path / "data.yaml", lists)  # the cure that it names
    text(tmp_path / "train.txt", "".join(f"images/train/{i}.jpg\n" for i in range(3)))
    (labels,) = read_yolo(tmp_path)
    assert [image.path.name for image in labels.images] == ["0.jpg", "1.jpg", "2.jpg"]
    assert labels.dropped == {"image in a folder that is no split": 2}


def test_an_array_that_is_no_picture_is_counted(tmp_path) -> None:
    labelled(tmp_path / "images/train/0.jpg")
    np.save(tmp_path / "images/train/embedding.npy", np.arange(5.0))
    (labels,) = read_yolo(tmp_path)
    assert len(labels.images) == 1 and labels.dropped == {"image that can't be read": 1}


def test_the_splits_of_cvat(tmp_path) -> None:
    expected = cvat(tmp_path)
    text(tmp_path / "test.txt", "0 0.5 0.5 0.25 0.5\n")  # labels of a picture, no list
    splits, dropped = pictures_of_splits(tmp_path, None)
    assert splits == expected and list(splits) == ["train", "val"] and dropped == {}
    assert [len(labels.images) for labels in read_yolo(tmp_path)] == [2, 2]
    extra = labelled(tmp_path / "obj_train_data" / "extra.png")
    _, dropped = pictures_of_splits(tmp_path, None)
    assert dropped.examples == {"image in a folder that is no split": str(extra)}


def test_lists_of_one_split_or_of_pictures_elsewhere_make_no_splits(tmp_path) -> None:
    every = sorted(path for paths in cvat(tmp_path).values() for path in paths)
    text(tmp_path / "valid.txt", "/home/them/1.png\n")
    splits, dropped = pictures_of_splits(tmp_path, None)
    assert splits == {"all": every}
    reason = "kept: all pictures as one split, as the list names none of them"
    assert dropped.examples == {reason: str(tmp_path / "valid.txt")}
    (tmp_path / "valid.txt").unlink()
    splits, dropped = pictures_of_splits(tmp_path, None)
    assert splits == {"all": every} and dropped == {}


def test_folders_of_splits_go_before_lists(tmp_path) -> None:
    path = labelled(tmp_path / "images/train/0.png")
    for word in ("train", "val"):
        text(tmp_path / f"{word}.txt", "images/train/0.png\n")
    assert pictures_of_splits(tmp_path, None)[0] == {"train": [path]}
