"""Findings about pictures: each fault by itself."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_checking import codes

from mmthermal.checking.image_facts import ImageFacts
from mmthermal.checking.images import check_images

GOOD = ImageFacts("a.png", width=64, height=48, dtype="uint16", low=7000, high=9000, level=8000,
                  spread=100, saturated=0.001)  # fmt: skip


def check(**changes):
    """Nineteen good pictures and one other."""
    facts = [*[replace(GOOD, path=f"{i}.png") for i in range(19)], replace(GOOD, **changes)]
    return check_images(facts, np.tile([64.0, 48.0], (20, 1)))


def test_good_pictures_have_no_finding() -> None:
    assert check() == []
    assert check_images([], np.zeros((0, 2))) == []


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        (dict(problem="missing"), "missing-image", "error"),
        (dict(problem="broken"), "broken-image", "error"),
        (dict(problem="the image a.png has 3 bands [misread-image]"), "misread-image", "error"),
        (dict(width=32), "image-size-differs", "error"),
        (dict(orientation=6), "exif-orientation", "warning"),
        (dict(dtype="uint8", low=10, high=200), "mixed-bit-depth", "error"),
        (dict(low=10, high=200), "mixed-bit-depth", "error"),
        (dict(nonfinite=1), "nan-pixels", "error"),
        (dict(pages=3), "several-pages", "warning"),
        (dict(low=8000, high=8000), "blank-image", "warning"),
        (dict(saturated=0.2), "saturated", "note"),
    ],
)
def test_one_picture(changes, code, severity) -> None:
    (finding,) = check(**changes)
    assert (finding.code, finding.severity, finding.count, finding.total) == (code, severity, 1, 20)
    assert finding.examples == ("a.png",)


def test_a_misread_picture_is_said_in_words() -> None:
    words = "has 4 bands of 16 bits, and OpenCV gives 1 of 16 bits"
    (finding,) = check(problem=f"the image a.png {words}: write the band [misread-image]")
    assert finding.message == (
        f"1 of 20 pictures are not read as they are stored: the first {words}"
    )


def test_a_blank_picture_of_16_bits_is_no_other_bit_depth() -> None:
    (finding,) = check(low=0, high=0)
    assert (finding.code, finding.examples) == ("blank-image", ("a.png",))
    facts = [replace(GOOD, low=0, high=0)] * 3
    assert codes(check_images(facts, np.tile([64.0, 48.0], (3, 1)))) == {"blank-image": "warning"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [(dict(channels=4), "alpha-channel"), (dict(channels=3, grey=False), "colour-image")],
)
def test_channels(changes, code) -> None:
    assert codes(check(**changes)) == {code: "warning", "mixed-channels": "note"}


def test_much_saturation_is_a_warning() -> None:
    facts = [replace(GOOD, saturated=0.05)] * 3
    assert codes(check_images(facts, np.tile([64.0, 48.0], (3, 1)))) == {"saturated": "warning"}
