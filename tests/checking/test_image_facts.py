"""What is measured of a file."""

import cv2
import numpy as np
import pytest
from helpers_radiometric import kelvin_of, write_radiometric
from helpers_tiff import tiff
from PIL import Image

from mmthermal.checking.image_facts import measure, measure_all, read_pixels


def ramp(dtype=np.uint16, scale=1):
    return (np.arange(48 * 64).reshape(48, 64) * scale).astype(dtype)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".npy"])
def test_16_bits_are_measured_as_they_are(tmp_path, suffix) -> None:
    path = tmp_path / f"a{suffix}"
    np.save(path, ramp()) if suffix == ".npy" else cv2.imwrite(str(path), ramp())
    facts = measure(path)
    assert facts.problem == ""
    assert (facts.width, facts.height, facts.channels, facts.grey) == (64, 48, 1, True)
    assert (facts.dtype, facts.bits, facts.low, facts.high) == ("uint16", 16, 0, 3071)
    assert facts.level == pytest.approx(ramp().mean())
    assert facts.spread == pytest.approx(ramp().std())
    assert facts.saturated == pytest.approx(1 / 3072)
    assert facts.hash > 0
    assert np.array_equal(read_pixels(path), ramp())


@pytest.mark.parametrize(
    ("kind", "bits"),
    [(">u2", 16), (">i4", 32), (">f4", 32), ("u4", 32), ("f2", 16), ("f8", 64), ("i8", 64)],
)
def test_bits_of_an_array_in_any_order_of_bytes(tmp_path, kind, bits) -> None:
    np.save(tmp_path / "a.npy", ramp(kind))
    facts = measure(tmp_path / "a.npy")
    assert (facts.dtype, facts.bits) == (np.dtype(kind).name, bits)
    np.save(tmp_path / "b.npy", ramp(">u2") % 256)
    assert measure(tmp_path / "b.npy").bits == 8


def test_8_bit_values_in_a_16_bit_file_count_as_8_bits(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), ramp() % 256)
    facts = measure(tmp_path / "a.png")
    assert (facts.dtype, facts.bits) == ("uint16", 8)


@pytest.mark.parametrize(("channels", "grey"), [(3, True), (3, False), (4, True), (4, False)])
def test_channels_and_colours(tmp_path, channels, grey) -> None:
    image = np.repeat(ramp(np.uint8)[..., None], channels, axis=2)
    image[..., 3:] = 255
    if not grey:
        image[..., 1] //= 2
    cv2.imwrite(str(tmp_path / "a.png"), image)
    facts = measure(tmp_path / "a.png")
    assert (facts.channels, facts.grey) == (channels, grey)


def test_pages_and_orientation(tmp_path) -> None:
    pages = [Image.fromarray(ramp()) for _ in range(3)]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    assert measure(tmp_path / "a.tiff").pages == 3
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(ramp(np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    facts = measure(tmp_path / "a.jpg")
    assert (facts.orientation, facts.width, facts.height) == (6, 48, 64)  # upright


def test_nan_pixels_are_counted_and_left_out(tmp_path) -> None:
    image = ramp(np.float32)
    image[0, 0], image[1, 1] = np.nan, np.inf
    cv2.imwrite(str(tmp_path / "a.tiff"), image)
    facts = measure(tmp_path / "a.tiff")
    assert (facts.nonfinite, facts.bits) == (2, 32)
    assert np.isfinite([facts.low, facts.high, facts.level, facts.spread]).all()


def test_saturation_is_the_share_at_the_largest_value(tmp_path) -> None:
    image = np.minimum(ramp(), 1536)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert measure(tmp_path / "a.png").saturated == pytest.approx(0.5)
    cv2.imwrite(str(tmp_path / "b.png"), np.full((9, 9), 65535, np.uint16))
    assert measure(tmp_path / "b.png").saturated == 0  # blank, no saturation
    assert measure(tmp_path / "b.png").blank and not measure(tmp_path / "a.png").blank


def test_bands_that_opencv_drops_are_a_problem(tmp_path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(np.stack([ramp(), ramp(), ramp(), ramp()], -1)))
    assert measure(path).problem.endswith("[misread-image]")


def test_what_can_not_be_read_is_said(tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "b.png").touch()
    np.save(tmp_path / "c.npy", np.zeros((2, 3, 4, 5)))
    found = measure_all([tmp_path / name for name in ("a.png", "b.png", "c.npy", "d.png")])
    assert "broken" in found[0].problem and "broken" in found[1].problem
    assert "(2, 3, 4, 5)" in found[2].problem
    assert found[3].problem == "missing"
    with pytest.raises(ValueError, match="not an image"):
        read_pixels(tmp_path / "a.png")


def test_temperatures_are_measured_where_they_are_loaded(tmp_path) -> None:
    """Of the picture beside them, which is grey, nothing is told."""
    pytest.importorskip("flyr")
    raw = ramp() * 2 + 15000
    path = write_radiometric(tmp_path / "a.jpg", raw.astype(np.uint16))
    plain = measure(path)
    (facts,) = measure_all([path], radiometric="kelvin")
    assert plain.blank and plain.dtype == "uint8"
    assert (facts.width, facts.height, facts.channels, facts.dtype) == (64, 48, 1, "float32")
    assert facts.level == pytest.approx(kelvin_of(raw).mean(), abs=0.1)
    assert facts.spread == pytest.approx(kelvin_of(raw).std(), rel=0.01)
    (broken,) = measure_all([write_plain(tmp_path / "b.jpg")], radiometric="kelvin")
    assert "holds no temperatures" in broken.problem


def write_plain(path):
    cv2.imwrite(str(path), ramp(np.uint8))
    return path
