"""Columns of a COCO file; what mmdet keeps, compared with mmdet itself."""

import json
import random

import numpy as np
import pytest
from helpers_checking import clean
from mmdet.datasets import CocoDataset

from mmthermal.checking.table import keep_reasons, kept_images, make_table


def test_columns_and_positions() -> None:
    content = clean()
    content["annotations"][0].update(image_id=77, category_id=9, ignore=1, iscrowd=1)
    table = make_table(content, ["vehicle"])
    assert table.image_inds[:3].tolist() == [-1, 1, 2]
    assert table.category_inds[:3].tolist() == [-1, 1, 0]
    assert (table.crowd[0], table.ignored[0]) == (True, True)
    assert table.wanted.tolist() == [False, True]
    assert table.box_image_sizes[:2].tolist() == [[0, 0], [96, 64]]
    assert make_table({**content, "annotations": []}).boxes.shape == (0, 4)


def wild(seed: int) -> dict:
    """A file in which every reason to drop a box occurs."""
    rng = random.Random(seed)
    content = clean()
    for i, image in enumerate(content["images"]):
        image["width"] = rng.choice([96, 20, 0, -1]) if i else 96
    content["annotations"] = [
        dict(
            id=i + 1,
            image_id=rng.randint(1, 4),
            category_id=rng.choice([1, 2, 3]),
            bbox=[
                rng.choice([-30, 0, 5.5, 90, 200]),
                rng.choice([-30, 0, 40, 70]),
                rng.choice([0, 0.5, 1, 9, 40]),
                rng.choice([0, 0.5, 1, 9, 40]),
            ],
            area=rng.choice([-1, 0, 20, 81]),
            iscrowd=rng.choice([0, 0, 1]),
            ignore=rng.choice([0, 0, 0, 1]),
        )
        for i in range(200)
    ]
    return content


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("classes", [("person", "vehicle"), ("vehicle",)])
def test_kept_is_what_mmdet_keeps(tmp_path, seed, empty, classes) -> None:
    content = wild(seed)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    filter_cfg = dict(filter_empty_gt=empty, min_size=16)
    theirs = CocoDataset(
        ann_file=str(path),
        data_prefix=dict(img=""),
        metainfo=dict(classes=classes),
        filter_cfg=filter_cfg,
        pipeline=[],
    )
    table = make_table(content, classes)
    images = kept_images(table, filter_cfg, test_mode=False)
    assert [table.image_ids[i] for i in np.flatnonzero(images)] == [
        theirs.get_data_info(i)["img_id"] for i in range(len(theirs))
    ]
    for i in range(len(theirs)):
        info = theirs.get_data_info(i)
        here = table.image_inds == table.image_ids.index(info["img_id"])
        assert (table.kept & here).sum() == len(info["instances"])
        assert (table.objects & here).sum() == sum(
            not one["ignore_flag"] for one in info["instances"]
        )


def test_each_annotation_has_one_reason() -> None:
    reasons = keep_reasons(make_table(wild(0)))
    assert (np.sum(list(reasons.values()), axis=0) == 1).all()
    assert all(mask.any() for name, mask in reasons.items() if name != "unlisted")


def test_test_mode_filters_nothing() -> None:
    table = make_table(wild(0))
    assert kept_images(table, dict(min_size=1000), test_mode=True).all()
    assert kept_images(table, None, test_mode=False).all()
