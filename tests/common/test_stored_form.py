"""What a file stores is compared with what comes out of its decoder."""

import itertools
import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers_tiff import tiff
from mmdet.registry import TRANSFORMS
from PIL import Image

from mmthermal.common.display import read_image
from mmthermal.common.stored_form import Stored, check_decoded, is_cut_short, stored_form

pytestmark = pytest.mark.usefixtures("said")

BAND = (20000 + 3 * np.arange(48 * 64).reshape(48, 64)).astype(np.uint16)


def bands(number: int, kind: type = np.uint16) -> np.ndarray:
    """(48, 64, C), all bands different."""
    plane = BAND >> 8 if np.dtype(kind).itemsize == 1 else BAND
    return np.stack([plane // (k + 1) for k in range(number)], -1).astype(kind)


def rgb16(path: Path) -> np.ndarray:
    """A PNG of 16-bit colours."""
    cv2.imwrite(str(path), bands(3))
    return bands(3)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 9])
def test_the_header_of_a_tiff(order: str, big: bool, planar: bool, number: int) -> None:
    content = tiff(bands(number), order=order, big=big, planar=planar, extra=2, photometric=2)
    assert stored_form(content) == Stored(number, 16, planar, 2, 2)
    content = tiff(bands(number, np.uint8), order=order, big=big)
    assert stored_form(content) == Stored(number, 8, False, 1, 0)


@pytest.mark.parametrize(
    ("mode", "form"),
    [("1", (1, 1)), ("L", (1, 8)), ("I;16", (1, 16)), ("LA", (2, 8)), ("RGB", (3, 8)),
     ("RGBA", (4, 8))],
)  # fmt: skip
def test_the_headers_that_pillow_writes(mode: str, form: tuple[int, int]) -> None:
    for kind in ("TIFF", "PNG"):
        file = BytesIO()
        Image.new(mode, (300, 7)).save(file, kind)
        found = stored_form(file.getvalue())
        assert found is not None and found[:2] == form


def test_a_header_that_is_broken_or_none() -> None:
    whole = tiff(bands(3), big=True)
    far, endless = (struct.pack("<QQ", place, 2**64 - 1) for place in (2**64 - 1, 16))
    for content in (
        b"",
        b"\xff\xd8\xff",
        b"II*\0",
        b"MM\0*broken",
        b"\x89PNG\r\n\x1a\n",
        whole[:-250],
        whole[:8] + far + whole[24:],
        whole[:8] + endless + bytes(39),
    ):
        assert stored_form(content) is None
        check_decoded(None, content, "a.tif")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("number", "photometric"), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (3, 2), (4, 2), (5, 2)]
)
def test_a_tiff_is_read_whole_or_refused(
    tmp_path: Path, kind: type, planar: bool, photometric: int, number: int
) -> None:
    path = tmp_path / "a.tif"
    image = bands(number, kind)
    path.write_bytes(tiff(image, planar=planar and number > 1, photometric=photometric))
    try:
        found = read_image(str(path))
    except ValueError as error:
        assert str(path) in str(error)
        assert number > 1 and (photometric == 1 or planar or number not in (3, 4))
        return
    expected = image[..., [2, 1, 0, *range(3, number)]] if number > 1 else image[..., 0]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("kind", "planar", "number", "words"),
    [
        (np.uint16, False, 4, "has 4 bands of 16 bits, and OpenCV gives 1 of 16 bits: write the"),
        (np.uint8, False, 3, "has 3 bands of 8 bits, and OpenCV gives 1 of 8 bits: write the band"),
        (np.uint16, False, 2, "has 2 bands of 16 bits, and OpenCV gives 1 of 8 bits"),
        (np.uint16, True, 3, r"16 bits, one after the other \(planar\), and OpenCV mixes up"),
        (np.float32, True, 3, "mixes up their pixels"),
        (np.uint16, False, 5, "has 5 bands of 16 bits, and OpenCV can't read them"),
        (np.float32, False, 2, "has 2 bands of 32 bits, and OpenCV can't read them"),
    ],
)
def test_the_loader_names_file_bands_and_what_to_do(
    tmp_path: Path, kind: type, planar: bool, number: int, words: str
) -> None:
    path = tmp_path / "a.tif"
    for order, big in itertools.product("<>", (False, True)):
        path.write_bytes(tiff(bands(number, kind), planar=planar, order=order, big=big))
        load = TRANSFORMS.build(dict(type="LoadThermalImage"))
        with pytest.raises(ValueError, match=rf"a\.tif .*{words}.*\[misread-image\]"):
            load(dict(img_path=str(path)))


