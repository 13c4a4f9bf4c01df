"""Pictures are turned as viewers do, and pages that are left out are said."""

from io import BytesIO
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
import pytest
from PIL import Image, ImageOps

from mmthermal.common.display import read_image
from mmthermal.common.picture_header import picture_header, turned

_IMAGE = np.kron(np.arange(24, dtype=np.uint8).reshape(4, 6) * 10, np.ones((8, 8), np.uint8))


def write(path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(_IMAGE).save(
        path, exif=exif, **({"quality": 95} if ".jpg" in path.name else {})
    )


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_pillow_and_mmdet_do(
    tmp_path: Path, said: list[str], orientation: int, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write(path, orientation)
    assert picture_header(path.read_bytes()) == (1, orientation)
    found = read_image(str(path)).astype(int)
    with Image.open(BytesIO(path.read_bytes())) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 8  # JPEG
    assert np.abs(found - mmcv.imread(str(path), flag="grayscale")).max() <= 8
    assert bool(said) == (orientation != 1)


def test_a_tiff_that_tifffile_decodes(tmp_path: Path, said: list[str]) -> None:
    pytest.importorskip("tifffile")
    write(tmp_path / "a.tiff", 6)
    found = read_image(str(tmp_path / "a.tiff"), imdecode_backend="tifffile")
    np.testing.assert_array_equal(found, turned(_IMAGE, 6))


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "MPO"])
def test_pages(tmp_path: Path, said: list[str], kind: str) -> None:
    pages = [Image.fromarray(np.full((8, 8), 50 * k, np.uint8)) for k in (1, 2, 3)]
    path = tmp_path / f"a.{kind.lower()}"
    more: dict[str, Any] = dict(save_all=True, append_images=pages[1:])
    pages[0].save(path, format=kind, **more)
    assert picture_header(path.read_bytes()) == (3, 1)
    read_image(str(path))
    assert len(said) == 1 and f"{path} has 3 pages" in said[0] and "[several-pages]" in said[0]


def test_pages_of_a_bigtiff(tmp_path: Path, said: list[str]) -> None:
    pages = [Image.fromarray(np.full((8, 8), 50 * k, np.uint8)) for k in (1, 2)]
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], big_tiff=True)
    assert path.read_bytes()[:4] == b"II+\x00"
    assert picture_header(path.read_bytes()) == (2, 1)
    read_image(str(path))
    assert len(said) == 1 and "[several-pages]" in said[0]


def test_a_plain_jpeg_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    file = BytesIO()
    Image.fromarray(_IMAGE).save(file, "JPEG")
    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("opened for nothing"))
    assert picture_header(file.getvalue() + b"MPF\x00") == (1, 1)  # behind the pixels


@pytest.mark.parametrize("content", [b"", b"II*\x00broken", b"\xff\xd8 Exif\x00", b"P5 1 1 255 x"])
def test_what_says_nothing_is_upright(content: bytes) -> None:
    assert picture_header(content) == (1, 1)


def test_an_orientation_that_does_not_exist() -> None:
    exif, file = Image.Exif(), BytesIO()
    exif[0x0112] = 77
    Image.fromarray(_IMAGE).save(file, "JPEG", exif=exif)
    assert picture_header(file.getvalue()) == (1, 1)
