"""Several files as one: nothing lost, ids anew, classes by name."""

import json

import pytest

from mmthermal.checking.annotations import DOUBTFUL, check_annotations
from mmthermal.convert.joining import read_joined
from mmthermal.convert.split import split_set


def coco(names, images, objects):
    """A file with images and objects of (image id, category id, left side of the box)."""
    return dict(
        info=dict(description=names[0]),
        images=[dict(id=i, file_name=name, width=96, height=64) for i, name in images],
        annotations=[
            dict(id=number, image_id=image, category_id=kind, bbox=[x, 5, 12, 18], area=216,
                 iscrowd=0)
            for number, (image, kind, x) in enumerate(objects, 1)
        ],
        categories=[dict(id=i, name=name) for i, name in enumerate(names, 1)],
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    """Two files with the same ids, and classes in another order."""
    contents = {
        "train": coco(
            ["person", "bicycle"], [(1, "w0_1.png"), (7, "w1_1.png")], [(1, 1, 3), (7, 2, 9)]
        ),
        "val": coco(
            ["bicycle", "car", "person"], [(1, "w0_2.png")], [(1, 1, 20), (1, 3, 40), (1, 2, 60)]
        ),
    }
    paths = [tmp_path / f"{name}.json" for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_text(json.dumps(content))
    return paths


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_joined_file_has_every_image_and_object_once(files) -> None:
    found = read_joined(files)
    assert [(row["id"], row["name"]) for row in found["categories"]] == [
        (1, "person"),
        (2, "bicycle"),
        (3, "car"),
    ]
    assert [(row["id"], row["file_name"]) for row in found["images"]] == [
        (1, "w0_1.png"),
        (2, "w1_1.png"),
        (3, "w0_2.png"),
    ]
    keys = ("id", "image_id", "category_id")
    rows = [(*(row[key] for key in keys), row["bbox"][0]) for row in found["annotations"]]
    assert rows == [(1, 1, 1, 3), (2, 2, 2, 9), (3, 3, 2, 20), (4, 3, 1, 40), (5, 3, 3, 60)]
    assert found["info"] == dict(description="person")


def test_a_single_file_stays_as_it_is(files) -> None:
    assert read_joined(files[:1]) == json.loads(files[0].read_text())


def test_folders_go_before_the_names(files) -> None:
    change(files[1], lambda content: content["images"][0].update(file_name="w0_1.png"))
    with pytest.raises(ValueError, match=r"both list 'w0_1\.png' \(1 such names\).*prefixes"):
        read_joined(files)
    found = read_joined(files, ["train/", "valid"])
    names = [row["file_name"] for row in found["images"]]
    assert names == ["train/w0_1.png", "train/w1_1.png", "valid/w0_1.png"]
    with pytest.raises(ValueError, match="1 for 2 files: give one for each"):
        read_joined(files, ["train"])


def test_a_class_that_is_not_listed_is_refused_in_one_of_several(files) -> None:

    def break_one(content):
        row = content["annotations"][0]
        many = [{**row, "id": i, "bbox": [i / 10, 5, 12, 18]} for i in range(1, 500)]
        content["annotations"] = [*many, {**row, "id": 500, "category_id": 99}]

    change(files[1], break_one)
    with pytest.raises(ValueError, match=r"val\.json has faults, see tools/check_data"):
        read_joined(files)
    assert read_joined(files[1:])["annotations"][-1]["category_id"] == 99


def test_an_image_that_is_not_listed_is_refused_in_one_of_several(files) -> None:
    change(files[1], lambda content: content["annotations"][0].update(image_id=99))
    with pytest.raises(ValueError, match=r"val\.json has faults.*unlisted image_id"):
        read_joined(files)
    assert read_joined(files[1:])["annotations"][0]["image_id"] == 99


@pytest.mark.parametrize("box", [[90, 5, 60, 18], [30, 5, -12, 18]])
def test_what_a_training_accepts_is_joined_and_split(files, tmp_path, box) -> None:
    """Boxes far over the border, and of a negative side, are errors of the check."""

    def widen(content):
        for row in content["annotations"][:2]:
            row["bbox"] = box

    change(files[1], widen)
    errors = {
        f.code
        for f in check_annotations(json.loads(files[1].read_text()), "val.json")
        if f.severity == "error"
    }
    assert errors and errors <= set(DOUBTFUL)
    assert read_joined(files)["annotations"][2]["bbox"] == box
    assert read_joined(files[1:])["annotations"][0]["bbox"] == box
    parts = split_set(files, tmp_path / "out", parts=dict(train=2, val=1))
    assert [part.figures["images"] for part in parts] == [2, 1]


def test_other_errors_are_refused(files) -> None:
    change(files[0], lambda content: content["annotations"][0].update(iscrowd="0"))
    with pytest.raises(ValueError, match=r"train\.json has faults"):
        read_joined(files[:1])


def test_nan_in_a_field_that_nothing_reads_is_refused_before_a_part_is_written(
    files, tmp_path
) -> None:
    change(files[1], lambda content: content["annotations"][2].update(heat=float("nan")))
    with pytest.raises(ValueError, match=r"val\.json': annotations\[2\]\.heat is nan"):
        split_set(files, tmp_path / "out", parts=dict(train=2, val=1))
    assert not (tmp_path / "out").exists()


def test_without_files_there_is_nothing_to_join() -> None:
    with pytest.raises(ValueError, match="at least one file"):
        read_joined([])


def test_a_walk_that_lay_in_two_splits_is_in_one_afterwards(files, tmp_path) -> None:
    split_set(files, tmp_path / "out", prefixes=["train", "valid"], parts=dict(train=2, val=1))
    parts = [
        json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("train", "val")
    ]
    names = [sorted(image["file_name"] for image in part["images"]) for part in parts]
    assert names == [["train/w0_1.png", "valid/w0_2.png"], ["train/w1_1.png"]]
    before = [path.read_bytes() for path in files]
    with pytest.raises(ValueError, match="is an input"):
        split_set(files, tmp_path, parts=dict(val=2, rest=1), overwrite=True)
    assert [path.read_bytes() for path in files] == before
