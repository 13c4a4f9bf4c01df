"""Which label file belongs to which picture: by its name, and by its folder where names repeat."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mmthermal.common.split_words import split_of

_ROLES = frozenset(
    "annotations annotation labels label xml xmls jpegimages images image imgs".split()
)


@dataclass(frozen=True)
class Pair:
    """A picture and its label file; what is missing is None.

    Args:
        label: the label file.
        image: the picture.
        choices: pictures of the label file's name, if nothing tells which of them is meant.
        folders: of the picture, else of the label file, below what all files have in common;
            without those that only say what lies there, such as ``images``.
    """

    label: Path | None = None
    image: Path | None = None
    choices: tuple[Path, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The name that both have, without ending."""
        path = self.image or self.label
        return path.stem if path is not None else ""

    @property
    def split(self) -> str | None:
        """The split that the folders name, the upper one first."""
        return _split(self.folders)

    def fits(self, name: str) -> bool:
        """Whether a name of a list, perhaps with folders, is that of the picture or label file."""
        parts = Path(name).parts
        paths = (path for path in (self.image, self.label) if path is not None)
        return any((*path.parent.parts, path.stem)[-len(parts) :] == parts for path in paths)


def _split(folders: Iterable[str]) -> str | None:
    return next((split for split in map(split_of, folders) if split is not None), None)


def pair_files(label_files: Iterable[Path], images: Iterable[Path]) -> list[Pair]:
    """Put label files and pictures of the same name together.

    The picture beside the label file is preferred, then the one in the parallel folder
    (``Annotations/x`` and ``JPEGImages/x``), then the only one of its split. A picture elsewhere
    is taken if there is one file of the name of each kind, and not in folders of two splits.

    Args:
        label_files: one for each picture.
        images: the pictures.

    Returns:
        each label file once, and each picture unless it is a choice of one; sorted by name.
    """
    names: dict[str, tuple[list[Path], list[Path]]] = {}
    for kind, paths in enumerate((label_files, images)):
        for path in paths:
            names.setdefault(path.stem, ([], []))[kind].append(path)
    parents = {str(path.parent) for both in names.values() for paths in both for path in paths}
    base = os.path.commonpath(parents) if parents else ""
    pairs = [
        pair
        for stem in sorted(names)
        for pair in _pairs_of_a_name(*names[stem], lambda path: _folders(path, base))
    ]
    return sorted(pairs, key=lambda pair: (pair.stem, str(pair.image or pair.label)))


def _folders(path: Path, base: str) -> tuple[str, ...]:
    """Folders of a file below the base, without those that say what lies there."""
    parts = path.parent.relative_to(base).parts
    return tuple(part for part in parts if part.lower() not in _ROLES)


def _pairs_of_a_name(
    labels: list[Path], images: list[Path], folders: Callable[[Path], tuple[str, ...]]
) -> list[Pair]:
    """Pairs of label files and pictures that all have one name."""
    pairs = []
    once = len(labels) == len(images) == 1
    of_a_split = _matched(labels, images, lambda path: _split(folders(path)))
    keys: tuple[Callable[[Path], object] | None, ...] = (lambda path: path.parent, folders, None)
    for key in keys:
        matched = of_a_split if key is None else _matched(labels, images, key)
        left = {*labels, *images}
        found = [(label, image) for label, image in matched if {label, image} <= left]
        pairs += [Pair(label, image, folders=folders(image)) for label, image in found]
        left -= {path for both in found for path in both}
        labels = [path for path in labels if path in left]
        images = [path for path in images if path in left]
    taken: set[Path] = set()
    for label in labels:
        split = _split(folders(label))
        choices = [path for path in images if _may_be(split, _split(folders(path)))]
        if once and choices:
            pairs.append(Pair(label, choices[0], folders=folders(choices[0])))
        else:
            pairs.append(Pair(label, choices=tuple(choices), folders=folders(label)))
        taken.update(choices)
    rest = [path for path in images if path not in taken]
    return pairs + [Pair(image=path, folders=folders(path)) for path in rest]


def _may_be(split: str | None, other: str | None) -> bool:
    """Whether files in folders of two splits may belong together."""
    return split is None or other is None or split == other


def _matched(
    labels: list[Path], images: list[Path], key: Callable[[Path], object]
) -> list[tuple[Path, Path]]:
    """Label files and pictures that are alone with a key; None is no key."""
    groups: dict[object, tuple[list[Path], list[Path]]] = {}
    for kind, paths in enumerate((labels, images)):
        for path in paths:
            groups.setdefault(key(path), ([], []))[kind].append(path)
    return [
        (own[0], others[0])
        for value, (own, others) in groups.items()
        if value is not None and len(own) == len(others) == 1
    ]
