"""Pascal VOC: an XML file for each image, as LabelImg writes it."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from pathlib import Path

from mmthermal.common.files import files_below
from mmthermal.common.split_words import SPLIT_WORDS
from mmthermal.convert.labels import (
    FLAGS,
    Label,
    LabelledImage,
    LabelSet,
    LeftOut,
    image_files,
    image_size,
    read_list,
    read_text,
)
from mmthermal.convert.pairs import Pair, pair_files

WITHOUT_IMAGE = "label file without an image"
"""Why a label file is left out that has no picture."""
OTHER_SIZE = (
    "label file whose <size> is not its picture's: give the pictures that the boxes were drawn in, "
    "scale the boxes, or correct <size>"
)
"""Why a label file is left out whose boxes lie beside the objects."""
_SIZE = ("width", "height")


def read_voc(root: Path, lists: Mapping[str, Path] | None = None) -> list[LabelSet]:
    """Read a folder as LabelImg and VOC have it.

    XML files lie in ``Annotations`` or ``annotations``, or beside the images. Pictures are those
    of ``JPEGImages``, if it has any; VOC's masks beside it have the same names. Splits are the
    lists of ``ImageSets/Main``, or those given, or ``train``, ``val`` and ``test`` if the images
    lie in folders of these names or below them; else there is one split, ``all``.

    Args:
        root: the folder.
        lists: text files with the names of a split's images, by split.

    Returns:
        the splits.

    Raises:
        FileNotFoundError: if there is no XML file.
    """
    folders = [
        root / name for name in ("Annotations", "annotations", "labels") if (root / name).is_dir()
    ]
    ann_dir = folders[0] if folders else root
    if lists is None:
        main = root / "ImageSets" / "Main"
        files = sorted(main.glob("*.txt")) if main.is_dir() else []
        lists = {path.stem: path for path in files if not _marks_a_class(path)}
        if {"train", "val"} <= set(lists):
            lists.pop("trainval", None)  # their union
    every = image_files(root)
    images = [path for path in every if (root / "JPEGImages") in path.parents] or every
    found = read_xml_set(ann_dir, images, lists)
    for path in sorted(set(every) - set(images)):
        found[0].dropped.note("image outside of JPEGImages", path)
    return found


def _marks_a_class(path: Path) -> bool:
    """Whether a list says which images have a class, as VOC's ``person_train.txt``: no split."""
    rows = [row for line in read_text(path).splitlines() if (row := line.split())]
    return bool(rows) and all(len(row) > 1 and row[-1] in FLAGS for row in rows)


def read_xml_set(
    ann_dir: Path, images: Iterable[Path], lists: Mapping[str, Path] | None = None
) -> list[LabelSet]:
    """Read XML files and put them together with images of the same name.

    The name of the XML file counts: ``filename`` in it is that of the labeller's own copy in
    several public sets. Where a name is there more than once, the folders tell, see
    :func:`pair_files`; if they don't, the XML file is left out.

    Args:
        ann_dir: folder of the XML files; also those below it are read.
        images: image files.
        lists: text files with the names of a split's images, by split.

    Returns:
        the splits.

    Raises:
        FileNotFoundError: if there is no XML file.
    """
    xml_files = [path for path in files_below(ann_dir) if path.suffix == ".xml"]
    if not xml_files:
        raise FileNotFoundError(f"no XML file in {str(ann_dir)!r}: give the folder of the set")
    pairs = pair_files(xml_files, images)
    if lists:
        return _read_lists(pairs, lists)
    found = []
    for split, members in _by_folder(pairs).items():
        labels = LabelSet(split)
        for pair in members:
            _add(labels, pair)
        found.append(labels)
    return found


def _add(labels: LabelSet, pair: Pair) -> None:
    """Add a picture with the labels of its XML file, or count what is missing."""
    if pair.choices:
        words = ", ".join(map(str, pair.choices[:3]))
        reason = "label file whose picture is not certain: its name is there more than once"
        labels.dropped.note(reason, f"{pair.label}: {words}")
    elif pair.label is None:
        labels.dropped.note("image without a label file", pair.image or "")
    elif pair.image is None:
        labels.dropped.note(WITHOUT_IMAGE, pair.label)
    else:
        image = read_xml(pair.label, pair.image, labels.dropped)
        labels.images += [image] if image is not None else []


