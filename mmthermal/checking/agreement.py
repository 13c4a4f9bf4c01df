"""Do the parts of a run speak of the same classes and the same images?"""

import os
import os.path as osp
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmthermal.checking.finding import Finding, some

CLASSES_DIFFER = "classes-differ"
NUM_CLASSES = "num-classes-differ"
MISSING = "missing-image"
EVALUATOR_DIFFERS = "evaluator-of-other-images"
METAINFO_DIFFERS = "metainfo-differs"
TEXT_IDS = "string-id"
UNKNOWN_FIGURE = "unknown-figure"
WORST = "best-is-worst"
PIPELINES_DIFFER = "pipelines-differ"
LONG_WARM_UP = "long-warm-up"
FILL = "fill-does-not-fit"
NORMALISATION = "normalisation-does-not-fit"
HELD_OUT_IS_TRAIN = "val-is-train"
CODES = (
    CLASSES_DIFFER,
    EVALUATOR_DIFFERS,
    FILL,
    HELD_OUT_IS_TRAIN,
    LONG_WARM_UP,
    METAINFO_DIFFERS,
    MISSING,
    NORMALISATION,
    PIPELINES_DIFFER,
    TEXT_IDS,
    UNKNOWN_FIGURE,
    WORST,
)
"""Codes of all that may be found when a run starts, and accepted."""


def compare_classes(
    first: Sequence[str], other: Sequence[str], names: tuple[str, str]
) -> list[Finding]:
    """Compare two lists of classes, whose positions are the labels.

    Args:
        first: classes of one part.
        other: classes of the other.
        names: of the parts.

    Returns:
        an error if the lists differ in their number, or a name stands at two places; a warning if
        only names differ.
    """
    first, other = list(first), list(other)
    if first == other:
        return []
    moved = [name for name in first if name in other and first.index(name) != other.index(name)]
    wrong = bool(moved) or len(first) != len(other)
    return [
        Finding(
            "error" if wrong else "warning",
            CLASSES_DIFFER,
            f"{names[0]} has the classes {_listed(first)}; {names[1]} has {_listed(other)}: labels "
            "are numbered in this order",
            "list the same categories in the same order in all files, or set metainfo=dict("
            "classes=(…)) alike for all data sets",
            where=", ".join(names),
            count=len(moved),
            total=len(first),
            examples=some(moved),
        )
    ]


def check_num_classes(
    heads: Mapping[str, int], classes: Sequence[str], name: str, *, more_is_error: bool = True
) -> list[Finding]:
    """Compare the number of classes of a model's parts with those of a data set.

    Args:
        heads: ``num_classes`` by place in the model, such as ``bbox_head``.
        classes: of the data set.
        name: of the data set.
        more_is_error: whether more classes than the data has are an error, else a warning: they
            are never learnt. Fewer are an error always, as some labels have no place.

    Returns:
        one finding if one differs.
    """
    different = {place: number for place, number in heads.items() if number != len(classes)}
    if not different:
        return []
    error = more_is_error or min(different.values()) < len(classes)
    return [
        Finding(
            "error" if error else "warning",
            NUM_CLASSES,
            f"the model has {_settings(different)}; {name} has {len(classes)} classes "
            f"({_listed(classes)})",
            f"set {_settings(dict.fromkeys(different, len(classes)))}",
            where=name,
            count=len(different),
            total=len(heads),
        )
    ]


def _settings(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"model.{place}.num_classes={number}" for place, number in numbers.items())


def check_joined(parts: Sequence[Mapping[str, Any]], name: str) -> list[Finding]:
    """Check the sets that a ``ConcatDataset`` joins.

    Args:
        parts: ``metainfo`` of each.
        name: of the joined set.

    Returns:
        an error for the first pair of sets whose classes differ, or else for keys of ``metainfo``
        that differ, with which mmdet's hooks fail.
    """
    classes = [list(part.get("classes") or ()) for part in parts]
    for number, other in enumerate(classes[1:], 2):
        found = compare_classes(classes[0], other, (f"{name}, set 1", f"{name}, set {number}"))
        if found:
            return [Finding(**{**vars(found[0]), "severity": "error"})]
    keys = sorted({key for part in parts for key in part} - {"classes", "cumulative_sizes"})
    different = [k for k in keys if any(p.get(k) != parts[0].get(k) for p in parts)]
    if not different:
        return []
    return [
        Finding(
            "error",
            METAINFO_DIFFERS,
            f"the sets that {name} joins have the same classes but differ in {_listed(different)}: "
            "mmdet's hooks fail with that",
            f"set ignore_keys={different!r} of the ConcatDataset",
            where=name,
        )
    ]


