"""Which files a check reads."""

import json

import pytest
from mmengine.config import Config

import mmthermal  # noqa: F401 (registers ThermalCocoDataset)
from mmthermal.checking.sources import split_of_file, splits_of_config, splits_of_folder


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


def test_classes_of_a_text_file_and_temperatures(tmp_path) -> None:
    (tmp_path / "classes.txt").write_text("person\ncar\n\n", encoding="utf-8-sig")
    own = dataset(metainfo=dict(classes=str(tmp_path / "classes.txt")))
    load = dict(type="LoadThermalImage", radiometric="kelvin")
    splits = [
        splits_of_config(Config(dict(val_dataloader=dict(dataset={**own, "pipeline": steps}))))[0]
        for steps in ([dict(type="LoadImageFromFile"), load], [])
    ]
    assert splits[0].classes == ("person", "car")
    assert [split.radiometric for split in splits] == ["kelvin", None]


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
        (tmp_path / name).write_text(json.dumps(dict(images=[])))
    (tmp_path / "train").mkdir()
    (tmp_path / "images" / "val").mkdir(parents=True)
    (train, val), findings = splits_of_folder(tmp_path)
    assert findings == []
    assert (train.name, train.img_dir) == ("instances_train", str(tmp_path / "train"))
    assert (val.name, val.img_dir) == ("val", str(tmp_path / "images" / "val"))
    assert not train.test_mode and val.test_mode
    (one,), _ = splits_of_folder(tmp_path, ["annotations/val.json"], "frames")
    assert one.img_dir == str(tmp_path / "frames")


def written(root, *names, content=None):
    """Files of these names."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(json.dumps(dict(images=[]) if content is None else content))
    return list(names)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path) -> None:
    """As Roboflow exports them, with the pictures beside."""
    parts = ["test", "train", "valid"]
    files = written(tmp_path, *(f"{part}/_annotations.coco.json" for part in parts))
    for part in parts:
        (tmp_path / part / "a.JPG").touch()
    splits, _ = splits_of_folder(tmp_path, files)
    assert [split.name for split in splits] == ["train", "valid", "test"]
    assert [split.img_dir for split in splits] == [str(tmp_path / s.name) for s in splits]
    assert [split.test_mode for split in splits] == [False, True, True]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/x.json", "b/x.json", "b/y.json"], ["a", "b", "y"]),
        (["x.json", "b/x.json"], ["x", "b"]),
        (["a/b/x.json", "c/b/x.json"], ["a/b", "c/b"]),
        (["b.json", "a/x.json", "b/x.json"], ["b.json", "a", "b/x.json"]),
        (["a/x.json", "a/x.coco"], ["a/x.json", "a/x.coco"]),
        (["a.json", "a.json", "./a.json"], ["a"]),
    ],
)
def test_no_two_splits_have_the_same_name(tmp_path, files, names) -> None:
    splits, _ = splits_of_folder(tmp_path, written(tmp_path, *files))
    assert [split.name for split in splits] == names


def test_pictures_beside_the_labels_come_before_a_folder_of_all(tmp_path) -> None:
    written(tmp_path, "annotations/a.json", "b/a.json", "b/c.json")
    (tmp_path / "images").mkdir()
    (tmp_path / "b" / "1.png").touch()
    (tmp_path / "c").mkdir()
    splits, _ = splits_of_folder(tmp_path, ["annotations/a.json", "b/a.json", "b/c.json"])
    folders = {split.name: split.img_dir for split in splits}
    assert folders == {
        "annotations": str(tmp_path / "images"),
        "b": str(tmp_path / "b"),
        "c": str(tmp_path / "c"),
    }


@pytest.mark.parametrize("named", [True, False])
def test_the_folder_that_has_the_first_picture_is_taken(tmp_path, named) -> None:
    """As Label Studio exports them, with the folder in the file name."""
    content = dict(images=[dict(file_name="images/1.png")])
    files = written(tmp_path, "result.json", "a/b.json", content=content)
    for name in ("images", "a/images", "result"):
        (tmp_path / name).mkdir()
    (tmp_path / "images" / "1.png").touch()
    found = {s.name: s.img_dir for s in splits_of_folder(tmp_path, files if named else [])[0]}
    assert found["result"] == str(tmp_path)
    if named:
        assert found["b"] == str(tmp_path)
        (tmp_path / "a" / "images" / "1.png").touch()
        found = {split.name: split.img_dir for split in splits_of_folder(tmp_path, files)[0]}
        assert found == {"b": str(tmp_path / "a"), "result": str(tmp_path)}


@pytest.mark.parametrize("first", [{}, dict(file_name=3), 7, dict(file_name="x" * 5000)])
def test_a_first_record_that_leads_to_no_picture(tmp_path, first) -> None:
    written(tmp_path, "val.json", content=dict(images=[first]))
    (tmp_path / "images").mkdir()
    assert splits_of_folder(tmp_path)[0][0].img_dir == str(tmp_path / "images")


def test_found_files_that_list_no_images_are_left_out(tmp_path) -> None:
    written(tmp_path, "annotations/val.json")
    written(tmp_path, "check.json", content=dict(figures=dict(images=[1]), images=3))
    written(tmp_path, "val.bbox.json", content=[dict(image_id=1)])
    (split,), (finding,) = splits_of_folder(tmp_path)
    assert (split.name, split.test_mode) == ("val", False)
    assert (finding.severity, finding.code) == ("note", "files-left-out")
    assert (finding.count, finding.total) == (2, 3)
    assert finding.examples == ("check.json", "val.bbox.json")
    (named,), findings = splits_of_folder(tmp_path, ["check.json"])
    assert (named.name, findings) == ("check", [])
    (tmp_path / "annotations" / "val.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"check\.json, .*val\.bbox\.json list no images"):
        splits_of_folder(tmp_path)


def test_a_single_file(tmp_path) -> None:
    """Its pictures are looked for as in the folder, also where it lies in ``annotations``."""
    content = dict(images=[dict(file_name="1.png")])
    inner = tmp_path / "annotations" / "val.json"
    for folder in ("val", "frames"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").touch()
    split = split_of_file(inner, content)
    assert (split.name, split.img_dir) == ("val", str(tmp_path / "val"))
    assert split.content is content and split.ann_file == str(inner)
    assert split_of_file(inner, content, "frames").img_dir == str(tmp_path / "frames")
    other = str(tmp_path / "val")
    assert split_of_file(tmp_path / "frames" / "a.json", content, other).img_dir == other
    assert split_of_file(tmp_path / "frames" / "a.json", content).img_dir == str(
        tmp_path / "frames"
    )


def test_a_missing_folder_or_file_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="neither a config nor a folder"):
        splits_of_folder(tmp_path / "no")
    with pytest.raises(FileNotFoundError, match=r"convert\.py"):
        splits_of_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"x\.json"):
        splits_of_folder(tmp_path, ["x.json"])
