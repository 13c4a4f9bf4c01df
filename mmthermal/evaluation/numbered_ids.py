"""Ids that are texts, such as ``FLIR_07800``, as the whole numbers that the matching works with."""

import contextlib
import io
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycocotools.coco import COCO

_Numbers = dict[Hashable, int]


@dataclass(frozen=True)
class NumberedCoco:
    """Annotations whose ids are whole numbers, and how to come from the file's ids to them.

    Args:
        coco: the annotations.
        images: number of each image id of the file; empty where they are whole numbers already.
        categories: the same for the categories.
    """

    coco: COCO
    images: _Numbers = field(default_factory=dict)
    categories: _Numbers = field(default_factory=dict)

    def image_numbers(self, ids: Iterable[Any]) -> list[int]:
        """The numbers of image ids.

        Args:
            ids: of the file.

        Raises:
            ValueError: for an id that the file lacks.
        """
        return _numbers_of(ids, self.images, "image")

    def category_numbers(self, ids: Iterable[Any]) -> list[int]:
        """The numbers of category ids.

        Args:
            ids: of the file.

        Raises:
            ValueError: for an id that the file lacks.
        """
        return _numbers_of(ids, self.categories, "category")

    def results(self, detections: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Detections in COCO's results format, with numbers as ids.

        Args:
            detections: dicts with ``image_id`` and ``category_id`` of the file.

        Raises:
            ValueError: for an id that the file lacks, or a detection without ids.
        """
        if not self.images and not self.categories:
            return detections
        try:
            images = [d["image_id"] for d in detections]
            categories = [d["category_id"] for d in detections]
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"a detection is not in COCO's results format ({error!r}): each needs image_id "
                "and category_id"
            ) from error
        numbers = zip(self.image_numbers(images), self.category_numbers(categories), strict=True)
        return [
            {**d, "image_id": image, "category_id": category}
            for d, (image, category) in zip(detections, numbers, strict=True)
        ]


def number_ids(coco: COCO) -> NumberedCoco:
    """Number images, categories and annotations where one of their ids is not a whole number.

    The numbers rise with the ids as texts, the order in which pycocotools goes through them, so
    that detections of equal score are told apart as there.

    Args:
        coco: the annotations; they are not changed.

    Returns:
        the same annotations if all ids are whole numbers, else a copy with numbers.
    """
    images, categories = _numbered(coco.imgs), _numbered(coco.cats)
    rows = coco.dataset.get("annotations", [])
    own = all(_is_whole(row["id"]) for row in rows)
    if not images and not categories and own:
        return NumberedCoco(coco)
    copy = COCO()
    copy.dataset = {
        **coco.dataset,
        "images": [{**row, "id": images.get(row["id"], row["id"])} for row in coco.imgs.values()],
        "categories": [
            {**row, "id": categories.get(row["id"], row["id"])} for row in coco.cats.values()
        ],
        "annotations": [
            {
                **row,
                "id": row["id"] if own else number,
                "image_id": images.get(row["image_id"], row["image_id"]),
                "category_id": categories.get(row["category_id"], row["category_id"]),
            }
            for number, row in enumerate(rows, 1)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        copy.createIndex()
    return NumberedCoco(copy, images, categories)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _numbered(ids: Iterable[Hashable]) -> _Numbers:
    """Numbers from 1 on; none where the ids are numbers."""
    found = list(ids)
    if all(_is_whole(value) for value in found):
        return {}
    return {value: number for number, value in enumerate(sorted(found, key=str), 1)}


def _numbers_of(ids: Iterable[Any], numbers: _Numbers, what: str) -> list[int]:
    """Look ids up; whole numbers pass."""
    found = list(ids)
    if not numbers:
        return [int(value) for value in found]
    strangers = [value for value in found if value not in numbers]
    if strangers:
        raise ValueError(
            f"detections name {what} ids that the ground truth lacks: {strangers[:5]} "
            f"({len(strangers)} in all). Were they made for another annotation file?"
        )
    return [numbers[value] for value in found]
