"""Numbers of a COCO file, by the check of all records: each fault by itself."""

import pytest
from helpers_checking import clean, codes

from mmthermal.checking.records import check_records


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


def test_numbers_whose_sum_is_too_large() -> None:
    content = clean()
    for annotation in content["annotations"][:2]:
        annotation["bbox"] = [1e308, 1, 1e308, 3]
        annotation["area"] = 1e308
    assert "not-a-number" not in codes(check_records(content))  # they are numbers, outside
    content["annotations"][0]["bbox"] = [10**400, 1, 2, 3]
    (finding,) = [f for f in check_records(content) if f.code == "not-a-number"]
    assert finding.count == 1


@pytest.mark.parametrize("field", ["iscrowd", "ignore"])
def test_a_flag_in_quotes_counts_as_true_and_is_an_error(field) -> None:
    content = clean()
    for annotation in content["annotations"]:
        annotation[field] = "0"
    (finding,) = check_records(content)
    assert (finding.severity, finding.code, finding.count) == ("error", f"{field}-not-a-number", 24)


@pytest.mark.parametrize("field", ["iscrowd", "ignore"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 2, 0.5, None, "1", [1]])
def test_a_flag_other_than_0_and_1_is_an_error(field, value) -> None:
    content = clean()
    content["annotations"][5][field] = value
    (finding,) = check_records(content)
    assert (finding.severity, finding.code, finding.count) == ("error", f"{field}-not-a-number", 1)
    assert finding.examples == ("annotation 6",)
    assert f"is {value!r}: " in finding.message


@pytest.mark.parametrize("field", ["iscrowd", "ignore"])
@pytest.mark.parametrize("value", [0, 1, False, True, 0.0, 1.0])
def test_flags_of_0_and_1_in_any_type_are_right(field, value) -> None:
    content = clean()
    content["annotations"][5][field] = value
    assert check_records(content) == []


def test_a_missing_iscrowd_is_a_warning() -> None:
    content = clean()
    del content["annotations"][0]["iscrowd"]
    assert codes(check_records(content)) == {"no-iscrowd": "warning"}
