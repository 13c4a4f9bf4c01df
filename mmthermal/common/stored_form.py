"""What a file stores, bands, bits and its end, and whether its decoder gave all of it."""

import struct
from io import BytesIO
from typing import NamedTuple

from numpy.typing import NDArray
from PIL import Image

from mmthermal.common.said_once import warn_once

MISREAD = "misread-image"
"""Code of the error for a file of which the decoder drops or mixes up something."""
TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
"""How TIFF files begin; the last two are BigTIFF."""
PNG = b"\x89PNG\r\n\x1a\n"
_PNG_BANDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_BITS, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA = 258, 262, 277, 284, 338
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # TIFF's types, as struct calls them
_CMYK = 5
_SCAN, _END_OF_JPEG = 0xDA, b"\xff\xd9"
_OPACITY = (1, 2)


class Stored(NamedTuple):
    """How a file stores its pixels.

    Attributes:
        bands: numbers of one pixel, opacity among them.
        bits: of the widest of them.
        planar: whether a band follows the other, not a pixel the other.
        photometric: TIFF's tag: 0 and 1 are grey, 2 is RGB, 5 CMYK; 1 for other files.
        extra: TIFF's tag for the first band beside grey or colours: 1 is opacity that the others
            are multiplied with, 2 opacity; 0 for other files.
    """

    bands: int
    bits: int
    planar: bool = False
    photometric: int = 1
    extra: int = 0


def stored_form(content: bytes) -> Stored | None:
    """What the header of a TIFF, for its first page, or of a PNG says of the pixels.

    Args:
        content: of the file.

    Returns:
        None for another format, or a broken header.
    """
    if content[:8] == PNG:
        return Stored(_PNG_BANDS.get(content[25], 1), content[24]) if len(content) > 25 else None
    if content[:4] not in TIFF:
        return None
    try:
        tags = _tiff_tags(content)
    except (struct.error, OverflowError):
        return None
    bits, photometric, bands, planar, extra = tags.values()
    return Stored(bands, bits, planar == 2, photometric, extra)


def _tiff_tags(content: bytes) -> dict[int, int]:
    """Tags of the first page, in a fixed order; the largest of the bits, else the first value."""
    big = b"+" in content[2:4]
    order = "<" if content[:1] == b"I" else ">"
    place = order + ("Q" if big else "I")
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    (start,) = struct.unpack_from(place, content, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), content, start)
    start += 8 if big else 2
    tags = {_BITS: 1, _PHOTOMETRIC: 1, _SAMPLES: 1, _PLANAR: 1, _EXTRA: 0}
    for tag, kind, number, raw in entry.iter_unpack(content[start : start + entry.size * count]):
        if tag in tags and kind in _NUMBERS and number:
            form = f"{order}{min(number, 99)}{_NUMBERS[kind]}"
            inside = struct.calcsize(form) <= len(raw)
            where = 0 if inside else struct.unpack(place, raw)[0]
            values = struct.unpack_from(form, raw if inside else content, where)
            tags[tag] = max(values) if tag == _BITS else values[0]
    return tags


def is_cut_short(content: bytes) -> bool:
    """Whether a JPEG ends before its pixels do, as after a copy that was interrupted.

    OpenCV 4 fills the rest with grey, and does not say so.

    Args:
        content: of the file; of those that end as they should only the last bytes are looked at.

    Returns:
        False also for other files, and for a header that can't be followed.
    """
    if content.endswith(_END_OF_JPEG) or not content.startswith(b"\xff\xd8\xff"):
        return False
    place = 2
    while content[place : place + 1] == b"\xff" and place + 4 <= len(content):
        marker = content[place + 1]
        if marker == _SCAN:  # in the pixels a 255 is never followed by the byte of the end
            return content.find(_END_OF_JPEG, place) < 0
        place += 1 if marker == 0xFF else 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return False


def check_decoded(
    image: NDArray | None, content: bytes, name: str, imdecode_backend: str = "cv2"
) -> None:
    """Compare a decoded picture with what its file stores.

    Of several grey bands in a TIFF OpenCV gives the first, or 8 of their 16 bits, and it mixes up
    bands of more than 8 bits that follow one another; Pillow cuts colours to 8 bits. Neither says
    a word.

    Args:
        image: (H, W) or (H, W, C); None if it could not be decoded.
        content: of the file.
        name: of the file, for the message.
        imdecode_backend: that decoded it, as ``mmcv.imfrombytes``.

    Raises:
        ValueError: if bands or bits are missing or mixed up.
    """
    stored = stored_form(content)
    if stored is None:
        return
    opencv = imdecode_backend not in ("pillow", "tifffile")
    if image is None:
        lost = opencv and (stored.bands > 4 or (stored.bands == 2 and stored.bits > 16))
        what = "can't read them"
    elif opencv and stored.planar and stored.bands > 1 and stored.bits > 8:
        lost, what = True, "mixes up their pixels"
    else:
        channels, bits = 1 if image.ndim == 2 else image.shape[2], 8 * image.dtype.itemsize
        dropped = channels < stored.bands and stored.photometric != _CMYK
        # of numbers of more than 32 bits float32 is made anyway
        lost = bits < min(stored.bits, 32) or (dropped and not _is_opacity(stored, content, name))
        what = f"gives {channels} of {bits} bits"
    if not lost:
        return
    order = ", one after the other (planar)" if stored.planar else ""
    decoder = "OpenCV" if opencv else imdecode_backend
    other = "" if opencv else ", or take imdecode_backend='cv2'"
    raise ValueError(
        f"the image {name} has {stored.bands} bands of {stored.bits} bits{order}, and {decoder} "
        f"{what}: write the band that you mean as a grey picture{other} [{MISREAD}]"
    )


def _is_opacity(stored: Stored, content: bytes, name: str) -> bool:
    """Whether the band that OpenCV drops is opacity beside grey; said once if it isn't full."""
    # opacity that follows all of the grey is multiplied into it
    if stored.bands != 2 or stored.extra not in _OPACITY or (stored.planar and stored.extra == 2):
        return False
    try:
        with Image.open(BytesIO(content)) as image:
            full = image.mode == "LA" and image.getchannel("A").getextrema() == (255, 255)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        full = False
    if not full:
        warn_once(
            "alpha-channel",
            f"{name} has 2 channels, and the last is not full opacity everywhere: it is taken for "
            "opacity and not used. If it holds the thermal image, write it as a grey picture",
        )
    return True
