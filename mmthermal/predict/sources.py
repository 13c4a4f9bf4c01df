"""Images and videos to work through, and the pictures in them."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os.path import abspath, commonpath, realpath
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from mmthermal.common.files import IMAGE_SUFFIXES, files_below

VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv")
_GREY16 = b"Y1\x00\x10"  # FFmpeg's tag of 16-bit grey pixels, the lower byte first
_RAW = re.compile(rb"(?:(Y[12]\x00)|[YG][34][\x00\x0a\x0b])([\x09-\x20])|(?:RGB|BGR)0|(?:RBA|BRA)@")
"""FFmpeg's tags of pixels of more than 8 bits: grey, planes of colours, 48 and 64 bits a pixel."""


@dataclass(frozen=True)
class Source:
    """An image or a video to work through.

    Attributes:
        path: file.
        name: how the results call it: its path below the folder that was given; below the folder
            of all inputs, where two of them hold the same name.
        is_video: whether it holds many frames.
    """

    path: Path
    name: str
    is_video: bool


@dataclass(frozen=True)
class Frame:
    """One picture on its way through the model.

    Attributes:
        source: where it comes from.
        number: of the frame in its video, from 0; None for an image.
        raw: (H, W) or (H, W, C) as stored, for display.
        data: output of the test pipeline.
    """

    source: Source
    number: int | None
    raw: NDArray[Any]
    data: dict[str, Any]


def find_sources(
    inputs: Sequence[str | Path], *, leave_out: str | Path | None = None
) -> tuple[list[Source], list[str]]:
    """Find the images and videos that the inputs name.

    Args:
        inputs: files and folders; folders are searched to the bottom, also behind links, in order
            of names.
        leave_out: folder whose contents are skipped, such as that of the output.

    Returns:
        The sources, each file once, and the failures (missing inputs, broken links, folders without
        pictures, inputs that lie in ``leave_out``).
    """
    sources: dict[Path, Source] = {}
    failures = []
    skipped = Path(leave_out).resolve() if leave_out is not None else None
    for entry in map(Path, inputs):
        if skipped and _lies_in(entry, skipped):
            failures.append(f"{entry}: lies in {skipped}, where the results go: give another --out")
            continue
        if entry.is_dir():
            named = [
                path
                for path in files_below(entry)
                if path.suffix.lower() in (*IMAGE_SUFFIXES, *VIDEOS)
                and not path.name.startswith(".")
                and not (skipped and _lies_in(path, skipped))
            ]
            inside = [path for path in named if path.is_file()]
            broken = [path for path in named if not path.exists()]
            failures += [f"{path}: a link to a file that does not exist" for path in broken]
            if not inside and not broken:
                failures.append(f"{entry}: no image or video in this folder")
            found = [(path, path.relative_to(entry).as_posix()) for path in inside]
        elif entry.is_file():
            found = [(entry, entry.name)]
        else:
            failures.append(f"{entry}: does not exist")
            continue
        for path, name in found:
            key = path.resolve()
            sources.setdefault(key, Source(path, name, path.suffix.lower() in VIDEOS))
    return _named_apart(list(sources.values())), failures


def _named_apart(sources: list[Source]) -> list[Source]:
    """Name all by their paths below one folder, where two have the same name."""
    if len({source.name for source in sources}) == len(sources):
        return sources
    paths = [abspath(source.path) for source in sources]
    top = commonpath(paths)
    return [
        replace(source, name=Path(path).relative_to(top).as_posix())
        for source, path in zip(sources, paths, strict=True)
    ]


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or leads into it; links that lead to themselves do not."""
    real = Path(realpath(path))  # Path.resolve raises an error at them
    return folder in (real, *real.parents)


def count_frames(source: Source) -> int:
    """How many pictures a source holds, as far as it says."""
    if not source.is_video:
        return 1
    capture = cv2.VideoCapture(str(source.path))
    number = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 1
    capture.release()
    return max(1, number)


def frame_rate(source: Source) -> float:
    """Frames per second of a video; 25 where it doesn't say, or gives the unit of its clock."""
    capture = cv2.VideoCapture(str(source.path))
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return rate if 0 < rate <= 1000 else 25.0


def open_video(path: str | Path) -> cv2.VideoCapture:
    """Open a video so that one of 16-bit grey keeps its bits.

    ``mmcv.VideoReader`` can't ask for that: it opens every video with 8 bits.

    Args:
        path: the video.

    Returns:
        the capture; maybe not opened, if the file is broken.
    """
    capture = cv2.VideoCapture(str(path))
    if _tag(capture) != _GREY16:
        return capture  # OpenCV makes 8-bit BGR of any other
    capture.release()
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_CONVERT_RGB, 0])


def _tag(capture: cv2.VideoCapture) -> bytes:
    """FFmpeg's four bytes for the pixels of a video."""
    return (int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) & 0xFFFFFFFF).to_bytes(4, "little")


def stored_bits(tag: bytes) -> tuple[int, bool]:
    """Bits of a value of a video, and whether its pixels are grey.

    Args:
        tag: FFmpeg's four bytes for raw pixels; turned round where the higher byte comes first.

    Returns:
        the bits, 8 unless the tag tells of more; True for one channel, with or without opacity.
    """
    found = _RAW.fullmatch(tag) or _RAW.fullmatch(tag[::-1])
    if found is None:
        return 8, False
    grey, bits = found.groups()
    return (bits[0] if bits else 16), grey is not None


def _check_bits(path: str | Path, tag: bytes) -> None:
    """Refuse a video whose counts OpenCV would cut; a note for colours, which a screen shows so."""
    bits, grey = stored_bits(tag)
    if bits == 8 or tag == _GREY16:
        return
    cure = "ffmpeg -i IN -pix_fmt gray16le -c:v ffv1 OUT.mkv"
    if grey:
        raise ValueError(
            f"grey video of {bits} bits, which OpenCV would cut to 8: write it as one of 16 that "
            f"it reads, {cure}"
        )
    print(
        f"note: {path}: colour video of {bits} bits, read with 8; if it holds thermal counts, "
        f"write it as 16-bit grey, {cure}",
        file=sys.stderr,
    )


def read_video(path: str | Path) -> Iterator[NDArray[Any]]:
    """The frames of a video; a note says so where colours of more than 8 bits are read with 8.

    Args:
        path: the video.

    Yields:
        (H, W) as long as the frames are grey, as thermal videos are, though mostly stored in three
        channels; (H, W, 3), BGR, from the first coloured one on.

    Raises:
        ValueError: if it can't be opened, or is grey with bits that OpenCV would cut; after the
            last frame that can be read, if that is the first nine tenths at most.
    """
    capture = open_video(path)
    try:
        if not capture.isOpened():
            raise ValueError("no video that can be opened")
        _check_bits(path, _tag(capture))
        grey, number = True, 0
        while True:
            done, picture = capture.read()
            if not done:
                break
            number += 1
            grey = grey and _is_grey(picture)
            yield picture[..., 0] if grey and picture.ndim == 3 else picture
        if not number:
            raise ValueError("no frame in this video can be read")
        told = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))  # some containers only estimate it
        if number < 0.9 * told:
            raise ValueError(f"only {number} of the {told} frames that it tells of can be read")
    finally:
        capture.release()


def _is_grey(picture: NDArray[Any]) -> bool:
    """Whether the channels are equal, but for the rounding of the video's colours."""
    if picture.ndim == 2:
        return True
    return bool((picture.max(axis=2).astype(int) - picture.min(axis=2)).max() <= 2)
