"""YOLO: a text file for each image, with or without a data.yaml."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mmthermal.common.files import IMAGE_SUFFIXES
from mmthermal.convert.labels import (
    Label,
    LabelledImage,
    LabelSet,
    LeftOut,
    image_size,
    read_text,
)
from mmthermal.convert.yolo_names import (
    names_of_text,
    names_of_yaml,
    read_data_yaml,
    values_of_keypoints,
)
from mmthermal.convert.yolo_pictures import label_file, pictures_of_splits

_NO_LABEL = "line that is not a label"


def read_yolo(root: Path) -> list[LabelSet]:
    """Read a folder as ultralytics and darknet have it.

    With a YAML file: its ``path``, ``train``, ``val``, ``test`` and ``names``. Without: the
    folders ``images/train`` or ``train/images`` and so on, or the lists ``train.txt``,
    ``valid.txt`` and so on (CVAT's), or one split ``all``; class names from ``classes.txt`` or
    ``obj.names``, else ``class0``, ``class1``, …. ``valid`` and ``validation`` mean ``val`` in all.
    Pictures in no split, and arrays beside a picture of their name, are counted. The labels of
    ``…/images/a.png`` are in ``…/labels/a.txt``, or beside the image. Of a pose set, one with
    ``kpt_shape`` in the YAML file, the boxes are taken.

    Args:
        root: the folder.

    Returns:
        the splits.

    Raises:
        FileNotFoundError: if there is no image or no label.
        ValueError: if the file with the names has faults, a label has a class without a name, two
            pictures have one label file, or no line can be read.
    """
    keypoints, settings = 0, None
    data_yaml = read_data_yaml(root)
    if data_yaml is not None:
        path, settings = data_yaml
        names = names_of_yaml(path, settings["names"])
        keypoints = values_of_keypoints(path, settings.get("kpt_shape"))
    else:
        names = names_of_text(root)
    splits, dropped = pictures_of_splits(root, settings)
    found = []
    for split, images in splits.items():
        labels = LabelSet(split, names=tuple(names.values()))
        for path in images:
            labels.images += _read_image(path, names, labels.dropped, keypoints)
        found.append(labels)
    for reason, number in dropped.items() if found else ():
        found[0].dropped.note(reason, dropped.examples[reason], number)
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
