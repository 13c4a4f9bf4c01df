"""Loading without loss of bits, and jitter that means the same at any bit depth."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.registry import TRANSFORMS

from mmthermal.datasets import (
    LoadThermalImage,
    NormalizeFrame,
    RandomContrastBrightness,
    transforms,
)


def load(path: Path, **kwargs: Any) -> dict:
    transform = TRANSFORMS.build(dict(type="LoadThermalImage", **kwargs))
    return transform(dict(img_path=str(path)))


def ramp(kind: type, shape: tuple[int, ...] = (6, 10)) -> np.ndarray:
    top = np.iinfo(kind).max
    return np.linspace(0, top, int(np.prod(shape))).round().astype(kind).reshape(shape)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_every_bit_arrives(tmp_path: Path, kind: type, suffix: str) -> None:
    image = ramp(kind)
    cv2.imwrite(str(tmp_path / f"a{suffix}"), image)
    results = load(tmp_path / f"a{suffix}")
    assert results["img"].dtype == np.float32
    assert results["img"].shape == (6, 10)
    assert results["img_shape"] == results["ori_shape"] == (6, 10)
    np.testing.assert_array_equal(results["img"], image)


def test_neighbouring_counts_stay_apart(tmp_path: Path) -> None:
    """What mmdet's own loader loses: 21000 and 21001 are one 8-bit grey value."""
    cv2.imwrite(str(tmp_path / "a.png"), np.array([[21000, 21001]], np.uint16))
    assert load(tmp_path / "a.png")["img"].tolist() == [[21000.0, 21001.0]]


def test_three_channels_repeat_the_one(tmp_path: Path) -> None:
    image = ramp(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    found = load(tmp_path / "a.png", channels=3)["img"]
    assert found.shape == (6, 10, 3)
    for k in range(3):
        np.testing.assert_array_equal(found[..., k], image)


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_becomes_grey_or_is_refused(tmp_path: Path, channels: int) -> None:
    image = np.zeros((4, 5, channels), np.uint8)
    image[..., 0], image[..., 1], image[..., 2] = 10, 20, 200  # BGR
    cv2.imwrite(str(tmp_path / "a.png"), image)
    found = load(tmp_path / "a.png")["img"]
    assert found.shape == (4, 5)
    np.testing.assert_allclose(found, 0.114 * 10 + 0.587 * 20 + 0.299 * 200, rtol=1e-3)
    with pytest.raises(ValueError, match=rf"a.png has {channels} channels where one is expected"):
        load(tmp_path / "a.png", colour="error")


def test_grey_saved_as_colour_keeps_its_values(tmp_path: Path) -> None:
    grey = ramp(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), np.repeat(grey[..., None], 3, 2))
    np.testing.assert_allclose(load(tmp_path / "a.png")["img"], grey, atol=0.01)


def test_missing_image(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"image .*b\.png doesn't exist: data_prefix"):
        load(tmp_path / "b.png")


@pytest.mark.parametrize("content", [b"", b"no picture", "cut"])
def test_unreadable_image(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 60000, (64, 64)).astype(np.uint16))
    path.write_bytes(path.read_bytes()[:20] if content == "cut" else content)
    with pytest.raises(ValueError, match=r"image .*a\.png can't be read"):
        load(path)


@pytest.mark.parametrize("decoder", ["turbojpeg", "opencv"])
def test_decoders_that_can_not_be(decoder: str) -> None:
    with pytest.raises(ValueError, match=f"imdecode_backend='{decoder}': choose one of"):
        LoadThermalImage(imdecode_backend=decoder)


def test_a_decoder_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transforms, "find_spec", lambda name: None)
    LoadThermalImage(imdecode_backend="pillow")
    with pytest.raises(ImportError, match="needs tifffile, .*pip install tifffile"):
        LoadThermalImage(imdecode_backend="tifffile")


@pytest.mark.parametrize("depth", [1, 257])
def test_jitter_means_the_same_at_any_bit_depth(depth: int) -> None:
    """Standardised by the image's own mean and deviation, 8 and 16 bits change alike."""
    image = np.random.default_rng(0).integers(40, 200, (20, 30)).astype(np.float32)
    results = []
    for scale in (1, depth):
        np.random.seed(3)
        scaled = image * scale
        out = RandomContrastBrightness()(dict(img=scaled))["img"]
        results.append((out - scaled.mean()) / scaled.std())
    np.testing.assert_allclose(results[0], results[1], atol=1e-3)


def test_jitter_stays_in_its_range_and_reaches_it() -> None:
    image = np.random.default_rng(1).normal(21000, 300, (20, 30)).astype(np.float32)
    mean, std = image.mean(), image.std()
    np.random.seed(0)
    transform = RandomContrastBrightness(contrast=0.3, brightness=0.5)
    out = [transform(dict(img=image))["img"] for _ in range(300)]
    gains = np.array([o.std() / std for o in out])
    shifts = np.array([(o.mean() - mean) / std for o in out])
    assert 0.7 - 1e-3 < gains.min() < 0.72 and 1.28 < gains.max() < 1.3 + 1e-3
    assert -0.5 - 1e-3 < shifts.min() < -0.48 and 0.48 < shifts.max() < 0.5 + 1e-3
    assert abs(np.corrcoef(gains, shifts)[0, 1]) < 0.2


def test_jitter_of_zero_changes_nothing_and_the_input_is_left_alone() -> None:
    image = ramp(np.uint16)
    before = image.copy()
    still = RandomContrastBrightness(contrast=0, brightness=0)(dict(img=image))["img"]
    assert still.dtype == np.float32
    np.testing.assert_allclose(still, image, rtol=1e-6, atol=1e-2)
    RandomContrastBrightness()(dict(img=image))
    np.testing.assert_array_equal(image, before)


def test_jitter_repeats_with_the_seed() -> None:
    image = ramp(np.uint16).astype(np.float32)
    runs = []
    for _ in range(2):
        np.random.seed(5)
        runs.append(RandomContrastBrightness()(dict(img=image))["img"])
    np.testing.assert_array_equal(*runs)
    assert not np.array_equal(runs[0], image)


@pytest.mark.parametrize(
    ("kind", "settings", "error", "message"),
    [
        ("LoadThermalImage", dict(color="grey"), TypeError, "color"),
        ("LoadThermalImage", dict(colour="rgb"), ValueError, "colour='rgb': choose"),
        ("LoadThermalImage", dict(channels=2), ValueError, "channels=2: choose one of 1, 3"),
        ("RandomContrastBrightness", dict(contrast=1.0), ValueError, "contrast=1.0"),
        ("RandomContrastBrightness", dict(brightness=-0.1), ValueError, "brightness=-0.1"),
        ("RandomContrastBrightness", dict(gamma=0.1), TypeError, "gamma"),
    ],
)
def test_refuses_wrong_settings(
    kind: str, settings: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        TRANSFORMS.build(dict(type=kind, **settings))


def test_settings_show_in_the_log() -> None:
    assert "colour='error'" in repr(LoadThermalImage(colour="error"))
    assert "brightness=0.4" in repr(RandomContrastBrightness(brightness=0.4))


def test_a_frame_is_normalised_by_its_own_channels_down_to_the_floor() -> None:
    image = np.random.default_rng(0).normal(0, 1, (20, 30, 2)) * (5, 0.2) + (21000, 300)
    image = image.astype(np.float32)
    found = NormalizeFrame(min_std=1.0)(dict(img=image))["img"]
    exact = image.astype(np.float64)
    centred = exact - exact.mean(axis=(0, 1))
    np.testing.assert_allclose(found, centred / (exact[..., 0].std(), 1.0), atol=2e-3)
