"""Gain control: against OpenCV, closed forms and properties; 16-bit levels stay apart."""

from functools import partial

import cv2
import numpy as np
import pytest

from mmthermal.common.display import to_display
from mmthermal.common.gain import (
    GAIN_CONTROLS,
    clahe,
    gain_control,
    local_detail,
    percentile_stretch,
    plateau_equalise,
    raw,
    temperature_window,
)

NEEDED = {"window": dict(low=20900.0, high=21600.0)}
METHODS = [gain_control(dict(method=name, **NEEDED.get(name, {}))) for name in GAIN_CONTROLS]
named = pytest.mark.parametrize("control", METHODS, ids=list(GAIN_CONTROLS))


def scene(seed: int = 0, shape: tuple[int, int] = (64, 96)) -> np.ndarray:
    """Counts of a cool background that drifts along a row, with two warm objects."""
    rng = np.random.default_rng(seed)
    image = rng.normal(21000, 8, shape) + np.linspace(0, 120, shape[1])
    image[20:40, 10:20] += 300
    image[8:20, 60:80] += 420
    return image.round().astype(np.uint16)


@named
def test_the_same_image_gives_the_same_and_is_left_alone(control) -> None:
    image = scene()
    before = image.copy()
    np.random.seed(0)
    first = control(image)
    np.random.seed(1)
    np.testing.assert_array_equal(first, control(image))
    np.testing.assert_array_equal(image, before)
    assert first.dtype == np.float32 and first.shape == image.shape


@pytest.mark.parametrize("name", ["stretch", "plateau", "clahe", "detail"])
def test_gain_and_offset_of_the_camera_do_not_matter(name: str) -> None:
    control = gain_control(dict(method=name))
    image = scene().astype(np.float64)
    np.testing.assert_allclose(control(image), control(2.5 * image - 4000), atol=0.02)


@named
def test_odd_inputs_are_no_error(control) -> None:
    for image in (np.full((16, 20), 21000, np.uint16), np.full((16, 20), np.nan), np.eye(1)):
        assert np.isfinite(control(image)).all()
    holed = scene().astype(np.float32)
    expected = holed.copy()
    holed[3, 4], holed[5, 6], holed[7, 8] = np.nan, np.inf, -np.inf
    finite = holed[np.isfinite(holed)]
    expected[3, 4], expected[5, 6], expected[7, 8] = finite.min(), finite.max(), finite.min()
    np.testing.assert_allclose(control(holed), control(expected), atol=0.5)
    with pytest.raises(ValueError, match=r"shape \(4, 5, 3\), expected \(H, W\)"):
        control(np.zeros((4, 5, 3)))


@pytest.mark.parametrize("control", [percentile_stretch, plateau_equalise, clahe, local_detail])
def test_output_is_in_range_and_uses_it(control) -> None:
    shown = control(scene())
    assert shown.min() >= 0 and shown.max() <= 255
    assert shown.max() - shown.min() > 150


def test_stretch_is_linear_between_the_percentiles() -> None:
    image = np.arange(101, dtype=np.float64).reshape(1, 101) + 20000
    shown = percentile_stretch(image, low=10, high=90)[0]
    expected = np.clip((np.arange(101) - 10) / 80, 0, 1) * 255
    np.testing.assert_allclose(shown, expected, atol=1e-4)


def test_a_high_plateau_is_opencvs_equalisation() -> None:
    image = np.random.default_rng(0).normal(120, 30, (64, 96)).clip(0, 255).astype(np.uint8)
    image[0, 0], image[0, 1] = 0, 255
    ours = plateau_equalise(image, plateau=1e9, bins=256)
    shares = np.bincount(image.ravel(), minlength=256) / image.size
    step = 255 * shares.max()  # OpenCV counts a whole bin at its lower edge, we a part of it
    assert np.abs(ours - cv2.equalizeHist(image)).max() <= step + 1


def test_a_low_plateau_gives_every_occupied_bin_the_same_share() -> None:
    image = np.array([[0.0] * 90 + [1.0] * 5 + [3.0] * 5])
    shown = plateau_equalise(image, plateau=1e-9, bins=3)[0]
    # three bins, a third each: 0 at the foot of the first, 1 of the second, 3 at the top
    np.testing.assert_allclose(shown[[0, 90, 95]], [0, 85, 255], atol=1e-3)


def test_plateau_saves_the_range_for_the_few() -> None:
    """A background of nine tenths of the pixels takes nine tenths of plain equalisation's range."""
    image = scene()
    background = image < 21200
    shares = [
        np.ptp(plateau_equalise(image, plateau=plateau)[background]) / 255
        for plateau in (1e9, 1.0, 0.1)
    ]
    assert shares[0] == pytest.approx(background.mean(), abs=0.01)
    assert shares[0] > shares[1] > shares[2]


@pytest.mark.parametrize("clip", [1.0, 2.0, 8.0])
def test_clahe_of_one_tile_is_opencvs(clip: float) -> None:
    image = np.random.default_rng(1).normal(120, 25, (120, 160)).clip(0, 255).astype(np.uint8)
    image[0, 0], image[0, 1] = 0, 255
    theirs = cv2.createCLAHE(clip, (1, 1)).apply(image)
    slope = 255 * min(clip / 256, np.bincount(image.ravel()).max() / image.size)
    # OpenCV counts a whole bin where we count the part below the value
    np.testing.assert_allclose(clahe(image, clip=clip, tiles=(1, 1)), theirs, atol=slope + 2)


