"""Several COCO files as one."""

import posixpath
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mmthermal.checking.annotations import DOUBTFUL, check_annotations
from mmthermal.common.files import check_json_numbers, read_json


def read_joined(ann_files: Sequence[str | Path], prefixes: Sequence[str] = ()) -> dict[str, Any]:
    """Read COCO files without faults, and join them where there are several.

    What is only doubtful, such as amodal boxes, stays, as ``ThermalCocoDataset`` trains on it.
    Classes are joined by name, in the order in which they are met; ids of images, annotations and
    categories are numbered anew from 1, as those of several files repeat. Everything else, such as
    ``info``, comes from the first file. A single file stays as it is.

    Args:
        ann_files: the files.
        prefixes: by file the folder of its pictures, put before their names; none if empty.

    Returns:
        the content of the joined file.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: if there is no file or one has faults, or NaN in any field, there is not one
            prefix for each file, two files list the same picture, or one of several has annotations
            of an image or a class that it does not list.
    """
    if not ann_files:
        raise ValueError("ann_files: give at least one file")
    if prefixes and len(prefixes) != len(ann_files):
        raise ValueError(
            f"prefixes: {len(prefixes)} for {len(ann_files)} files: give one for each, in "
            "their order"
        )
    several = len(ann_files) > 1
    refused = ["unknown-category-id", "unknown-image-id"] if several else []  # these get new ids
    contents = [_read(path, refused) for path in ann_files]
    for content, prefix in zip(contents, prefixes, strict=False):
        for image in content["images"]:
            image["file_name"] = posixpath.join(prefix, image["file_name"])
    if not several:
        return contents[0]
    _check_names(contents, ann_files)
    return _join(contents)


def _read(path: str | Path, refused: Collection[str]) -> dict[str, Any]:
    """A COCO file without errors, but doubtful ones, and without findings of some codes."""
    content: dict[str, Any] = read_json(path, what="the annotation file")
    findings = check_annotations(content, path)
    faults = [
        f.message
        for f in findings
        if f.code in refused or (f.severity == "error" and f.code not in DOUBTFUL)
    ]
    if faults:
        raise ValueError(f"{path} has faults, see tools/check_data.py: {'; '.join(faults)}")
    check_json_numbers(content, path)  # in all fields, read or not: all of it is written again
    return content


def _check_names(contents: Sequence[Any], ann_files: Sequence[str | Path]) -> None:
    """No picture may be listed by two files."""
    seen: dict[str, str | Path] = {}
    for content, path in zip(contents, ann_files, strict=True):
        names = {image["file_name"] for image in content["images"]}
        if shared := sorted(names & seen.keys()):
            raise ValueError(
                f"{path} and {seen[shared[0]]} both list {shared[0]!r} ({len(shared)} such names): "
                f"leave one file out, or, where these are pictures of several folders, give the "
                "folder of each file by prefixes"
            )
        seen |= dict.fromkeys(names, path)


def _join(contents: Sequence[Any]) -> dict[str, Any]:
    """One content with new ids."""
    names = dict.fromkeys(row["name"] for content in contents for row in content["categories"])
    rows = {row["name"]: row for content in contents[::-1] for row in content["categories"]}
    numbers = {name: number for number, name in enumerate(names, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for content in contents:
        category_ids = {row["id"]: numbers[row["name"]] for row in content["categories"]}
        image_ids = {}
        for image in content["images"]:
            image_ids[image["id"]] = len(images) + 1
            images.append({**image, "id": len(images) + 1})
        for row in content["annotations"]:
            new = dict(
                id=len(annotations) + 1,
                image_id=image_ids[row["image_id"]],
                category_id=category_ids[row["category_id"]],
            )
            annotations.append({**row, **new})
    return {
        **contents[0],
        "images": images,
        "annotations": annotations,
        "categories": [{**rows[name], "id": number} for name, number in numbers.items()],
    }
