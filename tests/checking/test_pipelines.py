"""Pipelines that normalise otherwise, or not for these pictures, are said, and nothing else."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.pipelines import (
    check_pixel_range,
    compare_pipelines,
    pipelines,
    pipelines_of,
    switched,
    value_steps,
)
from mmthermal.common.config import read_config

ROOT = Path(__file__).resolve().parents[2]

LOAD = dict(type="LoadThermalImage", channels=1)
GREY = dict(type="Normalize", mean=[128.0], std=[64.0], to_rgb=False)
FRAME = dict(type="NormalizeFrame")
CLAHE = dict(type="GainControl", method="clahe")
FLIP = dict(type="RandomFlip", prob=0.5)


@pytest.fixture(autouse=True)
def scope() -> None:
    init_default_scope("mmdet")


def loader(*steps, **wrapper):
    dataset = dict(type="ThermalCocoDataset", pipeline=list(steps))
    return dict(dataset=dict(wrapper, dataset=dataset) if wrapper else dataset)


def compare(train, val, **others):
    return compare_pipelines(Config(dict(train_dataloader=train, val_dataloader=val, **others)))


def test_gain_control_in_training_only() -> None:
    train, val = loader(LOAD, CLAHE, GREY, FLIP), loader(LOAD, FRAME)
    (finding,) = compare(train, val, test_dataloader=val)
    assert (finding.severity, finding.code) == ("warning", "pipelines-differ")
    assert finding.where == "train_dataloader, val_dataloader"
    assert "GainControl(method='clahe', clip=2.0, tiles=[4, 4], bins=256)" in finding.message
    assert "val gives it LoadThermalImage(channels=1), NormalizeFrame(min_std=1.0)" in (
        finding.message
    )
    (finding,) = compare(train, train, test_dataloader=val)
    assert finding.where == "train_dataloader, test_dataloader"


@pytest.mark.parametrize(
    "steps",
    [
        [FRAME, LOAD],
        [{**LOAD, "channels": 3}, FRAME],
        [{**LOAD, "radiometric": "celsius"}, FRAME],
        [LOAD, {**FRAME, "min_std": 2.0}],
        [LOAD, GREY],
        [LOAD],
        [dict(type="LoadImageFromFile")],
    ],
)
def test_other_settings_steps_and_orders(steps) -> None:
    assert len(compare(loader(LOAD, FRAME, FLIP), loader(*steps))) == 1


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ([LOAD, FLIP, FRAME], [LOAD, {**FRAME, "min_std": 1}]),
        ([{**LOAD, "colour": "error", "accept": ["nan-pixels"]}, FRAME], [LOAD, FRAME]),
        ([dict(type="mmdet.LoadThermalImage"), FRAME], [LOAD, FRAME]),
        ([LOAD, GREY], [LOAD, {**GREY, "mean": (128,), "std": (64,)}]),
        ([LOAD, CLAHE, GREY], [LOAD, {**CLAHE, "tiles": (4, 4), "clip": 2}, GREY]),
        (
            [LOAD, dict(type="GainControl", channels=[dict(method="raw"), dict(method="clahe")])],
            [
                LOAD,
                dict(
                    type="GainControl",
                    channels=[dict(method="raw"), dict(method="clahe", bins=256)],
                ),
            ],
        ),
        ([dict(type="LoadImageFromFile"), FLIP], [dict(type="LoadImageFromFile")]),
        # what can't be told
        ([LOAD, dict(type="OwnTransform"), FRAME], [LOAD, GREY]),
        ([LOAD, GREY], [LOAD, dict(type="OwnTransform")]),
        ([LOAD, dict(type="RandomApply", transforms=[CLAHE]), GREY], [LOAD, GREY]),
        ([LOAD, GREY], [LOAD, dict(type="TestTimeAug", transforms=[[CLAHE], [FLIP]])]),
        ([], [LOAD, FRAME]),
        ([LOAD, FRAME], []),
    ],
)
def test_what_agrees_or_cannot_be_told(train, val) -> None:
    assert compare(loader(*train), loader(*val)) == []


def test_wrappers_and_hooks() -> None:
    frame, grey = loader(LOAD, FRAME), loader(LOAD, GREY)
    mosaic = loader(LOAD, type="MultiImageMixDataset", pipeline=[dict(type="Mosaic"), GREY])
    assert compare(mosaic, grey) == []
    assert len(compare(mosaic, frame)) == 1
    assert len(compare(loader(LOAD, GREY, type="RepeatDataset", times=2), frame)) == 1
    both = dict(dataset=dict(type="ConcatDataset", datasets=[frame["dataset"], grey["dataset"]]))
    assert compare(both, grey) == compare(both, both) == []
    assert len(compare(grey, both)) == 1
    switch = dict(type="PipelineSwitchHook", switch_epoch=4, switch_pipeline=[LOAD, GREY])
    assert compare(frame, grey, custom_hooks=[switch]) == []
    assert switched(dict(custom_hooks=[dict(type="EMAHook"), switch])) == [[LOAD, GREY]]
    assert switched({}) == switched(dict(custom_hooks=None)) == []
    assert len(compare(frame, grey, custom_hooks=[dict(type="NumClassCheckHook")])) == 1
    assert compare(None, grey) == []


def test_pipelines_inside_of_wrappers() -> None:
    inner = [loader(LOAD)["dataset"], loader(LOAD, FRAME)["dataset"]]
    outer = dict(dataset=dict(datasets=inner), pipeline=[FLIP])
    assert list(pipelines(outer)) == [[LOAD, FLIP], [LOAD, FRAME, FLIP]]
    assert list(pipelines(None)) == [] and list(pipelines(dict(type="Own"))) == [[]]


def test_the_fragment_of_the_page_on_gain_control(tmp_path) -> None:
    """All three pipelines have it."""
    page = (ROOT / "docs" / "gain_control.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0].replace("'configs/", f"'{ROOT}/configs/")
    path = tmp_path / "own.py"
    path.write_text(code)
    cfg = read_config(path)
    steps = [value_steps(pipelines_of(cfg, name)[0]) for name in ("train", "val", "test")]
    assert steps[0] == steps[1] == steps[2] != []
    kinds = [kind for kind, _ in steps[0] or []]
    assert kinds == ["LoadThermalImage", "GainControl", "Normalize"]
    assert compare_pipelines(cfg) == []


def test_the_type_may_be_a_class() -> None:
    assert value_steps([dict(type=dict)]) is None
    assert value_steps([FLIP]) == []


def figures(level: float, spread: float) -> dict[str, float]:
    return dict(level=level, spread=spread, level_deviation=0.0)


@pytest.mark.parametrize(
    ("steps", "pictures", "remedy"),
    [
        ([LOAD, GREY], (29070, 280), "mean=[29070.0], std=[280.0]"),
        ([LOAD, GREY], (0.128, 0.0523), "mean=[0.128], std=[0.0523]"),
        ([LOAD, dict(type="RandomDrift"), GREY], (29070, 280), "mean=[29070.0]"),
        (
            [{**LOAD, "channels": 3}, {**GREY, "mean": [128] * 3, "std": [64] * 3}],
            (29070, 280),
            "mean=[29070.0, 29070.0, 29070.0]",
        ),
        ([LOAD, FRAME], (0.5, 0.06), "min_std=0.002"),
        ([LOAD, {**FRAME, "min_std": 300}, dict(type="OwnTransform")], (29070, 280), "min_std=9"),
        ([{**LOAD, "radiometric": "celsius"}, FRAME], (28, 0.5), "min_std=0.02"),
    ],
)
def test_pictures_of_another_range(steps, pictures, remedy) -> None:
    (finding,) = check_pixel_range(steps, figures(*pictures))
    assert (finding.severity, finding.code) == ("warning", "normalisation-does-not-fit")
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("steps", "pictures"),
    [
        ([LOAD, GREY], (128, 40)),
        ([LOAD, GREY], (20, 4)),  # a dark, faint scene
        ([LOAD, {**GREY, "mean": [28800.0], "std": [900.0]}], (29070, 280)),
        ([LOAD, FRAME], (29070, 280)),
        ([LOAD, FRAME], (17.7, 3.1)),  # degrees
        ([LOAD, FRAME], (7, 0)),  # blank pictures have a finding of their own
        ([LOAD, CLAHE, GREY], (29070, 280)),
        ([{**LOAD, "radiometric": "celsius"}, FRAME], (28, 1.5)),
        ([dict(type="LoadImageFromFile"), GREY], (29070, 280)),
        ([LOAD, dict(type="OwnTransform"), GREY], (29070, 280)),
        ([LOAD, FLIP], (29070, 280)),
        ([], (29070, 280)),
    ],
)
def test_pictures_that_fit_or_cannot_be_told(steps, pictures) -> None:
    assert check_pixel_range(steps, figures(*pictures)) == []


def test_no_readable_picture() -> None:
    assert check_pixel_range([LOAD, GREY], {}) == []