def test_clahe_of_many_tiles_follows_opencvs() -> None:
    """Tiles large enough that OpenCV's whole numbers of redistributed counts don't show."""
    rng = np.random.default_rng(2)
    image = cv2.GaussianBlur(rng.normal(120, 400, (512, 640)), (0, 0), 9).clip(0, 255)
    image = (image + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)
    image[0, 0], image[0, 1] = 0, 255
    ours = clahe(image, clip=3.0, tiles=(4, 2))
    theirs = cv2.createCLAHE(3.0, (4, 2)).apply(image).astype(float)
    assert np.abs(ours - theirs).mean() < 2.5
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999


def test_clahe_limits_the_slope_and_takes_any_size() -> None:
    image = scene(shape=(61, 97)).astype(np.float64)
    image = np.sort(image, axis=None).reshape(1, -1)  # a ramp: differences are the slope
    shown = clahe(image, clip=2.0, tiles=(1, 1))[0]
    run = np.diff(image[0]) / np.ptp(image) * 255
    rise = np.diff(shown.astype(float))
    share_below_limit = 1.0  # redistribution adds at most the clipped share to each bin
    assert (rise <= (2.0 + share_below_limit) * run + 1e-3).all()


@pytest.mark.parametrize("name", ["plateau", "clahe", "detail", "stretch"])
def test_levels_of_16_bits_stay_apart(name: str) -> None:
    """1,000 neighbouring counts are 1,000 values, where 8 bits leave 256."""
    image = np.tile(np.arange(21000, 22000, dtype=np.uint16), (4, 1))
    one_curve = dict(tiles=(1, 1)) if name == "clahe" else {}
    control = gain_control(dict(method=name, **one_curve))
    kept = slice(10, -10) if name in ("stretch", "detail") else slice(None)
    assert len(np.unique(control(image)[1, kept])) == len(image[0, kept])


def test_window_is_fixed_and_takes_units() -> None:
    counts = np.array([[29315, 29815, 30315, 20000, 40000]], np.uint16)  # 0.01 K
    shown = temperature_window(counts, low=20, high=30, scale=0.01, offset=-273.15)
    np.testing.assert_allclose(shown, [[0, 127.5, 255, 0, 255]], atol=0.01)


def test_detail_is_amplified_and_edges_have_no_halo() -> None:
    rng = np.random.default_rng(0)
    clean = np.zeros((80, 80))
    clean[:, 40:] = 1000
    image = clean + rng.normal(0, 10, clean.shape)
    plain = percentile_stretch(image)
    ours = local_detail(image, gain=3.0, base_share=0.6)
    # far from the edge: noise grows by the gain, the step shrinks to the base's share
    assert ours[10:70, 5:30].std() / plain[10:70, 5:30].std() == pytest.approx(3.0, rel=0.25)
    step = ours[:, 60:].mean() - ours[:, :20].mean()
    assert step / 255 == pytest.approx(0.6, abs=0.03)

    def halo(shown: np.ndarray) -> float:
        return abs(float(shown[:, 36:40].mean() - shown[:, :20].mean()))

    smeared = local_detail(image, gain=3.0, base_share=0.6, edge=10.0)  # no edge is one
    assert halo(ours) < 0.25 * halo(smeared)


def test_raw_is_raw() -> None:
    image = scene()
    np.testing.assert_array_equal(raw(image), image)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (dict(method="agc"), ValueError, "method='agc': choose one of 'stretch'"),
        (dict(), ValueError, "method=None"),
        (dict(method="clahe", limit=2), TypeError, "limit"),
        (dict(method="window"), TypeError, "low"),
        (dict(method="window", low=3, high=3), ValueError, "high=3"),
        (dict(method="stretch", low=60, high=40), ValueError, "high=40"),
        (dict(method="plateau", plateau=0), ValueError, "plateau=0"),
        (dict(method="clahe", clip=0.5), ValueError, "clip=0.5"),
        (dict(method="clahe", tiles=(0, 4)), ValueError, "tiles=0"),
        (dict(method="detail", base_share=0), ValueError, "base_share=0"),
        (dict(method="detail", radius=1.5), TypeError, "radius=1.5"),
    ],
)
def test_wrong_settings_fail_where_they_are_made(settings, error, message) -> None:
    with pytest.raises(error, match=message):
        gain_control(settings)


def test_drawing_uses_the_same_functions() -> None:
    image = scene()
    shown = to_display(image, control=partial(clahe, clip=3.0))
    np.testing.assert_array_equal(shown[..., 0], clahe(image, clip=3.0).round().astype(np.uint8))
    plain = to_display(image, tail=2.0)
    expected = percentile_stretch(image, low=2.0, high=98.0).round().astype(np.uint8)
    np.testing.assert_array_equal(plain[..., 1], expected)


def test_the_base_of_the_detail_takes_its_share_of_the_range() -> None:
    """Values beyond the tails, too."""
    image = scene()
    image[30:34, 40:44] = 60000
    shown = local_detail(image, gain=0.0, base_share=0.6, tail=5.0)
    assert shown.min() == pytest.approx(0.2 * 255, abs=1)
    assert shown.max() == pytest.approx(0.8 * 255, abs=1)
