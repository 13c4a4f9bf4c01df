"""What boxes mean: each fault by itself."""

import pytest
from helpers_checking import clean, codes

from mmthermal.checking.boxes import check_boxes
from mmthermal.checking.table import make_table


def check(content):
    return check_boxes(make_table(content), [a["id"] for a in content["annotations"]])


def planted(index: int, **changes):
    content = clean()
    content["annotations"][index].update(changes)
    return content


def test_clean_boxes_have_no_finding() -> None:
    assert check(clean()) == []
    assert check({**clean(), "annotations": []}) == []


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        (dict(area=0), "no-area", "warning"),
        (dict(bbox=[200, 5, 8, 18]), "box-outside-image", "warning"),
        (dict(bbox=[3, 5, 0.5, 18]), "box-below-one-pixel", "warning"),
        (dict(bbox=[3, 5, -8, 18]), "negative-side", "error"),
        (dict(bbox=[-9, 5, 20, 18]), "box-over-the-border", "note"),
        (dict(ignore=1), "ignored-objects", "note"),
        (dict(iscrowd=1), "crowd-regions", "note"),
        (dict(bbox=[0.25, 0.5, 0.125, 0.25]), "normalised-boxes", "warning"),
    ],
)
def test_one_box(changes, code, severity) -> None:
    (finding,) = [f for f in check(planted(3, **changes)) if f.code == code]
    assert (finding.severity, finding.count, finding.total) == (severity, 1, 24)
    if code != "crowd-regions":
        assert finding.examples == ("annotation 4",)


def change_all(content, **changes):
    for annotation in content["annotations"]:
        annotation.update(changes)
    return content


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (dict(area=0), "no-area"),
        (dict(iscrowd=1), "all-crowd"),
        (dict(ignore=1), "ignored-objects"),
        (dict(bbox=[0.25, 0.5, 0.125, 0.25]), "normalised-boxes"),
    ],
)
def test_the_same_in_all_boxes_is_an_error(changes, code) -> None:
    assert codes(check(change_all(clean(), **changes)))[code] == "error"


def test_corners_in_place_of_sizes() -> None:
    content = clean()
    for i, annotation in enumerate(content["annotations"]):
        annotation["bbox"] = [40 + i, 30, 52 + i, 50]  # x1, y1, x2, y2
    assert codes(check(content))["corner-boxes"] == "error"


def test_boxes_of_a_larger_picture() -> None:
    content = clean()
    for annotation in content["annotations"]:
        annotation["bbox"] = [4 * value for value in annotation["bbox"]]
    (finding,) = [f for f in check(content) if f.code == "boxes-of-another-scale"]
    assert finding.severity == "error"
    assert "1.52 of its width" not in finding.message  # the largest end, not a single box's
    assert "1.50 of its width and 1.44 of its height" in finding.message


def test_boxes_of_a_smaller_picture() -> None:
    content = clean()
    content["annotations"] = [
        dict(id=i + 1, image_id=1 + i % 4, category_id=1, bbox=[i % 40, i % 20, 6.5 + i / 99, 7],
             area=42, iscrowd=0)
        for i in range(120)
    ]  # fmt: skip
    assert codes(check(content)) == {"boxes-of-another-scale": "warning"}


def test_the_same_box_twice_and_of_two_classes() -> None:
    content = clean()
    content["annotations"][4].update(bbox=[3, 5, 8, 18])  # as annotation 1, image 1, class 1
    content["annotations"][8].update(bbox=[3, 5, 8, 18], category_id=2)
    found = {finding.code: finding for finding in check(content)}
    assert (found["duplicate-box"].severity, found["duplicate-box"].count) == ("warning", 1)
    assert found["duplicate-box"].examples == ("annotation 5",)
    assert found["box-of-two-classes"].examples == ("annotation 9",)


@pytest.mark.parametrize("size", [(0, 64), (96, -1)])
def test_images_without_extent(size) -> None:
    content = clean()
    content["images"][0].update(width=size[0], height=size[1])
    found = codes(check(content))
    assert found["image-size"] == "error"
    assert "box-outside-image" not in found  # the boxes are not to blame
