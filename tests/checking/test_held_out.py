"""A validation or a test on the training's own pictures is said."""

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmthermal.checking.held_out import check_held_out


def data(ann_file: str = "train.json", folder: str = "train/", **settings: Any) -> dict:
    return dict(
        dataset=dict(
            type="CocoDataset",
            data_root="data/",
            ann_file=ann_file,
            data_prefix=dict(img=folder),
            **settings,
        )
    )


def found(train: Any, val: Any, test: Any = None) -> list:
    loaders = dict(train_dataloader=train, val_dataloader=val, test_dataloader=test)
    return check_held_out(Config({name: value for name, value in loaders.items() if value}))


def test_a_loader_that_was_left_on_the_training() -> None:
    (finding,) = found(data(), data(test_mode=True), data("test.json", "test/"))
    assert (finding.severity, finding.code) == ("warning", "val-is-train")
    assert finding.where == "train_dataloader, val_dataloader"
    assert finding.message.startswith("val reads ") and "data/train.json, " in finding.message
    assert "val_dataloader the ann_file" in finding.remedy
    (finding,) = found(data(), data("val.json", "val/"), data())
    assert finding.where == "train_dataloader, test_dataloader"
    (finding,) = found(data(), data(), data())
    assert finding.message.startswith("val and test read ")


def test_the_same_file_by_another_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/train").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    other = data("./train.json", str(tmp_path / "data/train"))
    other["dataset"]["data_root"] = "link/"
    assert len(found(data(), other)) == 1


def test_inside_of_wrappers() -> None:
    val = data()["dataset"]
    both = dict(type="ConcatDataset", datasets=[data("more.json")["dataset"], val])
    train = dict(dataset=dict(type="RepeatDataset", times=2, dataset=both))
    assert len(found(train, data())) == 1
    assert len(found(train, dict(dataset=both))) == 1
    assert found(train, data("val.json", "val/")) == []


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        (data(), data("val.json", "val/"), data("val.json", "val/")),  # the usual
        (data(), data("val.json", "train/"), None),  # pictures in one folder
        (data(), data("train.json", "degraded/"), None),  # other pictures of the same scenes
        (data(indices=800), data(indices=-200), None),
        (data(), None, None),
        (None, data(), data()),
        (dict(dataset=dict(type="Own")), dict(dataset=dict(type="Own")), None),
        (data(ann_file=["a.json"]), data(ann_file=["a.json"]), None),  # refused elsewhere
    ],
)
def test_parts_that_are_kept_apart(train: Any, val: Any, test: Any) -> None:
    assert found(train, val, test) == []


@pytest.mark.parametrize(("first", "other"), [(800, None), (None, 100), (50, 50)])
def test_indices_that_share_pictures(first: int | None, other: int | None) -> None:
    assert len(found(data(indices=first), data(indices=other))) == 1
