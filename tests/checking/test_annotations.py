"""The check of an annotation file as a whole."""

import json
import re
from pathlib import Path

import pytest
from helpers_checking import clean, codes
from mmdet.datasets import CocoDataset

from mmthermal.checking import annotations
from mmthermal.checking.annotations import check_annotations


def check(content, **options):
    return codes(check_annotations(content, "a.json", **options))


def test_a_clean_file_has_no_finding() -> None:
    assert check(clean()) == {}


def test_findings_name_the_file_and_the_worst_comes_first() -> None:
    content = clean()
    content["annotations"][0]["ignore"] = 1
    content["annotations"][1]["id"] = content["annotations"][2]["id"]
    found = check_annotations(content, "set/a.json")
    assert [finding.severity for finding in found] == ["error", "note"]
    assert {finding.where for finding in found} == {"set/a.json"}


@pytest.mark.parametrize(
    "changes",
    [
        dict(area=0),
        dict(iscrowd=1),
        dict(ignore=1),
        dict(bbox=[0.1, 0.1, 0.2, 0.2]),
        dict(bbox=[500, 500, 9, 9]),
    ],
)
def test_nothing_left_is_an_error(changes) -> None:
    content = clean()
    for annotation in content["annotations"]:
        annotation.update(changes)
    assert check(content)["no-objects-left"] == "error"


def test_crowd_in_quotes_leaves_nothing() -> None:
    content = clean()
    for annotation in content["annotations"]:
        annotation["iscrowd"] = "0"
    found = check(content)
    assert found["iscrowd-not-a-number"] == found["no-objects-left"] == "error"


def test_no_image_left_after_filtering() -> None:
    content = clean()
    for image in content["images"]:
        image["width"] = -1
    assert check(content, filter_cfg=dict(min_size=1))["no-images-left"] == "error"


def test_filtered_and_empty_images_are_notes() -> None:
    content = clean()
    content["images"].append(dict(id=5, file_name="5.png", width=96, height=64))
    assert check(content) == {"empty-images": "note"}
    assert check(content, filter_cfg=dict(filter_empty_gt=True)) == {"images-filtered": "note"}
    assert check(content, filter_cfg=dict(filter_empty_gt=True), test_mode=True) == {
        "empty-images": "note"
    }


def test_classes_listed_used_and_asked_for() -> None:
    content = clean()
    content["categories"].append(dict(id=3, name="deer"))
    found = {f.code: f for f in check_annotations(content, "a.json")}
    assert found["unused-classes"].message == "3 classes are listed, 2 have objects"
    assert found["unused-classes"].examples == ("deer",)
    assert check(content, classes=("person", "vehicle")) == {}
    assert check(content, classes=("person",)) == {
        "other-classes": "note",
        "empty-images": "note",
    }
    assert check(content, classes=("person", "car", "vehicle"))["class-not-listed"] == "error"


def test_classes_in_another_order_than_the_files_would_be_named_wrongly(tmp_path) -> None:
    """As mmdet's own data set numbers them."""
    content = clean()
    content["categories"].append(dict(id=3, name="deer"))
    content["annotations"][0]["category_id"] = 3
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    for asked, wrong in {
        ("vehicle", "person"): True,
        ("deer", "person"): True,
        ("person", "deer"): False,
        ("person", "vehicle", "deer"): False,
    }.items():
        dataset = CocoDataset(
            ann_file=str(path), data_prefix=dict(img=""), metainfo=dict(classes=asked), pipeline=[]
        )
        names = {row["id"]: row["name"] for row in content["categories"]}
        labels = {asked[label]: names[id_] for id_, label in dataset.cat2label.items()}
        assert any(name != meant for name, meant in labels.items()) == wrong
        assert check(content, classes=asked).get("class-order") == ("error" if wrong else None)
    (finding,) = [
        f
        for f in check_annotations(content, "a.json", classes=["deer", "vehicle", "person"])
        if f.code == "class-order"
    ]
    assert (finding.count, finding.total, finding.examples) == (2, 3, ("deer", "person"))
    assert "classes=('person', 'vehicle', 'deer')" in finding.remedy
    assert "class-order" not in check(content, classes={"vehicle", "person"})


def test_a_rare_class_is_a_note() -> None:
    content = clean()
    content["categories"].append(dict(id=3, name="deer"))
    content["annotations"][0]["category_id"] = 3
    (finding,) = check_annotations(content, "a.json")
    assert (finding.code, finding.severity, finding.examples) == (
        "rare-classes",
        "note",
        ("deer: 1",),
    )


def test_an_unlabelled_set_needs_no_objects() -> None:
    content = {key: value for key, value in clean().items() if key != "annotations"}
    assert check(content, labelled=False) == {}


def test_the_quirks_of_public_sets_are_no_errors() -> None:
    content = clean()
    content["categories"].reverse()
    content["images"].append(dict(id=50, file_name="5.png", width=96, height=64))
    content["annotations"][0].update(iscrowd=1)
    content["annotations"][1].update(id=1000)
    assert "error" not in check(content).values()


def test_many_images_and_objects_are_clean() -> None:
    number = 20_000
    content = clean()
    content["images"] = [
        dict(id=i, file_name=f"{i}.png", width=640, height=512) for i in range(number // 10)
    ]
    content["annotations"] = [
        dict(id=i + 1, image_id=i % (number // 10), category_id=1 + i % 2,
             bbox=[i % 613, i % 487, 9.5, 20], area=190, iscrowd=0)
        for i in range(number)
    ]  # fmt: skip
    assert check(content) == {}


def test_doubtful_codes_are_codes() -> None:
    assert set(annotations.DOUBTFUL) <= annotations.CODES


def test_all_codes_are_listed() -> None:
    """Every text in the sources of the check that looks like a code of it."""
    folder = Path(annotations.__file__).parent
    words: set[str] = set()
    for name in ("annotations", "box_scale", "boxes", "ids", "numbers", "records"):
        text = (folder / f"{name}.py").read_text()
        words |= set(re.findall(r'^ {8,12}"([a-z]+(?:-[a-z0-9]+)+)",$', text, re.MULTILINE))
    ids = {f"duplicate-{kind}-id" for kind in ("image", "category", "annotation")}
    flags = {f"{field}-not-a-number" for field in ("iscrowd", "ignore")}
    references = {"unknown-image-id", "unknown-category-id"}
    assert words | ids | flags | references == annotations.CODES
