"""Data loaders that end in a wrong figure or in no end are named before a training."""

from typing import Any

import pytest

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.config_loaders import wrong_loaders

SET = dict(type="ThermalCocoDataset", ann_file="a.json")
LOAD, PACK = dict(type="LoadThermalImage"), dict(type="PackDetInputs")
EPOCHS = dict(type="EpochBasedTrainLoop", max_epochs=2)
ITERATIONS = dict(type="IterBasedTrainLoop", max_iters=2)


def found(name: str, train_cfg: dict | None = None, **loader: Any) -> list[str]:
    cfg = {name: {"dataset": SET, **loader}, "train_cfg": train_cfg}
    return list(wrong_loaders(cfg))


def joined(**settings: Any) -> dict:
    return dict(type="ConcatDataset", datasets=[SET, {**SET, **settings}])


@pytest.mark.parametrize(
    ("name", "loader", "words"),
    [
        ("val_dataloader", dict(drop_last=True), "would count as missed"),
        ("test_dataloader", dict(drop_last="no"), "without quotes"),
        ("val_dataloader", dict(sampler=dict(type="InfiniteSampler")), "never ends: take"),
        ("test_dataloader", dict(sampler=dict(type="mmdet.InfiniteSampler")), "never ends"),
        ("train_dataloader", dict(sampler=dict(type="InfiniteSampler")), "never ends an epoch"),
        ("train_dataloader", dict(dataset={**SET, "test_mode": True}), "set it to False"),
        ("train_dataloader", dict(dataset={**SET, "indices": "10"}), "indices='10'"),
        ("val_dataloader", dict(dataset={**SET, "indices": 0}), "indices=0"),
        ("val_dataloader", dict(dataset=joined(indices=[])), "dataset.datasets.1.indices=[]"),
        ("val_dataloader", dict(dataset={**SET, "pipeline": [dict(type="RandomFlip", prob=0.5)]}),
         "dataset.pipeline.0: RandomFlip"),
        ("test_dataloader", dict(dataset=joined(pipeline=[dict(type="MinIoURandomCrop")])),
         "datasets.1.pipeline.0: MinIoURandomCrop"),
        ("train_dataloader", dict(dataset=joined(pipeline=[LOAD, PACK])),
         "datasets.1.pipeline loads no boxes"),
        ("train_dataloader", dict(dataset={**SET, "pipeline": [
            LOAD, dict(type="LoadAnnotations", with_bbox=False), PACK]}), "loads no boxes"),
    ],
)  # fmt: skip
def test_each_is_named(name: str, loader: dict, words: str) -> None:
    (line,) = found(name, EPOCHS, **loader)
    assert line.startswith(name) and words in line


@pytest.mark.parametrize(
    ("name", "train_cfg", "loader"),
    [
        ("train_dataloader", ITERATIONS, dict(sampler=dict(type="InfiniteSampler"))),
        ("train_dataloader", dict(by_epoch=False), dict(sampler=dict(type="InfiniteSampler"))),
        ("train_dataloader", EPOCHS, dict(drop_last=True, dataset={**SET, "indices": 10})),
        ("train_dataloader", EPOCHS, dict(dataset={**SET, "pipeline": [dict(type="RandomFlip")]})),
        ("train_dataloader", EPOCHS, dict(dataset={**SET, "pipeline": [LOAD]})),
        ("train_dataloader", EPOCHS, dict(dataset={**SET, "pipeline": [
            LOAD, dict(type="mmdet.LoadAnnotations"), PACK]})),
        ("train_dataloader", EPOCHS, dict(dataset={**SET, "pipeline": [
            LOAD, dict(type="OfTheUsersOwn"), PACK]})),
        ("val_dataloader", None, dict(drop_last=False, dataset={**SET, "indices": -5})),
        ("val_dataloader", None, dict(dataset={**SET, "indices": [0, 3]})),
        ("val_dataloader", None,
         dict(dataset={**SET, "pipeline": [dict(type="RandomFlip", prob=0.0)]})),
        # the test pipeline of mmdet's CornerNet pads by it
        ("test_dataloader", None,
         dict(dataset={**SET, "pipeline": [dict(type="RandomCenterCropPad", test_mode=True)]})),
        ("test_dataloader", None, dict(dataset={**SET, "pipeline": [dict(
            type="TestTimeAug", transforms=[[dict(type="RandomFlip", prob=1.0)]])]})),
        ("tta_dataloader", None, dict()),
    ],
)  # fmt: skip
def test_what_is_used_is_free(name: str, train_cfg: dict | None, loader: dict) -> None:
    assert found(name, train_cfg, **loader) == []
    assert list(wrong_loaders(dict(val_dataloader=None, train_dataloader=None))) == []
