"""The sheet of pictures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmthermal.synthetic.preview import write_preview


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three plain images, a box in the first."""
    (tmp_path / "train").mkdir()
    (tmp_path / "annotations").mkdir()
    images = [dict(id=i, file_name=f"{i}.png") for i in (1, 2, 3)]
    for image in images:
        frame = np.full((20, 30), 29_500, np.uint16)
        cv2.imwrite(str(tmp_path / "train" / image["file_name"]), frame)
    box = dict(image_id=1, category_id=1, bbox=[5, 5, 10, 8], iscrowd=0)
    (tmp_path / "annotations" / "train.json").write_text(
        json.dumps(dict(images=images, annotations=[box]))
    )
    return tmp_path


def coloured(tile: np.ndarray) -> int:
    return int((np.ptp(tile.astype(int), axis=2) > 60).sum())


def test_boxes_are_drawn_where_they_belong(data: Path) -> None:
    write_preview(data, data / "sheet.png", columns=2, rows=2)
    sheet = cv2.imread(str(data / "sheet.png"))
    assert sheet.shape == (2 * 42, 2 * 62, 3)  # twice as large, with a border of a pixel
    assert coloured(sheet[:42, :62]) == 2 * (20 + 16) - 4  # the outline of 20 x 16 pixels
    assert coloured(sheet[:42, 62:]) == coloured(sheet[42:]) == 0


def test_a_missing_picture_or_an_empty_page_is_named(data: Path) -> None:
    with pytest.raises(ValueError, match=r"split='train' has no images from number 3 on"):
        write_preview(data, data / "sheet.png", first=3)
    (data / "train" / "2.png").unlink()
    with pytest.raises(ValueError, match=r"2\.png can't be read"):
        write_preview(data, data / "sheet.png")
