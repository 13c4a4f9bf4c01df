"""Gain control in the pipeline: the shared functions, channel by channel or as channels."""

from typing import Any

import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmengine.config import Config

from mmthermal.common.gain import clahe, percentile_stretch
from mmthermal.datasets import GainControl, NormalizeFrame

IMAGE = np.random.default_rng(0).integers(20000, 22000, (40, 60)).astype(np.float32)


def run(image: np.ndarray, **settings: Any) -> np.ndarray:
    transform = TRANSFORMS.build(dict(type="GainControl", **settings))
    return transform(dict(img=image))["img"]


def test_it_is_the_shared_function() -> None:
    np.testing.assert_array_equal(run(IMAGE, method="clahe", clip=3.0), clahe(IMAGE, clip=3.0))


def test_shape_stays_and_channels_are_treated_alike() -> None:
    assert run(IMAGE[..., None], method="stretch").shape == (40, 60, 1)
    stacked = np.stack([IMAGE, IMAGE + 5, 2 * IMAGE], axis=2)
    found = run(stacked, method="stretch")
    for k in range(3):
        np.testing.assert_array_equal(found[..., k], percentile_stretch(stacked[..., k]))


@pytest.mark.parametrize("image", [IMAGE, IMAGE[..., None]], ids=["HW", "HW1"])
def test_several_become_the_channels(image: np.ndarray) -> None:
    channels = [dict(method="stretch", low=1.0), dict(method="clahe"), dict(method="raw")]
    found = run(image, channels=channels)
    assert found.shape == (40, 60, 3) and found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], percentile_stretch(IMAGE, low=1.0))
    np.testing.assert_array_equal(found[..., 1], clahe(IMAGE))
    np.testing.assert_array_equal(found[..., 2], IMAGE)
    # the unit of each channel is its own: NormalizeFrame brings them together
    normalised = NormalizeFrame()(dict(img=found))["img"]
    np.testing.assert_allclose(normalised.mean(axis=(0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(normalised.std(axis=(0, 1)), 1, atol=1e-3)


def test_a_config_as_text_gives_the_same() -> None:
    settings = dict(type="GainControl", channels=[dict(method="window", low=0, high=9e4)])
    cfg = Config.fromstring(Config(dict(step=settings)).pretty_text, ".py")
    transform = TRANSFORMS.build(cfg.step)
    assert transform(dict(img=IMAGE))["img"].shape == (40, 60, 1)
    assert "window" in repr(transform)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, ValueError, "give one of them"),
        (dict(method="raw", channels=[dict(method="raw")]), ValueError, "give one of them"),
        (dict(channels=[]), ValueError, "give one of them"),
        (dict(channels=[dict(method="raw")], clip=2.0), TypeError, "clip: with channels"),
        (dict(method="agc"), ValueError, "method='agc'"),
        (dict(method="raw", clip=2.0), TypeError, "clip"),
    ],
)
def test_wrong_settings(settings: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TRANSFORMS.build(dict(type="GainControl", **settings))


def test_channels_of_several_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"3 channels, expected one.*channels=1"):
        run(np.zeros((4, 5, 3), np.float32), channels=[dict(method="raw")])


def test_the_name_clashes_with_none_of_mmcvs_or_mmdets() -> None:
    found = TRANSFORMS.get("GainControl")
    assert found is GainControl
    assert torch.is_tensor(torch.from_numpy(run(IMAGE, method="plateau")))  # contiguous, float32


def test_pictures_show_the_first_channel_that_is_not_raw() -> None:
    shown = GainControl(channels=[dict(method="raw"), dict(method="clahe")]).display
    assert shown is not None
    np.testing.assert_array_equal(shown(IMAGE), clahe(IMAGE))
    assert GainControl(method="raw").display is None
