"""Pictures of each split of a YOLO set: by its YAML file, its folders or its lists."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmthermal.common.files import IMAGE_SUFFIXES
from mmthermal.common.split_words import SPLIT_WORDS, split_of
from mmthermal.convert.labels import LeftOut, image_files, read_text

_COPY = ".npy beside the picture of its name, as ultralytics' cache=disk writes it"


def pictures_of_splits(
    root: Path, settings: Mapping[str, Any] | None
) -> tuple[dict[str, list[Path]], LeftOut]:
    """Find the pictures of each split.

    Args:
        root: the folder of the set.
        settings: content of its YAML file; None without one.

    Returns:
        the pictures by split, and a count of those that are left out: in no split, or arrays
        beside a picture of their name.

    Raises:
        FileNotFoundError: if a folder or list that the YAML file names does not exist.
        ValueError: if two pictures have one label file.
    """
    dropped = LeftOut()
    others: dict[str, list[Path]] = {}
    if settings is None:
        found = _found(root, dropped)
    else:
        found, others = _listed(root, settings)
    splits = {split: _without_copies(images, dropped) for split, images in found.items()}
    _note_others(dropped, root, found, others)
    return splits, dropped


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
    """A file of a list, from the list's folder or the set's, which CVAT and darknet call data."""
    choices = (folder / entry, root / entry, root / entry.removeprefix("data/"))
    return next((p for p in choices if p.is_file()), root / entry)


def _found(root: Path, dropped: LeftOut) -> dict[str, list[Path]]:
    """Images of each split by the usual folders, else by lists of CVAT's names."""
    found: dict[str, list[Path]] = {}
    for place in sorted([*root.glob("images/*"), *root.glob("*/images")]):
        split = split_of((place.parent if place.name == "images" else place).name)
        if split is not None and place.is_dir():
            found[split] = _joined(found.get(split, []), image_files(place))
    found = {split: found[split] for split in SPLIT_WORDS if split in found}
    return found or _of_lists(root, dropped) or {"all": image_files(root)}


def _of_lists(root: Path, dropped: LeftOut) -> dict[str, list[Path]]:
    """Images of ``train.txt``, ``valid.txt`` and so on; nothing where they make no split."""
    found: dict[str, list[Path]] = {}
    for path in sorted(root.glob("*.txt")):
        split = split_of(path.stem)
        images = _entry(root, [root], split, path.name) if split is not None else []
        if split is None or not any(image.suffix.lower() in IMAGE_SUFFIXES for image in images):
            continue  # the labels of a picture of that name
        if not any(image.is_file() for image in images):
            dropped.note("kept: all pictures as one split, as the list names none of them", path)
            return {}
        found[split] = _joined(found.get(split, []), images)
    if not {"train"} < set(found):
        return {}
    return {split: found[split] for split in SPLIT_WORDS if split in found}


def _without_copies(images: list[Path], dropped: LeftOut) -> list[Path]:
    """Images without the arrays that ultralytics caches beside them, of which labels are one's."""
    names: dict[Path, dict[Path, None]] = {}
    for path in images:
        if path.suffix.lower() in IMAGE_SUFFIXES:
            names.setdefault(path.with_suffix(""), {})[path] = None
    copies, doubled = set(), []
    for paths in names.values():
        arrays = {path for path in paths if path.suffix.lower() == ".npy"}
        pictures = [path for path in paths if path not in arrays]
        if pictures:
            copies |= arrays
        if len(pictures) > 1 and label_file(pictures[0]).is_file():
            doubled.append(pictures)
    if doubled:
        one, other = doubled[0][:2]
        raise ValueError(
            f"{len(doubled):,} label files belong to several pictures, such as "
            f"{str(label_file(one))!r} to {one.name} and {other.name}: keep one of them in the "
            "folder, or name the pictures of each split in a text file"
        )
    for path in sorted(copies):
        dropped.note(_COPY, path)
    return [path for path in images if path not in copies]


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
    stems = {path.with_suffix("") for path in known if path.name}
    named = {f"image of {key!r} in the YAML file, which is no split": others[key] for key in others}
    left = {**named, "image in a folder that is no split": image_files(root)}
    for reason, images in left.items():
        for path in images:
            place = on_disk(path)
            if place not in known:
                known.add(place)
                copy = path.suffix.lower() == ".npy" and place.with_suffix("") in stems
                dropped.note(_COPY if copy else reason, path)


def label_file(image: Path) -> Path:
    """Where the labels of an image are: the last folder ``images`` replaced, or beside it."""
    parts = list(image.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            there = Path(*parts[:i], "labels", *parts[i + 1 :]).with_suffix(".txt")
            if there.is_file() or (Path(*parts[:i]) / "labels").is_dir():
                return there
    return image.with_suffix(".txt")
