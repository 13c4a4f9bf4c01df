"""What the sensor does to an image: sizes as set, at any depth; NumPy's state, or a seed."""

from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.registry import TRANSFORMS

KINDS: dict[str, dict] = {
    "RandomDrift": {},
    "RandomFixedPattern": dict(rows=0.1, dead=0.01),
    "RandomTemporalNoise": {},
    "RandomBlur": {},
    "RandomPolarity": {},
    "RandomResolutionDrop": dict(sizes=[(40, 30), (20, 15)]),
}
every = pytest.mark.parametrize("kind", KINDS)


def build(kind: str, **settings: Any) -> Any:
    return TRANSFORMS.build(dict(type=kind, **settings))


def scene(shape: tuple[int, ...] = (60, 80)) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (21000 + 40 * cv2.GaussianBlur(rng.normal(0, 9, shape), (0, 0), 3)).astype(np.float32)


def run(kind: str, image: np.ndarray, state: int, **settings: Any) -> np.ndarray:
    np.random.seed(state)
    return build(kind, **settings)(dict(img=image, img_id=5))["img"]


@every
def test_the_same_at_any_bit_depth_and_the_input_is_left_alone(kind: str) -> None:
    image = scene()
    before = image.copy()
    for state in range(5):
        out = run(kind, image, state, **KINDS[kind])
        assert out.dtype == np.float32 and out.shape == image.shape
        scaled = run(kind, (image - 20000) / 16, state, **KINDS[kind])
        np.testing.assert_allclose(scaled * 16 + 20000, out, atol=0.05)
    np.testing.assert_array_equal(image, before)


