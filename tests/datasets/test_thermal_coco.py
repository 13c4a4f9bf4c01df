"""ThermalCocoDataset: classes from the file, and one clear error for each broken input."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers_data import CLASSES, write_coco
from mmdet.registry import DATASETS

from mmthermal.datasets import ThermalCocoDataset
from mmthermal.datasets.thermal_coco import read_categories


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "data", splits={"train": 5})


def build(root: Path, **kwargs: Any) -> ThermalCocoDataset:
    return DATASETS.build(
        dict(
            type="ThermalCocoDataset",
            data_root=f"{root}/",
            ann_file="annotations/train.json",
            data_prefix=dict(img="train/"),
            pipeline=[],
            **kwargs,
        )
    )


def edit(root: Path, change: Callable[[dict], object]) -> None:
    path = root / "annotations" / "train.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_classes_come_from_the_file_by_category_id(root: Path) -> None:
    dataset = build(root)
    assert dataset.metainfo["classes"] == CLASSES
    assert len(dataset) == 5
    content = json.loads((root / "annotations" / "train.json").read_text())
    expected = [a["category_id"] - 1 for a in content["annotations"] if a["image_id"] == 1]
    assert [i["bbox_label"] for i in dataset[0]["instances"]] == expected
    first = content["annotations"][0]["bbox"]
    x, y, w, h = first
    assert dataset[0]["instances"][0]["bbox"] == [x, y, x + w, y + h]
    assert Path(dataset[0]["img_path"]) == root / "train" / "000.png"


def test_category_ids_may_have_gaps(root: Path) -> None:
    def change(content: dict) -> None:
        for thing in (*content["categories"], *content["annotations"]):
            key = "category_id" if "bbox" in thing else "id"
            thing[key] = thing[key] * 10 + 7

    before = [[i["bbox_label"] for i in build(root)[k]["instances"]] for k in range(5)]
    edit(root, change)
    after = build(root)
    assert [[i["bbox_label"] for i in after[k]["instances"]] for k in range(5)] == before


def test_metainfo_chooses_classes(root: Path) -> None:
    dataset = build(root, metainfo=dict(classes=("person", "bicycle")))
    assert dataset.metainfo["classes"] == ("person", "bicycle")
    assert len(dataset.metainfo["palette"]) == 2
    content = json.loads((root / "annotations" / "train.json").read_text())
    wanted = [a["category_id"] for a in content["annotations"] if a["category_id"] != 2]
    labels = [i["bbox_label"] for k in range(5) for i in dataset[k]["instances"]]
    assert labels == [{1: 0, 3: 1}[k] for k in wanted] and len(set(labels)) == 2
    one = build(root, metainfo=dict(classes="vehicle"))
    assert one.metainfo["classes"] == ("vehicle",)


def test_another_order_than_the_files_is_refused(root: Path) -> None:
    """mmdet would number the labels in the file's order and name them in the other."""
    with pytest.raises(ValueError, match=r"order \('person', 'bicycle'\), the classes are"):
        build(root, metainfo=dict(classes=("bicycle", "person")))
    edit(root, lambda c: c["categories"].reverse())
    with pytest.raises(ValueError, match="Sort the file's categories by id, or set metainfo"):
        build(root)
    dataset = build(root, metainfo=dict(classes=CLASSES[::-1]))
    content = json.loads((root / "annotations" / "train.json").read_text())
    names = [dataset.metainfo["classes"][i["bbox_label"]] for i in dataset[0]["instances"]]
    ids = [a["category_id"] for a in content["annotations"] if a["image_id"] == 1]
    assert names == [CLASSES[k - 1] for k in ids]


def test_images_without_objects_are_kept_or_dropped_as_asked(root: Path) -> None:
    assert len(build(root, filter_cfg=dict(filter_empty_gt=False))) == 5
    assert len(build(root, filter_cfg=dict(filter_empty_gt=True))) == 4


def test_more_classes_than_colours(root: Path) -> None:
    def change(content: dict) -> None:
        content["categories"] += [dict(id=k, name=f"c{k}") for k in range(4, 31)]

    edit(root, change)
    dataset = build(root)
    assert len(dataset.metainfo["palette"]) == len(dataset.metainfo["classes"]) == 30


def test_unknown_class_is_refused_with_the_files_own(root: Path) -> None:
    with pytest.raises(ValueError, match="'car'.*categories are 'person', 'vehicle', 'bicycle'"):
        build(root, metainfo=dict(classes=("person", "car")))


def test_missing_annotation_file(root: Path) -> None:
    (root / "annotations" / "train.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"train\.json doesn't exist.*data_root"):
        build(root)


def test_missing_data_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere/annotations/train.json doesn't exist"):
        build(tmp_path / "nowhere")


def test_missing_image_folder(root: Path) -> None:
    (root / "train").rename(root / "images")
    with pytest.raises(FileNotFoundError, match=r"image folder .*train/? doesn't exist.*img"):
        build(root)


@pytest.mark.parametrize("text", ['{"images": [', "\x00\x01", "<html>"])
def test_file_that_is_no_json(root: Path, text: str) -> None:
    (root / "annotations" / "train.json").write_text(text)
    with pytest.raises(ValueError, match="train.json is no JSON file"):
        build(root)


def test_file_that_is_no_text(root: Path) -> None:
    (root / "annotations" / "train.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match="train.json is no JSON file"):
        build(root)


def drop(section: str, key: str) -> Callable[[dict], object]:
    return lambda content: content[section][1].pop(key)


def put(section: str, key: str, value: object) -> Callable[[dict], object]:
    return lambda content: content[section][1].update({key: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("categories"), "no COCO detection file: it lacks categories"),
        (lambda c: c.pop("images"), "it lacks images"),
        (lambda c: c["categories"].clear(), "has no categories"),
        (drop("images", "file_name"), "image .* lacks 'file_name'"),
        (drop("images", "height"), "image .* lacks 'height'"),
        (drop("categories", "name"), "category .* lacks 'name'"),
        (drop("annotations", "bbox"), "annotation .* lacks 'bbox'"),
        (drop("annotations", "area"), "annotation .* lacks 'area'"),
        (drop("annotations", "iscrowd"), "annotation .* lacks 'iscrowd'"),
        (put("annotations", "category_id", 9), "annotation 2 has category_id 9, which is not"),
        (put("annotations", "image_id", 99), "annotation 2 has image_id 99, which is not"),
        (put("annotations", "bbox", [1, 2, 3]), r"annotation 2 has bbox \[1, 2, 3\], expected"),
        (put("annotations", "bbox", [1, 2, float("nan"), 4]), "annotation 2 has bbox .*nan"),
        (put("annotations", "bbox", [1, 2, "3", 4]), "annotation 2 has bbox"),
        (put("annotations", "bbox", [9, 9, -3, 4]), "annotation 2 has bbox .*negative"),
        (put("annotations", "bbox", None), "annotation 2 has bbox None"),
        (lambda c: c.update(annotations=[3]), "no COCO detection file"),
        (lambda c: c.update(images=None), "no COCO detection file"),
    ],
)
def test_broken_annotations(root: Path, change: Callable[[dict], object], message: str) -> None:
    edit(root, change)
    with pytest.raises(ValueError, match=message) as caught:
        build(root)
    assert "train.json" in str(caught.value)


def test_list_instead_of_a_dict(root: Path) -> None:
    (root / "annotations" / "train.json").write_text("[]")
    with pytest.raises(ValueError, match="it lacks images, annotations, categories"):
        read_categories(str(root / "annotations" / "train.json"))
