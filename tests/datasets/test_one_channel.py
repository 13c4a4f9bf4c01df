"""Every image transform of mmdet on one channel: it works, works wrapped, or is refused by name."""

import copy
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmthermal.common.checks import InputError
from mmthermal.datasets.one_channel import (
    INSTEAD,
    NEED_CHANNELS,
    OneChannel,
    check_counts,
    check_datasets,
    check_one_channel,
)
from mmthermal.engine.launch import build_runner

LOAD = dict(type="LoadThermalImage")
ONE_FILL, THREE_FILLS = dict(img=0), dict(img=(114.0, 114.0, 114.0))
WORK: dict[str, dict] = {
    "Resize": dict(scale=(64, 48), keep_ratio=True),
    "FixScaleResize": dict(scale=(64, 48), keep_ratio=True),
    "FixShapeResize": dict(width=64, height=48),
    "ResizeShortestEdge": dict(scale=48, max_size=64),
    "RandomResize": dict(scale=(64, 48), ratio_range=(0.5, 2.0), keep_ratio=True),
    "RandomChoiceResize": dict(scales=[(64, 48), (32, 24)], keep_ratio=True),
    "RandomFlip": dict(prob=0.5),
    "RandomFlip_GLIP": dict(prob=0.5),
    "RandomShift": dict(prob=1.0, max_shift_px=8),
    "RandomCrop": dict(crop_size=(64, 48)),
    "RandomAffine": {},
    "Rotate": dict(prob=1.0),
    "Pad": dict(size=(160, 128), pad_val=ONE_FILL),
    "Mosaic": dict(img_scale=(64, 48)),
    "CachedMosaic": dict(img_scale=(64, 48), max_cached_images=10),
    "RandomApply": dict(transforms=[dict(type="RandomFlip", prob=1.0)]),
}
WRAPPED: dict[str, dict] = {
    "MinIoURandomCrop": {},
    "Expand": dict(prob=1.0, mean=(21000.0, 21000.0, 21000.0)),
    "CutOut": dict(n_holes=3, cutout_shape=(8, 8), fill_in=(21000, 21000, 21000)),
    "RandomErasing": dict(n_patches=2, ratio=0.2, img_border_value=21000),
    "Pad": dict(size=(160, 128), pad_val=THREE_FILLS),
    "RandomCenterCropPad": dict(
        crop_size=(64, 64),
        ratios=(0.8, 1.0, 1.2),
        mean=[21000.0] * 3,
        std=[1.0] * 3,
        to_rgb=False,
        test_pad_mode=None,
    ),
    "ShearX": dict(prob=1.0),
    "ShearY": dict(prob=1.0),
    "TranslateX": dict(prob=1.0),
    "TranslateY": dict(prob=1.0),
    "AutoAugment": dict(policies=[[dict(type="ShearX", prob=1.0)]]),
}


@pytest.fixture(autouse=True)
def scope() -> None:
    init_default_scope("mmdet")


def sample(seed: int, shape: tuple[int, ...] = (96, 128)) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    boxes = torch.tensor([[20.0, 20, 60, 50], [50, 30, 90, 80]])
    return dict(
        img=rng.integers(20000, 22001, shape).astype(np.float32),
        img_shape=shape[:2],
        ori_shape=shape[:2],
        img_id=seed,
        gt_bboxes=HorizontalBoxes(boxes),
        gt_bboxes_labels=np.array([0, 1]),
        gt_ignore_flags=np.array([False, False]),
    )


def run_many(step: dict, shape: tuple[int, ...] = (96, 128)) -> list[dict]:
    transform = TRANSFORMS.build(copy.deepcopy(step))
    found = []
    for seed in range(20):
        np.random.seed(seed)
        results = sample(seed, shape)
        if "Mosaic" in step["type"]:
            results["mix_results"] = [sample(seed + k, shape) for k in (1, 2, 3)]
        found.append(transform(results))
    return [results for results in found if results is not None]


@pytest.mark.parametrize("name", WORK)
def test_these_work_as_they_are(name: str) -> None:
    step = dict(type=name, **WORK[name])
    assert check_one_channel([LOAD, step])
    for results in run_many(step):
        image = results["img"]
        assert image.ndim == 2 and image.shape == tuple(results["img_shape"])
        assert image.dtype == np.float32
        assert 19000 < image.max() <= 22000  # 16 bits, not cut


