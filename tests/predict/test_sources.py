"""Videos keep their depth, grey ones come as one channel."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers_data import write_video

from mmthermal.common.files import IMAGE_SUFFIXES
from mmthermal.predict.predictor import Predictor, batches
from mmthermal.predict.sources import (
    VIDEOS,
    Source,
    count_frames,
    find_sources,
    frame_rate,
    read_video,
    stored_bits,
)


def test_grey_videos_come_as_one_channel(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 2)
    assert [picture.shape for picture in read_video(tmp_path / "clip.avi")] == [(64, 96)] * 2


def test_colour_videos_come_as_opencv_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 64))
    for _ in range(2):
        writer.write(np.full((64, 96, 3), (200, 40, 90), np.uint8))
    writer.release()
    capture = cv2.VideoCapture(str(path))
    for picture in read_video(path):
        np.testing.assert_array_equal(picture, capture.read()[1])
        assert picture.shape == (64, 96, 3)


def write_frames(path: Path, pictures: list[np.ndarray]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 64))
    for picture in pictures:
        writer.write(picture)
    writer.release()


def test_a_video_that_fades_in_from_black_keeps_its_colours(tmp_path: Path) -> None:
    colour, black = np.full((64, 96, 3), (200, 40, 90), np.uint8), np.zeros((64, 96, 3), np.uint8)
    write_frames(tmp_path / "clip.avi", [black, colour, black])
    shapes = [picture.shape for picture in read_video(tmp_path / "clip.avi")]
    assert shapes == [(64, 96), (64, 96, 3), (64, 96, 3)]


def test_a_video_that_was_cut_short_is_named_after_its_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (64, 96, 3)).astype(np.uint8) for _ in range(40)]
    path = tmp_path / "clip.avi"
    write_frames(path, pictures)
    assert len(list(read_video(path))) == 40
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    frames = read_video(path)
    assert next(frames).shape == (64, 96, 3)
    with pytest.raises(ValueError, match="only .* of the 40 frames that it tells of"):
        list(frames)


@pytest.mark.parametrize(("told", "rate"), [(30.0, 30.0), (0.0, 25.0), (90000.0, 25.0)])
def test_the_unit_of_a_clock_is_no_frame_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: float, rate: float
) -> None:
    class Capture:
        def get(self, key: int) -> float:
            return told

        def release(self) -> None:
            pass

    monkeypatch.setattr(cv2, "VideoCapture", lambda path: Capture())
    assert frame_rate(Source(tmp_path / "a.mp4", "a.mp4", is_video=True)) == rate


def test_sixteen_bit_videos_keep_their_bits(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    settings = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0]
    lossless = cv2.VideoWriter.fourcc(*"FFV1")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, lossless, 9.0, (96, 64), settings)
    if not writer.isOpened():
        pytest.skip("this OpenCV can't write 16-bit video")
    stored = np.random.default_rng(0).integers(20_000, 22_000, (3, 64, 96)).astype(np.uint16)
    for picture in stored:
        writer.write(picture)
    writer.release()
    np.testing.assert_array_equal(np.stack(list(read_video(path))), stored)
    (source,), _ = find_sources([path])
    frames = [frame.raw for frame in predictor.frames(source)]
    np.testing.assert_array_equal(np.stack(frames), stored)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (b"Y800", (8, False)),
        (b"I420", (8, False)),
        (b"Y41B", (8, False)),  # 4:1:1 with 8 bits
        (b"Y42B", (8, False)),
        (b"YUY2", (8, False)),
        (b"RGB\x0f", (8, False)),  # 5 bits a colour
        (b"RGB\x18", (8, False)),
        (b"\x00\x00\x00\x00", (8, False)),
        (b"Y1\x00\x0a", (10, True)),
        (b"\x0e\x001Y", (14, True)),
        (b"Y1\x00\x10", (16, True)),
        (b"\x10\x001Y", (16, True)),
        (b"Y2\x00\x10", (16, True)),  # with opacity
        (b"Y3\x0b\x0a", (10, False)),  # 4:2:0
        (b"\x0c\x0a3Y", (12, False)),  # 4:2:2
        (b"G3\x00\x10", (16, False)),
        (b"0RGB", (16, False)),  # 48 bits a pixel
        (b"BRA@", (16, False)),
    ],
)
def test_bits_of_ffmpegs_tags(tag: bytes, expected: tuple[int, bool]) -> None:
    assert stored_bits(tag) == expected


def write_y4m(path: Path, kind: str, planes: list[np.ndarray]) -> None:
    """Two equal frames of 96 x 64 without compression; FFmpeg goes by the content."""
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in planes)
    path.write_bytes(f"YUV4MPEG2 W96 H64 F10:1 C{kind}\n".encode() + 2 * frame)


@pytest.mark.parametrize(
    "bits", [10, 12, pytest.param(16, id="16, the higher byte first, as in PNG")]
)
def test_grey_videos_that_opencv_would_cut_are_failures(
    predictor: Predictor, tmp_path: Path, bits: int
) -> None:
    path = tmp_path / "clip.mkv"
    counts = np.random.default_rng(0).integers(0, 1 << bits, (64, 96)).astype("<u2")
    if bits == 16:
        path.write_bytes(2 * cv2.imencode(".png", counts)[1].tobytes())
    else:
        write_y4m(path, f"mono{bits} XYSCSS=MONO{bits}", [counts])
    (source,), _ = find_sources([path])
    failures: list[str] = []
    assert list(batches(predictor, [source], 8, failures)) == []
    assert failures == [
        f"{path}: grey video of {bits} bits, which OpenCV would cut to 8: write it as one of 16 "
        "that it reads, ffmpeg -i IN -pix_fmt gray16le -c:v ffv1 OUT.mkv"
    ]


def test_colour_videos_of_ten_bits_are_read_with_eight_and_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "clip.mp4"
    luma, chroma = np.full((64, 96), 512, "<u2"), np.full((32, 48), 512, "<u2")
    write_y4m(path, "420p10 XYSCSS=420P10", [luma, chroma, chroma])
    assert [picture.dtype for picture in read_video(path)] == [np.uint8] * 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {path}: colour video of 10 bits, read with 8; if it holds")
    write_y4m(path, "420jpeg", [luma.astype(np.uint8), *2 * [chroma.astype(np.uint8)]])
    assert len(list(read_video(path))) == 2 and "note" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no video"])
def test_broken_videos_are_named_and_count_as_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no video that can be opened"):
        next(read_video(path))
    (source,), _ = find_sources([path])
    assert count_frames(source) == 1


def test_frames_are_counted(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 5)
    (source,), failures = find_sources([tmp_path / "clip.avi"])
    assert (count_frames(source), failures) == (5, [])


def test_files_are_found_once_in_order_and_without_the_output(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "deep/c.tif", "notes.txt", "out/d.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    sources, failures = find_sources([tmp_path, tmp_path / "b.png"], leave_out=tmp_path / "out")
    assert [source.name for source in sources] == ["a.PNG", "b.png", "deep/c.tif"]
    assert failures == []


def test_inputs_where_the_results_go_are_named(tmp_path: Path) -> None:
    """Drawn pictures would take their place."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").touch()
    out = tmp_path / "pictures"
    for given in (out, out / "a.png"):
        sources, (failure,) = find_sources([given], leave_out=out)
        assert sources == [] and "give another --out" in failure
    (tmp_path / "b.png").touch()
    sources, failures = find_sources([tmp_path], leave_out=out)
    assert [source.name for source in sources] == ["b.png"] and failures == []


