"""Records of a COCO file: lists and fields, and a clean file without a finding."""

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
