"""The contact sheet shows the right places, is self-contained, and escapes names."""

import base64
import json
import re

import cv2
import numpy as np
import pytest

from mmthermal.common.display import PALETTE
from mmthermal.mining.contact_sheet import TILE, crop, write_contact_sheet
from mmthermal.mining.finding import GroundTruth
from mmthermal.mining.region_file import Region, RegionFile

EVIL = '</script><img src=x onerror="alert(1)">.png'


def content(number=3):
    regions = tuple(
        Region(i, (20.0, 10.0, 12.0, 16.0), 1, 0.9 - i / 10, 0.5, 0, 0) for i in range(number)
    )
    images = tuple(dict(id=i, file_name=f"{i}{EVIL}", width=64, height=48) for i in range(number))
    return RegionFile(regions, images, (dict(id=1, name="<b>person</b>"),), dict(round=0))


@pytest.fixture
def files(tmp_path):
    picture = np.full((48, 64), 20000, np.uint16)
    picture[10:26, 20:32] = 21000
    paths = {}
    for i in range(3):
        paths[i] = str(tmp_path / f"{i}.png")
        cv2.imwrite(paths[i], picture)
    return paths


def test_sheet_and_page(files, tmp_path):
    truths = {i: GroundTruth(np.zeros((0, 4)), np.zeros(0, bool)) for i in files}
    sheet, page = write_contact_sheet(content(), files, truths, tmp_path / "out" / "hn", number=2)
    assert cv2.imread(str(sheet)).shape[1] == 2 * (TILE + 4)
    text = page.read_text()
    assert text.count("<input type=") == 2
    assert EVIL not in text and "<b>person" not in text and 'onerror="' not in text
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:)", text)  # nothing is loaded
    places = json.loads(re.search(r"const places = (.*);", text)[1])
    assert places == [dict(bbox=[20.0, 10.0, 12.0, 16.0], image_id=i) for i in range(2)]
    data = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", text)[1]
    tile = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert tile.shape == (TILE, TILE, 3)


def test_no_region(tmp_path):
    sheet, page = write_contact_sheet(content(0), {}, {}, tmp_path / "hn")
    assert sheet.exists()
    assert "No hard negatives" in page.read_text()


@pytest.mark.parametrize(
    "box", [(20, 10, 8, 8), (0, 0, 8, 8), (56, 40, 8, 8), (0, 0, 64, 48), (30, 0, 4, 48)]
)
def test_frame_stands_around_the_warm_place(box):
    """The warm rectangle of the picture fills the orange frame, wherever it is."""
    x, y, w, h = box
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[y : y + h, x : x + w] = 200
    tile = crop(picture, Region(1, tuple(map(float, box)), 1, 0.5, 1.0, 0, 0), None)
    orange = (tile == PALETTE[0][::-1]).all(2)
    rows, columns = np.flatnonzero(orange.any(1)), np.flatnonzero(orange.any(0))
    # the frame may leave the tile at its lower or right edge, by its own line
    top, left = rows[0], columns[0]
    bottom = rows[-1] if rows[-1] - top > 3 else TILE
    right = columns[-1] if columns[-1] - left > 3 else TILE
    inside = tile[top + 4 : bottom - 4, left + 4 : right - 4]
    assert inside.mean() > 185
    outside = np.ones((TILE, TILE), bool)
    outside[max(top - 4, 0) : bottom + 5, max(left - 4, 0) : right + 5] = False
    assert not outside.any() or tile[outside].mean() < 15


def test_missing_and_broken_images_are_named(tmp_path):
    path = tmp_path / "none.png"
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        write_contact_sheet(content(1), {0: str(path)}, {}, tmp_path / "hn")
    path.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"none\.png can't be read"):
        write_contact_sheet(content(1), {0: str(path)}, {}, tmp_path / "hn")
