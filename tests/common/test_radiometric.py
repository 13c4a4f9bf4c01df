"""Temperatures of radiometric JPEG: by flyr where it is installed, else its absence is named.

The file is made by the tests: real records around values of their own. A camera's own file is not
at hand.
"""

import builtins
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from helpers_radiometric import kelvin_of, write_radiometric

from mmthermal.common.display import read_image
from mmthermal.common.radiometric import read_temperatures
from mmthermal.datasets import LoadThermalImage

RAW = np.linspace(12000, 19000, 30 * 40).reshape(30, 40).astype(np.uint16)


def test_temperatures_are_those_of_plancks_formula(tmp_path: Path) -> None:
    pytest.importorskip("flyr", reason="flyr is not installed (the extra 'radiometric')")
    path = write_radiometric(tmp_path / "a.jpg", RAW)
    found = read_temperatures(path.read_bytes(), unit="kelvin")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, kelvin_of(RAW), atol=1e-3)
    assert len(np.unique(found)) == len(np.unique(RAW))  # no level lost
    celsius = LoadThermalImage(radiometric="celsius")(dict(img_path=str(path)))
    np.testing.assert_allclose(celsius["img"], kelvin_of(RAW) - 273.15, atol=1e-3)
    assert celsius["img_shape"] == celsius["ori_shape"] == (30, 40)
    # without the setting it is the picture that the camera rendered
    assert LoadThermalImage()(dict(img_path=str(path)))["img"].std() < 1


def test_several_segments_of_a_large_image(tmp_path: Path) -> None:
    pytest.importorskip("flyr", reason="flyr is not installed (the extra 'radiometric')")
    raw = np.random.default_rng(0).integers(12000, 19000, (240, 320)).astype(np.uint16)
    path = write_radiometric(tmp_path / "a.jpeg", raw)
    found = read_image(str(path), radiometric="kelvin")
    np.testing.assert_allclose(found, kelvin_of(raw), atol=1e-3)


def test_a_plain_jpeg_is_named(tmp_path: Path) -> None:
    pytest.importorskip("flyr", reason="flyr is not installed (the extra 'radiometric')")
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((8, 8), np.uint8))
    with pytest.raises(ValueError, match=r"a\.jpg holds no temperatures"):
        LoadThermalImage(radiometric="celsius")(dict(img_path=str(tmp_path / "a.jpg")))


def test_a_stand_in_with_flyrs_interface(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is asked of flyr, where it is not installed: one stream, two properties."""

    def unpack(stream: Any) -> SimpleNamespace:
        raw = np.frombuffer(stream.read()[-2 * RAW.size :], "<u2").reshape(RAW.shape)
        kelvin = raw.astype(np.float64) / 50
        return SimpleNamespace(kelvin=kelvin, celsius=kelvin - 273.15)

    monkeypatch.setitem(sys.modules, "flyr", SimpleNamespace(unpack=unpack))
    (tmp_path / "a.JPG").write_bytes(b"\xff\xd8" + RAW.astype("<u2").tobytes())
    for unit, offset in (("kelvin", 0.0), ("celsius", 273.15)):
        found = read_image(str(tmp_path / "a.JPG"), radiometric=unit)
        np.testing.assert_allclose(found, RAW / 50 - offset, atol=1e-4)


def test_without_flyr_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import_it = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "flyr":
            raise ImportError(name)
        return import_it(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((8, 8), np.uint8))
    with pytest.raises(ImportError, match=r"pip install 'mmthermal\[radiometric\]'"):
        LoadThermalImage(radiometric="celsius")(dict(img_path=str(tmp_path / "a.jpg")))
    cv2.imwrite(str(tmp_path / "a.png"), RAW)  # other files need no flyr
    loaded = LoadThermalImage(radiometric="celsius")(dict(img_path=str(tmp_path / "a.png")))
    np.testing.assert_array_equal(loaded["img"], RAW)


def test_the_unit_is_checked() -> None:
    with pytest.raises(ValueError, match="radiometric='fahrenheit': choose one of None, 'celsius'"):
        LoadThermalImage(radiometric="fahrenheit")
