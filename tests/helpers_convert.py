"""Small sets in the layouts of their publishers, with one box each that is known."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = (64, 48)  # width, height


def picture(path: Path, dtype: type = np.uint8) -> Path:
    """Write a grey picture of 64 × 48 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(path.name.encode())
    image = np.random.default_rng(seed).integers(0, 200, SIZE[::-1]).astype(dtype)
    cv2.imwrite(str(path), image)
    return path


def text(path: Path, content: str) -> Path:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def voc(objects: Sequence[tuple], filename: str = "from another folder.jpg") -> str:
    """A VOC file; objects are (name, xmin, ymin, xmax, ymax[, difficult])."""
    items = "".join(
        f"<object><name>{name}</name><pose>Unspecified</pose><truncated>0</truncated>"
        f"<difficult>{rest[4] if len(rest) > 4 else 0}</difficult><bndbox><xmin>{rest[0]}</xmin>"
        f"<ymin>{rest[1]}</ymin><xmax>{rest[2]}</xmax><ymax>{rest[3]}</ymax></bndbox></object>"
        for name, *rest in objects
    )
    return (
        f"<annotation><folder>f</folder><filename>{filename}</filename><size><width>64</width>"
        f"<height>48</height><depth>1</depth></size>{items}</annotation>"
    )
