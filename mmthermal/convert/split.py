"""Train, val and test of a set, so that no scene is in two of them.

Shapes: I images, U units (what must stay together: a sequence, a cluster of near copies, …).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmthermal.checking.hashing import clusters, near_copies
from mmthermal.checking.image_facts import measure_all
from mmthermal.checking.levels import natural_key
from mmthermal.checking.objects import describe, overlaps
from mmthermal.checking.splits import sequence_key, sequences
from mmthermal.checking.table import Table, make_table
from mmthermal.common.boxes import Floats
from mmthermal.common.checks import check_choice, check_count
from mmthermal.common.files import write_json
from mmthermal.convert.joining import read_joined
from mmthermal.convert.outputs import check_file_names, check_outputs

BY_NEAR_COPIES = "near-copies"
BY_NAME = "name"
BY_BLOCK = "block-of-frames"
OVERLAPPED = 0.1
"""IoU with another object from which an object counts as overlapped."""
_SWAPS = 20


@dataclass(frozen=True)
class Part:
    """One file of a split.

    Args:
        name: such as ``train``.
        path: of the COCO file.
        figures: see :func:`~mmthermal.checking.objects.describe`.
        units: how many sequences or clusters it holds.
    """

    name: str
    path: Path
    figures: dict[str, Any]
    units: int


def split_set(
    ann_files: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    prefixes: Sequence[str] = (),
    img_dir: str | Path | None = None,
    by: str = "",
    parts: Mapping[str, float] | None = None,
    block: int = 50,
    seed: int = 0,
    workers: int = 2,
    overwrite: bool = False,
) -> list[Part]:
    """Split a COCO file, or several together, anew.

    Args:
        ann_files: the file, whose ids stay; or files that are joined first
            (:func:`~mmthermal.convert.joining.read_joined`).
        out: folder for ``train.json`` and so on.
        prefixes: by file the folder of its pictures, put before their names; none if empty.
        img_dir: folder of the images; needed for ``by='near-copies'``.
        by: what stays together: a field of the image records (or of their ``extra_info``);
            ``'name'``, images whose names differ in the last number only; ``'block-of-frames'``,
            runs of ``block`` images in the order of their names; ``'near-copies'``, clusters of
            pictures that look alike, by perceptual hash. The first field that names sequences,
            else ``'name'``, if empty.
        parts: share of the images by part, in any unit; 8 : 1 : 1 for train, val, test if None.
        block: images of a run.
        seed: of the choice among equally good splits.
        workers: threads that read pictures.
        overwrite: whether to replace files that are there; none of ``ann_files`` ever is.

    Returns:
        what was written. The same file, settings and seed give the same split.

    Raises:
        FileExistsError: if a part's file is there already, without ``overwrite``.
        FileNotFoundError: if a file does not exist.
        ValueError: if a file has faults or is one of the parts' own, files can't be joined, the
            settings do not fit, or there are fewer units than parts.
    """
    files = [ann_files] if isinstance(ann_files, (str, Path)) else list(ann_files)
    shares = dict(parts or {"train": 8, "val": 1, "test": 1})
    if len(shares) < 2 or not all(0 < share < np.inf for share in shares.values()):
        raise ValueError(f"parts={shares!r}: give at least two parts with shares above 0")
    check_file_names("parts", shares)
    check_count("block", block, 1)
    paths = [Path(out) / f"{name}.json" for name in shares]
    check_outputs(paths, map(Path, files), overwrite=overwrite)
    content = read_joined(files, prefixes)
    table = make_table(content)
    units = find_units(content, by, img_dir=img_dir, block=block, workers=workers)
    chosen = assign(units, features(table), list(shares.values()), seed)
    written = []
    for i, (name, path) in enumerate(zip(shares, paths, strict=True)):
        rows = np.flatnonzero(chosen == i)
        part = _subset(content, rows)
        write_json(path, part, indent=None)
        number = len({units[row] for row in rows})
        written.append(Part(name, path, describe(make_table(part)), number))
    return written


def find_units(
    content: Mapping[str, Any],
    by: str,
    *,
    img_dir: str | Path | None = None,
    block: int = 50,
    workers: int = 2,
) -> list[str]:
    """What must stay together.

    Args:
        content: a COCO file.
        by: as for :func:`split_set`.
        img_dir: folder of the images.
        block: images of a run.
        workers: threads that read pictures.

    Returns:
        (I,) name of each image's unit.

    Raises:
        ValueError: if no record has the field, or pictures are needed and can't be read.
    """
    images = content["images"]
    by = by or sequence_key(images) or BY_NAME
    if by == BY_NAME:
        return sequences(images, "")
    if by == BY_BLOCK:
        order = sorted(range(len(images)), key=lambda i: natural_key(images[i]["file_name"]))
        units = [""] * len(images)
        for place, i in enumerate(order):
            units[i] = str(place // block)
        return units
    if by == BY_NEAR_COPIES:
        return _look_alikes(images, img_dir, workers)
    try:
        found = sequences(images, by)
    except KeyError:
        found = []
    if not found or set(found) == {"None"}:
        fields = sorted({key for image in images for key in image} - {"id", "file_name"})
        check_choice("by", by, (BY_NAME, BY_BLOCK, BY_NEAR_COPIES, *fields))
    if "None" in found:
        raise ValueError(f"by={by!r}: {found.count('None')} of {len(found)} images lack this field")
    return found


def _look_alikes(images: Sequence[Mapping[str, Any]], img_dir: Any, workers: int) -> list[str]:
    """Clusters of near copies."""
    if img_dir is None:
        raise ValueError("by='near-copies' opens the pictures: give img_dir")
    facts = measure_all([Path(img_dir) / image["file_name"] for image in images], workers=workers)
    broken = [fact.path for fact in facts if fact.problem]
    if broken:
        raise ValueError(f"{len(broken)} pictures can't be read, such as {broken[0]!r}")
    pairs = near_copies(
        np.array([fact.hash for fact in facts], np.uint64), np.array([fact.small for fact in facts])
    )
    return [str(cluster) for cluster in clusters(len(facts), pairs)]


def features(table: Table) -> Floats:
    """What the parts should share in proportion.

    Args:
        table: the records.

    Returns:
        (I, 2 + number of classes) for each image: 1, objects by class, overlapped objects.
    """
    objects = np.flatnonzero(table.objects)
    overlapped = overlaps(table)["iou"] > OVERLAPPED
    counts = np.zeros((len(table.image_ids), 2 + len(table.names)))
    counts[:, 0] = 1
    np.add.at(counts, (table.image_inds[objects], 1 + table.category_inds[objects]), 1)
    np.add.at(counts[:, -1], table.image_inds[objects[overlapped]], 1)
    return counts


def assign(units: Sequence[str], counts: Floats, shares: Sequence[float], seed: int) -> Any:
    """Give each unit to a part, so that all parts get their share of every feature.

    The largest units are placed first, each where the squared error relative to the wanted sums
    is smallest; then single units move as long as that makes the error smaller.

    Args:
        units: (I,) unit of each image.
        counts: (I, F) features, not negative.
        shares: of the parts, above 0.
        seed: of the order among units of one size.

    Returns:
        (I,) part of each image.

    Raises:
        ValueError: if there are fewer units than parts.
    """
    names, unit_inds = np.unique(np.asarray(units), return_inverse=True)
    if len(names) < len(shares):
        raise ValueError(
            f"{len(names)} sequences can't be split into {len(shares)} parts: split by another "
            "field, by near-copies or by block-of-frames"
        )
    sums = np.zeros((len(names), counts.shape[1]))
    np.add.at(sums, unit_inds, counts)
    sums = sums[:, sums.sum(axis=0) > 0]
    sums = sums / sums.sum(axis=0)  # each feature's share of the whole set
    target = np.asarray(shares, np.float64)[:, None] / np.sum(shares)

    def error(filled: Floats) -> float:
        return float((((filled - target) / target) ** 2).sum())

    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sums[order].max(axis=1), kind="stable")]
    part = np.full(len(names), -1)
    filled = np.zeros((len(shares), sums.shape[1]))
    for place, unit in enumerate(order):
        empty = [p for p in range(len(shares)) if not (part == p).any()]
        must = len(order) - place <= len(empty)  # no part stays empty
        choices = empty if must else range(len(shares))
        best = min(choices, key=lambda p: error(_moved(filled, sums[unit], -1, p)))
        part[unit] = best
        filled[best] += sums[unit]
    for _ in range(_SWAPS):
        if not _improve(part, filled, sums, order, error):
            break
    return part[unit_inds]


def _moved(filled: Floats, unit: Floats, old: int, new: int) -> Floats:
    """Sums of the parts after a unit has moved; from nowhere for -1."""
    moved = filled.copy()
    if old >= 0:
        moved[old] -= unit
    moved[new] += unit
    return moved


def _improve(part: Any, filled: Floats, sums: Floats, order: Any, error: Any) -> bool:
    """Move single units where that makes the error smaller; whether one has moved."""
    any_moved = False
    for unit in order:
        old = part[unit]
        if (part == old).sum() == 1:
            continue
        now = error(filled)
        best, best_error = old, now
        for new in range(len(filled)):
            value = error(_moved(filled, sums[unit], old, new))
            if value < best_error - 1e-12:
                best, best_error = new, value
        if best != old:
            filled[old] -= sums[unit]
            filled[best] += sums[unit]
            part[unit] = best
            any_moved = True
    return any_moved


def _subset(content: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    """A COCO file with some of the images, their annotations and all categories."""
    images = [content["images"][row] for row in rows]
    ids = {image["id"] for image in images}
    annotations = [a for a in content["annotations"] if a["image_id"] in ids]
    return {**content, "images": images, "annotations": annotations}


def to_text(parts: Sequence[Part]) -> str:
    """A table for the terminal: how evenly the parts were filled."""
    classes = list(parts[0].figures["classes"])
    head = ["part", "images", "units", *classes, "overlapped"]
    rows = [
        [
            part.name,
            f"{part.figures['images']}",
            f"{part.units}",
            *(f"{part.figures['classes'][name]}" for name in classes),
            f"{part.figures['overlap'][f'{OVERLAPPED:g}']:.0%}",
        ]
        for part in parts
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in [head, *rows]
    ]
    return "\n".join("  ".join(line) for line in lines)
