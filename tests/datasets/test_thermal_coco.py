"""ThermalCocoDataset: classes from the file, and one clear error for each broken input."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers_data import CLASSES, write_coco
from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS

from mmthermal.common.checks import InputError
from mmthermal.datasets import ThermalCocoDataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "data", splits={"train": 5})


def build(root: Path, **kwargs: Any) -> ThermalCocoDataset:
    return DATASETS.build(
        dict(
            dict(
                type="ThermalCocoDataset",
                data_root=f"{root}/",
                ann_file="annotations/train.json",
                data_prefix=dict(img="train/"),
                pipeline=[],
            ),
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


def test_a_file_may_begin_with_a_byte_order_mark(root: Path) -> None:
    before = [build(root)[i] for i in range(5)]
    path = root / "annotations" / "train.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    dataset = build(root)
    assert [dataset[i] for i in range(5)] == before


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
    found = [i for k in range(5) for i in dataset[k]["instances"]]
    labels = [i["bbox_label"] for i in found if not i["ignore_flag"]]
    assert labels == [{1: 0, 3: 1}[k] for k in wanted] and len(set(labels)) == 2
    one = build(root, metainfo=dict(classes="vehicle"))
    assert one.metainfo["classes"] == ("vehicle",)


@pytest.mark.parametrize("key", ["CLASSES", "class_names", "Classes", "clases", "class"])
def test_classes_under_another_key_are_refused(root: Path, key: str) -> None:
    with pytest.raises(InputError, match=rf"the key '{key}' .* metainfo=dict\(classes=\('person',"):
        build(root, metainfo={key: ("person",)})


def test_mmdets_own_set_takes_classes_under_another_key_and_ignores_them(root: Path) -> None:
    theirs = build(root, type="CocoDataset", metainfo=dict(CLASSES=("person",)))
    assert len(theirs.metainfo["classes"]) == 80


def test_other_keys_of_metainfo_go_through(root: Path) -> None:
    meta = dict(palette=[(1, 2, 3)], dataset_type="flir", task="person", glasses=1)
    assert build(root, metainfo=meta).metainfo["dataset_type"] == "flir"
    both = build(root, metainfo=dict(classes=("person",), CLASSES=("person",)))
    assert both.metainfo["classes"] == ("person",)


@pytest.mark.parametrize("field", ["iscrowd", "ignore"])
def test_flags_that_are_no_number_are_refused(root: Path, field: str) -> None:
    edit(root, lambda content: content["annotations"][0].update({field: float("nan")}))
    with pytest.raises(InputError, match=rf"{field} of 1 of .* is nan.*\[{field}-not-a-number\]"):
        build(root)


def test_another_order_than_the_files_is_refused(root: Path) -> None:
    """mmdet would number the labels in the file's order and name them in the other."""
    with pytest.raises(ValueError, match=r"order \('person', 'bicycle'\), the classes are"):
        build(root, metainfo=dict(classes=("bicycle", "person")))


def test_unsorted_categories_give_classes_in_the_files_order(root: Path) -> None:
    edit(root, lambda c: c["categories"].reverse())
    dataset = build(root)
    assert dataset.metainfo["classes"] == CLASSES[::-1]
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
    with pytest.raises(ValueError, match="'car'.*it lists 'person', 'vehicle', 'bicycle'"):
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
    with pytest.raises(ValueError, match="train.json' is not valid JSON"):
        build(root)


