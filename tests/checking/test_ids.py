"""Ids, names and references of a COCO file, by the check of all records."""

import pytest
from helpers_checking import clean, codes

from mmthermal.checking.ids import check_ids
from mmthermal.checking.records import check_records


@pytest.mark.parametrize("kind", ["image", "category", "annotation"])
def test_doubled_ids(kind) -> None:
    content = clean()
    records = content[{"image": "images", "category": "categories"}.get(kind, "annotations")]
    records[1]["id"] = records[0]["id"]
    assert codes(check_records(content))[f"duplicate-{kind}-id"] == "error"


def test_texts_as_ids_are_a_warning_and_mixed_with_numbers_an_error() -> None:
    content = clean()
    for image in content["images"]:
        image["id"] = f"FLIR_{image['id']}"
    for annotation in content["annotations"]:
        annotation["image_id"] = f"FLIR_{annotation['image_id']}"
    assert codes(check_records(content)) == {"string-id": "warning"}
    content = clean()
    for annotation in content["annotations"]:
        annotation["id"] = f"a{annotation['id']}"
    assert codes(check_records(content)) == {"string-id": "warning"}
    content["annotations"][0]["id"] = 1
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


@pytest.mark.parametrize("name", ["Person", "person ", " PERSON"])
def test_names_that_differ_only_in_capitals_or_spaces_are_a_warning(name) -> None:
    content = clean()
    content["categories"].append(dict(id=3, name=name))
    (finding,) = check_records(content)
    assert (finding.severity, finding.code) == ("warning", "similar-category-names")
    assert (finding.count, finding.total) == (2, 3)
    assert f"'person', {name!r}" in finding.message


def test_names_that_differ_otherwise_and_equal_ones_are_not_similar() -> None:
    content = clean()
    content["categories"] += [dict(id=3, name="persons"), dict(id=4, name="per son")]
    assert check_records(content) == []
    content["categories"][3]["name"] = "person"
    assert codes(check_records(content)) == {"duplicate-category-name": "error"}


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


def test_ids_beyond_64_bits_are_refused() -> None:
    """They would overflow in the evaluation, an epoch late."""
    for wrong in (2**63, -(2**63) - 1, 2.0**70):
        (found,) = check_ids("images", [dict(id=1), dict(id=wrong)])
        assert (found.code, found.count) == ("not-an-id", 1)
    assert check_ids("images", [dict(id=2**63 - 1), dict(id=-(2**63))]) == []