def test_grey_with_opacity(tmp_path: Path, said: list[str]) -> None:
    path, image = tmp_path / "a.tif", bands(2, np.uint8)
    image[..., 1] = 255
    path.write_bytes(tiff(image, extra=2))
    np.testing.assert_array_equal(read_image(str(path)), image[..., 0])
    assert said == []
    image[:9, :, 1] = 0
    path.write_bytes(tiff(image, extra=2))
    np.testing.assert_array_equal(read_image(str(path)), image[..., 0])
    assert len(said) == 1 and "a.tif has 2 channels" in said[0] and "[alpha-channel]" in said[0]
    for changes in (dict(extra=0), dict(), dict(extra=2, planar=True)):
        path.write_bytes(tiff(image, **changes))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="2 bands of 8 bits"):
            read_image(str(path))


def test_what_another_decoder_gives_whole_passes() -> None:
    image = bands(4)
    content = tiff(image)
    check_decoded(image, content, "a.tif", "tifffile")
    check_decoded(np.moveaxis(image, -1, 0), tiff(image, planar=True), "a.tif", "tifffile")
    with pytest.raises(ValueError, match="tifffile gives 1 of 16 bits.*imdecode_backend='cv2'"):
        check_decoded(image[..., 0], content, "a.tif", "tifffile")
    check_decoded(np.zeros((48, 64), np.float32), tiff(BAND.astype(np.float64)), "a.tif", "pillow")


def test_pillow_cuts_colours_of_16_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = rgb16(path)
    np.testing.assert_array_equal(read_image(str(path)), image)
    load = TRANSFORMS.build(dict(type="LoadThermalImage", imdecode_backend="pillow"))
    with pytest.raises(ValueError, match=r"a\.png has 3 bands of 16 bits, and pillow gives 3 of 8"):
        load(dict(img_path=str(path)))
    cv2.imwrite(str(path), bands(3, np.uint8))
    assert load(dict(img_path=str(path)))["img"].shape == (48, 64)


def test_a_broken_png_with_opacity_stays_broken(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 64, 48, 16, 4, 0, 0, 0)
    chunk = b"IHDR" + header
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    (tmp_path / "a.png").write_bytes(content + struct.pack(">I", zlib.crc32(chunk)))
    with pytest.raises(ValueError, match="it is broken, or not an image"):
        read_image(str(tmp_path / "a.png"))


def jpeg(path: Path, **settings: object) -> bytes:
    """A JPEG of noise, with a whole small one in its header, as cameras put it there."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    small, whole = BytesIO(), BytesIO()
    Image.fromarray(noise[:20, :30]).save(small, "JPEG")
    Image.fromarray(noise).save(whole, "JPEG", **settings)
    inside, content = small.getvalue(), whole.getvalue()
    segment = b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside
    content = content[:2] + 2 * segment + b"\xff\xff" + content[2:]
    path.write_bytes(content)
    return content


@pytest.mark.parametrize("settings", [{}, dict(progressive=True), dict(restart_marker_blocks=2)])
def test_a_jpeg_that_was_cut_short_is_broken(tmp_path: Path, settings: dict) -> None:
    path = tmp_path / "a.jpg"
    content = jpeg(path, **settings)
    assert read_image(str(path)).shape == (60, 80)
    for left in (len(content) - 1, len(content) - 2, len(content) * 3 // 4):
        for tail in (b"", bytes(len(content) - left)):
            path.write_bytes(content[:left] + tail)
            assert is_cut_short(path.read_bytes())
            with pytest.raises(ValueError, match=r"a\.jpg can't be read: it is broken"):
                read_image(str(path))


def test_what_follows_the_end_of_a_jpeg_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    content = jpeg(path)
    for tail in (b"\n", bytes(100), b"raw \xff\xda counts", b"\xff\xd8\xff\xda"):
        path.write_bytes(content + tail)
        assert read_image(str(path)).shape == (60, 80)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1\x00", b"\xff\xd8\xff" + b"\xff" * 9,
     b"\xff\xd8\xff\xe1\x00\x00\x00", b"no picture", b"\x89PNG\r\n\x1a\n\xff\xda"],
)  # fmt: skip
def test_only_a_jpeg_with_pixels_can_be_cut_short(content: bytes) -> None:
    assert not is_cut_short(content)