def test_file_that_is_no_text(root: Path) -> None:
    (root / "annotations" / "train.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match="train.json' is not valid JSON"):
        build(root)


def drop(section: str, key: str) -> Callable[[dict], object]:
    return lambda content: content[section][1].pop(key)


def put(section: str, key: str, value: object) -> Callable[[dict], object]:
    return lambda content: content[section][1].update({key: value})


def each(section: str, **values: object) -> Callable[[dict], object]:
    return lambda content: [record.update(values) for record in content[section]]


def scaled(content: dict) -> None:
    for annotation in content["annotations"]:
        x, y, w, h = annotation["bbox"]
        annotation["bbox"] = [x / 96, y / 64, w / 96, h / 64]


def doubled_image_id(content: dict) -> None:
    content["images"][1]["id"] = 1
    for annotation in content["annotations"]:
        annotation["image_id"] = {2: 1}.get(annotation["image_id"], annotation["image_id"])


BROKEN = {
    "no categories": (lambda c: c.pop("categories"), "it lacks categories", "not-coco"),
    "no images": (lambda c: c.pop("images"), "it lacks images", "not-coco"),
    "empty categories": (lambda c: c["categories"].clear(), "is empty", "no-categories"),
    "no file_name": (drop("images", "file_name"), "lack 'file_name'", "missing-field"),
    "no height": (drop("images", "height"), "lack 'height'", "missing-field"),
    "no name": (drop("categories", "name"), "lack 'name'", "missing-field"),
    "no bbox": (drop("annotations", "bbox"), "lack 'bbox'", "missing-field"),
    "no area": (drop("annotations", "area"), "lack 'area'", "missing-field"),
    "short bbox": (put("annotations", "bbox", [1, 2, 3]), r"\[1, 2, 3\]", "not-a-number"),
    "nan": (put("annotations", "bbox", [1, 2, float("nan"), 4]), "nan", "not-a-number"),
    "text in bbox": (put("annotations", "bbox", [1, 2, "3", 4]), "annotation 2", "not-a-number"),
    "bbox null": (put("annotations", "bbox", None), "annotation 2", "not-a-number"),
    "numbers": (lambda c: c.update(annotations=[3]), "not a list of objects", "not-coco"),
    "images null": (lambda c: c.update(images=None), "not a list of objects", "not-coco"),
    "area 0": (each("annotations", area=0), "12 of 12|10 of 10|9 of 9", "no-area"),
    "area null": (put("annotations", "area", None), "annotation 2: area None", "not-a-number"),
    "area text": (put("annotations", "area", "144"), "area '144'", "not-a-number"),
    "width null": (put("images", "width", None), "image 2: width None", "not-a-number"),
    "width text": (put("images", "width", "96"), "width '96'", "not-a-number"),
    "width 0": (each("images", width=0, height=0), "0 × 0", "image-size"),
    "width -1": (each("images", width=-1, height=-1), "-1 × -1", "image-size"),
    "all crowd": (each("annotations", iscrowd=1), "nothing is left to learn", "all-crowd"),
    "iscrowd '0'": (each("annotations", iscrowd="0"), "'0'", "iscrowd-not-a-number"),
    "all ignored": (each("annotations", ignore=1), "no object is left", "no-objects-left"),
    "0..1": (scaled, r"lie in 0\.\.1", "normalised-boxes"),
    "doubled image": (doubled_image_id, "one picture of each would vanish", "duplicate-image-id"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_would_spoil_a_training_is_refused(root: Path, name: str) -> None:
    """With the file, the record or the number of them, and the code by which it is known."""
    change, message, code = BROKEN[name]
    edit(root, change)
    with pytest.raises(ValueError, match=message) as caught:
        build(root)
    assert "train.json" in str(caught.value) and f"[{code}]" in str(caught.value)


def test_nothing_left_after_the_filter(root: Path) -> None:
    with pytest.raises(ValueError, match=r"none of 5 images passes .*\[no-images-left\]"):
        build(root, filter_cfg=dict(min_size=100))


def test_an_accepted_error_goes_on(root: Path) -> None:
    edit(root, each("annotations", area=0))
    with pytest.raises(ValueError, match=r"dataset.accept=\['no-area', 'no-objects-left'\]"):
        build(root)
    assert len(build(root, accept=["no-area", "no-objects-left"])) == 5


def test_a_misspelt_code(root: Path) -> None:
    with pytest.raises(ValueError, match=r"dataset\.accept: .* did you mean 'no-area'"):
        build(root, accept=["no-aera"])


def test_classes_of_a_text_file(root: Path, tmp_path: Path) -> None:
    """As mmengine reads them."""
    names = build(root).metainfo["classes"]
    (tmp_path / "classes.txt").write_text("\n".join(names) + "\n")
    read = build(root, metainfo=dict(classes=str(tmp_path / "classes.txt")))
    assert read.metainfo["classes"] == names


def test_what_cannot_be_read_cannot_be_accepted(root: Path) -> None:
    edit(root, put("annotations", "area", None))
    with pytest.raises(ValueError, match="not-a-number") as caught:
        build(root, accept=["not-a-number"])
    assert "If that is meant" not in str(caught.value)


QUIRKS = {
    "crowd": put("annotations", "iscrowd", 1),
    "gaps": lambda c: [r.update(id=r["id"] * 10 + 3) for r in c["annotations"]],
    "category unlisted": put("annotations", "category_id", 9),
    "no iscrowd": lambda c: [a.pop("iscrowd") for a in c["annotations"]],
    "iscrowd as a truth value": each("annotations", iscrowd=False),
    "some without area": put("annotations", "area", 0),
    "an empty image": lambda c: c["annotations"].__delitem__(0),
    "more fields": each("images", license=1, coco_url=""),
    "texts as image ids": lambda c: [
        *(i.update(id=f"FLIR_{i['id']}") for i in c["images"]),
        *(a.update(image_id=f"FLIR_{a['image_id']}") for a in c["annotations"]),
    ],
    "uuids": lambda c: [a.update(id=f"uuid-{a['id']}") for a in c["annotations"]],
    "images taken out, their boxes not": put("annotations", "image_id", 99),
    "a broken box": put("annotations", "bbox", [9, 9, -3, 4]),
    "ids as floats": lambda c: [
        *(i.update(id=float(i["id"])) for i in c["images"]),
        *(a.update(id=float(a["id"])) for a in c["annotations"]),
    ],
    "boxes over the border": put("annotations", "bbox", [80, 50, 40, 40]),
}


@pytest.mark.parametrize("name", QUIRKS)
def test_quirks_of_public_sets_stay_legal(root: Path, name: str) -> None:
    """As many images as mmdet's own class finds, with the same boxes that train."""
    edit(root, QUIRKS[name])
    ours = build(root)
    theirs = build(root, type="CocoDataset", metainfo=dict(classes=CLASSES))
    assert len(ours) == len(theirs) == 5

    def objects(dataset: CocoDataset) -> list[list]:
        found = [dataset.get_data_info(k)["instances"] for k in range(5)]
        return [[i for i in image if not i["ignore_flag"]] for image in found]

    assert objects(ours) == objects(theirs)


def test_left_out_objects_are_ignored_ground_truth(root: Path) -> None:
    edit(root, put("annotations", "ignore", 1))
    content = json.loads((root / "annotations" / "train.json").read_text())
    number = len(content["annotations"])
    vehicles = sum(a["category_id"] == 2 for a in content["annotations"])
    hidden = content["annotations"][1]["category_id"] == 2

    def flags(**kwargs: Any) -> list[int]:
        dataset = build(root, **kwargs)
        return [i["ignore_flag"] for k in range(5) for i in dataset.get_data_info(k)["instances"]]

    assert (len(flags()), sum(flags())) == (number, 1)
    chosen = dict(metainfo=dict(classes=("person", "bicycle")))
    assert (len(flags(**chosen)), sum(flags(**chosen))) == (number, vehicles + 1 - hidden)
    assert flags(left_out="background") == [0] * (number - 1)
    assert flags(left_out="background", **chosen) == [0] * (number - vehicles - 1 + hidden)
    dataset = build(root, **chosen)
    counted = [label for k in range(5) for label in dataset.get_cat_ids(k)]
    assert len(counted) == number - vehicles - 1 + hidden
    with pytest.raises(ValueError, match="left_out='away'"):
        build(root, left_out="away")


def test_a_test_set_may_be_without_annotations(root: Path) -> None:
    edit(root, lambda c: c.pop("annotations"))
    dataset = build(root, test_mode=True)
    assert len(dataset) == 5 and dataset[0]["instances"] == []
    assert dataset.metainfo["classes"] == CLASSES
    with pytest.raises(ValueError, match="lacks annotations"):
        build(root)


def test_a_list_of_files_is_refused_with_the_way_that_works(root: Path) -> None:
    with pytest.raises(TypeError, match="ConcatDataset"):
        build(root, ann_file=["annotations/train.json", "annotations/train.json"])
    with pytest.raises(TypeError, match="ann_file=None"):
        build(root, ann_file=None)


def test_a_lazy_set_is_checked_when_it_is_read(root: Path) -> None:
    path = root / "annotations" / "train.json"
    text = path.read_text()
    path.unlink()
    dataset = build(root, lazy_init=True)  # as mmdet's inferencers build it for the palette
    with pytest.raises(FileNotFoundError, match="train.json"):
        dataset.full_init()
    path.write_text(text)
    dataset.full_init()
    assert dataset.metainfo["classes"] == CLASSES and len(dataset) == 5


def test_what_is_read_is_counted_and_doubts_are_said_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(
        "mmthermal.datasets.thermal_coco.print_log", lambda text, **kwargs: said.append(text)
    )
    edit(root, put("annotations", "area", 0))
    for _ in range(2):
        build(root)
    content = json.loads((root / "annotations" / "train.json").read_text())
    left = len(content["annotations"]) - 1
    counts = f"train.json: 5 images, {left} objects, 0 crowd regions; not trained on: 1 no area"
    assert sum(counts in line for line in said) == 2
    assert sum("[no-area]" in line for line in said) == 1


@pytest.mark.parametrize(("accept", "times"), [((), 1), (("area-differs",), 0)])
def test_areas_of_another_unit_are_said_unless_accepted(
    root: Path, said: list[str], accept: tuple[str, ...], times: int
) -> None:
    edit(root, each("annotations", area=0.001))
    assert len(build(root, accept=accept)) == 5
    assert sum("[area-differs]" in line for line in said) == times
