"""A picture is compared with its record, and dead pixels do not spread."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmdet.registry import TRANSFORMS

from mmthermal.datasets.picture_checks import check_picture

pytestmark = pytest.mark.usefixtures("said")


def frame(*shape: int, kind: type = np.float32) -> np.ndarray:
    return np.random.default_rng(0).uniform(10, 200, shape).astype(kind)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3), (48, 64, 1)])
@pytest.mark.parametrize("record", [{}, dict(width=64, height=48), dict(width=0, height=0),
                                    dict(width=None, height=None)])  # fmt: skip
def test_what_fits_passes(shape: tuple[int, ...], record: dict, said: list[str]) -> None:
    image = frame(*shape, kind=np.uint16)
    assert check_picture(image, record, "a.png") is image
    assert said == []


@pytest.mark.parametrize("size", [(128, 96), (48, 64), (64, 50), (640, 48)])
def test_another_size_than_the_record(size: tuple[int, int], said: list[str]) -> None:
    record = dict(width=size[0], height=size[1])
    words = rf"image dir/a\.png is 64 × 48 pixels, upright, and {size[0]} × {size[1]} in the ann"
    with pytest.raises(ValueError, match=words):
        check_picture(frame(48, 64), record, "dir/a.png")
    check_picture(frame(48, 64), record, "dir/a.png", accept=["image-size-differs"])
    assert len(said) == 1


def test_a_pixel_more_is_only_said(said: list[str]) -> None:
    for _ in range(2):
        check_picture(frame(48, 64), dict(width=65, height=48), "a.png")
    assert len(said) == 1 and "[image-size-differs]" in said[0]


@pytest.mark.parametrize("shape", [(4, 4, 5), (4,), (2, 4, 4, 3)])
def test_shapes_that_are_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image a\.npy has the shape"):
        check_picture(frame(*shape), {}, "a.npy")


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 4, 2), (0, 4, 3)])
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_no_pixel(shape: tuple[int, ...], kind: type) -> None:
    with pytest.raises(ValueError, match=r"image a\.npy has the shape .*no pixel: write it again"):
        check_picture(frame(*shape, kind=kind), {}, "a.npy")


@pytest.mark.parametrize("channels", [2, 4])
def test_a_last_channel_that_is_no_opacity_is_said(channels: int, said: list[str]) -> None:
    image = np.full((8, 8, channels), 50, np.uint8)
    check_picture(image, {}, "even.png")  # plt.imsave writes opacity 255 everywhere
    assert said == []
    image[2:5, 2:5, -1] = 200
    check_picture(image, {}, "t.tiff")
    assert len(said) == 1 and f"t.tiff has {channels} channels" in said[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_dead_pixels_take_their_neighbours_median(
    value: float, channels: tuple[int, ...], said: list[str]
) -> None:
    whole = frame(40, 40, *channels)
    image = whole.copy()
    image[0, 0], image[20, 20] = value, value
    found = check_picture(image, {}, "a.tiff")
    assert np.isfinite(found).all() and np.isnan(image).sum() == np.isnan(image).sum()
    changed = np.argwhere(found != whole)
    assert {tuple(place[:2]) for place in changed.tolist()} == {(0, 0), (20, 20)}
    window = np.delete(whole[18:23, 18:23].reshape(25, -1), 12, axis=0)
    np.testing.assert_allclose(found[20, 20], np.median(window, axis=0).squeeze())
    assert len(said) == 1 and "[nan-pixels]" in said[0]


def test_many_dead_pixels_are_refused() -> None:
    image = frame(40, 40)
    image[:2] = np.nan  # 5 %
    with pytest.raises(ValueError, match=r"80 of 1600 pixels of a\.tiff are NaN"):
        check_picture(image, {}, "a.tiff")
    assert np.isfinite(check_picture(image, {}, "a.tiff", accept=["nan-pixels"])).all()
    with pytest.raises(ValueError, match="1600 of 1600"):
        check_picture(np.full((40, 40), np.nan), {}, "a.tiff", accept=["nan-pixels"])


def test_the_loader_checks_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    image = frame(48, 64)
    image[3, 4] = np.nan
    cv2.imwrite(str(path), image)
    load = TRANSFORMS.build(dict(type="LoadThermalImage"))
    assert np.isfinite(load(dict(img_path=str(path), width=64, height=48))["img"]).all()
    with pytest.raises(ValueError, match=rf"{path.name} is 64 × 48.*accept="):
        load(dict(img_path=str(path), width=48, height=64))
    accepting = TRANSFORMS.build(dict(type="LoadThermalImage", accept="image-size-differs"))
    assert accepting(dict(img_path=str(path), width=48, height=64))["img_shape"] == (48, 64)
    with pytest.raises(ValueError, match="accept='size'"):
        TRANSFORMS.build(dict(type="LoadThermalImage", accept=["size"]))


def test_mmdets_settings_of_a_loader(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), frame(6, 8, kind=np.uint16))
    expected = TRANSFORMS.build(dict(type="LoadThermalImage"))(dict(img_path=str(path)))["img"]
    other = TRANSFORMS.build(dict(type="LoadThermalImage", imdecode_backend="pillow"))
    np.testing.assert_array_equal(other(dict(img_path=str(path)))["img"], expected)
    empty = TRANSFORMS.build(dict(type="LoadThermalImage", ignore_empty=True))
    assert empty(dict(img_path=str(tmp_path / "none.png"))) is None
    (tmp_path / "b.png").write_bytes(b"broken")
    assert empty(dict(img_path=str(tmp_path / "b.png"))) is None
