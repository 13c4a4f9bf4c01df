"""Records of a COCO file: each fault by itself, and a clean file without a finding."""

import pytest
from helpers_checking import clean, codes

from mmthermal.checking.records import check_records


def test_a_clean_file_has_no_finding() -> None:
    assert check_records(clean()) == []


@pytest.mark.parametrize("content", [[], {}, 3, {"images": [], "annotations": []}])
def test_another_file_is_no_coco_file(content) -> None:
    assert codes(check_records(content)) == {"not-coco": "error"}


def test_an_unlabelled_file_is_fine_where_no_label_is_needed() -> None:
    content = clean()
    del content["annotations"]
    assert codes(check_records(content)) == {"not-coco": "error"}
    assert check_records(content, labelled=False) == []


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("images", [1], "not-coco"),
        ("annotations", {}, "not-coco"),
        ("categories", [], "no-categories"),
        ("images", [], "no-images"),
    ],
)
def test_lists_must_hold_records(key, value, code) -> None:
    assert codes(check_records({**clean(), key: value})) == {code: "error"}


@pytest.mark.parametrize(
    ("records", "field"),
    [("images", "file_name"), ("images", "width"), ("annotations", "area"), ("categories", "id")],
)
def test_a_missing_field_is_named(records, field) -> None:
    content = clean()
    del content[records][1][field]
    (finding,) = check_records(content)
    assert (finding.code, finding.count, finding.examples) == (
        "missing-field",
        1,
        (f"{records}[1]",),
    )
    assert repr(field) in finding.message


@pytest.mark.parametrize("value", [None, "12", True, float("nan"), float("inf"), [1]])
@pytest.mark.parametrize(
    ("records", "field"), [("images", "width"), ("images", "height"), ("annotations", "area")]
)
def test_what_is_no_number_is_named(records, field, value) -> None:
    content = clean()
    content[records][2][field] = value
    (finding,) = check_records(content)
    assert (finding.severity, finding.code, finding.count) == ("error", "not-a-number", 1)
    assert field in finding.message
    assert finding.examples == (f"{records[:-1]} 3: {field} {value!r}",)


@pytest.mark.parametrize(
    "box", [None, [], [1, 2, 3], [1, 2, 3, None], ["1", "2", "3", "4"], [0, 0, float("nan"), 1], {}]
)
def test_what_is_no_box_is_named(box) -> None:
    content = clean()
    content["annotations"][0]["bbox"] = box
    (finding,) = check_records(content)
    assert (finding.severity, finding.code, finding.count) == ("error", "not-a-number", 1)
    assert finding.examples == (f"annotation 1: bbox {box!r}",)


@pytest.mark.parametrize("field", ["iscrowd", "ignore"])
def test_a_flag_in_quotes_counts_as_true_and_is_an_error(field) -> None:
    content = clean()
    for annotation in content["annotations"]:
        annotation[field] = "0"
    (finding,) = check_records(content)
    assert (finding.severity, finding.code, finding.count) == ("error", f"{field}-not-a-number", 24)


def test_a_missing_iscrowd_is_a_warning() -> None:
    content = clean()
    del content["annotations"][0]["iscrowd"]
    assert codes(check_records(content)) == {"no-iscrowd": "warning"}


@pytest.mark.parametrize("kind", ["image", "category", "annotation"])
def test_doubled_ids(kind) -> None:
    content = clean()
    records = content[{"image": "images", "category": "categories"}.get(kind, "annotations")]
    records[1]["id"] = records[0]["id"]
    assert codes(check_records(content))[f"duplicate-{kind}-id"] == "error"


def test_texts_as_image_ids_are_a_warning_and_as_annotation_ids_an_error() -> None:
    content = clean()
    for image in content["images"]:
        image["id"] = f"FLIR_{image['id']}"
    for annotation in content["annotations"]:
        annotation["image_id"] = f"FLIR_{annotation['image_id']}"
    assert codes(check_records(content)) == {"string-id": "warning"}
    content = clean()
    for annotation in content["annotations"]:
        annotation["id"] = f"a{annotation['id']}"
    assert codes(check_records(content)) == {"string-id": "error"}


@pytest.mark.parametrize("value", [None, 1.5, True, [1]])
def test_other_ids_are_errors(value) -> None:
    content = clean()
    content["images"][0]["id"] = value
    assert codes(check_records(content))["not-an-id"] == "error"


def test_the_id_0_of_an_annotation_is_a_warning() -> None:
    content = clean()
    content["annotations"][0]["id"] = 0
    assert codes(check_records(content)) == {"annotation-id-0": "warning"}


def test_names_of_classes_and_files() -> None:
    content = clean()
    content["categories"][1]["name"] = "person"
    content["images"][1]["file_name"] = "000.png"
    assert codes(check_records(content)) == {
        "duplicate-category-name": "error",
        "duplicate-file-name": "warning",
    }
    content["categories"][1]["name"] = 2
    content["images"][1]["file_name"] = None
    assert codes(check_records(content)) == {"not-a-name": "error"}


def test_categories_out_of_order_are_a_note_only() -> None:
    content = clean()
    content["categories"].reverse()
    assert codes(check_records(content)) == {"unsorted-categories": "note"}


def test_references_that_lead_nowhere() -> None:
    content = clean()
    content["annotations"][0]["image_id"] = 99
    content["annotations"][1]["category_id"] = "1"
    found = {finding.code: finding for finding in check_records(content)}
    assert found["unknown-image-id"].severity == "error"
    assert found["unknown-category-id"].severity == "warning"
    assert found["unknown-image-id"].examples == ("annotation 1: 99",)
    assert found["unknown-category-id"].examples == ("annotation 2: '1'",)
