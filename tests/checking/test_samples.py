"""Pictures of the contact sheet."""

import numpy as np
import pytest
from helpers_checking import clean
from helpers_data import tiny_config, write_coco

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.samples import augmented_samples, draw, pick, stored_samples
from mmthermal.checking.table import make_table
from mmthermal.common.display import class_colours
from mmthermal.common.files import read_json

EDGE = list(class_colours(3)[1][::-1])  # BGR


@pytest.mark.parametrize("shape", [(50, 80), (50, 80, 1), (50, 80, 2), (50, 80, 3), (50, 80, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_picture_is_drawn_at_the_same_height(shape, dtype) -> None:
    image = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    picture = draw(image, np.array([[10, 5, 20, 30]]), [1], 3)
    assert picture.shape == (200, 320, 3)
    assert picture[20, 60].tolist() == EDGE  # upper edge: 4 × (15, 5)
    assert picture[140, 60].tolist() == EDGE  # lower edge: 4 × 35


def test_crowd_regions_are_grey() -> None:
    picture = draw(np.zeros((50, 80), np.uint8), np.array([[10, 5, 20, 30]]), [-1], 3)
    assert picture[20, 60].tolist() == [160, 160, 160]


def test_the_choice_is_seeded_and_each_image_occurs_once() -> None:
    table = make_table(clean())
    assert pick(table, 3) == pick(table, 3)
    assert sorted(pick(table, 9)) == [0, 1, 2, 3]


def test_stored_and_augmented_pictures(tmp_path) -> None:
    root = write_coco(tmp_path / "data")
    table = make_table(read_json(root / "annotations" / "train.json", what="labels"))
    stored = stored_samples(table, root / "train", 5)
    assert len(stored) == 5 and all(picture.shape == (200, 300, 3) for _, picture in stored)
    assert stored_samples(table, root / "nowhere", 5) == []
    before = np.random.get_state()[1].copy()
    cfg = tiny_config("thermal/retina_composite.py", root)
    found = augmented_samples(cfg.train_dataloader.dataset, 4)
    again = augmented_samples(cfg.train_dataloader.dataset, 4)
    assert [name for name, _ in found] == [name for name, _ in again]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, again, strict=True))
    assert (np.random.get_state()[1] == before).all()
