"""The records of a COCO file as arrays, and what of them mmdet keeps.

Shapes: I images, G annotations, both in the file's order.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import Bools, Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """Columns of a COCO file that :func:`check_records` found no error in.

    Args:
        file_names: of the I images.
        image_ids: of the I images.
        sizes: (I, 2) width and height.
        boxes: (G, 4) boxes (x, y, width, height).
        areas: (G,) areas as the file has them.
        image_inds: (G,) position of each annotation's image; -1 where it is not listed.
        category_inds: (G,) position of each annotation's category; -1 where it is not listed.
        crowd: (G,) flags of crowd regions.
        ignored: (G,) flags of ``ignore``.
        names: of the categories.
        wanted: (number of categories,) flags of the classes that the training asks for.
    """

    file_names: tuple[str, ...]
    image_ids: tuple[int | str, ...]
    sizes: Floats
    boxes: Floats
    areas: Floats
    image_inds: Ints
    category_inds: Ints
    crowd: Bools
    ignored: Bools
    names: tuple[str, ...]
    wanted: Bools

    @cached_property
    def listed(self) -> Bools:
        """(G,) annotations whose image is listed and whose class is asked for."""
        known = (self.image_inds >= 0) & (self.category_inds >= 0)
        asked: Bools = self.wanted[self.category_inds]
        return known & asked

    @cached_property
    def box_image_sizes(self) -> Floats:
        """(G, 2) width and height of each annotation's image; 0 where it is not listed."""
        sizes: Floats = np.where(self.image_inds[:, None] >= 0, self.sizes[self.image_inds], 0.0)
        return sizes

    @cached_property
    def reasons(self) -> dict[str, Bools]:
        """(G,) masks of what mmdet keeps and drops, see :func:`keep_reasons`."""
        return keep_reasons(self)

    @property
    def kept(self) -> Bools:
        """(G,) annotations that mmdet keeps."""
        return self.reasons["kept"]

    @property
    def objects(self) -> Bools:
        """(G,) annotations that mmdet trains on: kept, and no crowd region."""
        return self.kept & ~self.crowd


def make_table(content: Mapping[str, Any], classes: Collection[str] | None = None) -> Table:
    """Put a COCO file's records into arrays.

    Args:
        content: the file; :func:`~mmthermal.checking.records.check_records` has found no error.
        classes: names of the classes that the training asks for; all if None.
    """
    images, categories = content["images"], content["categories"]
    annotations = content.get("annotations", [])
    number = len(annotations)
    image_ind = {image["id"]: i for i, image in enumerate(images)}
    category_ind = {category["id"]: i for i, category in enumerate(categories)}
    boxes = np.array([a["bbox"] for a in annotations], dtype=np.float64).reshape(-1, 4)
    sizes = np.array([(i["width"], i["height"]) for i in images], dtype=np.float64)
    names = tuple(category["name"] for category in categories)

    def column(values: Any, kind: Any) -> NDArray[Any]:
        return np.fromiter(values, dtype=kind, count=number)

    return Table(
        file_names=tuple(image["file_name"] for image in images),
        image_ids=tuple(image["id"] for image in images),
        sizes=sizes.reshape(-1, 2),
        boxes=boxes,
        areas=column((a["area"] for a in annotations), np.float64),
        image_inds=column((_index(image_ind, a["image_id"]) for a in annotations), np.int64),
        category_inds=column(
            (_index(category_ind, a["category_id"]) for a in annotations), np.int64
        ),
        crowd=column((bool(a.get("iscrowd", False)) for a in annotations), bool),
        ignored=column((bool(a.get("ignore", False)) for a in annotations), bool),
        names=names,
        wanted=np.array([classes is None or name in classes for name in names], dtype=bool),
    )


def _index(known: Mapping[Any, int], key: Any) -> int:
    """Index of a record by its id; -1 for one that is not listed, such as a list for an id."""
    return known.get(key, -1) if isinstance(key, Hashable) else -1


def keep_reasons(table: Table) -> dict[str, Bools]:
    """Which annotations mmdet keeps, and why it drops the others.

    Args:
        table: the records.

    Returns:
        (G,) masks: ``kept``; and by the first reason that applies, ``unlisted`` (of an image that
        is not listed), ``ignored``, ``outside`` (no part inside the image), ``no_area`` (the
        field ``area`` is not positive), ``tiny`` (a side below one pixel), ``other_class``.

    Source: ``mmdet.datasets.CocoDataset.parse_data_info``, 3.3.0.
    """
    x, y, w, h = table.boxes.T
    width, height = table.box_image_sizes.T
    inside_w = np.maximum(0, np.minimum(x + w, width) - np.maximum(x, 0))
    inside_h = np.maximum(0, np.minimum(y + h, height) - np.maximum(y, 0))
    tests = {
        "unlisted": table.image_inds < 0,
        "ignored": table.ignored,
        "outside": inside_w * inside_h == 0,
        "no_area": table.areas <= 0,
        "tiny": (w < 1) | (h < 1),
        "other_class": ~table.listed,
    }
    left = np.ones(len(table.boxes), dtype=bool)
    reasons: dict[str, Bools] = {}
    for name, mask in tests.items():
        reasons[name] = left & mask
        left &= ~mask
    reasons["kept"] = left
    return reasons


def kept_images(table: Table, filter_cfg: Mapping[str, Any] | None, *, test_mode: bool) -> Bools:
    """Which images mmdet keeps.

    Args:
        table: the records.
        filter_cfg: the data set's ``filter_cfg``, with ``filter_empty_gt`` and ``min_size``.
        test_mode: the data set's ``test_mode``, in which nothing is filtered.

    Returns:
        (I,) mask.

    Source: ``mmdet.datasets.CocoDataset.filter_data``, 3.3.0.
    """
    kept: Bools = np.ones(len(table.image_ids), dtype=bool)
    if test_mode or filter_cfg is None:
        return kept
    if filter_cfg.get("filter_empty_gt", False):
        labelled = np.zeros(len(kept), dtype=bool)
        labelled[table.image_inds[table.listed]] = True
        kept &= labelled
    kept &= table.sizes.min(axis=1) >= filter_cfg.get("min_size", 0)
    return kept