def test_an_input_that_leads_to_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    sources, (failure,) = find_sources([tmp_path / "loop"], leave_out=tmp_path / "out")
    assert sources == [] and "does not exist" in failure


def test_a_number_of_frames_that_is_only_estimated_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Capture:
        left = 19

        def isOpened(self) -> bool:
            return True

        def get(self, key: int) -> float:
            return 20.0

        def read(self) -> tuple[bool, np.ndarray]:
            self.left -= 1
            return self.left >= 0, np.zeros((4, 6, 3), np.uint8)

        def release(self) -> None:
            pass

    monkeypatch.setattr(cv2, "VideoCapture", lambda path: Capture())
    assert len(list(read_video(tmp_path / "a.mp4"))) == 19


def test_a_link_to_another_picture_is_the_same_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").symlink_to("a.png")
    assert [source.name for source in find_sources([tmp_path])[0]] == ["a.png"]


def test_one_name_in_two_folders_stays_two_names(tmp_path: Path) -> None:
    for name in ("day/1.png", "day/2.png", "night/ir/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def names(*inputs: str) -> list[str]:
        return [source.name for source in find_sources([tmp_path / name for name in inputs])[0]]

    assert names("day", "night/ir") == ["day/1.png", "day/2.png", "night/ir/1.png"]
    assert names("day", "night") == ["1.png", "2.png", "ir/1.png"]  # each name once
    assert names("day/1.png", "night/ir/1.png") == ["day/1.png", "night/ir/1.png"]


def test_every_ending_and_no_hidden_file(tmp_path: Path) -> None:
    expected = [f"a{ending}" for ending in sorted((*IMAGE_SUFFIXES, *VIDEOS))]
    for name in (*expected, "._a.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [source.name for source in find_sources([tmp_path])[0]] == expected


def test_links_to_folders_are_followed_and_lead_nowhere_twice(tmp_path: Path) -> None:
    for name in ("set/day/1.png", "disk/night/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "set" / "night").symlink_to(tmp_path / "disk" / "night")
    (tmp_path / "disk" / "night" / "back").symlink_to(tmp_path / "set")
    sources, failures = find_sources([tmp_path / "set"])
    assert [source.name for source in sources] == ["day/1.png", "night/1.png"]
    assert failures == []