def compare_images(
    loaded: Iterable[tuple[Any, str]],
    judged: Mapping[Any, Mapping[str, Any]],
    *,
    name: str,
    same_file: bool,
) -> list[Finding]:
    """Compare the images of a loader with those that an evaluator has the annotations of.

    Args:
        loaded: id and path of each image of the loader.
        judged: COCO image records of the evaluator by id.
        name: of the loader, such as ``val``.
        same_file: whether the loader reads its annotations from the evaluator's file.

    Returns:
        an error if the loader has an id that the evaluator lacks, two images of one id or another
        file name than the record; or, where the files are not the same, another number of images.
        A warning if some images of the same file are not loaded.
    """
    paths: dict[Any, str] = {}
    twice, strange, renamed = [], [], []
    for image_id, path in loaded:
        known = paths.setdefault(image_id, path)
        if known != path:
            twice.append(f"{image_id}: {known} and {path}")
        record = judged.get(image_id)
        if record is None:
            strange.append(image_id)
        elif not _names(path, str(record.get("file_name", ""))):
            renamed.append(f"{image_id}: {path} and {record.get('file_name')}")
    what = [
        (twice, "pairs of images have one id, so that one record judges both"),
        (strange, "ids of its images are not in the evaluator's file"),
        (renamed, "of its images have another file name in the evaluator's file"),
    ]
    left = [] if strange else [image_id for image_id in judged if image_id not in paths]
    unseen = f"of {len(judged)} images of the evaluator's file are not loaded: they count as missed"
    what.append((left, unseen))
    return [
        Finding(
            "warning" if same_file and number == 3 else "error",
            EVALUATOR_DIFFERS,
            f"{name}: {len(found)} {words}",
            f"give {name}_evaluator the ann_file of {name}_dataloader (for joined sets, a joined "
            "file with ids numbered anew), or no ann_file: then it takes the loader's annotations, "
            "with 'instances' among PackDetInputs' meta_keys",
            where=f"{name}_dataloader, {name}_evaluator",
            count=len(found),
            total=len(paths),
            examples=some(found),
        )
        for number, (found, words) in enumerate(what)
        if found
    ]


def check_files(paths: Iterable[str], name: str) -> list[Finding]:
    """Look whether pictures are there; each folder is listed once.

    Args:
        paths: of the pictures; addresses, such as ``s3://…``, are passed over.
        name: of the set, such as ``val``.

    Returns:
        an error if some are missing, are links that lead nowhere, or folders.
    """
    folders: dict[str, frozenset[str]] = {}
    missing, total = [], 0
    for path in paths:
        if not path or "://" in path:
            continue
        total += 1
        folder, file = osp.split(path)
        if folder not in folders:
            folders[folder] = _files(folder)
        if file not in folders[folder] and not osp.isfile(path):
            missing.append(path)
    if not missing:
        return []
    there = sum(map(osp.lexists, missing))
    no_files = f" ({there} of them are broken links or folders)" if there else ""
    return [
        Finding(
            "error",
            MISSING,
            f"{name}: {len(missing)} of {total} pictures don't exist{no_files}",
            "data_prefix.img and the annotation file's file_name must make their paths together; "
            "take records without a picture out, or set ignore_empty=True of the loader",
            where=f"{name}_dataloader",
            count=len(missing),
            total=total,
            examples=some(missing),
        )
    ]


def _files(folder: str) -> frozenset[str]:
    """Names of a folder's files, without links, as those cost a look at each."""
    if not osp.isdir(folder):
        return frozenset()
    with os.scandir(folder) as entries:
        return frozenset(e.name for e in entries if e.is_file(follow_symlinks=False))


def check_text_ids(anns: Iterable[Any], name: str) -> list[Finding]:
    """Ids of annotations that mmdet's ``CocoMetric`` fails on, after its first evaluation.

    Args:
        anns: the ids.
        name: of the evaluation, such as ``val``.

    Returns:
        an error if some are texts that are no numbers.
    """
    texts = [value for value in anns if isinstance(value, str) and not value.isdigit()]
    if not texts:
        return []
    return [
        Finding(
            "error",
            TEXT_IDS,
            f"{name}: {len(texts)} annotations have a text as id, with which mmdet's CocoMetric "
            "fails",
            "take OverlapCocoMetric, which has its figures, or number the annotations",
            where=f"{name}_evaluator",
            count=len(texts),
            examples=some(texts),
        )
    ]


def _names(path: str, file_name: str) -> bool:
    """Whether a path ends in a record's file name."""
    path, file_name = path.replace("\\", "/"), file_name.replace("\\", "/").removeprefix("./")
    return path == file_name or path.endswith("/" + file_name.lstrip("/"))


def _listed(words: Sequence[str]) -> str:
    more = ", …" if len(words) > 12 else ""
    return ", ".join(map(str, words[:12])) + more if words else "none"
