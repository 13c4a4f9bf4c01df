"""The file of hard negatives: whole, readable as COCO, checked; the list of exclusions."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from mmthermal.mining.region_file import (
    Region,
    RegionFile,
    drop_excluded,
    read_exclusions,
)

REGIONS = (
    Region(7, (1.5, 2.0, 10.0, 20.0), 3, 0.9, 1.25, 2, 0),
    Region("b", (0.0, 0.0, 4.0, 4.0), 1, 0.2, 0.01, 1, 1, 0.25),
)


def content():
    return RegionFile(
        regions=REGIONS,
        images=(
            dict(id=7, file_name="7.png", width=64, height=48),
            dict(id="b", file_name="b.png"),
        ),
        categories=(dict(id=1, name="dog"), dict(id=3, name="person")),
        info=dict(round=2, checkpoint_sha256="00"),
    )


def test_round_trip(tmp_path):
    path = content().write(tmp_path / "regions.json")
    read = RegionFile.read(path)
    assert read.regions == REGIONS
    assert read.images == content().images
    assert read.round == 2
    assert read.info["checkpoint_sha256"] == "00"


def test_is_coco(tmp_path):
    coco = COCO(str(content().write(tmp_path / "regions.json")))
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[7]))
    assert annotation["bbox"] == [1.5, 2.0, 10.0, 20.0]
    assert annotation["area"] == 200.0
    assert (annotation["category_id"], annotation["score"], annotation["loss"]) == (3, 0.9, 1.25)
    assert (annotation["rank"], annotation["round"], annotation["weight"]) == (1, 2, 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["info"].pop("format"), "not a file of hard negatives"),
        (lambda c: c.pop("info"), "not a file of hard negatives"),
        (lambda c: c.update(info=None), "not a file of hard negatives"),
        (lambda c: c.update(info=[]), "not a file of hard negatives"),
        (lambda c: c.update(info="COCO 2017"), "not a file of hard negatives"),
        (lambda c: c["annotations"][0].update(bbox=[0, 0, 0, 4]), "bbox"),
        (lambda c: c["annotations"][0].update(bbox=[0, 0, float("nan"), 4]), "bbox"),
        (lambda c: c["annotations"][0].update(bbox=["a", 0, 3, 4]), "regions.json.*broken.*'a'"),
        (lambda c: c["annotations"][0].update(image_id=8), "image 8"),
        (lambda c: c["annotations"][0].update(weight=1.5), "weight 1.5"),
        (lambda c: c["annotations"][0].pop("loss"), "lacks 'loss'"),
    ],
)
def test_broken_files_are_refused(tmp_path, change, message):
    coco = content().to_coco()
    change(coco)
    path = tmp_path / "regions.json"
    path.write_text(json.dumps(coco))
    with pytest.raises(ValueError, match=message):
        RegionFile.read(path)


def test_half_a_file_is_refused(tmp_path):
    path = content().write(tmp_path / "regions.json")
    path.write_text(path.read_text()[:-40])
    with pytest.raises(ValueError, match="JSON"):
        RegionFile.read(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        RegionFile.read(tmp_path / "nowhere.json")


def test_exclusions(tmp_path):
    path = tmp_path / "exclude.json"
    entries = [dict(image_id=7, bbox=[2, 2, 10, 20]), dict(image_id="b", bbox=[9, 9, 4, 4])]
    path.write_text(json.dumps(dict(exclude=entries)))
    exclusions = read_exclusions(path)
    assert drop_excluded(REGIONS, exclusions) == [REGIONS[1]]  # the first has an IoU of .9
    assert drop_excluded(REGIONS, {}) == list(REGIONS)
    assert drop_excluded(REGIONS, {7: np.array([[11.5, 2, 10, 20.0]])}) == list(REGIONS)


@pytest.mark.parametrize(
    "text", ["[]", '{"exclude": [{"image_id": 1}]}', '{"exclude": [{"image_id": 1, "bbox": [1]}]}']
)
def test_broken_exclusions(tmp_path, text):
    path = tmp_path / "exclude.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="exclusions"):
        read_exclusions(path)


def test_half_an_overlap_excludes():
    assert drop_excluded(REGIONS, {"b": np.array([[0, 0, 4, 8.0]])}) == [REGIONS[0]]