@pytest.mark.parametrize("shape", [(96, 128), (96, 128, 1)])
@pytest.mark.parametrize("name", WRAPPED)
def test_these_work_wrapped_as_they_do_on_three_channels(name: str, shape: tuple[int, ...]) -> None:
    step = dict(type=name, **WRAPPED[name])
    found = run_many(dict(type="OneChannel", transform=step), shape)
    assert len(found) > 10
    transform = TRANSFORMS.build(copy.deepcopy(step))
    for seed, results in zip(range(20), found, strict=False):
        np.random.seed(seed)
        expected = sample(seed)
        expected["img"] = np.repeat(expected["img"][..., None], 3, 2)
        expected = transform(expected)
        if len(found) == 20:  # none was left out, so that the seeds agree
            one = expected["img"][..., :1] if len(shape) == 3 else expected["img"][..., 0]
            np.testing.assert_array_equal(results["img"], one)
            assert torch.equal(results["gt_bboxes"].tensor, expected["gt_bboxes"].tensor)
        assert results["img"].ndim == len(shape)
        assert 19000 < results["img"].max() <= 22000


@pytest.mark.parametrize("name", WRAPPED)
def test_unwrapped_they_fail_and_are_named_before(name: str) -> None:
    step = dict(type=f"mmdet.{name}", **WRAPPED[name])
    with pytest.raises((ValueError, IndexError, AssertionError)):
        for _ in range(3):
            run_many(step)
    message = rf"needs three channels.*dict\(type='OneChannel', transform=dict\(type='{name}'"
    with pytest.raises(ValueError, match=message):
        check_one_channel([LOAD, step])
    for steps in (
        [LOAD, dict(type="OneChannel", transform=step)],
        [dict(type="LoadThermalImage", channels=3), step],
        [LOAD, dict(type="GainControl", channels=[dict(method="raw")] * 3), step],
        [dict(type="LoadImageFromFile"), step],
    ):
        check_one_channel(steps)


@pytest.mark.parametrize("name", INSTEAD)
def test_those_for_colour_are_refused_with_a_way_out(name: str) -> None:
    step = dict(type=name)
    for steps in ([step], [dict(type="RandomApply", transforms=[step])], [dict(step, prob=0.5)]):
        with pytest.raises(ValueError, match=rf"{name} is made for 8-bit colour.*use \w+"):
            check_one_channel([LOAD, *steps])
    with pytest.raises(ValueError, match=rf"{name} is made for"):
        OneChannel(step)
    check_one_channel([dict(type="LoadThermalImage", channels=3), step])


@pytest.mark.parametrize("shape", [(96, 128), (96, 128, 3)])
def test_mmcvs_grey_pictures_have_8_bits(shape: tuple[int, ...]) -> None:
    """Why RandomGrayscale is refused: it cuts 16 bits, and asks for no colour."""
    for prob in (0.0, 1.0):
        for results in run_many(dict(type="RandomGrayscale", prob=prob), shape):
            assert results["img"].dtype == np.uint8


