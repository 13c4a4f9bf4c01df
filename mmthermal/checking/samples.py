"""Pictures with their boxes, as stored and as the network sees them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmdet.registry import DATASETS
from mmengine.registry import DefaultScope
from numpy.typing import NDArray

from mmthermal.checking.image_facts import read_pixels
from mmthermal.checking.table import Table
from mmthermal.common.display import class_colours, to_display

Picture = NDArray[np.uint8]
_TILE = 200
_CROWD = (160, 160, 160)


def draw(image: NDArray, boxes: NDArray, labels: Sequence[int], number: int) -> Picture:
    """A picture of fixed height with boxes.

    Args:
        image: (H, W) or (H, W, C), any numeric type.
        boxes: (G, 4) boxes (x, y, width, height).
        labels: (G,) classes; -1 for crowd regions, which are grey.
        number: of classes.

    Returns:
        (200, W', 3), BGR.
    """
    factor = _TILE / image.shape[0]
    size = (max(1, round(image.shape[1] * factor)), _TILE)
    canvas = cv2.resize(to_display(image), size, interpolation=cv2.INTER_AREA)
    palette = [rgb[::-1] for rgb in class_colours(max(number, 1))]
    for box, label in zip(np.asarray(boxes, np.float64).reshape(-1, 4), labels, strict=True):
        x, y, w, h = box * factor
        corners = np.array([x, y, x + w, y + h]).round().astype(int)
        colour = palette[label % len(palette)] if label >= 0 else _CROWD
        cv2.rectangle(canvas, tuple(corners[:2]), tuple(corners[2:]), colour, 1)
    return np.asarray(canvas, np.uint8)


def pick(table: Table, number: int, seed: int = 0) -> list[int]:
    """Positions of images for a contact sheet: half of those with most objects, half by chance."""
    objects = np.bincount(table.image_inds[table.objects], minlength=len(table.image_ids))
    rng = np.random.default_rng(seed)
    full = np.argsort(-objects, kind="stable")[: max(1, len(objects) // 10)]
    first = rng.permutation(full)[: number // 2].tolist()
    rest = [i for i in rng.permutation(len(objects)).tolist() if i not in set(first)]
    return first + rest[: number - len(first)]


def stored_samples(
    table: Table,
    img_dir: str | Path,
    number: int,
    seed: int = 0,
    radiometric: str | None = None,
) -> list[tuple[str, Picture]]:
    """Pictures as they are stored, with all boxes of the file.

    Args:
        table: the records.
        img_dir: folder of the images.
        number: of pictures.
        seed: of the choice.
        radiometric: as :func:`~mmthermal.checking.image_facts.read_pixels`.

    Returns:
        file names and pictures; what can't be read is left out.
    """
    found = []
    for i in pick(table, number, seed):
        rows = np.flatnonzero(table.image_inds == i)
        labels = np.where(table.crowd[rows] | table.ignored[rows], -1, table.category_inds[rows])
        try:
            image = read_pixels(Path(img_dir) / table.file_names[i], radiometric)
        except (OSError, ValueError):
            continue
        picture = draw(image, table.boxes[rows], labels.tolist(), len(table.names))
        found.append((table.file_names[i], picture))
    return found


def augmented_samples(
    dataset: Mapping[str, Any], number: int, seed: int = 0
) -> list[tuple[str, Picture]]:
    """Pictures after a data set's pipeline, as the network gets them.

    Args:
        dataset: the data set's config.
        number: of pictures.
        seed: of the choice and the augmentations.

    Returns:
        file names and pictures.
    """
    with DefaultScope.overwrite_default_scope("mmdet"):  # where the transforms are looked up
        built = DATASETS.build(dict(dataset))
    state = np.random.get_state()
    np.random.seed(seed)  # mmdet's transforms draw from it
    try:
        found = []
        order = np.random.default_rng(seed).permutation(len(built))[:number]
        for i in order.tolist():
            sample = built[i]
            instances = sample["data_samples"].gt_instances
            corners = np.asarray(getattr(instances.bboxes, "tensor", instances.bboxes))
            boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
            image = sample["inputs"].permute(1, 2, 0).float().numpy()
            labels = instances.labels.tolist()
            path = sample["data_samples"].metainfo.get("img_path", str(i))
            classes = len(built.metainfo.get("classes", ())) or 1
            found.append((Path(path).name, draw(image, boxes, labels, classes)))
        return found
    finally:
        np.random.set_state(state)
