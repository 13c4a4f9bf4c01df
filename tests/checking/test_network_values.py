"""What the network gets is measured: faults of normalisation are said, usual ones are not."""

import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking import network_values
from mmthermal.checking.finding import Finding
from mmthermal.checking.network_values import (
    NetworkValues,
    check_network_values,
    check_training_sets,
    measure_network_values,
    places,
)

LOAD, COLOUR = dict(type="LoadThermalImage"), dict(type="LoadImageFromFile")
FRAME = dict(type="NormalizeFrame")
WINDOW = dict(type="GainControl", method="window", low=10.0, high=40.0)
IN_KELVIN = dict(scale=0.01, offset=-273.15)
PACK = dict(type="PackDetInputs")
FLIP = dict(type="RandomFlip", prob=0.5)
ONE = dict(mean=[123.675], std=[58.395])
THREE = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
CAFFE = dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0])


def picture(path: Path, level: float, spread: float) -> dict[str, Any]:
    """The record of a picture with a warm spot, 8 bits up to 255, else 16."""
    image = np.random.default_rng(0).normal(level, spread, (48, 64))
    image[10:20, 10:20] += 4 * spread
    cv2.imwrite(str(path), image.round().astype(np.uint8 if level < 256 else np.uint16))
    box = [0, 0, 64, 48]
    return dict(
        img_path=str(path),
        img_id=path.stem,
        width=64,
        height=48,
        instances=[dict(bbox=box, bbox_label=0, ignore_flag=0)],
    )


def found(
    tmp_path: Path, level: float, spread: float, steps: list[dict], preprocessor: dict | None = None
) -> list[Finding]:
    records = [picture(tmp_path / f"{i}.png", level + 5 * i, spread) for i in range(3)]
    settings = dict(type="DetDataPreprocessor", pad_size_divisor=32, **(preprocessor or {}))
    values = measure_network_values([*steps, FLIP, PACK], records, settings)
    assert len(values) == 3
    return check_network_values(values)


@pytest.mark.parametrize(
    ("level", "spread", "steps", "preprocessor", "words"),
    [
        (29000, 280, [LOAD, WINDOW, FRAME], {}, "mean 0 and standard deviation 0 "),
        (29000, 280, [LOAD, FRAME], ONE, "mean -2.1"),  # divided twice
        (29000, 280, [LOAD], {}, "mean 290"),
        (29000, 280, [LOAD], ONE, "mean 49"),
        (7800, 90, [LOAD], ONE, "mean 13"),  # 14 bits
        (7800, 90, [LOAD, dict(type="Normalize", to_rgb=False, **ONE)], {}, "mean 13"),
        (29000, 280, [LOAD, dict(type="Normalize", mean=[29000.0], std=[1.0], to_rgb=False)], {},
         "standard deviation 3"),
        (100, 30, [LOAD, dict(type="Normalize", to_rgb=False, **ONE)], ONE, "deviation 0.0"),
    ],
)  # fmt: skip
def test_values_that_no_network_can_take(
    tmp_path: Path, level: float, spread: float, steps: list, preprocessor: dict, words: str
) -> None:
    (finding,) = found(tmp_path, level, spread, steps, preprocessor)
    assert (finding.severity, finding.code) == ("warning", "normalisation-does-not-fit")
    assert words in finding.message and "3 training pictures" in finding.message
    assert "NormalizeFrame" in finding.remedy and "data_preprocessor" in finding.remedy


@pytest.mark.parametrize(
    ("level", "spread", "steps", "preprocessor"),
    [
        (29000, 280, [LOAD, FRAME], {}),
        (29000, 280, [LOAD], dict(mean=[28000.0], std=[900.0])),
        (29000, 280, [LOAD, {**WINDOW, **IN_KELVIN}], ONE),
        (29000, 280, [LOAD, dict(type="GainControl", method="plateau")], {}),
        (100, 30, [COLOUR], THREE),
        (100, 30, [COLOUR], dict(bgr_to_rgb=True, **THREE)),
        (100, 30, [COLOUR, dict(type="Normalize", to_rgb=True, **THREE)], {}),
        (200, 5, [COLOUR], CAFFE),  # bright and faint
        (30, 5, [COLOUR, dict(type="Normalize", to_rgb=False, **CAFFE)], {}),
        (100, 30, [COLOUR], {}),  # YOLOX takes 0..255 as they are
        (200, 3, [COLOUR], {}),
        (100, 30, [COLOUR], dict(mean=[0, 0, 0], std=[255.0, 255.0, 255.0])),  # YOLOv3
    ],
)
def test_usual_normalisations(
    tmp_path: Path, level: float, spread: float, steps: list, preprocessor: dict
) -> None:
    assert found(tmp_path, level, spread, steps, preprocessor) == []


