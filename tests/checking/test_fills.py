"""Fills far from the pictures' values are said, with a setting that helps, and no others."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from helpers_data import CONFIGS, config_names
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.fills import check_fills, keeps_counts, misfits

LOAD = dict(type="LoadThermalImage")
FRAME = dict(type="NormalizeFrame")
GREY = dict(type="Normalize", mean=[128.0], std=[64.0], to_rgb=False)
CAST = dict(type="Normalize", mean=[0.0], std=[1.0], to_rgb=False)
CLAHE = dict(type="GainControl", method="clahe")
RAW = dict(type="GainControl", channels=[dict(method="raw"), dict(method="clahe")])
COUNTS = dict(level=21000.0, spread=280.0, level_deviation=10.0)
BITS_8 = dict(level=100.0, spread=30.0, level_deviation=5.0)

# Transforms with settings that fill something, what they fill with, and the setting for it.
FILLING: dict[str, tuple[dict, float, str | None]] = {
    "CachedMosaic": (dict(img_scale=(64, 48), max_cached_images=6), 114, "pad_val"),
    "Mosaic": (dict(img_scale=(64, 48)), 114, "pad_val"),
    "Pad": (dict(size=(160, 128)), 0, "pad_val"),
    "RandomAffine": (dict(scaling_ratio_range=(0.5, 0.6)), 114, "border_val"),
    "RandomErasing": (dict(n_patches=2, ratio=0.2), 128, "img_border_value"),
    "CutOut": (dict(n_holes=2, cutout_shape=(8, 8)), 0, "fill_in"),
    "Expand": (dict(prob=1.0, ratio_range=(2, 3)), 0, "mean"),
    "RandomShift": (dict(prob=1.0), 0, None),
    "Rotate": (dict(level=5), 128, "img_border_value"),
    "ShearX": (dict(level=5), 128, "img_border_value"),
    "ShearY": (dict(level=5), 128, "img_border_value"),
    "TranslateX": (dict(level=5), 128, "img_border_value"),
    "TranslateY": (dict(level=5), 128, "img_border_value"),
}
ONLY_8_BITS = ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY")


@pytest.fixture(autouse=True)
def scope() -> None:
    init_default_scope("mmdet")


def codes(steps: list[dict], pictures: dict) -> list[str]:
    return [finding.code for finding in misfits(steps, pictures)]


def sample() -> dict[str, Any]:
    image = np.random.default_rng(0).normal(21000, 280, (96, 128, 1)).astype(np.float32)
    return dict(
        img=np.repeat(image, 3, 2),
        img_shape=(96, 128),
        img_id=0,
        gt_bboxes=HorizontalBoxes(torch.tensor([[20.0, 20, 60, 50]])),
        gt_bboxes_labels=np.array([0]),
        gt_ignore_flags=np.array([False]),
    )


def lowest(step: dict) -> float:
    np.random.seed(0)
    results = dict(sample(), mix_results=[sample() for _ in range(3)])
    transform = TRANSFORMS.build(copy.deepcopy(step))
    for _ in range(6):  # CachedMosaic gives the first four as they are
        changed = transform(copy.deepcopy(results))
    return float(changed["img"].min())


@pytest.mark.parametrize("name", FILLING)
def test_the_fills_are_mmdets_and_the_remedy_cures(name: str) -> None:
    settings, fill, key = FILLING[name]
    step = dict(type=name, **settings)
    assert lowest(step) == fill
    (finding,) = misfits([LOAD, step, FRAME], COUNTS)
    assert (finding.severity, finding.code) == ("warning", "fill-does-not-fit")
    assert finding.message.startswith(f"{name} fills with {fill} where the pictures have the mean")
    assert "behind NormalizeFrame" in finding.remedy
    assert finding.remedy.startswith("set ") == (key is not None and name not in ONLY_8_BITS)
    if finding.remedy.startswith("set "):
        written = eval(f"dict({finding.remedy.removeprefix('set ').split(' of ')[0]})")
        cured = step | written
        assert list(written) == [key] and 19000 < lowest(cured) < 21001
        assert codes([LOAD, cured, FRAME], COUNTS) == []


@pytest.mark.parametrize("name", FILLING)
def test_behind_a_normalisation(name: str) -> None:
    settings, fill, key = FILLING[name]
    step = dict(type=f"mmdet.{name}", **settings)
    for steps in ([LOAD, FRAME], [LOAD, CLAHE, GREY], [dict(type="LoadImageFromFile"), GREY]):
        found = list(misfits([*steps, step], {}))
        assert len(found) == int(fill > 5)
        if found:
            assert f"{name} fills with {fill} behind Normalize" in found[0].message
            assert f"set {key}=" in found[0].remedy
            written = eval(f"dict({found[0].remedy.removeprefix('set ').split(' of ')[0]})")
            assert codes([*steps, step | written], {}) == []
            TRANSFORMS.build(copy.deepcopy({**step, **written}))


@pytest.mark.parametrize(
    ("steps", "pictures"),
    [
        ([LOAD, dict(type="RandomAffine"), FRAME], BITS_8),
        ([LOAD, dict(type="Pad", size_divisor=32), GREY], BITS_8),
        ([LOAD, dict(type="RandomAffine"), FRAME], {}),
        ([LOAD, dict(type="RandomAffine"), FRAME], dict(level=7.0, spread=0.0)),
        ([LOAD, CLAHE, dict(type="RandomAffine"), FRAME], COUNTS),
        ([LOAD, FRAME, dict(type="Pad", size_divisor=32)], COUNTS),
        ([LOAD, FRAME, dict(type="Pad", pad_val=-3, size_divisor=32)], COUNTS),
        ([LOAD, CLAHE, CAST, dict(type="RandomAffine")], COUNTS),
        ([LOAD, dict(type="Rotate", prob=0.0), FRAME], COUNTS),
        ([LOAD, dict(type="Pad", size_divisor=32, padding_mode="reflect"), FRAME], COUNTS),
        ([LOAD, dict(type="RandomCenterCropPad"), FRAME], COUNTS),
        ([LOAD, dict(type="RandomCrop", crop_size=(8, 8)), FRAME], COUNTS),
        # what can't be told
        ([dict(type="LoadImageFromFile"), dict(type="RandomAffine"), FRAME], COUNTS),
        ([LOAD, dict(type="OwnTransform"), dict(type="RandomAffine")], COUNTS),
        ([LOAD, FRAME, dict(type="OwnTransform"), dict(type="RandomAffine")], COUNTS),
        ([LOAD, dict(type="RandomApply", transforms=[CLAHE]), dict(type="RandomAffine")], COUNTS),
        ([dict(type="RandomAffine")], COUNTS),
        ([], COUNTS),
    ],
)
def test_what_fits_or_cannot_be_told(steps: list[dict], pictures: dict) -> None:
    assert codes(steps, pictures) == []


@pytest.mark.parametrize(
    "steps",
    [
        [LOAD, dict(type="RandomApply", transforms=[dict(type="RandomAffine")])],
        [LOAD, dict(type="OneChannel", transform=dict(type="CutOut", n_holes=1))],
        [LOAD, dict(type="AutoAugment", policies=[[dict(type="Rotate")]])],
        [LOAD, dict(type="RandomDrift"), dict(type="RandomAffine")],
        [LOAD, RAW, dict(type="RandomAffine")],
        [LOAD, CAST, dict(type="RandomAffine")],
        [LOAD, CLAHE, dict(type="RandomAffine", border_val=(21000,) * 3)],
        [LOAD, dict(type="RandomAffine", border_val=(21000, 21000, 0))],
        [LOAD, dict(type="RandomCenterCropPad", mean=[0, 0, 0])],
    ],
)
def test_within_others_and_at_other_places(steps: list[dict]) -> None:
    assert codes(steps, COUNTS) == ["fill-does-not-fit"]


def test_small_values_are_written_as_they_are() -> None:
    (finding,) = misfits([LOAD, dict(type="RandomAffine")], dict(level=0.1284, spread=0.05))
    assert "set border_val=(0.128, 0.128, 0.128) of RandomAffine" in finding.remedy


def test_which_gain_controls_keep_the_counts() -> None:
    assert keeps_counts(RAW) and keeps_counts(dict(type="GainControl", method="raw"))
    assert not keeps_counts(CLAHE)


def test_each_loader_and_switched_pipelines() -> None:
    inner = dict(pipeline=[LOAD])
    mixed = dict(dataset=inner, pipeline=[dict(type="Mosaic"), FRAME])
    padded = dict(pipeline=[LOAD, dict(type="Pad", size_divisor=32), FRAME])
    both = dict(datasets=[padded, padded])
    hook = dict(type="PipelineSwitchHook", switch_pipeline=[LOAD, FRAME, dict(type="Rotate")])
    cfg = Config(
        dict(
            train_dataloader=dict(dataset=mixed),
            val_dataloader=dict(dataset=both),
            custom_hooks=[hook],
        )
    )
    found = check_fills(cfg, COUNTS)
    assert [(f.where, f.message.split()[0]) for f in found] == [
        ("train_dataloader", "Mosaic"),
        ("val_dataloader", "Pad"),
        ("custom_hooks", "Rotate"),
    ]
    assert [f.where for f in check_fills(cfg, {})] == ["custom_hooks"]


def test_our_configs_fill_with_nothing_else() -> None:
    for name in config_names():
        cfg = Config.fromfile(CONFIGS / name)
        assert check_fills(cfg, COUNTS) == check_fills(cfg, BITS_8) == [], name


def test_the_fragment_of_the_page_on_augmentations() -> None:
    page = (CONFIGS.parent / "docs/augmentations.md").read_text(encoding="utf-8")
    part = page.partition("## What they fill with")[2]
    steps = eval(f"[{part.split('```python')[1].split('```')[0]}]")
    assert len(steps) == 5 and codes(steps, COUNTS) == []
    as_it_was = [step for step in steps if step["type"] != "NormalizeFrame"]
    assert codes(as_it_was, COUNTS) == ["fill-does-not-fit"] * 2
