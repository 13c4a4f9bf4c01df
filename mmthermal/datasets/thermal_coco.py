"""COCO-style thermal data sets, checked when they are opened."""

import json
import math
import os.path as osp
from collections.abc import Mapping
from typing import Any, ClassVar

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS

from mmthermal.common.display import class_colours
from mmthermal.datasets.one_channel import check_one_channel


@DATASETS.register_module()
class ThermalCocoDataset(CocoDataset):
    """``CocoDataset`` that takes the classes from the annotation file and checks what it reads.

    mmdet's own finds no object at all, and says nothing, where ``metainfo`` names classes that
    the file doesn't have.

    Args:
        ann_file: COCO annotation file, relative to ``data_root``.
        metainfo: ``dict(classes=…)`` to choose classes, in the order of the file's categories; all
            classes of the file, by category id, if left out.
        **kwargs: as ``CocoDataset``.

    Raises:
        FileNotFoundError: if the annotation file or the image folder is missing.
        ValueError: if the file is no COCO detection file, lacks a class asked for, or lists its
            categories in another order than the classes.
    """

    METAINFO: ClassVar[dict] = {}

    def __init__(
        self,
        *args: Any,
        ann_file: str = "",
        data_root: str | None = "",
        metainfo: Mapping | None = None,
        **kwargs: Any,
    ) -> None:
        check_one_channel(kwargs.get("pipeline") or [])
        path = ann_file if osp.isabs(ann_file) else osp.join(data_root or "", ann_file)
        categories = read_categories(path)
        names = [name for _, name in categories]
        metainfo = dict(metainfo or {})
        classes = metainfo.setdefault("classes", tuple(name for _, name in sorted(categories)))
        metainfo["classes"] = (classes,) if isinstance(classes, str) else tuple(classes)
        unknown = [name for name in metainfo["classes"] if name not in names]
        if unknown:
            raise ValueError(
                f"metainfo.classes has {', '.join(map(repr, unknown))}, which {path} doesn't: its "
                f"categories are {', '.join(map(repr, names))}. Leave metainfo out to use these."
            )
        listed = [name for name in names if name in metainfo["classes"]]
        if listed != list(metainfo["classes"]):
            raise ValueError(
                f"{path} lists its categories in the order {tuple(listed)}, the classes are "
                f"{metainfo['classes']}: mmdet numbers labels in the file's order, so the names "
                "would be mixed up. Sort the file's categories by id, or set "
                f"metainfo=dict(classes={tuple(listed)}) for all splits."
            )
        metainfo.setdefault("palette", class_colours(len(metainfo["classes"])))
        super().__init__(*args, ann_file=ann_file, data_root=data_root, metainfo=metainfo, **kwargs)

    def _join_prefix(self) -> None:
        super()._join_prefix()
        folder = self.data_prefix.get("img")
        if folder and "://" not in folder and not osp.isdir(folder):
            raise FileNotFoundError(
                f"the image folder {folder} doesn't exist. Set data_root and data_prefix.img of "
                "the data set; see 'Train on your own images' in the README."
            )


def read_categories(path: str) -> list[tuple[int, str]]:
    """Ids and names of the categories of a COCO annotation file, in the file's order.

    Args:
        path: the file.

    Returns:
        pairs of id and name.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no COCO detection file, or images, categories or boxes are broken.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(
            f"the annotation file {path} doesn't exist. Set data_root and ann_file of the data "
            "set; the embedded data are made by 'python tools/make_synthetic.py'."
        )
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON file: {error}") from None
    keys = ("images", "annotations", "categories")
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise ValueError(f"{path} is no COCO detection file: it lacks {', '.join(missing)}")
    _check_annotations(path, content)
    return [(c["id"], c["name"]) for c in content["categories"]]


def _check_annotations(path: str, content: dict) -> None:
    """Raise at the first annotation that mmdet would drop, misread or fail on later."""
    if not content["categories"]:
        raise ValueError(f"{path} has no categories")
    kind, entry = "image", None
    try:
        for entry in content["images"]:
            _ = entry["id"], entry["file_name"], entry["width"], entry["height"]
        images = {image["id"] for image in content["images"]}
        kind = "category"
        for entry in content["categories"]:
            _ = entry["id"], entry["name"]
        categories = {category["id"] for category in content["categories"]}
        kind = "annotation"
        for entry in content["annotations"]:
            _ = entry["id"], entry["area"], entry["iscrowd"]  # pycocotools reads them all
            for key, known in (("image_id", images), ("category_id", categories)):
                if entry[key] not in known:
                    raise ValueError(
                        f"{path}: annotation {entry['id']} has {key} {entry[key]}, which is not "
                        "listed"
                    )
            if not _is_box(entry["bbox"]):
                raise ValueError(
                    f"{path}: annotation {entry['id']} has bbox {entry['bbox']}, expected four "
                    "finite numbers [x, y, width, height] with no negative side"
                )
    except KeyError as error:
        raise ValueError(f"{path}: {kind} {entry} lacks {error}") from None
    except TypeError as error:
        raise ValueError(f"{path} is no COCO detection file: {error}") from None


def _is_box(box: object) -> bool:
    """Whether a value is four finite numbers with a width and a height that aren't negative."""
    if not isinstance(box, list) or len(box) != 4:
        return False
    numbers = all(isinstance(value, (int, float)) and math.isfinite(value) for value in box)
    return numbers and box[2] >= 0 and box[3] >= 0
