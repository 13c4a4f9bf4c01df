"""Mined regions, and the COCO-style file that holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import box_iou
from mmthermal.common.checks import InputError
from mmthermal.common.files import read_json, write_json

FORMAT = "mmthermal hard negatives"
SAME_IOU = 0.5
"""IoU from which two boxes of an image are one region."""


@dataclass(frozen=True)
class Region:
    """A place that a detector took for an object and that is none.

    Attributes:
        image_id: id of the image in the annotation file.
        bbox: x, y, width, height in pixels of the image as it is in its file.
        category_id: the class that was predicted, as the annotation file numbers it.
        score: of the detection, in [0, 1].
        loss: classification loss of the detection as a negative, >= 0.
        round: the last round that found it among the hardest.
        first_round: the first one.
        weight: 1 for a region that is hard now; falls with every round that doesn't find it.
    """

    image_id: int | str
    bbox: tuple[float, float, float, float]
    category_id: int
    score: float
    loss: float
    round: int
    first_round: int
    weight: float = 1.0


@dataclass(frozen=True)
class RegionFile:
    """Content of a file of hard negatives.

    Attributes:
        regions: hardest first.
        images: COCO image records (``id``, ``file_name``, ``width``, ``height``) of the images
            that have regions.
        categories: COCO category records of the data set.
        info: where the file comes from: round, checkpoint and its hash, config, settings, data.
    """

    regions: tuple[Region, ...]
    images: tuple[dict[str, Any], ...]
    categories: tuple[dict[str, Any], ...]
    info: Mapping[str, Any]

    @property
    def round(self) -> int:
        """The round that wrote the file."""
        return int(self.info["round"])

    def to_coco(self) -> dict[str, Any]:
        """The content as COCO JSON, annotations with ``score, loss, rank, round`` and more."""
        annotations = [
            dict(
                id=rank,
                image_id=region.image_id,
                category_id=region.category_id,
                bbox=list(region.bbox),
                area=round(region.bbox[2] * region.bbox[3], 3),
                iscrowd=0,
                score=region.score,
                loss=region.loss,
                rank=rank,
                round=region.round,
                first_round=region.first_round,
                weight=region.weight,
            )
            for rank, region in enumerate(self.regions, 1)
        ]
        return dict(
            info=dict(self.info, format=FORMAT),
            images=list(self.images),
            annotations=annotations,
            categories=list(self.categories),
        )

    def write(self, path: str | Path) -> Path:
        """Write the file, whole or not at all."""
        return write_json(path, self.to_coco())

    @classmethod
    def from_coco(cls, content: Any, *, source: str) -> "RegionFile":
        """The inverse of :meth:`to_coco`.

        Args:
            content: parsed JSON.
            source: names the content in errors.

        Returns:
            the file's content.

        Raises:
            ValueError: if it is not a file of hard negatives, or an entry is broken.
        """
        info = content.get("info") if isinstance(content, dict) else None
        if not isinstance(info, dict) or info.get("format") != FORMAT:
            raise InputError(
                f"{source} is not a file of hard negatives (info.format is not {FORMAT!r}): "
                "tools/mine_hard_negatives.py writes them"
            )
        known = {image["id"] for image in content["images"]}
        regions = []
        for ann in sorted(content["annotations"], key=lambda ann: ann["rank"]):
            box = [float(v) for v in ann["bbox"]]
            if len(box) != 4 or not np.isfinite(box).all() or min(box[2:]) <= 0:
                raise InputError(f"{source}: region {ann['id']} has bbox {ann['bbox']}")
            if ann["image_id"] not in known:
                raise InputError(
                    f"{source}: region {ann['id']} is in image {ann['image_id']!r}, not listed"
                )
            if not 0 <= ann["weight"] <= 1:
                raise InputError(f"{source}: region {ann['id']} has weight {ann['weight']}")
            regions.append(
                Region(
                    image_id=ann["image_id"],
                    bbox=(box[0], box[1], box[2], box[3]),
                    category_id=ann["category_id"],
                    score=ann["score"],
                    loss=ann["loss"],
                    round=ann["round"],
                    first_round=ann["first_round"],
                    weight=ann["weight"],
                )
            )
        return cls(
            regions=tuple(regions),
            images=tuple(content["images"]),
            categories=tuple(content["categories"]),
            info=info,
        )

    @classmethod
    def read(cls, path: str | Path) -> "RegionFile":
        """Read a file of hard negatives.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is not a file of hard negatives.
        """
        content = read_json(path, what="file of hard negatives")
        try:
            return cls.from_coco(content, source=str(path))
        except InputError:
            raise
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: an entry lacks {error}") from None
        except ValueError as error:
            raise InputError(f"{path}: an entry is broken: {error}") from None


def read_exclusions(path: str | Path) -> dict[int | str, NDArray[np.float64]]:
    """Read a list of regions that a person found to be objects without a label.

    Args:
        path: JSON file that the contact sheet's page saves, or any JSON object with a list
            ``exclude`` of ``{"image_id", "bbox"}``.

    Returns:
        (E, 4) boxes x, y, width, height by image id.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a list.
    """
    content = read_json(path, what="list of exclusions")
    boxes: dict[int | str, list[list[float]]] = {}
    try:
        for entry in content["exclude"]:
            box = [float(v) for v in entry["bbox"]]
            if len(box) != 4 or not np.isfinite(box).all():
                raise InputError(f"bbox {entry['bbox']} isn't four finite numbers")
            boxes.setdefault(entry["image_id"], []).append(box)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f'{path} is not a list of exclusions ({error}): {{"exclude": [{{"image_id": 1, '
            '"bbox": [x, y, width, height]}, …]} is expected'
        ) from None
    return {key: np.array(value) for key, value in boxes.items()}


def drop_excluded(
    regions: Sequence[Region], exclusions: Mapping[int | str, NDArray[np.float64]]
) -> list[Region]:
    """Regions that are none of the excluded ones.

    Args:
        regions: regions.
        exclusions: (E, 4) boxes by image id.

    Returns:
        those whose IoU with every excluded box of their image is below :data:`SAME_IOU`.
    """
    return [
        region
        for region in regions
        if region.image_id not in exclusions
        or box_iou(np.array(region.bbox), exclusions[region.image_id]).max(initial=0) < SAME_IOU
    ]
