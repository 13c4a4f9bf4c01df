"""Perceptual hashes: which pictures show the same scene.

Own code because `imagehash` (4.3) goes through Pillow, which clips 16 bits to 8, and brings
PyWavelets along for hashes that are not used here. A gain and an offset of the camera leave the
hash as it is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL = 32
"""Side of the small picture behind a hash."""
MAX_DISTANCE = 10
"""Bits of 64 in which near copies differ at most."""
MIN_CORRELATION = 0.9
"""Correlation that the small pictures of near copies reach at least."""
_CHUNK = 2048
_BITS = np.array([bin(i).count("1") for i in range(1 << 16)], dtype=np.uint8)

Hashes = NDArray[np.uint64]
Thumbnails = NDArray[np.float32]


def thumbnail(image: NDArray) -> Thumbnails:
    """A small picture without level and gain.

    Args:
        image: (H, W), any numeric type, finite.

    Returns:
        (32, 32), mean 0 and length 1; zeros for a picture of one value.
    """
    small = cv2.resize(
        np.asarray(image, np.float32), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA
    ).astype(np.float64)
    small -= small.mean()
    length = np.linalg.norm(small)
    # rounding of a constant picture is no content
    if length <= 1e-5 * max(1.0, float(np.abs(image).max(initial=0))):
        return np.zeros((THUMBNAIL, THUMBNAIL), np.float32)
    return (small / length).astype(np.float32)


def perceptual_hash(small: Thumbnails) -> int:
    """64 bits that similar pictures share: signs of the lowest frequencies about their median.

    Args:
        small: (32, 32) from :func:`thumbnail`.

    Returns:
        a whole number below 2^64; 0 for a picture of one value.

    Source: the DCT hash of phash.org (Zauner, 2010).
    """
    low = cv2.dct(np.asarray(small, np.float64))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    bits[0] = False  # the level
    return int(np.packbits(bits).view(">u8")[0]) if np.any(small) else 0


def near_copies(
    hashes: Hashes,
    thumbnails: Thumbnails,
    other_hashes: Hashes | None = None,
    other_thumbnails: Thumbnails | None = None,
    *,
    max_distance: int = MAX_DISTANCE,
    min_correlation: float = MIN_CORRELATION,
) -> list[tuple[int, int]]:
    """Pairs of pictures that show the same scene.

    The hash finds candidates, the correlation of the small pictures decides: a hash of 64 bits
    alone confuses frames of little content.

    Args:
        hashes: (N,) hashes.
        thumbnails: (N, 32, 32) small pictures.
        other_hashes: (M,) hashes of the other set; None for pairs within the one set.
        other_thumbnails: (M, 32, 32), likewise.
        max_distance: bits in which two hashes differ at most.
        min_correlation: in [-1, 1].

    Returns:
        pairs of positions, sorted; within one set the first is the smaller one.
    """
    within = other_hashes is None or other_thumbnails is None
    second = hashes if other_hashes is None else other_hashes
    second_small = thumbnails if other_thumbnails is None else other_thumbnails
    halves = hashes.view(np.uint16).reshape(-1, 4)
    second_halves = second.view(np.uint16).reshape(-1, 4)
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(hashes), _CHUNK):
        part = halves[start : start + _CHUNK, None]
        distance = sum(
            _BITS[part[..., k] ^ second_halves[None, :, k]].astype(np.uint8) for k in range(4)
        )
        first_inds, second_inds = np.nonzero(distance <= max_distance)
        first_inds = first_inds + start
        if within:
            ahead = first_inds < second_inds
            first_inds, second_inds = first_inds[ahead], second_inds[ahead]
        for low in range(0, len(first_inds), _CHUNK):
            a, b = first_inds[low : low + _CHUNK], second_inds[low : low + _CHUNK]
            alike = np.einsum("nij,nij->n", thumbnails[a], second_small[b]) >= min_correlation
            pairs += list(zip(a[alike].tolist(), b[alike].tolist(), strict=True))
    return sorted(pairs)


def clusters(number: int, pairs: list[tuple[int, int]]) -> list[int]:
    """Join what is paired, directly or over others.

    Args:
        number: of items.
        pairs: of positions.

    Returns:
        per item the number of its cluster, which is the smallest position in it.
    """
    parent = list(range(number))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(item) for item in range(number)]
