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


@pytest.mark.parametrize(("number", "severity"), [(12, "note"), (13, "warning")])
def test_more_crowd_regions_than_objects_are_a_warning(number: int, severity: str) -> None:
    content = clean()
    for annotation in content["annotations"][:number]:
        annotation["iscrowd"] = 1
    assert codes(check(content))["crowd-regions"] == severity


@pytest.mark.parametrize(
    ("areas", "count", "words"),
    [
        ({3: 1.02 * 11 * 20}, 1, "above width times height"),  # not in the unit of the box
        ({i: 1e9 for i in range(24)}, 24, "above width times height"),
        ({i: 0.001 for i in range(24)}, 24, "below 1 %"),
        ({i: 0.001 for i in range(13)}, 13, "below 1 %"),
    ],
)
def test_areas_that_are_none_of_their_box(areas, count, words) -> None:
    content = clean()
    for index, area in areas.items():
        content["annotations"][index]["area"] = area
    (finding,) = check(content)
    assert (finding.severity, finding.code) == ("warning", "area-differs")
    assert (finding.count, finding.total) == (count, 24)
    assert words in finding.message and "small, medium and large" in finding.message
    assert finding.examples[0] == f"annotation {min(areas) + 1}"


@pytest.mark.parametrize(
    "areas",
    [
        {i: 0.001 for i in range(12)},  # thin masks
        {i: 40 for i in range(24)},  # masks
        {0: 1.009 * 8 * 18, 1: 10 * 19},  # rounded; pixels from the first to the last
    ],
)
def test_areas_of_masks_and_rounded_ones_are_free(areas) -> None:
    content = clean()
    for index, area in areas.items():
        content["annotations"][index]["area"] = area
    assert check(content) == []


def test_areas_of_boxes_that_are_dropped_are_not_judged() -> None:
    assert "area-differs" not in codes(check(planted(3, bbox=[3, 5, 0.5, 18], area=1e6)))
