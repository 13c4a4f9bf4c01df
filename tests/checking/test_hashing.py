"""Perceptual hashes and near copies."""

import cv2
import numpy as np
import pytest

from mmthermal.checking.hashing import clusters, near_copies, perceptual_hash, thumbnail


def scene(seed: int) -> np.ndarray:
    """Random warm and cold patches, 128 × 160, as 16-bit counts."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1, (8, 10)).astype(np.float32)
    return 21000 + 400 * cv2.resize(coarse, (160, 128), interpolation=cv2.INTER_CUBIC)


def both(images):
    small = np.array([thumbnail(image) for image in images])
    return np.array([perceptual_hash(one) for one in small], np.uint64), small


def test_a_thumbnail_has_neither_level_nor_gain() -> None:
    small = thumbnail(scene(0))
    assert small.shape == (32, 32)
    assert small.mean() == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(small) == pytest.approx(1, rel=1e-5)
    assert np.allclose(thumbnail(3 * scene(0) - 100), small, atol=1e-4)


def test_a_picture_of_one_value_has_no_hash() -> None:
    small = thumbnail(np.full((64, 64), 21000, np.uint16))
    assert not small.any()
    assert perceptual_hash(small) == 0


def test_the_hash_is_that_of_a_dct_by_its_definition() -> None:
    small = thumbnail(scene(1)).astype(np.float64)
    n = np.arange(32)
    basis = np.cos(np.pi * (2 * n + 1) * n[:, None] / 64)  # (frequency, place)
    low = (basis @ small @ basis.T)[:8, :8]
    scale = np.where(np.arange(8) == 0, np.sqrt(1 / 32), np.sqrt(2 / 32))
    low = (low * scale[:, None] * scale).ravel()
    bits = "".join("1" if value > np.median(low[1:]) else "0" for value in low)
    assert perceptual_hash(small) == int("0" + bits[1:], 2)


def test_near_copies_are_found_and_other_scenes_are_not() -> None:
    rng = np.random.default_rng(5)
    train = [scene(seed) for seed in range(30)]
    copies = [
        2 * train[3] + 500,  # another gain and offset
        np.roll(train[7], 2, axis=1),  # the camera moved a little
        train[11] + rng.normal(0, 20, train[11].shape),
        cv2.resize(train[20], (80, 64), interpolation=cv2.INTER_AREA),
    ]
    val = [*copies, *[scene(seed) for seed in range(100, 130)]]
    assert near_copies(*both(train), *both(val)) == [(3, 0), (7, 1), (11, 2), (20, 3)]


def test_within_one_set_each_pair_occurs_once() -> None:
    images = [scene(0), scene(1), scene(0) + 7, scene(2), scene(0) * 1.5]
    assert near_copies(*both(images)) == [(0, 2), (0, 4), (2, 4)]


def test_clusters_join_over_others() -> None:
    assert clusters(6, [(4, 5), (1, 3), (3, 5)]) == [0, 1, 2, 1, 1, 1]
    assert clusters(3, []) == [0, 1, 2]


def test_the_distance_counts_all_64_bits() -> None:
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**63, 60, dtype=np.uint64)
    hashes[30:] = hashes[:30] ^ (np.uint64(1) << rng.integers(0, 64, 30, dtype=np.uint64))
    small = np.zeros((60, 32, 32), np.float32)
    for limit in (0, 1, 24):
        expected = [
            (i, j)
            for i in range(60)
            for j in range(i + 1, 60)
            if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= limit
        ]
        assert near_copies(hashes, small, max_distance=limit, min_correlation=-1) == expected
