"""What a format's reader gives: images with their labels, and what it had to leave out."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from mmthermal.common.files import IMAGE_SUFFIXES, files_below
from mmthermal.common.picture_header import picture_header

_ENDING = re.compile(rf"({'|'.join(map(re.escape, IMAGE_SUFFIXES))})(\s.*)?$", re.IGNORECASE)
FLAGS = ("-1", "0", "1")
"""Second column of VOC's lists of a class: whether the class is in the image."""


@dataclass(frozen=True)
class Label:
    """One box.

    Args:
        name: of its class, as the format has it.
        box: x, y of the top left corner, width and height, in pixels.
        crowd: whether it marks a region that must neither be found nor count as background.
        place: where it stands, such as a file and a line; empty if only the image is known.
    """

    name: str
    box: tuple[float, float, float, float]
    crowd: bool = False
    place: str = ""


@dataclass(frozen=True)
class LabelledImage:
    """One picture.

    Args:
        path: of its file.
        labels: its boxes.
        size: width and height; read from the file if None.
        sequence: name of the video that it was taken from; empty if unknown.
    """

    path: Path
    labels: tuple[Label, ...] = ()
    size: tuple[int, int] | None = None
    sequence: str = ""


class LeftOut(Counter[str]):
    """What was left out or changed, counted by reason, with the first example of each.

    Args:
        other: to start from.
    """

    def __init__(self, other: "LeftOut | None" = None) -> None:
        super().__init__(other)
        self.examples: dict[str, str] = dict(other.examples) if other is not None else {}

    def note(self, reason: str, example: str | Path, number: int = 1) -> None:
        """Count a reason; the example says in which file, and where it helps, which line."""
        self[reason] += number
        self.examples.setdefault(reason, str(example))


@dataclass
class LabelSet:
    """One split.

    Args:
        split: its name, such as ``train``.
        images: its pictures, in a fixed order.
        names: classes in the order of the format; those that occur, sorted, if empty.
        dropped: what the reader left out, by reason.
        files: label files that were read and could be taken for COCO files of ours.
    """

    split: str
    images: list[LabelledImage] = field(default_factory=list)
    names: tuple[str, ...] = ()
    dropped: LeftOut = field(default_factory=LeftOut)
    files: list[Path] = field(default_factory=list)


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of the upright picture, as training turns it by its EXIF orientation.

    Raises:
        OSError: if the file is missing or no image.
    """
    if path.suffix.lower() == ".npy":
        return _array_size(path)
    content = path.read_bytes()
    with Image.open(BytesIO(content)) as image:
        # some versions of Pillow give a TIFF's size as turned, others as stored
        stored = isinstance(image, TiffImageFile) and (image.tag_v2[256], image.tag_v2[257])
        width, height = map(int, stored or image.size)
    _, orientation = picture_header(content)
    return (height, width) if orientation >= 5 else (width, height)


def _array_size(path: Path) -> tuple[int, int]:
    """Width and height of a ``.npy`` file."""
    try:
        shape = np.load(path, mmap_mode="r").shape
    except (ValueError, EOFError) as error:
        raise OSError(f"{str(path)!r} is no array: {error}") from None
    if len(shape) not in (2, 3):
        raise OSError(f"{str(path)!r} is an array of shape {shape}, no image")
    return int(shape[1]), int(shape[0])


def image_files(folder: Path) -> list[Path]:
    """All images in a folder and below it, also behind links, sorted."""
    return [
        path
        for path in files_below(folder)
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    ]


def read_text(path: Path) -> str:
    """A text file in UTF-8, also one that begins with a byte order mark, as Windows writes it.

    Raises:
        ValueError: if it is none.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{str(path)!r} is no text in UTF-8: save it in this encoding") from None


def read_list(path: Path) -> list[str]:
    """Entries of a text file with one name a line; names may have blanks.

    An ending such as ``.jpg`` is cut off with what follows it, and VOC's second column of -1, 0
    and 1, if all lines with a blank end in one of them.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"the list {str(path)!r} does not exist: check the path")
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    flagged = all(words[-1] in FLAGS for line in lines if len(words := line.split()) > 1)
    return [_entry(line, flagged) for line in lines]


def _entry(line: str, flagged: bool) -> str:
    """The name in a line of a list."""
    name = _ENDING.sub("", line, count=1)
    return line.rsplit(maxsplit=1)[0] if flagged and name == line else name


def need_folder(folder: Path, what: str) -> Path:
    """The folder, or an error that says what was looked for.

    Raises:
        FileNotFoundError: if it does not exist.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{what}: the folder {str(folder)!r} does not exist")
    return folder


def labels_of_coco(
    content: Mapping[str, Any],
    image_dir: Path,
    split: str,
    *,
    file: Path,
    sequence_key: str = "",
) -> LabelSet:
    """Read a COCO file, also with HIT-UAV's spelling of the keys.

    Args:
        content: of the file.
        image_dir: folder that its file names start from.
        split: name of the split.
        file: where the content stands.
        sequence_key: field of an image's ``extra_info`` that names its video.

    Returns:
        the labels; categories in the file's order.

    Raises:
        ValueError: if it is no such file.
    """
    try:
        return _labels_of_coco(content, image_dir, split, file, sequence_key)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        fault = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"{str(file)!r} is no COCO file of boxes: {fault}. There must be images (id, "
            "file_name, width, height), categories (id, name) and annotations (image_id, "
            "category_id, bbox)"
        ) from error


def _labels_of_coco(
    content: Mapping[str, Any], image_dir: Path, split: str, file: Path, sequence_key: str
) -> LabelSet:
    found = LabelSet(split, files=[file])
    categories = content.get("categories", content.get("category", []))
    names = {category["id"]: str(category["name"]) for category in categories}
    found.names = tuple(dict.fromkeys(names.values()))
    labels: dict[Any, list[Label]] = {image["id"]: [] for image in content["images"]}
    for annotation in content.get("annotations", content.get("annotation", [])):
        place = f"{file}, annotation {annotation.get('id')}"
        if annotation["image_id"] not in labels:
            found.dropped.note("box of an image that is not listed", place)
        elif annotation["category_id"] not in names:
            found.dropped.note("box of a class that is not listed", place)
        else:
            x, y, w, h = (float(value) for value in annotation["bbox"])
            crowd = bool(annotation.get("iscrowd", 0)) or bool(annotation.get("ignore", 0))
            label = Label(names[annotation["category_id"]], (x, y, w, h), crowd, place)
            labels[annotation["image_id"]].append(label)
    for image in content["images"]:
        name = image.get("file_name", image.get("filename"))
        extra = image.get("extra_info") or {}
        found.images.append(
            LabelledImage(
                image_dir / str(name),
                tuple(labels[image["id"]]),
                (int(image["width"]), int(image["height"])),
                str(extra.get(sequence_key, "")) if sequence_key else "",
            )
        )
    return found
