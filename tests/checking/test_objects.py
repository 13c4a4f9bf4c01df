"""Figures of the objects."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers_checking import clean
from helpers_data import ROOT

from mmthermal.checking.objects import describe, overlaps, per_image
from mmthermal.checking.table import make_table

DATA = ROOT.parent / "shared" / "data" / "hituav160"


def test_images_in_any_order_are_put_together() -> None:
    found = [sorted(rows.tolist()) for rows in per_image(np.array([2, 0, 2, 5, 0]))]
    assert found == [[1, 4], [0, 2], [3]]
    assert list(per_image(np.zeros(0, np.int64))) == []


def test_figures_of_a_small_file() -> None:
    content = clean()
    content["annotations"] = [
        dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 10, 10], area=100, iscrowd=0),
        dict(id=2, image_id=2, category_id=2, bbox=[0, 0, 40, 10], area=400, iscrowd=0),
        dict(id=3, image_id=1, category_id=1, bbox=[5, 0, 10, 10], area=100, iscrowd=0),
        dict(id=4, image_id=1, category_id=1, bbox=[0, 0, 96, 64], area=6144, iscrowd=1),
        dict(id=5, image_id=1, category_id=1, bbox=[0, 0, 0, 10], area=0, iscrowd=0),
    ]
    table = make_table(content)
    found = describe(table)
    assert (found["images"], found["annotations"]) == (4, 5)
    assert (found["objects"], found["crowd"]) == (3, 1)
    assert found["classes"] == {"person": 2, "vehicle": 1}
    assert found["side"]["50"] == 10
    # boxes 1 and 3: intersection 50, union 150
    assert overlaps(table)["iou"] == pytest.approx([1 / 3, 0, 1 / 3])
    assert found["overlap"]["0.3"] == pytest.approx(2 / 3)
    assert found["covered"] == pytest.approx(2 / 3)
    assert found["sizes"] == {"96 × 64": 4}


def test_no_object() -> None:
    found = describe(make_table({**clean(), "annotations": []}))
    assert (found["objects"], found["overlap"]["0"], found["side"]["50"]) == (0, 0, 0)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here")
@pytest.mark.parametrize(
    ("split", "images", "classes", "crowd", "side", "overlap"),
    [
        ("train", 2291, (4626, 2362, 1629), 344, 19, (0.44, 0.24, 0.11, 0.04)),
        ("val", 575, (1214, 350, 795), 58, 20, (0.44, 0.28, 0.18, 0.11)),
    ],
)
def test_the_figures_agree_with_the_readme_of_hituav160(
    split, images, classes, crowd, side, overlap
) -> None:
    """The README beside the data gives them, rounded."""
    content = json.loads(Path(DATA / "annotations" / f"{split}.json").read_text())
    found = describe(make_table(content))
    assert found["images"] == images
    assert tuple(found["classes"].values()) == classes
    assert found["objects"] == sum(classes)
    assert found["crowd"] == crowd
    assert round(found["side"]["50"]) == side
    assert tuple(round(found["overlap"][t], 2) for t in ("0", "0.1", "0.2", "0.3")) == overlap
