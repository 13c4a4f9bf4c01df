"""A radiometric JPEG as FLIR writes it: raw values and camera settings in APP1 segments."""

import struct
from pathlib import Path

import cv2
import numpy as np

R1, R2, B, F, OFFSET = 17000.0, 0.0125, 1428.0, 1.0, -2000
"""Planck constants of the camera, of a usual size."""


def kelvin_of(raw: np.ndarray) -> np.ndarray:
    """Temperatures of raw values, for an emissivity of 1 and no way through the air."""
    return B / np.log(R1 / (R2 * (raw.astype(np.float64) + OFFSET)) + F)


def write_radiometric(
    path: Path, raw: np.ndarray, *, picture_size: tuple[int, int] | None = None
) -> Path:
    """Write a JPEG whose picture is plain grey and whose raw values are these.

    Args:
        path: of the file.
        raw: (H, W) uint16.
        picture_size: width and height of the picture; those of ``raw`` if None.

    Returns:
        ``path``.
    """
    shape = raw.shape if picture_size is None else picture_size[::-1]
    picture = cv2.imencode(".jpg", np.full((*shape, 3), 128, np.uint8))[1].tobytes()
    height, width = raw.shape
    image = bytearray(32)
    struct.pack_into("<HH", image, 2, width, height)
    image += raw.astype("<u2").tobytes()
    camera = bytearray(900)
    for place, values in {
        32: (1.0, 0.0, 293.15, 293.15, 293.15, 1.0),  # emissivity, distance, temperatures, window
        60: (0.5,),  # humidity
        88: (R1, B, F),
        112: (0.006569, 0.01262, -0.002276, -0.00667, 1.9),  # of the air
    }.items():
        struct.pack_into(f"<{len(values)}f", camera, place, *values)
    struct.pack_into("<if", camera, 776, OFFSET, R2)
    num_entries, start = 6, 64 + 32 * 6
    header = b"FFF\0" + bytes(16) + struct.pack(">III", 100, 64, num_entries)
    directory = b""
    for kind, content, offset in ((1, image, start), (32, camera, start + len(image))):
        entry = struct.pack(">HHIIII", kind, 2, 100, 1, offset, len(content))
        directory += entry + bytes(32 - len(entry))
    body = header.ljust(64, b"\0") + directory.ljust(32 * num_entries, b"\0") + image + camera
    segments = b""
    parts = [body[i : i + 60_000] for i in range(0, len(body), 60_000)]
    for number, part in enumerate(parts):
        content = b"FLIR\0\x01" + bytes([number, len(parts) - 1]) + part
        segments += b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    path.write_bytes(picture[:2] + segments + picture[2:])
    return path
