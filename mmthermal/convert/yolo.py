"""YOLO: a text file for each image, with or without a data.yaml."""

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmthermal.common.files import IMAGE_SUFFIXES
from mmthermal.common.split_words import SPLIT_WORDS, split_of
from mmthermal.convert.labels import (
    Label,
    LabelledImage,
    LabelSet,
    LeftOut,
    image_files,
    image_size,
    read_text,
)
from mmthermal.convert.yolo_names import (
    names_of_text,
    names_of_yaml,
    read_data_yaml,
    values_of_keypoints,
)

_NO_LABEL = "line that is not a label"


def read_yolo(root: Path) -> list[LabelSet]:
    """Read a folder as ultralytics and darknet have it.

    With a YAML file: its ``path``, ``train``, ``val``, ``test`` and ``names``. Without: the
    folders ``images/train`` or ``train/images`` and so on, or one split ``all``; class names from
    ``classes.txt`` or ``obj.names``, else ``class0``, ``class1``, …. ``valid`` and ``validation``
    mean ``val`` in both. Pictures in no split are counted. The labels of ``…/images/a.png`` are in
    ``…/labels/a.txt``, or beside the image. Of a pose set, one with ``kpt_shape`` in the YAML
    file, the boxes are taken.

    Args:
        root: the folder.

    Returns:
        the splits.

    Raises:
        FileNotFoundError: if there is no image or no label.
        ValueError: if the file with the names has faults, a label has a class without a name, or
            no line can be read.
    """
    keypoints = 0
    data_yaml = read_data_yaml(root)
    others: dict[str, list[Path]] = {}
    if data_yaml is not None:
        path, settings = data_yaml
        names = names_of_yaml(path, settings["names"])
        keypoints = values_of_keypoints(path, settings.get("kpt_shape"))
        folders, others = _listed(root, settings)
    else:
        names = names_of_text(root)
        folders = _found(root)
    found = []
    for split, images in folders.items():
        labels = LabelSet(split, names=tuple(names.values()))
        for path in images:
            labels.images += _read_image(path, names, labels.dropped, keypoints)
        found.append(labels)
    if found:
        _note_others(found[0].dropped, root, folders, others)
    if not any(labels.images for labels in found):
        raise FileNotFoundError(
            f"no image with a label file in {str(root)!r}: expected images/… and labels/…, or a "
            "text file beside each image"
        )
    if not any(image.labels for labels in found for image in labels.images):
        raise _no_label(root, found)
    return found


def _no_label(root: Path, found: list[LabelSet]) -> Exception:
    """The error for a set without labels: what its files have instead."""
    counts = LeftOut()
    for labels in found:
        for reason, number in labels.dropped.items():
            counts.note(reason, labels.dropped.examples[reason], number)
    seen = "; ".join(
        f"{number:,} × {reason.removeprefix('kept: ')} (first: {counts.examples[reason]})"
        for reason, number in counts.most_common()
    )
    found_instead = f"; found: {seen}" if seen else ""
    if not counts[_NO_LABEL]:
        return FileNotFoundError(
            f"no label in {str(root)!r}: expected labels/…/NAME.txt{found_instead}"
        )
    return ValueError(
        f"no label in {str(root)!r} can be read: expected lines of class, centre x and y, width, "
        "height, or of class and a polygon's corners, in 0..1, with blanks between; keypoints "
        f"after the box need 'kpt_shape' in the YAML file{found_instead}"
    )


