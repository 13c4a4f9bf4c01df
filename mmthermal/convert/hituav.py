"""HIT-UAV: the JSON, XML and YOLO releases of its publisher."""

from dataclasses import replace
from pathlib import Path

from mmthermal.common.files import read_json
from mmthermal.convert.labels import LabelSet, labels_of_coco
from mmthermal.convert.voc import read_voc
from mmthermal.convert.yolo import read_yolo

IGNORED = "DontCare"
_NAMES = ("Person", "Car", "Bicycle", "OtherVehicle")
_FILES = {
    "train": ("train.json", "instances_train.json"),
    "val": ("val.json", "instances_val.json"),
    "test": ("test.json", "instances_test.json"),
}


def read_hituav(root: Path) -> list[LabelSet]:
    """Read whichever form of HIT-UAV's upright boxes lies in a folder.

    JSON: ``normal_json/annotations/{train,instances_val,test}.json`` (with ``annotation`` and
    ``filename`` for COCO's ``annotations`` and ``file_name``) and ``normal_json/{train,val,test}``.
    XML: ``normal_xml/{Annotations,JPEGImages,ImageSets}``. YOLO: ``images``, ``labels`` and a YAML
    file.

    Args:
        root: the folder of the release, or one of its folders.

    Returns:
        the publisher's splits, by frame: neighbours of a flight are in all three (see
        docs/split.md). Boxes of ``DontCare`` are crowd regions.

    Raises:
        FileNotFoundError: if none of the forms is found.

    Source: Suo et al., Scientific Data 2023; the publisher's repository.
    """
    for folder in (root, root / "normal_json"):
        if (folder / "annotations").is_dir() and any((folder / "annotations").glob("*.json")):
            return [_finished(labels) for labels in _read_json(folder)]
    for folder in (root, root / "normal_xml"):
        if (folder / "Annotations").is_dir():
            return [_finished(labels) for labels in read_voc(folder)]
    if (root / "labels").is_dir():
        return [_finished(labels) for labels in read_yolo(root)]
    raise FileNotFoundError(
        f"{str(root)!r} has neither normal_json/annotations nor normal_xml/Annotations nor labels"
    )


def _read_json(folder: Path) -> list[LabelSet]:
    """The splits of the JSON release."""
    found = []
    for split, names in _FILES.items():
        for name in names:
            file = folder / "annotations" / name
            if file.is_file():
                content = read_json(file, what="the labels of HIT-UAV")
                place = folder / split
                images = place if place.is_dir() else folder / "images" / split
                found.append(labels_of_coco(content, images, split, file=file))
                break
    return found


def _finished(labels: LabelSet) -> LabelSet:
    """Classes in the publisher's order, ``DontCare`` as crowd regions."""
    labels.names = _NAMES
    labels.images = [
        replace(
            image,
            labels=tuple(replace(b, crowd=b.crowd or b.name == IGNORED) for b in image.labels),
        )
        for image in labels.images
    ]
    return labels