def _read_lists(pairs: list[Pair], lists: Mapping[str, Path]) -> list[LabelSet]:
    """The splits of text files."""
    names: dict[str, list[Pair]] = {}
    for pair in pairs:
        names.setdefault(pair.stem, []).append(pair)
    found, listed = [], set()
    for split, path in lists.items():
        labels = LabelSet(split)
        for name in read_list(path):
            members = names.get(Path(name).name, [])
            if len(members) > 1:
                members = [pair for pair in members if pair.fits(name)] or members
                members = _labelled(members) or members
            listed.update(members)
            if not members:
                labels.dropped.note(WITHOUT_IMAGE, name)
            elif len(members) > 1:
                labels.dropped.note("name in a list that several files have", f"{path}: {name}")
            else:
                _add(labels, members[0])
        found.append(labels)
    for pair in pairs:
        if pair not in listed:
            kind = "image" if pair.label is None else "label file"
            found[-1].dropped.note(f"{kind} that is in no list", pair.label or pair.image or "")
    return found


def _labelled(pairs: list[Pair]) -> list[Pair]:
    """The only one with a label file, unless others may be the same picture of another split."""
    labelled = [pair for pair in pairs if pair.label is not None]
    splits = {pair.split for pair in pairs} - {None}
    return labelled if len(labelled) == 1 and len(splits) < 2 else []


def _by_folder(pairs: list[Pair]) -> dict[str, list[Pair]]:
    """Pairs by the split that a folder above the picture names; all in one without a train."""
    names = {pair: pair.split or next(iter(pair.folders), "all") for pair in pairs}
    if not {"train"} < {names[pair] for pair in pairs if pair.image is not None}:
        return {"all": pairs}
    splits: dict[str, list[Pair]] = {}
    for pair in pairs:
        name = names[pair] if pair.image is not None else pair.split or "train"
        splits.setdefault(name, []).append(pair)
    order = [*SPLIT_WORDS, *sorted(set(splits) - set(SPLIT_WORDS))]
    return {name: splits[name] for name in order if name in splits}


def read_xml(path: Path, image: Path, dropped: LeftOut) -> LabelledImage | None:
    """Read one XML file.

    Both forms of a box are read: ``xmin, ymin, xmax, ymax``, and KAIST's ``x, y, w, h``. Objects
    that are ``difficult`` become crowd regions, as VOC's evaluation ignores them.

    Args:
        path: the XML file.
        image: the picture that it belongs to.
        dropped: takes the count of what is left out.

    Returns:
        the picture with its labels; None where the file can't be read, is none of VOC's, or was
        drawn in pixels of another size (``size``) than the picture's.
    """
    try:
        tree = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError):
        dropped.note("label file that is not XML", path)
        return None
    except (ValueError, LookupError):  # ElementTree knows no encoding of several bytes but Unicode
        dropped.note("label file in an encoding that can't be read: save it in UTF-8", path)
        return None
    if tree.tag.lower() != "annotation" and tree.find(".//object") is None:
        reason = f"XML file that is no VOC annotation, its root is <{tree.tag}>: export Pascal VOC"
        dropped.note(reason, path)
        return None
    try:
        size = image_size(image)
    except OSError:  # whoever writes the labels counts it
        size = None
    drawn = _size(tree)
    if size and drawn and not _fits(drawn, size):
        words = f"{drawn[0]} × {drawn[1]}, its picture is {size[0]} × {size[1]}"
        dropped.note(OTHER_SIZE, f"{path}: {words}")
        return None
    labels, place = [], str(path)
    for item in tree.iter("object"):
        name = (item.findtext("name") or "").strip()
        box = _box(item.find("bndbox"))
        if not name or box is None:
            dropped.note("object without a name or a box", path)
            continue
        difficult = (item.findtext("difficult") or "").strip().lower() in ("1", "true", "yes")
        labels.append(Label(name, box, difficult, place))
    return LabelledImage(image, tuple(labels), size)


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    """Width and height of the picture that the boxes were drawn in; None where it isn't told."""
    try:
        width, height = (int(float(tree.findtext(f"size/{key}") or 0)) for key in _SIZE)
    except (ValueError, OverflowError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _fits(drawn: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether two sizes agree within a pixel, as in training; the sides may be swapped (EXIF)."""
    return any(
        max(abs(a - b) for a, b in zip(drawn, s, strict=True)) <= 1 for s in (size, size[::-1])
    )


def _box(node: ElementTree.Element | None) -> tuple[float, float, float, float] | None:
    """A box of either form as (x, y, width, height), or None."""
    if node is None:
        return None
    try:
        if node.find("xmin") is not None:
            left, top, right, bottom = (
                float(node.findtext(key) or "") for key in ("xmin", "ymin", "xmax", "ymax")
            )
            box = (left, top, right - left, bottom - top)
        else:
            x, y, w, h = (float(node.findtext(key) or "") for key in ("x", "y", "w", "h"))
            box = (x, y, w, h)
    except ValueError:
        return None
    return box if all(map(math.isfinite, box)) else None