def test_corrupt_and_instaboost_cast_to_8_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why they are refused; their packages are not among ours."""
    from mmdet.datasets.transforms import InstaBoost, transforms

    seen = []
    monkeypatch.setattr(transforms, "corrupt", lambda img, **settings: seen.append(img) or img)
    transforms.Corrupt("gaussian_noise")(sample(0))
    boost = InstaBoost.__new__(InstaBoost)
    boost.aug_ratio, boost.cfg = 1.0, None
    get = SimpleNamespace(get_new_data=lambda anns, img, *a, **k: seen.append(img) or ([], img))
    monkeypatch.setitem(sys.modules, "instaboostfast", get)
    ignored = dict(bbox_label=0, bbox=[0, 0, 4, 4], mask=[], ignore_flag=1)
    boost(dict(sample(0), instances=[ignored]))
    assert [img.dtype for img in seen] == [np.uint8, np.uint8]


@pytest.mark.parametrize("name", INSTEAD)
def test_three_channels_of_more_than_8_bits_are_refused(name: str) -> None:
    load = dict(type="LoadThermalImage", channels=3)
    flat = dict(type="GainControl", method="clahe")
    raw = dict(type="GainControl", channels=[dict(method="raw")] * 3)
    step = dict(type=f"mmdet.{name}")
    within = dict(type="RandomApply", transforms=[step])
    for steps in (
        [load, step],
        [load, within],
        [load, dict(type="NormalizeFrame"), step],
        [dict(type="LoadThermalImage"), raw, step],
    ):
        with pytest.raises(
            InputError, match=rf"{name} is made for .*images with values up to 23001: use \w+"
        ):
            check_counts(steps, 23001.0)
        check_counts(steps, 255.0)
    for steps in ([load, flat, step], [dict(type="LoadImageFromFile"), step], [load]):
        check_counts(steps, 23001.0)


@pytest.mark.parametrize(
    ("name", "key"), [("AutoAugment", "policies"), ("RandAugment", "aug_space")]
)
def test_lists_of_mmdets_own_are_refused_and_those_of_a_config_work(name: str, key: str) -> None:
    bare = dict(type=f"mmdet.{name}")
    message = rf"{name} without {key} .*one channel: set {key}=\[\["
    for step in (bare, dict(type="RandomApply", transforms=[bare])):
        with pytest.raises(InputError, match=message):
            check_one_channel([LOAD, step])
    with pytest.raises(InputError, match=message):
        OneChannel(bare)
    load = dict(type="LoadThermalImage", channels=3)
    with pytest.raises(InputError, match=rf"{name} without {key} .*values up to 300"):
        check_counts([load, bare], 300)
    check_counts([load, bare], 255)
    check_one_channel([load, bare])
    own = {"type": name, key: [[dict(type="RandomBlur")], [dict(type="RandomFlip", prob=1.0)]]}
    assert check_one_channel([LOAD, own])
    for results in run_many(own):
        assert results["img"].ndim == 2 and 20000 < results["img"].max() <= 22000
    with pytest.raises(InputError, match="Equalize is made for 8-bit colour"):
        check_one_channel([LOAD, {"type": name, key: [[dict(type="Equalize")]]}])


def test_every_image_transform_of_mmdet_has_been_looked_at() -> None:
    """A new release of mmdet may bring others."""
    import mmdet.datasets.transforms as theirs

    looked_at = {*WORK, *WRAPPED, *INSTEAD, *NEED_CHANNELS}
    no_pixels = {
        "FilterAnnotations", "GTBoxSubOne_GLIP", "ImageToTensor", "InferencerLoader", "MultiBranch",
        "PackDetInputs", "PackReIDInputs", "PackTrackInputs", "ProposalBroadcaster",
        "RandomOrder", "RandomSamplingNegPos", "SegRescale", "ToTensor", "Transpose",
        "BaseFrameSample", "UniformRefFrameSample", "WrapFieldsToLists",
    }  # fmt: skip
    containers = {"RandAugment", "GeomTransform", "ColorTransform"}
    needs_more = {"Albu", "CopyPaste"}  # another package, or masks
    found = {name for name in theirs.__all__ if not name.startswith("Load")}
    assert found - looked_at - no_pixels - containers - needs_more == set()


def test_data_sets_within_data_sets_and_switched_pipelines_are_checked() -> None:
    inner = dict(type="ThermalCocoDataset", pipeline=[LOAD, dict(type="LoadAnnotations")])
    mixed = dict(type="MultiImageMixDataset", dataset=inner, pipeline=[dict(type="MixUp")])
    with pytest.raises(ValueError, match=r"MixUp.*Mosaic"):
        check_datasets(dict(train_dataloader=dict(dataset=mixed)))
    mixed["pipeline"] = [dict(type="Mosaic", img_scale=(64, 48))]
    assert check_datasets(mixed)
    concat = dict(type="ConcatDataset", datasets=[inner, dict(inner, pipeline=[])])
    assert check_datasets(dict(type="RepeatDataset", dataset=concat, pipeline=[]))
    hook = dict(type="PipelineSwitchHook", switch_pipeline=[LOAD, dict(type="Expand")])
    with pytest.raises(ValueError, match="Expand needs three channels"):
        check_datasets([hook])


def test_a_runner_says_it_before_anything_is_opened() -> None:
    mixed = dict(type="MultiImageMixDataset", dataset=dict(pipeline=[LOAD]), pipeline=[])
    mixed["pipeline"] = [dict(type="YOLOXHSVRandomAug")]
    cfg = Config(dict(train_dataloader=dict(dataset=mixed), launcher="none"))
    with pytest.raises(ValueError, match="YOLOXHSVRandomAug is made for 8-bit colour"):
        build_runner(cfg)


def test_the_data_set_says_it_when_it_is_made(tmp_path) -> None:
    from helpers_data import write_coco

    root = write_coco(tmp_path / "data", splits={"train": 1})
    settings = dict(
        type="ThermalCocoDataset",
        data_root=f"{root}/",
        ann_file="annotations/train.json",
        data_prefix=dict(img="train/"),
    )
    with pytest.raises(ValueError, match="Expand needs three channels"):
        DATASETS.build(dict(settings, pipeline=[LOAD, dict(type="Expand")]))
    wrapped = dict(type="OneChannel", transform=dict(type="Expand", prob=1.0, mean=(0, 0, 0)))
    steps = [LOAD, dict(type="LoadAnnotations", with_bbox=True), wrapped]
    sample = DATASETS.build(dict(settings, pipeline=steps))[0]
    assert sample["img"].ndim == 2 and sample["img"].shape[0] >= 64
