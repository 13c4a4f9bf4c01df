"""Arrays become what the loader makes of files, in mmdet's own ways to predict."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.datasets.transforms import LoadImageFromNDArray
from mmdet.registry import TRANSFORMS

from mmthermal.datasets import LoadThermalArray, ThermalInferencerLoader


def build(**settings: Any) -> Any:
    """As ``inference_detector`` does: the loader's settings under another type."""
    return TRANSFORMS.build(dict(type="mmdet.LoadImageFromNDArray", **settings))


def frame(*shape: int, kind: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 250, shape).astype(kind)


@pytest.mark.parametrize("settings", [{}, dict(to_float32=True), dict(color_type="unchanged")])
@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3)])
def test_without_our_settings_it_is_mmdets(settings: dict, shape: tuple[int, ...]) -> None:
    image = frame(*shape)
    expected = LoadImageFromNDArray(**settings)(dict(img=image.copy()))
    found = build(**settings)(dict(img=image.copy()))
    assert found["img"].dtype == expected["img"].dtype
    np.testing.assert_array_equal(found.pop("img"), expected.pop("img"))
    assert found == expected


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("shape", "kind"),
    [((6, 8), np.uint16), ((6, 8, 1), np.uint8), ((6, 8, 3), np.uint8), ((6, 8, 4), np.uint8)],
)
def test_an_array_is_loaded_as_its_file(
    tmp_path: Path, shape: tuple[int, ...], kind: type, channels: int
) -> None:
    image = frame(*shape, kind=kind)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    settings = dict(channels=channels)
    file = TRANSFORMS.build(dict(type="LoadThermalImage", **settings))
    expected = file(dict(img_path=str(tmp_path / "a.png")))["img"]
    found = build(**settings)(dict(img=image))
    np.testing.assert_array_equal(found["img"], expected)
    assert found["img_shape"] == found["ori_shape"] == (6, 8) and found["img_path"] is None
    loader = ThermalInferencerLoader(**settings)
    inputs: list[Any] = [str(tmp_path / "a.png"), image, dict(img=image)]
    for one in [*inputs, dict(img_path=str(tmp_path / "a.png"))]:
        np.testing.assert_array_equal(loader(one)["img"], expected)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="the array has 3 channels where one is expected"):
        build(colour="error")(dict(img=frame(6, 8, 3)))
    with pytest.raises(ValueError, match=r"the array has the shape \(6, 8, 5\)"):
        build(channels=1)(dict(img=frame(6, 8, 5)))
    with pytest.raises(TypeError, match="kanal"):
        LoadThermalArray(kanal=1)
