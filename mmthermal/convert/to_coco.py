"""Labels as the content of a COCO file, with a count of what was changed or left out."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmthermal.convert.labels import Label, LabelSet, LeftOut, image_size

CROWD = "kept: box as a crowd region"
"""Counts crowd regions; one of no listed class has an annotation for each class."""


@dataclass(frozen=True)
class Classes:
    """Which classes a conversion keeps, and under which names.

    Args:
        names: to keep, in this order, after renaming; all that occur if empty.
        rename: new name by the format's name.
        ignore: names, after renaming, whose boxes become crowd regions.
    """

    names: tuple[str, ...] = ()
    rename: Mapping[str, str] | None = None
    ignore: Collection[str] = ()

    def new_name(self, name: str) -> str:
        """A class name after renaming."""
        return (self.rename or {}).get(name, name)

    def order(self, sets: Sequence[LabelSet]) -> tuple[str, ...]:
        """The classes of all splits: those asked for, or those of the format that occur.

        Raises:
            ValueError: if a class is named, also one to rename or to ignore, that does not occur.
        """
        labels = [label for s in sets for image in s.images for label in image.labels]
        used = {self.new_name(label.name) for label in labels}
        _check_classes(self.rename or {}, {label.name for label in labels})
        _check_classes((*self.names, *self.ignore), used)
        if self.names:
            return tuple(name for name in self.names if name not in set(self.ignore))
        counted = {self.new_name(label.name) for label in labels if not label.crowd}
        listed = [self.new_name(name) for s in sets for name in s.names]
        names = dict.fromkeys([*listed, *sorted(counted)])
        return tuple(name for name in names if name in counted and name not in set(self.ignore))


def _check_classes(asked: Iterable[str], used: Collection[str]) -> None:
    """Raise if a class is asked for that no label has."""
    unknown = [name for name in asked if name not in used]
    if unknown:
        raise ValueError(
            f"no box has the class {', '.join(map(repr, unknown))}: the labels have "
            f"{', '.join(map(repr, sorted(used)))}"
        )


def to_coco(
    labels: LabelSet, root: Path, order: Sequence[str], classes: Classes
) -> tuple[dict[str, Any], LeftOut]:
    """A split as the content of a COCO file.

    Boxes are clipped to their image. A crowd region of no listed class is written once for each
    class: evaluation ignores detections of its own class only.

    Args:
        labels: the split.
        root: folder that the file names start from.
        order: names of the classes.
        classes: how names are changed.

    Returns:
        the content, numbered from 1 on; and what was left out or changed, by reason.
    """
    counts = LeftOut(labels.dropped)
    ids = {name: i + 1 for i, name in enumerate(order)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image in labels.images:
        try:
            size = image.size or image_size(image.path)
        except OSError:
            counts.note("image that can't be read", image.path)
            continue
        if not image.path.is_file():
            counts.note("image that does not exist", image.path)
            continue
        record: dict[str, Any] = {
            "id": len(images) + 1,
            "file_name": Path(os.path.relpath(image.path, root)).as_posix(),
            "width": size[0],
            "height": size[1],
        }
        if image.sequence:
            record["sequence"] = image.sequence
        images.append(record)
        for label in image.labels:
            for found in _annotations(label, image.path, size, ids, classes, counts):
                annotations.append({"id": len(annotations) + 1, "image_id": record["id"], **found})
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    return {"images": images, "annotations": annotations, "categories": categories}, counts


def _annotations(
    label: Label,
    image: Path,
    size: tuple[int, int],
    ids: Mapping[str, int],
    classes: Classes,
    counts: LeftOut,
) -> list[dict[str, Any]]:
    """A box as COCO's records: one, or one a class, or none where nothing of it is left."""
    name, place = classes.new_name(label.name), label.place or image
    crowd = label.crowd or name in classes.ignore
    if name not in ids and not crowd:
        counts.note(f"box of class {name!r}, which is not asked for", place)
        return []
    x, y, w, h = label.box
    if not (w > 0 and h > 0):  # also NaN
        counts.note("box without area", place)
        return []
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + w, size[0]), min(y + h, size[1])
    if right - left < 1 or bottom - top < 1:
        counts.note("box with less than a pixel inside its image", place)
        return []
    if max(left - x, top - y, x + w - right, y + h - bottom) > 1e-6 * max(size):
        counts.note("kept: box clipped at the border", place)
        x, y, w, h = left, top, right - left, bottom - top
    cat_ids = [ids[name]] if name in ids else list(ids.values())
    if not cat_ids:
        counts.note("crowd region, without a class to write it for", place)
    elif crowd:
        counts.note(CROWD, place)
    if len(cat_ids) > 1:
        counts.note("kept: crowd region of no listed class, written once for each class", place)
    box = [_plain(value) for value in (x, y, w, h)]
    rest = {"bbox": box, "area": _plain(w * h), "iscrowd": int(crowd)}
    return [{"category_id": cat_id, **rest} for cat_id in cat_ids]


def _plain(value: float) -> float | int:
    """A number with at most four decimals, without a point where it is whole."""
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded
