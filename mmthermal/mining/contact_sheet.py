"""The hardest negatives as pictures, for a person to see which are objects without a label."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.common.display import PALETTE, read_image, to_display
from mmthermal.common.files import write_bytes, write_text
from mmthermal.common.pages import data_uri, templates
from mmthermal.mining.finding import GroundTruth
from mmthermal.mining.region_file import Region, RegionFile

TILE = 160
_COLUMNS = 10
_CAPTION = 18
_REGION, _OBJECT = PALETTE[0][::-1], PALETTE[4][::-1]  # orange and teal, BGR


def write_contact_sheet(
    content: RegionFile,
    paths: Mapping[int | str, str],
    truths: Mapping[int | str, GroundTruth],
    prefix: str | Path,
    *,
    number: int = 60,
) -> tuple[Path, Path]:
    """Write a PNG and a self-contained HTML page of the hardest regions.

    On the page, a person marks the regions that are objects without a label and saves the list
    that ``--exclude`` takes.

    Args:
        content: the regions.
        paths: image file by image id.
        truths: what is annotated, by image id; drawn in another colour.
        prefix: path of the files without their endings.
        number: how many regions at most, from the hardest on.

    Returns:
        the two files.

    Raises:
        FileNotFoundError: if an image is missing.
        ValueError: if one can't be read.
    """
    names = {category["id"]: str(category["name"]) for category in content.categories}
    files = {image["id"]: str(image["file_name"]) for image in content.images}
    tiles, entries = [], []
    pictures: dict[int | str, NDArray[np.uint8]] = {}
    for rank, region in enumerate(content.regions[:number], 1):
        image_id = region.image_id
        if image_id not in pictures:
            pictures[image_id] = to_display(read_image(paths[image_id]))
        tile = crop(pictures[image_id], region, truths.get(image_id))
        name = names.get(region.category_id, str(region.category_id))
        tiles.append(_with_caption(tile, f"{rank} {name} {region.score:.2f}"))
        entries.append(
            dict(
                rank=rank,
                image_id=image_id,
                bbox=list(region.bbox),
                file_name=files[image_id],
                category=name,
                score=region.score,
                loss=region.loss,
                round=region.round,
                weight=region.weight,
                picture=data_uri(_png(tile)),
            )
        )
    sheet = Path(f"{prefix}.png")
    write_bytes(sheet, _png(_grid(tiles)))
    page = Path(f"{prefix}.html")
    write_text(page, render_page(content, entries))
    return sheet, page


def render_page(content: RegionFile, entries: list[dict[str, Any]]) -> str:
    """The HTML page; every name is escaped.

    Args:
        content: the regions.
        entries: what the page shows of each, with ``picture`` as a data URI.

    Returns:
        the page.
    """
    page = templates("mmthermal.mining").get_template("contact_sheet.html.j2")
    places = [{key: entry[key] for key in ("image_id", "bbox")} for entry in entries]
    return page.render(
        info=content.info, total=len(content.regions), entries=entries, places=places
    )


def crop(
    picture: NDArray[np.uint8], region: Region, truth: GroundTruth | None
) -> NDArray[np.uint8]:
    """A region with its surroundings.

    Args:
        picture: (H, W, 3), BGR.
        region: the region; drawn orange.
        truth: the annotated boxes, drawn teal, or None.

    Returns:
        (TILE, TILE, 3); places outside the picture are black.
    """
    x, y, w, h = region.bbox
    height, width = picture.shape[:2]
    side = max(3 * max(w, h), 40.0)
    if side > min(height, width):  # as much as there is, but the region in any case
        side = max(min(height, width), 1.2 * max(w, h))
    scale = TILE / side
    left = min(max(x + w / 2 - side / 2, 0), max(width - side, 0))
    top = min(max(y + h / 2 - side / 2, 0), max(height - side, 0))
    # pixel centres stand at whole numbers for OpenCV, at halves for boxes
    shift = 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, shift - left * scale], [0, scale, shift - top * scale]])
    tile = cv2.warpAffine(picture, matrix, (TILE, TILE), flags=cv2.INTER_CUBIC)

    def draw(box: Any, colour: tuple[int, int, int]) -> None:
        corners = (
            (np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]]) - [left, top, left, top])
            * scale
        ).round()
        x1, y1, x2, y2 = (int(v) for v in corners)
        cv2.rectangle(tile, (x1, y1), (x2, y2), colour, 1)

    if truth is not None:
        for box in truth.boxes:
            draw(box, _OBJECT)
    draw(region.bbox, _REGION)
    return np.asarray(tile, dtype=np.uint8)


def _with_caption(tile: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    framed = cv2.copyMakeBorder(tile, 2, _CAPTION, 2, 2, cv2.BORDER_CONSTANT, value=(24, 24, 24))
    plain = text.encode("ascii", "replace").decode("ascii")  # OpenCV's font has no more
    where = (5, TILE + _CAPTION - 4)
    cv2.putText(
        framed, plain, where, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA
    )
    return np.asarray(framed, dtype=np.uint8)


def _grid(tiles: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    if not tiles:
        return _with_caption(np.zeros((TILE, TILE, 3), np.uint8), "no hard negatives")
    columns = min(_COLUMNS, len(tiles))
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def _png(image: NDArray[np.uint8]) -> bytes:
    good, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not good:
        raise RuntimeError("OpenCV can't encode the picture")
    return bytes(data.tobytes())