def test_padding_does_not_count(tmp_path: Path) -> None:
    record = picture(tmp_path / "a.png", 29000, 280)
    pad = dict(type="Pad", size=(640, 640))
    settings = dict(type="DetDataPreprocessor", pad_size_divisor=512)
    (values,) = measure_network_values([LOAD, FRAME, pad, PACK], [record], settings)
    assert values.mean == pytest.approx(0, abs=1e-3) and values.std == pytest.approx(1, abs=1e-3)
    assert values.beyond_8_bits  # before NormalizeFrame


def test_nothing_of_it_stays(tmp_path: Path) -> None:
    record = picture(tmp_path / "a.png", 100, 30)
    drawn = dict(type="RandomContrastBrightness")
    mosaic = dict(type="CachedMosaic")
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    assert len(measure_network_values([LOAD, drawn, mosaic, PACK], [record], None)) == 1
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert set(record) == {"img_path", "img_id", "width", "height", "instances"}


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [PACK],
        [dict(type="OwnTransformThatIsMissing")],
        [LOAD, dict(type="TestTimeAug", transforms=[[FRAME], [FLIP]])],
        [LOAD, dict(type="LoadProposals")],
        [dict(type="LoadAnnotations", with_bbox=True), PACK],  # no picture
    ],
)
def test_what_cannot_be_taken_by_itself_is_not_measured(tmp_path: Path, steps: list) -> None:
    record = picture(tmp_path / "a.png", 100, 30)
    assert measure_network_values(steps, [record], None) == []
    assert check_network_values([]) == []


def test_a_preprocessor_or_a_picture_that_does_not_fit(tmp_path: Path) -> None:
    record = picture(tmp_path / "a.png", 100, 30)
    several = dict(type="MultiBranchDataPreprocessor", data_preprocessor=dict(type="Missing"))
    assert measure_network_values([LOAD], [record], several) == []
    missing = {**record, "img_path": str(tmp_path / "b.png")}
    assert measure_network_values([LOAD], [missing], None) == []
    passed = measure_network_values([{**LOAD, "ignore_empty": True}], [missing, record], None)
    assert len(passed) == 1


def test_slow_pictures_are_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [picture(tmp_path / f"{i}.png", 100, 30) for i in range(4)]
    clock = iter(np.arange(0.0, 9.0, 0.2).tolist())
    monkeypatch.setattr(network_values, "perf_counter", lambda: next(clock))
    assert len(measure_network_values([LOAD], records, None)) == 2


def test_most_pictures_decide() -> None:
    good, blank = NetworkValues(0.0, 1.0, False), NetworkValues(0.0, 0.0, False)
    assert check_network_values([good, good, blank]) == []
    assert len(check_network_values([good, blank, blank])) == 1
    assert check_network_values([NetworkValues(float("nan"), 1.0, False)]) == []


def test_the_pictures_are_spread_over_the_set() -> None:
    assert places(3) == [0, 1, 2] and places(1) == [0]
    assert (len(places(1000)), places(1000)[0], places(1000)[-1]) == (8, 0, 999)
    assert places(0) == []


def test_the_first_set_that_does_not_fit_is_named(tmp_path: Path) -> None:
    record = picture(tmp_path / "a.png", 29000, 280)
    fits, counts = ([LOAD, FRAME], [record]), ([LOAD], [record])
    assert check_training_sets([fits, ([], [record]), ([LOAD], [])], None) == []
    (finding,) = check_training_sets([fits, ([], []), counts, counts], None)
    assert finding.where == "train_dataloader (set 3), model.data_preprocessor"
    assert check_training_sets([counts], None)[0].where.startswith("train_dataloader,")
