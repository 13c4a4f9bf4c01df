"""FLIR ADAS, versions 1 and 2."""

from pathlib import Path
from typing import Any

from mmthermal.common.checks import check_choice
from mmthermal.common.files import read_json
from mmthermal.convert.labels import Label, LabelledImage, LabelSet, LeftOut, labels_of_coco

_V1_NAMES = {1: "person", 2: "bicycle", 3: "car", 18: "dog", 91: "other vehicle"}
_V2_FOLDERS = {
    "train": "images_thermal_train",
    "val": "images_thermal_val",
    "test": "video_thermal_test",
}


def read_flir_v2(root: Path, bits: int = 8) -> list[LabelSet]:
    """Read FLIR ADAS v2: ``images_thermal_train/{coco.json,data,analyticsData}`` and so on.

    Args:
        root: the folder ``FLIR_ADAS_v2``.
        bits: 8 for the stretched JPEG files of ``data``, 16 for the raw TIFF files of
            ``analyticsData``.

    Returns:
        the splits ``train``, ``val`` and ``test`` (the videos), as far as they are there.

    Raises:
        FileNotFoundError: if none of the three folders is there.
        ValueError: for other bits.

    Source: the set's own README (January 2022).
    """
    check_choice("bits", bits, (8, 16))
    found = []
    for split, name in _V2_FOLDERS.items():
        file = root / name / "coco.json"
        if file.is_file():
            content = read_json(file, what="the labels of FLIR ADAS v2")
            labels = labels_of_coco(content, root / name, split, file=file, sequence_key="video_id")
            found.append(_raw(labels, "analyticsData") if bits == 16 else labels)
    if not found:
        raise FileNotFoundError(
            f"{str(root)!r} has none of {', '.join(f'{n}/coco.json' for n in _V2_FOLDERS.values())}"
        )
    return found


def _raw(labels: LabelSet, folder: str) -> LabelSet:
    """The same labels on the raw pictures of the same names."""
    labels.images = [
        LabelledImage(
            image.path.parent.parent / folder / f"{image.path.stem}.tiff",
            image.labels,
            image.size,
            image.sequence,
        )
        for image in labels.images
    ]
    return labels


def read_flir_v1(root: Path, bits: int = 8) -> list[LabelSet]:
    """Read FLIR ADAS v1 in either of its two forms.

    1.3: ``{train,val,video}/thermal_annotations.json`` with ``thermal_8_bit`` and
    ``thermal_16_bit``. First release: ``{training,validation,video}/Annotations/*.json``, one for
    each picture, with ``PreviewData`` (8 bits) and ``Data`` (16 bits).

    Args:
        root: the folder ``FLIR_ADAS_1_3`` or ``FLIR_ADAS``.
        bits: 8 or 16.

    Returns:
        the splits ``train``, ``val`` and ``test`` (the video), as far as they are there.

    Raises:
        FileNotFoundError: if none of the folders is there.
        ValueError: for other bits.

    Source: the set's own ReadMe (July 2018).
    """
    check_choice("bits", bits, (8, 16))
    found = []
    for split, names in (
        ("train", ("train", "training")),
        ("val", ("val", "validation")),
        ("test", ("video",)),
    ):
        for folder in (root / name for name in names):
            file = folder / "thermal_annotations.json"
            if file.is_file():
                content = read_json(file, what="the labels of FLIR ADAS v1")
                labels = labels_of_coco(content, folder, split, file=file)
                found.append(_raw(labels, "thermal_16_bit") if bits == 16 else labels)
            elif (folder / "Annotations").is_dir():
                found.append(_read_first_release(folder, split, bits))
    if not found:
        raise FileNotFoundError(
            f"{str(root)!r} has neither train/thermal_annotations.json (1.3) nor "
            "training/Annotations (first release)"
        )
    return found


def _read_first_release(folder: Path, split: str, bits: int) -> LabelSet:
    """One JSON file for each picture, with the keys ``annotation`` and ``image``."""
    labels = LabelSet(split, names=tuple(_V1_NAMES.values()))
    where, suffix = ("PreviewData", ".jpeg") if bits == 8 else ("Data", ".tiff")
    for file in sorted((folder / "Annotations").glob("*.json")):
        content = read_json(file, what="the labels of FLIR ADAS v1")
        labels.files.append(file)
        image = folder / where / f"{file.stem}{suffix}"
        boxes = _boxes(content.get("annotation", []), labels.dropped, file)
        size = content.get("image", {})
        given = (
            (int(size["width"]), int(size["height"])) if {"width", "height"} <= set(size) else None
        )
        labels.images.append(LabelledImage(image, tuple(boxes), given))
    return labels


def _boxes(annotations: list[dict[str, Any]], dropped: LeftOut, file: Path) -> list[Label]:
    """Labels of one picture."""
    found = []
    for annotation in annotations:
        name = _V1_NAMES.get(int(annotation["category_id"]))
        if name is None:
            dropped.note("box of a class that is not listed", file)
            continue
        x, y, w, h = (float(value) for value in annotation["bbox"])
        found.append(Label(name, (x, y, w, h), bool(int(annotation.get("iscrowd", 0))), str(file)))
    return found