@every
def test_numpys_global_state_repeats_it(kind: str) -> None:
    runs = [run(kind, scene(), state, **KINDS[kind]) for state in (3, 3, 4, 5, 6, 7)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert any(not np.array_equal(runs[0], other) for other in runs[2:])


@every
def test_channels_change_alike(kind: str) -> None:
    image = scene()
    one = run(kind, image, 1, **KINDS[kind])
    three = run(kind, np.repeat(image[..., None], 3, 2), 1, **KINDS[kind])
    single = run(kind, image[..., None], 1, **KINDS[kind])
    assert three.shape == (60, 80, 3) and single.shape == (60, 80, 1)
    for k in range(3):
        np.testing.assert_allclose(three[..., k], one, atol=0.01)
    np.testing.assert_allclose(single[..., 0], one, atol=0.01)


@every
def test_a_seed_belongs_to_the_image_and_not_to_the_state(kind: str) -> None:
    image = scene()
    transform = build(kind, seed=2, **KINDS[kind])
    state = np.random.get_state()[1].copy()
    first = {i: transform(dict(img=image, img_id=i))["img"] for i in range(20)}
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    for i in (7, 3):  # in another order
        np.testing.assert_array_equal(transform(dict(img=image, img_id=i))["img"], first[i])
    assert any(not np.array_equal(first[0], first[i]) for i in range(1, 20))
    other = build(kind, seed=3, **KINDS[kind])
    others = [other(dict(img=image, img_id=i))["img"] for i in range(20)]
    assert any(not np.array_equal(others[i], first[i]) for i in range(20))


def test_drift_of_gain_and_offset_is_linear_and_reaches_its_range() -> None:
    image = scene()
    mean, std = float(image.mean()), float(image.std())
    gains, offsets = [], []
    for state in range(300):
        out = run("RandomDrift", image, state, gain=0.3, offset=2.0, shading=0.0)
        slope, level = np.polyfit((image - mean).ravel(), out.ravel(), 1)
        gains.append(slope - 1)
        offsets.append((level - mean) / std)
    for found, limit in ((gains, 0.3), (offsets, 2.0)):
        assert -limit - 1e-3 <= min(found) < -0.95 * limit
        assert 0.95 * limit < max(found) <= limit + 1e-3


def test_shading_is_smooth_and_bounded() -> None:
    flat = np.tile(np.array([[0.0, 2.0]], np.float32), (60, 40))  # mean 1, deviation 1
    for state in range(20):
        field = run("RandomDrift", flat, state, gain=0.0, offset=0.0, shading=0.5) - flat
        assert np.abs(field).max() <= 0.5 + 1e-5
        assert np.abs(np.diff(field, axis=0)).max() < 0.05  # 60 rows: no edge, no noise
        assert np.ptp(field) > 0 or state


def test_each_part_of_the_pattern_is_where_it_belongs() -> None:
    image = np.tile(np.array([[-1.0, 1.0]], np.float32), (200, 150))  # mean 0, deviation 1
    settings = dict(columns=0.0, rows=0.0, pixels=0.0)
    for name, axis in (("columns", 0), ("rows", 1)):
        strengths = []
        for state in range(40):
            part = run("RandomFixedPattern", image, state, **{**settings, name: 0.2}) - image
            assert np.ptp(part, axis=axis).max() < 1e-5  # constant along it
            strengths.append(part.std())
        assert 0.15 < max(strengths) < 0.25 and min(strengths) < 0.03
    part = run("RandomFixedPattern", image, 0, **{**settings, "pixels": 0.2}) - image
    assert abs(np.corrcoef(part[:-1].ravel(), part[1:].ravel())[0, 1]) < 0.02
    dead = run("RandomFixedPattern", scene(), 0, **settings, dead=0.1)
    changed = dead != scene()
    assert 0.07 < changed.mean() <= 0.13
    assert set(np.unique(dead[changed])) == {scene().min(), scene().max()}


def test_temporal_noise_has_the_deviation_that_was_set() -> None:
    image = np.tile(np.array([[-3.0, 3.0]], np.float32), (200, 150))  # deviation 3
    noise = run("RandomTemporalNoise", image, 0, sigma=(0.1, 0.1)) - image
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert abs(noise.mean()) < 0.01


def test_blur_is_opencvs_and_keeps_the_level() -> None:
    image = scene()
    out = run("RandomBlur", image, 0, sigma=(1.0, 1.0))
    np.testing.assert_allclose(out, cv2.GaussianBlur(image, (0, 0), 1.0))
    assert out.mean() == pytest.approx(image.mean(), abs=0.5)
    assert out.std() < image.std()


def test_polarity_turns_over_within_the_range_and_back() -> None:
    image = scene()
    out = run("RandomPolarity", image, 0, prob=1.0)
    assert (out.min(), out.max()) == (image.min(), image.max())
    np.testing.assert_allclose(image + out, image.min() + image.max())
    np.testing.assert_allclose(run("RandomPolarity", out, 0, prob=1.0), image)
    np.testing.assert_array_equal(run("RandomPolarity", image, 0, prob=0.0), image)
    turned = [run("RandomPolarity", image, s, prob=0.5)[0, 0] != image[0, 0] for s in range(200)]
    assert 0.4 < np.mean(turned) < 0.6


def test_resolution_is_that_of_the_smaller_sensor() -> None:
    image = scene()
    out = run("RandomResolutionDrop", image, 0, sizes=[(20, 15)])
    means = image.reshape(15, 4, 20, 4).mean(axis=(1, 3))
    expected = cv2.resize(means.astype(np.float32), (80, 60), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(out, expected, atol=0.01)
    # the ratio is kept: 80 x 60 into 40 x 10 is 13 x 10
    narrow = run("RandomResolutionDrop", image, 0, sizes=[(40, 10)])
    small = cv2.resize(image, (13, 10), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(
        narrow, cv2.resize(small, (80, 60), interpolation=cv2.INTER_LINEAR), atol=0.01
    )
    for size in ((80, 60), (160, 120)):  # no smaller than the image
        np.testing.assert_array_equal(run("RandomResolutionDrop", image, 0, sizes=[size]), image)


@every
def test_odd_images_are_no_error(kind: str) -> None:
    for image in (np.full((8, 9), 21000, np.float32), np.zeros((1, 1), np.uint16)):
        for state in range(3):
            assert np.isfinite(run(kind, image, state, **KINDS[kind])).all()


@pytest.mark.parametrize(
    ("kind", "settings", "error", "message"),
    [
        ("RandomDrift", dict(gain=1.0), ValueError, "gain=1.0"),
        ("RandomDrift", dict(seed=-1), ValueError, "seed=-1"),
        ("RandomDrift", dict(seed=0.5), TypeError, "seed=0.5"),
        ("RandomFixedPattern", dict(dead=0.5), ValueError, "dead=0.5"),
        ("RandomFixedPattern", dict(columns="a"), TypeError, "columns='a'"),
        ("RandomTemporalNoise", dict(sigma=0.1), ValueError, "sigma=0.1: give two numbers"),
        ("RandomTemporalNoise", dict(sigma=(0.2, 0.1)), ValueError, "sigma=0.1"),
        ("RandomBlur", dict(sigma=(0.0, 1.0)), ValueError, "sigma=0.0"),
        ("RandomPolarity", dict(prob=2), ValueError, "prob=2"),
        ("RandomResolutionDrop", dict(sizes=()), ValueError, "at least one"),
        ("RandomResolutionDrop", dict(sizes=[(80, 0)]), ValueError, "sizes=0"),
        ("RandomResolutionDrop", dict(size=(80, 60)), TypeError, "size"),
    ],
)
def test_wrong_settings(kind: str, settings: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build(kind, **settings)


@every
def test_settings_show_in_the_log(kind: str) -> None:
    name = next(iter({**KINDS[kind], "seed": 1}))
    assert f"{kind}(" in repr(build(kind)) and f"{name}=" in repr(build(kind, **KINDS[kind]))
