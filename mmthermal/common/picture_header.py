"""What a picture file says beside its pixels: number of pages, EXIF orientation."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmthermal.common.said_once import warn_once
from mmthermal.common.stored_form import PNG, TIFF

_ORIENTATION = 0x0112


def picture_header(content: bytes) -> tuple[int, int]:
    """Pages and EXIF orientation of a picture file.

    Args:
        content: of the file. Formats without either cost nothing.

    Returns:
        the number of pages, and the orientation, 1 (upright) to 8; 1 and 1 where there is no word
        on them.
    """
    if not _may_have_header(content):
        return 1, 1
    try:
        with Image.open(BytesIO(content)) as image:
            orientation = image.getexif().get(_ORIENTATION, 1)
            pages = getattr(image, "n_frames", 1)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 1, 1
    return int(pages), int(orientation) if orientation in range(1, 9) else 1


def _may_have_header(content: bytes) -> bool:
    """Whether it is worth opening: Pillow decodes a whole PNG to look for its EXIF."""
    if content[:8] == PNG:
        return b"eXIf" in content or b"acTL" in content[:4096]
    if content[:2] == b"\xff\xd8":
        pixels = content.find(b"\xff\xda", 0, 65536)
        head = content[: pixels if pixels > 0 else 65536]
        return b"MPF\x00" in head or b"Exif\x00" in content[:65536]
    return content[:4] in (*TIFF, b"GIF8", b"RIFF")


def upright(image: NDArray, content: bytes, name: str, imdecode_backend: str = "cv2") -> NDArray:
    """Turn a picture as its file's EXIF orientation says, as mmdet's loader and viewers do.

    Args:
        image: (H, W) or (H, W, C) pixels as they are stored.
        content: of the file.
        name: of the file, for the log, where turned pictures and pages that are left out are said
            once.
        imdecode_backend: that decoded the file; all but tifffile have turned a TIFF already.

    Returns:
        the turned picture.
    """
    pages, orientation = picture_header(content)
    if pages > 1:
        warn_once("several-pages", f"{name} has {pages} pages: only the first is used")
    if orientation == 1:
        return image
    warn_once(
        "exif-orientation",
        f"{name} is turned as its EXIF orientation {orientation} says, as by mmdet",
    )
    done = content[:2] in (b"II", b"MM") and imdecode_backend != "tifffile"
    return image if done else turned(image, orientation)


def turned(image: NDArray, orientation: int) -> NDArray:
    """Pixels brought upright from one of EXIF's orientations.

    Args:
        image: (H, W) or (H, W, C).
        orientation: 1 to 8.

    Returns:
        (H, W, …), or (W, H, …) for 5 to 8.
    """
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
