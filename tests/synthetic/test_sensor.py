"""Sensor chain: Planck curve and its inverse, air path, noise, fixed pattern, counts."""

import numpy as np
import pytest

from mmthermal.synthetic.sensor import (
    attenuate,
    expose,
    fixed_pattern,
    radiance,
    smooth_noise,
    temperature,
)

SIZE = (64, 48)


def frame(kelvin: float, *, netd: float, seed: int = 0, bad: float = 0.0) -> np.ndarray:
    hires = np.full((48 * 3, 64 * 3), radiance(kelvin), np.float32)
    pattern = fixed_pattern(7, (0, 1, 0), SIZE, bad)
    return expose(np.random.default_rng(seed), hires, pattern, factor=3, netd=netd)


def test_radiance_is_plancks_curve_scaled_to_one_at_300_kelvin() -> None:
    assert float(radiance(300.0)) == pytest.approx(1.0, rel=1e-6)
    # (exp(1428/300) - 1) / (exp(1428/250) - 1), worked out in float64
    expected = (np.exp(1428 / 300) - 1) / (np.exp(1428 / 250) - 1)
    assert float(radiance(250.0)) == pytest.approx(expected, rel=1e-5)


def test_temperature_inverts_radiance_to_a_few_millikelvin() -> None:
    kelvin = np.linspace(220, 420, 401, dtype=np.float32)
    np.testing.assert_allclose(temperature(radiance(kelvin)), kelvin, atol=3e-3)


def test_a_pixel_half_hot_half_cold_mixes_radiance_not_temperature() -> None:
    mixed = float(temperature((radiance(400.0) + radiance(250.0)) / 2))
    assert mixed > 325 + 10  # the mean temperature is 325 K


def test_air_path_moves_radiance_toward_the_air() -> None:
    hot = radiance(np.float32(310))
    assert float(temperature(attenuate(hot, 280.0, 1.0))) == pytest.approx(310, abs=5e-3)
    assert float(temperature(attenuate(hot, 280.0, 0.0))) == pytest.approx(280, abs=5e-3)
    assert 280 < float(temperature(attenuate(hot, 280.0, 0.8))) < 310


def test_counts_are_100_per_kelvin_up_to_the_cameras_offset() -> None:
    cold, warm = frame(285.0, netd=0.0), frame(305.0, netd=0.0)
    assert cold.dtype == np.uint16 and cold.shape == (48, 64)
    assert np.mean(warm.astype(float) - cold) == pytest.approx(2000, abs=1.0)
    assert np.mean(cold) == pytest.approx(28500, abs=400)  # offset and drift: sd 0.85 K


def test_temporal_noise_has_the_netd_that_was_asked_for() -> None:
    # same seed but for the noise would hide the pattern; the difference of two seeds doubles
    # the variance and leaves the (rescaled) pattern, so take the pixel-to-pixel part of it
    values = []
    for seed in range(12):
        difference = frame(295.0, netd=0.05, seed=seed).astype(float)
        difference -= frame(295.0, netd=0.0, seed=seed)
        rows = np.diff(difference, axis=0)  # removes column stripes
        values.append(rows.std() / np.sqrt(2))
    # noise 5 counts and pixel pattern 0.8 * 5 * U(.2, 1): between 5 and 6.5, level varies +-25 %
    assert 4.0 < np.mean(values) < 7.0


def test_fixed_pattern_is_the_cameras_own() -> None:
    first = fixed_pattern(7, (0, 1, 0), SIZE, 0.0)
    again = fixed_pattern.__wrapped__(7, (0, 1, 0), SIZE, 0.0)
    other = fixed_pattern(7, (0, 1, 1), SIZE, 0.0)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    assert first.columns.shape == (1, 64)
    assert np.abs(first.shading).max() == pytest.approx(1.0, abs=1e-5)


def test_bad_pixels_stand_out_and_are_as_many_as_asked_for() -> None:
    pattern = fixed_pattern(7, (0, 1, 0), SIZE, 0.01)
    picture = frame(295.0, netd=0.05, bad=0.01)
    assert 0.003 < pattern.bad.mean() < 0.02
    assert picture[pattern.bad].min() > picture[~pattern.bad].max() + 400


def test_optics_blur_a_step_over_about_two_pixels() -> None:
    hires = np.full((48 * 3, 64 * 3), radiance(290.0), np.float32)
    hires[:, 96:] = radiance(310.0)
    pattern = fixed_pattern(7, (0, 1, 0), SIZE, 0.0)
    step = expose(np.random.default_rng(0), hires, pattern, factor=3, netd=0.0).astype(float)
    profile = step.mean(0) - step.mean(0)[:20].mean()
    rise = np.flatnonzero((profile > 200) & (profile < 1800))
    assert 1 <= len(rise) <= 4 and set(rise) <= set(range(29, 35))


def test_smooth_noise_has_unit_deviation_and_no_mean() -> None:
    field = smooth_noise(np.random.default_rng(3), 120, 160, 12)
    assert field.shape == (120, 160) and field.dtype == np.float32
    assert float(field.mean()) == pytest.approx(0, abs=1e-4)
    assert float(field.std()) == pytest.approx(1, abs=1e-4)
    neighbours = np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1]
    assert neighbours > 0.95
