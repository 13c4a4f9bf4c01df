"""A sheet of pictures of the data set with their boxes."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmthermal.common.files import write_bytes

_COLOURS = ((60, 220, 255), (255, 170, 40), (90, 230, 90), (240, 90, 240))  # BGR


def write_preview(
    root: str | Path,
    path: str | Path,
    *,
    split: str = "train",
    columns: int = 6,
    rows: int = 5,
    zoom: int = 2,
    first: int = 0,
) -> None:
    """Sheet of pictures with their boxes, gain by percentiles of each image.

    Args:
        root: folder of the data set.
        path: PNG to write.
        split: which split.
        columns: pictures across.
        rows: pictures down.
        zoom: enlargement.
        first: number of the first picture.
    """
    root = Path(root)
    coco = json.loads((root / "annotations" / f"{split}.json").read_text())
    boxes: dict[int, list[dict[str, Any]]] = {}
    for item in coco["annotations"]:
        boxes.setdefault(item["image_id"], []).append(item)
    tiles = []
    for image in coco["images"][first : first + columns * rows]:
        name = root / split / image["file_name"]
        found = cv2.imread(str(name), cv2.IMREAD_UNCHANGED)
        if found is None:
            raise ValueError(f"{name} can't be read as an image: make the data set again")
        raw = np.asarray(found, np.float64)
        low, high = np.percentile(raw, [0.5, 99.5])
        grey = np.clip((raw - low) / max(high - low, 150.0), 0, 1) * 255
        tile = cv2.resize(
            grey.astype(np.uint8), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC
        )
        tile = cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR)
        for item in boxes.get(image["id"], []):
            x, y, w, h = (round(v * zoom) for v in item["bbox"])
            colour = (150, 150, 150) if item["iscrowd"] else _COLOURS[(item["category_id"] - 1) % 4]
            cv2.rectangle(tile, (x, y), (x + w - 1, y + h - 1), colour, 1)
        tiles.append(cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_CONSTANT))
    if not tiles:
        raise ValueError(f"split={split!r} has no images from number {first} on: choose another")
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
    good, data = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not good:
        raise RuntimeError("OpenCV can't encode the preview")
    write_bytes(path, data.tobytes())
