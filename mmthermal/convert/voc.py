"""Pascal VOC: an XML file for each image, as LabelImg writes it."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmthermal.convert.labels import (
    Label,
    LabelledImage,
    LabelSet,
    LeftOut,
    by_stem,
    image_files,
    read_list,
    read_text,
)


def read_voc(root: Path, lists: Mapping[str, Path] | None = None) -> list[LabelSet]:
    """Read a folder as LabelImg and VOC have it.

    XML files lie in ``Annotations`` or ``annotations``, or beside the images. Splits are the
    lists of ``ImageSets/Main``, or those given, or ``train``, ``val`` and ``test`` if the images
    lie in folders of these names; else there is one split, ``all``.

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
    return read_xml_set(ann_dir, image_files(root), lists)


def _marks_a_class(path: Path) -> bool:
    """Whether a list says which images have a class, as VOC's ``person_train.txt``: no split."""
    rows = [line.split() for line in read_text(path).splitlines()]
    return any(rows) and all(len(row) == 2 and row[1] in ("-1", "0", "1") for row in rows if row)


def read_xml_set(
    ann_dir: Path, images: Iterable[Path], lists: Mapping[str, Path] | None = None
) -> list[LabelSet]:
    """Read XML files and put them together with images of the same name.

    The name of the XML file counts: ``filename`` in it is that of the labeller's own copy in
    several public sets.

    Args:
        ann_dir: folder of the XML files; also those below it are read.
        images: image files.
        lists: text files with the names of a split's images, by split.

    Returns:
        the splits.

    Raises:
        FileNotFoundError: if there is no XML file.
    """
    xml_files = by_stem(sorted(ann_dir.rglob("*.xml")))
    if not xml_files:
        raise FileNotFoundError(f"no XML file in {str(ann_dir)!r}: give the folder of the set")
    files = by_stem(images)
    splits = _splits(files, xml_files, lists)
    found = []
    for split, stems in splits.items():
        labels = LabelSet(split)
        for stem in stems:
            if stem not in files:
                labels.dropped.note("label file without an image", xml_files.get(stem, stem))
            elif stem not in xml_files:
                labels.dropped.note("image without a label file", files[stem])
            else:
                image = read_xml(xml_files[stem], files[stem], labels.dropped)
                labels.images += [image] if image is not None else []
        found.append(labels)
    listed = {stem for stems in splits.values() for stem in stems}
    for stem in xml_files:
        if stem not in listed:
            found[-1].dropped.note("label file that is in no list", xml_files[stem])
    return found


def _splits(
    files: Mapping[str, Path], xml_files: Mapping[str, Path], lists: Mapping[str, Path] | None
) -> dict[str, Sequence[str]]:
    """Names of the images of each split."""
    if lists:
        return {
            split: [Path(name).name for name in read_list(path)] for split, path in lists.items()
        }
    every = sorted({*files, *xml_files})
    folders = {stem: files[stem].parent.name for stem in every if stem in files}
    if {"train"} <= set(folders.values()) and len(set(folders.values())) > 1:
        splits: dict[str, list[str]] = {}
        for stem in every:
            splits.setdefault(folders.get(stem, "train"), []).append(stem)
        return {name: splits[name] for name in sorted(splits, key=_split_order)}
    return {"all": every}


def _split_order(name: str) -> tuple[int, str]:
    order = {"train": 0, "val": 1, "test": 2}
    return order.get(name, 3), name


def read_xml(path: Path, image: Path, dropped: LeftOut) -> LabelledImage | None:
    """Read one XML file.

    Both forms of a box are read: ``xmin, ymin, xmax, ymax``, and KAIST's ``x, y, w, h``. Objects
    that are ``difficult`` become crowd regions, as VOC's evaluation ignores them.

    Args:
        path: the XML file.
        image: the picture that it belongs to.
        dropped: takes the count of what is left out.

    Returns:
        the picture with its labels; None where the file can't be read.
    """
    try:
        tree = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError):
        dropped.note("label file that is not XML", path)
        return None
    labels, place = [], str(path)
    for item in tree.iter("object"):
        name = (item.findtext("name") or "").strip()
        box = _box(item.find("bndbox"))
        if not name or box is None:
            dropped.note("object without a name or a box", path)
            continue
        difficult = (item.findtext("difficult") or "0").strip() == "1"
        labels.append(Label(name, box, difficult, place))
    return LabelledImage(image, tuple(labels))


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
