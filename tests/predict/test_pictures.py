"""Pictures and videos under names of their own, labels of one size."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers_data import write_video
from mmengine.structures import InstanceData

from mmthermal.predict.pictures import EvenLabelVisualizer, PictureWriter
from mmthermal.predict.sources import Frame, Source


def frame(name: str) -> Frame:
    return Frame(Source(Path(name), name, False), None, np.zeros((4, 6)), {})


def test_no_two_pictures_have_one_name(tmp_path: Path) -> None:
    writer = PictureWriter(tmp_path)
    picture = np.zeros((4, 6, 3), np.uint8)
    for name in ("a.png", "A.tif", "a.jpg", "deep/a.png"):
        writer.write(frame(name), picture)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert names == ["A-2.png", "a-3.png", "a.png", "deep/a.png"]


def test_pictures_are_written_as_rgb(tmp_path: Path) -> None:
    picture = np.full((4, 6, 3), (250, 100, 0), np.uint8)
    PictureWriter(tmp_path).write(frame("a.png"), picture)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"))[..., ::-1], picture)


def test_videos_have_even_sides(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 3)
    source = Source(tmp_path / "clip.avi", "clip.avi", True)
    writer = PictureWriter(tmp_path)
    for number in range(3):
        writer.write(
            Frame(source, number, np.zeros((4, 6)), {}), np.full((65, 97, 3), 90, np.uint8)
        )
    writer.close()
    capture = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert capture.read()[1].shape == (64, 96, 3)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert capture.get(cv2.CAP_PROP_FPS) == 10


def test_a_small_box_has_as_large_a_label_as_a_large_one() -> None:
    visualizer = EvenLabelVisualizer(name="test_pictures", line_width=1)
    areas = []
    for side in (4, 100):
        found = InstanceData(
            bboxes=torch.tensor([[20.0, 20, 20 + side, 20 + side]]),
            labels=torch.tensor([0]),
            scores=torch.tensor([0.5]),
        )
        grey = np.full((160, 160, 3), 128, np.uint8)
        drawn = visualizer._draw_instances(grey, found, ["person"], [(230, 97, 0)])
        areas.append(int((drawn < 60).all(2).sum()))  # the label's black ground
    assert areas[0] > 100
    assert abs(areas[0] - areas[1]) < 0.15 * areas[1]


def test_the_surest_is_drawn_on_top(monkeypatch: pytest.MonkeyPatch) -> None:
    visualizer = EvenLabelVisualizer(name="test_order")
    drawn: list[str] = []
    monkeypatch.setattr(visualizer, "draw_texts", lambda text, *_, **__: drawn.append(text))
    found = InstanceData(
        bboxes=torch.tensor([[2.0, 2, 9, 9]] * 3),
        labels=torch.tensor([0, 0, 0]),
        scores=torch.tensor([0.5, 0.9, 0.2]),
    )
    visualizer._draw_instances(np.zeros((16, 16, 3), np.uint8), found, ["dog"], [(9, 9, 9)])
    assert drawn == ["dog 20", "dog 50", "dog 90"]
