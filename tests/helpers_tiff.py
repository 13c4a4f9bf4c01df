"""TIFF files of any form, which OpenCV and Pillow do not write."""

import struct

import numpy as np

_FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(
    image: np.ndarray,
    *,
    photometric: int = 1,
    planar: bool = False,
    extra: int | None = None,
    order: str = "<",
    big: bool = False,
) -> bytes:
    """A TIFF file.

    Args:
        image: (H, W) or (H, W, C).
        photometric: the tag: 1 is grey, 2 is RGB.
        planar: whether the bands are written one after the other.
        extra: the tag ExtraSamples of the last band.
        order: of the bytes, ``'<'`` or ``'>'``.
        big: whether it is a BigTIFF.
    """
    height, width, bands = (*image.shape, 1)[:3]
    pixels = image.astype(image.dtype.newbyteorder(order)).reshape(height, width, bands)
    planes = list(np.moveaxis(pixels, -1, 0)) if planar else [pixels]
    data = [np.ascontiguousarray(plane).tobytes() for plane in planes]
    place, header = ("Q", 16) if big else ("I", 8)
    starts = [header + sum(map(len, data[:k])) for k in range(len(data))]
    tags = {
        256: ("H", [width]),
        257: ("H", [height]),
        258: ("H", [8 * image.dtype.itemsize] * bands),
        259: ("H", [1]),
        262: ("H", [photometric]),
        273: (place, starts),
        277: ("H", [bands]),
        278: ("H", [height]),
        279: (place, [len(part) for part in data]),
        284: ("H", [1 + planar]),
        **({} if extra is None else {338: ("H", [extra])}),
        339: ("H", [_FORMATS[image.dtype.kind]] * bands),
    }
    start = header + sum(map(len, data))
    entry, count = (20, "Q") if big else (12, "H")
    behind = start + struct.calcsize("=" + count) + entry * len(tags) + struct.calcsize("=" + place)
    directory, far = struct.pack(order + count, len(tags)), b""
    for tag, (kind, values) in tags.items():
        raw = struct.pack(f"{order}{len(values)}{kind}", *values)
        directory += struct.pack(
            order + "HH" + place, tag, {"H": 3, "I": 4, "Q": 16}[kind], len(values)
        )
        if len(raw) > struct.calcsize("=" + place):
            directory += struct.pack(order + place, behind + len(far))
            far += raw
        else:
            directory += raw.ljust(struct.calcsize("=" + place), b"\0")
    directory += struct.pack(order + place, 0)
    name = b"II" if order == "<" else b"MM"
    version = struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    return name + version + struct.pack(order + place, start) + b"".join(data) + directory + far
