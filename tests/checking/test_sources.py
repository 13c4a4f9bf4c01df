"""Which files a check reads."""

import json

import pytest
from mmengine.config import Config

import mmthermal  # noqa: F401 (registers ThermalCocoDataset)
from mmthermal.checking.sources import splits_of_config, splits_of_folder


def dataset(**changes):
    return dict(
        type="ThermalCocoDataset",
        data_root="data/",
        ann_file="train.json",
        data_prefix=dict(img="frames/"),
        **changes,
    )


def test_loaders_of_a_config_and_each_file_once() -> None:
    val = dataset(test_mode=True, metainfo=dict(classes="person"))
    val["ann_file"] = "/abs/val.json"
    cfg = Config(
        dict(
            train_dataloader=dict(dataset=dataset(filter_cfg=dict(min_size=3), pipeline=[1])),
            val_dataloader=dict(dataset=val),
            test_dataloader=dict(dataset=val),
        )
    )
    train, second = splits_of_config(cfg)
    assert (train.name, train.ann_file, train.img_dir) == (
        "train",
        "data/train.json",
        "data/frames/",
    )
    assert (train.classes, train.filter_cfg, train.test_mode) == (None, dict(min_size=3), False)
    assert (second.name, second.ann_file) == ("val", "/abs/val.json")
    assert (second.classes, second.test_mode) == (("person",), True)


def test_wrappers_are_looked_into() -> None:
    inner = dict(type="ConcatDataset", datasets=[dataset(), {**dataset(), "ann_file": "b.json"}])
    cfg = Config(dict(train_dataloader=dict(dataset=dict(type="RepeatDataset", dataset=inner))))
    assert [(s.name, s.ann_file) for s in splits_of_config(cfg)] == [
        ("train1", "data/train.json"),
        ("train2", "data/b.json"),
    ]


def test_mmdets_own_data_set_asks_for_the_classes_of_coco() -> None:
    cfg = Config(dict(train_dataloader=dict(dataset={**dataset(), "type": "CocoDataset"})))
    assert len(splits_of_config(cfg)[0].classes) == 80


def test_a_list_of_files_and_no_file_are_errors() -> None:
    cfg = Config(
        dict(train_dataloader=dict(dataset={**dataset(), "ann_file": ["a.json", "b.json"]}))
    )
    with pytest.raises(ValueError, match="ConcatDataset"):
        splits_of_config(cfg)
    with pytest.raises(ValueError, match="no loader"):
        splits_of_config(Config(dict(model=dict())))


def test_files_and_images_of_a_folder(tmp_path) -> None:
    for name in ("annotations/val.json", "annotations/instances_train.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({}))
    (tmp_path / "train").mkdir()
    (tmp_path / "images" / "val").mkdir(parents=True)
    train, val = splits_of_folder(tmp_path)
    assert (train.name, train.img_dir) == ("instances_train", str(tmp_path / "train"))
    assert (val.name, val.img_dir) == ("val", str(tmp_path / "images" / "val"))
    assert not train.test_mode and val.test_mode
    (one,) = splits_of_folder(tmp_path, ["annotations/val.json"], "frames")
    assert one.img_dir == str(tmp_path / "frames")


def test_a_missing_folder_or_file_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="neither a config nor a folder"):
        splits_of_folder(tmp_path / "no")
    with pytest.raises(FileNotFoundError, match=r"convert\.py"):
        splits_of_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"x\.json"):
        splits_of_folder(tmp_path, ["x.json"])
