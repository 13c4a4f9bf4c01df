"""Boxes of one wrong scale, and those that only go on beyond the border."""

import numpy as np
import pytest
from helpers_checking import clean, codes

from mmthermal.checking.boxes import check_boxes
from mmthermal.checking.table import make_table


def check(content):
    return check_boxes(make_table(content), [a["id"] for a in content["annotations"]])


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
        dict(id=i + 1, image_id=1 + i % 4, category_id=1, bbox=[i / 3, i % 20, 6.5 + i / 99, 7],
             area=42, iscrowd=0)
        for i in range(120)
    ]  # fmt: skip
    assert codes(check(content)) == {"boxes-of-another-scale": "warning"}


def drawn(boxes):
    """A file with these boxes in images of 96 × 64."""
    rows = [
        dict(id=i, image_id=1 + i % 4, category_id=1, bbox=list(box), area=box[2] * box[3])
        for i, box in enumerate(boxes, 1)
    ]
    return {**clean(), "annotations": rows}


def scattered(rng, width=96.0, height=64.0, number=200):
    """Boxes of a tenth of a picture, all inside of it."""
    sizes = rng.uniform(0.05, 0.15, (number, 2)) * [width, height]
    return np.concatenate([rng.uniform(0, 1, (number, 2)) * ([width, height] - sizes), sizes], 1)


@pytest.mark.parametrize("share", [0.06, 0.2, 0.4])
def test_amodal_boxes_are_a_warning(share) -> None:
    """Whole outlines of objects at the right border, up to 1.25 of the width."""
    rng = np.random.default_rng(0)
    boxes = scattered(rng)
    for box in boxes[: int(share * len(boxes))]:
        box[0] = rng.uniform(70, 90)
        box[2] = rng.uniform(1.06, 1.25) * 96 - box[0]
    (finding,) = [f for f in check(drawn(boxes)) if f.code == "boxes-of-another-scale"]
    assert (finding.severity, finding.count) == ("warning", share * 200)
    assert "amodal" in finding.remedy
    boxes[:4, 0] = 97  # hundredths that begin outside
    (finding,) = [f for f in check(drawn(boxes)) if f.code == "boxes-of-another-scale"]
    assert finding.severity == "error"


@pytest.mark.parametrize("scale", [1.25, 1.5, 2, 4])
def test_boxes_of_a_picture_a_little_larger_are_an_error(scale) -> None:
    boxes = scale * scattered(np.random.default_rng(1))
    assert codes(check(drawn(boxes)))["boxes-of-another-scale"] == "error"


def test_large_boxes_of_a_larger_picture_are_an_error() -> None:
    """They begin inside, and most of them end outside."""
    rng = np.random.default_rng(2)
    boxes = np.column_stack([rng.uniform(0, 40, (200, 2)), rng.uniform(70, 90, (200, 2))])
    assert codes(check(drawn(boxes)))["boxes-of-another-scale"] == "error"
