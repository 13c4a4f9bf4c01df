"""What boxes mean: each fault by itself."""

import numpy as np
import pytest
from helpers_checking import clean, codes

from mmthermal.checking.boxes import NEARLY, check_boxes, check_rotations
from mmthermal.checking.table import make_table
from mmthermal.common.boxes import box_iou


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


def twice(moved: float, **changes) -> dict:
    """The clean file with every object again, moved to the lower right."""
    content = clean()
    for annotation in content["annotations"]:  # 24 places that hardly overlap
        place = annotation["id"] - 1
        annotation["bbox"][:2] = [2 + 11 * (place // 4), 2 + 20 * (place % 4 // 2)]
    content["annotations"] += [
        {**a, "id": 100 + a["id"], "bbox": [a["bbox"][0] + moved, *a["bbox"][1:]], **changes}
        for a in content["annotations"]
    ]
    return content


def test_objects_that_two_people_labelled() -> None:
    (finding,) = check(twice(0.3))  # IoU 7.7 / 8.3 = .93 and more
    assert (finding.severity, finding.code) == ("warning", "near-duplicate-box")
    assert (finding.count, finding.total) == (24, 48)
    assert finding.examples[0] == "annotation 101"
    assert codes(check(twice(0.0))) == {"duplicate-box": "warning"}  # exact ones are not near, too


def test_objects_that_are_two_are_free() -> None:
    assert check(twice(0.6)) == []  # IoU 7.4 / 8.6 = .86 and more
    crowd = [f for f in check(twice(0.3, iscrowd=1)) if f.code != "crowd-regions"]
    assert crowd == []
    other = twice(0.3)
    for annotation in other["annotations"][24:]:
        annotation["category_id"] = 3 - annotation["category_id"]
    assert check(other) == []


def test_near_boxes_are_those_of_a_count_pair_by_pair() -> None:
    rng = np.random.default_rng(0)
    number = 300
    places = rng.integers(0, 8, (number, 2)) * 4.0
    boxes = np.column_stack(
        [places + rng.normal(0, 0.5, (number, 2)) + 10, np.full((number, 2), 20)]
    )
    content = clean()
    content["annotations"] = [
        dict(id=i + 1, image_id=1 + i % 3, category_id=1 + i % 2, bbox=box, area=400, iscrowd=0)
        for i, box in enumerate(boxes.tolist())
    ]
    same = np.arange(number)[:, None] % 6 == np.arange(number)[None] % 6
    pairs = (box_iou(boxes[:, None], boxes[None]) > NEARLY) & same
    expected = int(np.tril(pairs, -1).any(axis=1).sum())
    assert 20 < expected < number / 2
    (finding,) = [f for f in check(content) if f.code == "near-duplicate-box"]
    assert finding.count == expected


@pytest.mark.parametrize("angle", [30.0, -7, 90, 359.5])
def test_rotated_boxes(angle) -> None:
    content = clean()
    for annotation in content["annotations"]:
        annotation["attributes"] = dict(occluded=False, rotation=0.0)
    content["annotations"][2]["attributes"]["rotation"] = angle
    (finding,) = check_rotations(content["annotations"])
    assert (finding.severity, finding.code, finding.count) == ("warning", "rotated-box", 1)
    assert finding.examples == ("annotation 3",)
    assert "upright box" in finding.message


@pytest.mark.parametrize(
    "attributes",
    [None, {}, [], "x", dict(rotation=0), dict(rotation=180.0), dict(rotation=None),
     dict(rotation="30"), dict(rotation=float("nan"))],
)  # fmt: skip
def test_attributes_without_an_angle(attributes) -> None:
    assert check_rotations(planted(2, attributes=attributes)["annotations"]) == []
    assert check_rotations([]) == []


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