def _listed(
    root: Path, settings: Mapping[str, Any]
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """Images of each split of a YAML file, and of each other key that names any."""
    bases = [root / str(settings.get("path") or "."), root]
    found: dict[str, list[Path]] = {}
    others: dict[str, list[Path]] = {}
    for key, entries in settings.items():
        split = split_of(str(key))
        words = entries if isinstance(entries, list) else [entries]
        if split is not None and entries:
            images = [path for word in words for path in _entry(root, bases, str(key), str(word))]
            found[split] = _joined(found.get(split, []), images)
        elif split is None and key not in ("path", "names"):
            others[str(key)] = _maybe_images(root, bases, words)
    return {split: found[split] for split in SPLIT_WORDS if split in found}, others


def _place(root: Path, bases: list[Path], entry: str) -> Path | None:
    """A folder or file of a YAML file; Roboflow writes ../train/images for one in the set."""
    choices = [*(base / entry for base in bases), root / entry.removeprefix("../")]
    return next((path for path in choices if os.path.exists(path)), None)


def _entry(root: Path, bases: list[Path], key: str, entry: str) -> list[Path]:
    """Images of a folder or text file that a YAML file names."""
    place = _place(root, bases, entry)
    if place is None:
        raise FileNotFoundError(f"{key}: {entry!r} of the YAML file does not exist")
    if place.is_dir():
        return image_files(place)
    lines = read_text(place).split("\n")
    return [_on_disk(place.parent, root, line.strip()) for line in lines if line.strip()]


def _maybe_images(root: Path, bases: list[Path], words: list[Any]) -> list[Path]:
    """Images of a key that is no split: of the folders and text files among its words."""
    images: list[Path] = []
    for word in words:
        place = _place(root, bases, word) if isinstance(word, str) and word else None
        if place is not None and (place.is_dir() or place.suffix == ".txt"):
            paths = _entry(root, bases, "", word)
            images += [p for p in paths if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()]
    return images


def _joined(one: list[Path], other: list[Path]) -> list[Path]:
    """Both, each path once where two folders or keys mean one split."""
    return list(dict.fromkeys([*one, *other])) if one else other


def _on_disk(folder: Path, root: Path, entry: str) -> Path:
    """A file of a list, from the list's folder or from the set's."""
    return next((p for p in (folder / entry, root / entry) if p.is_file()), root / entry)


def _found(root: Path) -> dict[str, list[Path]]:
    """Images of each split by the usual folders."""
    found: dict[str, list[Path]] = {}
    for place in sorted([*root.glob("images/*"), *root.glob("*/images")]):
        split = split_of((place.parent if place.name == "images" else place).name)
        if split is not None and place.is_dir():
            found[split] = _joined(found.get(split, []), image_files(place))
    found = {split: found[split] for split in SPLIT_WORDS if split in found}
    return found or {"all": image_files(root)}


def _note_others(
    dropped: LeftOut,
    root: Path,
    folders: Mapping[str, list[Path]],
    others: Mapping[str, list[Path]],
) -> None:
    """Count images that no split has: those of other keys, and others in the folder."""
    real: dict[Path, Path] = {}

    def on_disk(path: Path) -> Path:
        """The file without links in its folders, each looked up once."""
        folder = real.get(path.parent) or real.setdefault(path.parent, path.parent.resolve())
        return folder / path.name

    known = {on_disk(path) for images in folders.values() for path in images}
    named = {f"image of {key!r} in the YAML file, which is no split": others[key] for key in others}
    left = {**named, "image in a folder that is no split": image_files(root)}
    for reason, images in left.items():
        for path in images:
            if on_disk(path) not in known:
                known.add(on_disk(path))
                dropped.note(reason, path)


def label_file(image: Path) -> Path:
    """Where the labels of an image are: the last folder ``images`` replaced, or beside it."""
    parts = list(image.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            there = Path(*parts[:i], "labels", *parts[i + 1 :]).with_suffix(".txt")
            if there.is_file() or (Path(*parts[:i]) / "labels").is_dir():
                return there
    return image.with_suffix(".txt")


def _read_image(
    path: Path, names: Mapping[int, str], dropped: LeftOut, keypoints: int
) -> list[LabelledImage]:
    """An image with its labels; without a label file it is background."""
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        return []
    try:
        size = image_size(path)
    except OSError:
        dropped.note("image that can't be read", path)
        return []
    file = label_file(path)
    if not file.is_file():
        dropped.note("kept: image without a label file, as background", path)
        return [LabelledImage(path, (), size)]
    return [LabelledImage(path, read_labels(file, size, names, dropped, keypoints), size)]


def read_labels(
    file: Path,
    size: tuple[int, int],
    names: Mapping[int, str],
    dropped: LeftOut,
    keypoints: int = 0,
) -> tuple[Label, ...]:
    """Labels of a text file.

    Args:
        file: the file.
        size: width and height of its image.
        names: class names by number.
        dropped: takes the count of what is left out.
        keypoints: as :func:`parse_line`.

    Returns:
        the labels.

    Raises:
        ValueError: if a label has a class without a name.
    """
    labels = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        place = f"{file}, line {number}"
        try:
            label = parse_line(line, size, names, keypoints)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        if label is not None:
            labels.append(replace(label, place=place))
        elif line.strip():
            dropped.note(_NO_LABEL, place)
    return tuple(labels)


def parse_line(
    line: str, size: tuple[int, int], names: Mapping[int, str], keypoints: int = 0
) -> Label | None:
    """A line as a label.

    Args:
        line: class, centre, width and height in 0..1; or class and a polygon's corners in 0..1,
            of which the bounding box is taken; or a box and keypoints, which are left out.
        size: width and height of the image.
        names: class names by number; without any, they are ``class0``, ``class1``, ….
        keypoints: number of their values behind a box; with any, no line is a polygon.

    Returns:
        the label; None for anything else.

    Raises:
        ValueError: if there are names, but none for its class.
    """
    try:
        number, *values = (float(word) for word in line.split())
    except ValueError:
        return None
    if not all(map(math.isfinite, (number, *values))) or number != int(number) or number < 0:
        return None
    if len(values) == 4 or (keypoints and len(values) == 4 + keypoints):
        cx, cy, w, h = values[:4]
        left, top = cx - w / 2, cy - h / 2
    elif not keypoints and len(values) >= 6 and len(values) % 2 == 0:
        left, top = min(values[::2]), min(values[1::2])
        w, h = max(values[::2]) - left, max(values[1::2]) - top
    else:
        return None
    box = (left * size[0], top * size[1], w * size[0], h * size[1])
    if names and int(number) not in names:
        raise ValueError(
            f"class {int(number)} has no name, names are given for {min(names)} to {max(names)}: "
            "correct the label, or name the class"
        )
    return Label(names.get(int(number), f"class{int(number)}"), box)
