"""Pictures for people: read with all bits, made visible, enlarged, in colours that differ."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from mmthermal.common.display import (
    PALETTE,
    Look,
    class_colours,
    enlarge,
    look_of,
    read_image,
    to_display,
    without_opacity,
)
from mmthermal.datasets import GainControl, LoadThermalImage, NormalizeFrame


def test_linear_between_the_tails() -> None:
    image = np.arange(20000, 20256, dtype=np.uint16).reshape(16, 16)
    shown = to_display(image, tail=0)
    assert shown.dtype == np.uint8 and shown.shape == (16, 16, 3)
    np.testing.assert_array_equal(shown[..., 0].ravel(), np.arange(256))
    assert (shown == shown[..., :1]).all()


def test_tails_are_rejected() -> None:
    """One dead and one hot pixel of 1,000 don't cost the scene its contrast."""
    image = np.linspace(20000, 20100, 1000).reshape(25, 40)
    image[0, 0], image[24, 39] = 0, 65535
    shown = to_display(image)[..., 0]
    assert shown[0, 0] == 0 and shown[24, 39] == 255
    inner = shown.ravel()[10:-10].astype(int)
    assert inner.min() < 5 and inner.max() > 250
    flat = to_display(image, tail=0)[..., 0].ravel()[1:-1].astype(int)
    assert flat.max() - flat.min() <= 1


def test_faint_contrast_of_16_bit_counts_becomes_visible() -> None:
    image = np.random.default_rng(0).normal(29300, 20, (60, 80)).astype(np.uint16)
    assert to_display(image)[..., 0].std() > 40


def test_order_of_temperatures_is_kept() -> None:
    image = np.random.default_rng(0).normal(0, 1, 500).reshape(20, 25)
    shown = to_display(image)[..., 0].ravel()[image.ravel().argsort()].astype(int)
    assert (np.diff(shown) >= 0).all()


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_uniform_image_and_no_finite_value_are_no_error(shape: tuple[int, ...]) -> None:
    assert (to_display(np.full(shape, 21000, np.uint16)) == 0).all()
    assert (to_display(np.full(shape, np.nan)) == 0).all()


def test_nan_counts_as_the_minimum() -> None:
    image = np.arange(100.0).reshape(10, 10)
    image[5, 5] = np.nan
    shown = to_display(image, tail=0)
    assert (shown[5, 5] == 0).all() and (shown[9, 9] == 255).all()


def test_eight_bit_colour_comes_back_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(to_display(image), image)


def test_input_is_left_alone() -> None:
    image = np.arange(100, dtype=np.uint16).reshape(10, 10)
    before = image.copy()
    to_display(image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("tail", [-1, 50, float("nan")])
def test_refuses_tails_out_of_range(tail: float) -> None:
    with pytest.raises(ValueError, match=r"tail=.*: must lie in \[0, 50\)"):
        to_display(np.zeros((2, 2)), tail=tail)


@pytest.mark.parametrize("shape", [(5,), (4, 5, 0), (4, 5, 5), (1, 4, 5, 3)])
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="image has shape"):
        to_display(np.zeros(shape))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("channels", "left"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_opacity_is_left_out(channels: int, left: int, kind: type) -> None:
    image = np.random.default_rng(0).integers(0, 200, (6, 7, channels)).astype(kind)
    expected = image[..., 0] if left == 1 else image[..., :3]
    np.testing.assert_array_equal(without_opacity(image), expected)
    image[..., left:] = 255  # an opaque picture looks as if it had no such channel
    np.testing.assert_array_equal(to_display(image), to_display(expected))
    assert to_display(image).shape == (6, 7, 3)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3), (6, 7, 4)])
def test_reads_every_bit_and_channel(tmp_path: Path, shape: tuple[int, ...], kind: type) -> None:
    image = np.random.default_rng(0).integers(0, np.iinfo(kind).max, shape).astype(kind)
    cv2.imwrite(str(tmp_path / "ä.png"), image)
    found = read_image(str(tmp_path / "ä.png"))
    assert found.dtype == kind
    np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_broken_picture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.png can't be read"):
        read_image(str(tmp_path / "a.png"))
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        read_image(str(tmp_path / "none.png"))


@pytest.mark.parametrize("shape", [(0, 9), (9, 0), (0, 9, 3)])
def test_an_array_without_pixels_is_named(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint16))
    with pytest.raises(ValueError, match=r"a\.npy is uint16 of shape .*, with pixels"):
        read_image(str(tmp_path / "a.npy"))


def test_colours_repeat_after_the_eighth_class() -> None:
    assert len(set(PALETTE)) == 8
    assert class_colours(0) == []
    assert class_colours(10) == [*PALETTE, *PALETTE[:2]]


@pytest.mark.parametrize(
    ("size", "min_side", "factor"), [((80, 120), 640, 6), ((512, 640), 640, 1), ((9, 4), 18, 2)]
)
def test_enlarges_by_a_whole_factor(size: tuple[int, int], min_side: int, factor: int) -> None:
    image = np.zeros((*size, 3), np.uint8)
    sample = DetDataSample(pred_instances=InstanceData(bboxes=torch.tensor([[1.0, 2, 3, 4]])))
    large, scaled = enlarge(image, sample, min_side)
    assert large.shape == (size[0] * factor, size[1] * factor, 3)
    assert scaled.pred_instances.bboxes.tolist() == [[factor, 2 * factor, 3 * factor, 4 * factor]]
    assert sample.pred_instances.bboxes.tolist() == [[1, 2, 3, 4]]


def test_masks_are_enlarged_with_their_boxes() -> None:
    mask = np.zeros((1, 4, 6), np.uint8)
    mask[0, 1:3, 2:4] = 1
    sample = DetDataSample(
        gt_instances=InstanceData(bboxes=torch.zeros(1, 4), masks=BitmapMasks(mask, 4, 6)),
        pred_instances=InstanceData(bboxes=torch.zeros(1, 4), masks=torch.from_numpy(mask).bool()),
    )
    large, scaled = enlarge(np.zeros((4, 6, 3), np.uint8), sample, 12)
    expected = mask.repeat(2, 1).repeat(2, 2)
    assert large.shape[:2] == (8, 12)
    np.testing.assert_array_equal(scaled.gt_instances.masks.masks, expected)
    np.testing.assert_array_equal(scaled.pred_instances.masks.numpy(), expected)


def test_a_pipelines_look_is_that_of_its_loader_and_its_first_gain_control() -> None:
    load = LoadThermalImage(radiometric="celsius")
    control = GainControl(method="plateau")
    stacked = GainControl(channels=[dict(method="raw"), dict(method="clahe")])
    assert look_of([]) == look_of([LoadThermalImage(), NormalizeFrame()]) == Look()
    assert look_of([load, control, stacked]) == Look("celsius", control.controls[0])
    assert look_of([stacked]).control is stacked.controls[1]  # raw is not for a screen
    assert look_of([GainControl(method="raw")]).control is None


def test_pictures_are_drawn_as_their_loader_decodes_them() -> None:
    assert look_of([LoadThermalImage(imdecode_backend="pillow")]).imdecode_backend == "pillow"
