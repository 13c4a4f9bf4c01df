"""IPHD (ChaLearn 2020): thermal 16-bit PNG files with YOLO text files of one class."""

import re
from pathlib import Path

from mmthermal.common.files import walk
from mmthermal.common.split_words import SPLIT_WORDS, split_of
from mmthermal.convert.labels import (
    LabelledImage,
    LabelSet,
    image_files,
    image_size,
)
from mmthermal.convert.yolo import read_labels
from mmthermal.convert.yolo_pictures import label_file

_NAMES = {0: "person"}


def read_iphd(root: Path) -> list[LabelSet]:
    """Read IPHD: folders ``images`` with PNG files, and ``labels`` beside each of them.

    The split is that of the folders above (``train``, ``valid``, ``test``); what lies in a folder
    whose name holds ``depth`` is left out. Names begin with the video, ``vid00161_YrRitw9Q``.

    Args:
        root: the folder that the archives were unpacked to.

    Returns:
        the splits, as far as they have labels.

    Raises:
        FileNotFoundError: if no folder ``images`` with a ``labels`` beside it is found.

    Source: the set's page at chalearnlap.cvc.uab.cat; the folders by readers of others, as the
    page does not give them.
    """
    found: dict[str, LabelSet] = {}
    for folder in sorted(path for path, _ in walk(root) if path.name == "images" and path != root):
        where = folder.relative_to(root).as_posix().lower()
        if "depth" in where or not folder.with_name("labels").is_dir():
            continue
        split = _split(where)
        labels = found.setdefault(split, LabelSet(split, names=("person",)))
        for path in image_files(folder):
            _add(labels, path)
    if not found:
        raise FileNotFoundError(
            f"no folder 'images' with a folder 'labels' beside it in {str(root)!r}"
        )
    return [found[split] for split in (*SPLIT_WORDS, "all") if split in found]


def _split(where: str) -> str:
    """The split that a path belongs to."""
    words = set(map(split_of, re.split(r"[^a-z]+", where)))
    return next((split for split in SPLIT_WORDS if split in words), "all")


def _add(labels: LabelSet, path: Path) -> None:
    """Add a picture with the labels of its text file."""
    file = label_file(path)
    if not file.is_file():
        labels.dropped.note("image without a label file", path)
        return
    try:
        size = image_size(path)
    except OSError:
        labels.dropped.note("image that can't be read", path)
        return
    boxes = read_labels(file, size, _NAMES, labels.dropped)
    video = re.match(r"vid\d+(_[0-9A-Za-z]+)?", path.stem)
    labels.images.append(
        LabelledImage(
            path,
            boxes,
            size,
            video.group(0) if video else "",
        )
    )
