"""KAIST multispectral pedestrians: the thermal (lwir) pictures."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mmthermal.convert.labels import (
    Label,
    LabelledImage,
    LabelSet,
    LeftOut,
    read_list,
    read_text,
)
from mmthermal.convert.voc import read_xml

ANNOTATIONS = ("annotations-xml-new-sanitized", "annotations-xml-new", "annotations")
"""Folders of labels, best first."""
IGNORED = ("people", "person?")
"""Groups and doubtful persons: neither objects nor background."""
_FRAME = re.compile(r"(set\d+)_(V\d+)_(I\d+)")
_TRAIN_SETS = ("set00", "set01", "set02", "set03", "set04", "set05")


def read_kaist(root: Path, lists: Mapping[str, Path] | None = None) -> list[LabelSet]:
    """Read KAIST: ``[images/]setXX/VXXX/lwir/I*.jpg`` and labels as XML or as ``bbGt`` text.

    Args:
        root: the folder with the labels and with ``images`` or ``set00`` and so on.
        lists: text files of ``imageSets`` with lines such as ``set00/V000/I00000`` or
            ``set00_V000_I00000``, by split; all labelled frames, sets 00 to 05 as ``train`` and
            the others as ``test``, if None.

    Returns:
        the splits. Labels ``people`` and ``person?``, and those with the flag ``ignore``, are
        crowd regions.

    Raises:
        FileNotFoundError: if no folder with labels is found.
        ValueError: if a line of a list names no frame.

    Source: Hwang et al., CVPR 2015; the folders of its repository's README.
    """
    folder = next((root / name for name in ANNOTATIONS if (root / name).is_dir()), None)
    if folder is None:
        raise FileNotFoundError(f"{str(root)!r} has none of the folders {', '.join(ANNOTATIONS)}")
    images = root / "images" if (root / "images").is_dir() else root
    found = []
    for split, frames in _frames(folder, lists).items():
        labels = LabelSet(split, names=("person", "cyclist"))
        for frame in frames:
            image = _read_frame(folder, images, frame, labels.dropped)
            labels.images += [image] if image is not None else []
        found.append(labels)
    return found


def _frames(folder: Path, lists: Mapping[str, Path] | None) -> dict[str, list[str]]:
    """Frames such as ``set00/V000/I00000`` of each split."""
    if lists:
        return {split: _listed(path) for split, path in lists.items()}
    splits: dict[str, list[str]] = {"train": [], "test": []}
    for path in sorted(folder.glob("set*/V*/I*.*")):
        frame = path.relative_to(folder).with_suffix("").as_posix()
        splits["train" if frame.split("/")[0] in _TRAIN_SETS else "test"].append(frame)
    return {split: frames for split, frames in splits.items() if frames}


def _listed(path: Path) -> list[str]:
    """Frames of a list, in either spelling."""
    frames = []
    for name in read_list(path):
        frame = _FRAME.sub(r"\1/\2/\3", name) if _FRAME.fullmatch(name) else name
        if "/" not in frame:
            lines = read_text(path).splitlines()
            number = next(i for i, line in enumerate(lines, 1) if line.strip().startswith(name))
            raise ValueError(
                f"{path}, line {number}: {name!r} names no frame: write lines such as "
                "set00/V000/I00000 or set00_V000_I00000"
            )
        frames.append(frame)
    return frames


def _read_frame(folder: Path, images: Path, frame: str, dropped: LeftOut) -> LabelledImage | None:
    """One frame; None where its labels are missing or broken."""
    video, name = frame.rsplit("/", 1)
    picture = images / video / "lwir" / f"{name}.jpg"
    if not picture.is_file():
        picture = picture.with_suffix(".png")
    xml, text = folder / f"{frame}.xml", folder / f"{frame}.txt"
    if xml.is_file():
        found = read_xml(xml, picture, dropped)
        boxes, size = (found.labels, found.size) if found is not None else (None, None)
    elif text.is_file():
        boxes, size = tuple(_read_text(text, dropped)), None
    else:
        boxes, size = None, None
        dropped.note("image without a label file", picture)
    if boxes is None:
        return None
    labels = tuple(replace(b, crowd=b.crowd or b.name in IGNORED) for b in boxes)
    return LabelledImage(picture, labels, size, video)


def _read_text(path: Path, dropped: LeftOut) -> Iterator[Label]:
    """Lines of Piotr's toolbox: name x y w h occluded vx vy vw vh ignore angle."""
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("%"):
            continue
        words, place = line.split(), f"{path}, line {number}"
        try:
            x, y, w, h = (float(word) for word in words[1:5])
            if not all(map(math.isfinite, (x, y, w, h))):
                raise ValueError
        except ValueError:
            dropped.note("line that is not a label", place)
            continue
        ignore = len(words) > 10 and words[10] == "1"
        yield Label(words[0], (x, y, w, h), ignore, place)
