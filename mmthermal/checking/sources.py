"""Which files a check reads: those of a config's loaders, of a folder, or a single one."""

import os.path as osp
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdet.registry import DATASETS
from mmengine.config import Config

from mmthermal.checking.config_loaders import kind_of
from mmthermal.checking.finding import Finding, some
from mmthermal.common.class_names import class_names
from mmthermal.common.dataset_configs import innermost
from mmthermal.common.files import IMAGE_SUFFIXES, read_json

LOADERS = ("train", "val", "test")


@dataclass(frozen=True)
class Split:
    """One annotation file with its images.

    Args:
        name: such as ``train``; no two splits of a check have the same.
        ann_file: path of the annotation file.
        img_dir: folder that the records' file names start from.
        classes: that the training asks for; all of the file if None.
        filter_cfg: the data set's ``filter_cfg``.
        test_mode: the data set's ``test_mode``.
        pipeline: transforms as the config lists them.
        dataset: the data set's config; empty where there is none.
        content: of the annotation file, where it has been read already.
    """

    name: str
    ann_file: str
    img_dir: str
    classes: tuple[str, ...] | None = None
    filter_cfg: Mapping[str, Any] | None = None
    test_mode: bool = False
    pipeline: Sequence[Mapping[str, Any]] = ()
    dataset: Mapping[str, Any] = field(default_factory=dict)
    content: Any = field(default=None, repr=False, compare=False)

    @property
    def radiometric(self) -> str | None:
        """Unit of the temperatures that the pipeline reads out of JPEG files, if it does."""
        loads = (step for step in self.pipeline if kind_of(step) == "LoadThermalImage")
        return next((step.get("radiometric") for step in loads), None)


def splits_of_config(cfg: Config) -> list[Split]:
    """The annotation files of a config's loaders, each once.

    Args:
        cfg: a config of mmdet, with COCO data sets; wrappers such as ``RepeatDataset`` and
            ``ConcatDataset`` are looked into.

    Returns:
        the training set first.

    Raises:
        ValueError: if no loader has an annotation file.
    """
    found: list[Split] = []
    for loader in LOADERS:
        dataset = (cfg.get(f"{loader}_dataloader") or {}).get("dataset")
        if dataset is None:
            continue
        parts = list(unwrapped(dataset))
        for i, part in enumerate(parts):
            name = loader if len(parts) == 1 else f"{loader}{i + 1}"
            split = _split(name, part)
            if all((split.ann_file, split.img_dir) != (s.ann_file, s.img_dir) for s in found):
                found.append(split)
    if not found:
        raise ValueError(
            "the config has no loader with an annotation file: train_dataloader, val_dataloader "
            "or test_dataloader needs dataset.ann_file"
        )
    return found


def unwrapped(dataset: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The data sets inside of wrappers that read an annotation file.

    Args:
        dataset: the config of a data set.

    Returns:
        their configs; the given one where it wraps none.
    """
    return (part for part in innermost(dataset) if part.get("ann_file"))


def _split(name: str, dataset: Mapping[str, Any]) -> Split:
    """A data set's files, joined as mmengine joins them."""
    root = dataset.get("data_root") or ""
    ann_file = dataset["ann_file"]
    if not isinstance(ann_file, str):
        raise ValueError(
            f"{name}: ann_file={ann_file!r}: one file is needed; join several by ConcatDataset"
        )
    prefix = (dataset.get("data_prefix") or {}).get("img", "")
    classes = (dataset.get("metainfo") or {}).get("classes")
    if classes is None:
        kind = DATASETS.get(dataset["type"]) if isinstance(dataset["type"], str) else None
        if not getattr(kind, "CLASSES_FROM_FILE", False):
            classes = getattr(kind, "METAINFO", {}).get("classes")
    return Split(
        name=name,
        ann_file=osp.join(root, ann_file),
        img_dir=osp.join(root, prefix),
        classes=None if classes is None else class_names(classes),
        filter_cfg=dataset.get("filter_cfg"),
        test_mode=bool(dataset.get("test_mode", False)),
        pipeline=dataset.get("pipeline") or (),
        dataset=dataset,
    )


def splits_of_folder(
    folder: str | Path, ann_files: Sequence[str] = (), img_dir: str | None = None
) -> tuple[list[Split], list[Finding]]:
    """The annotation files of a folder.

    Args:
        folder: of the data set.
        ann_files: paths from the folder on; all ``*.json`` in it and in its ``annotations`` that
            list images if empty. One whose name holds "train" comes first.
        img_dir: folder of the images, from ``folder`` on. If None the first of ``NAME``,
            ``images/NAME``, that of the annotation file, ``images`` and the folder itself, where
            NAME is that of the annotation file, that has the first record's picture; else the
            first that exists, that of the annotation file only if it holds pictures.

    Returns:
        a split for each file, named after it, or after its folder where file names repeat; and a
        note about files that were found and list no images, or none.

    Raises:
        FileNotFoundError: if the folder or a file does not exist, or no file is found.
        ValueError: if a file is not JSON.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"{str(folder)!r} is neither a config nor a folder")
    paths = list(dict.fromkeys(root / name for name in ann_files))
    contents: dict[Path, Any] = {}
    skipped: list[Path] = []
    if not paths:
        found = [*sorted(root.glob("annotations/*.json")), *sorted(root.glob("*.json"))]
        contents = {path: read_json(path, what="the file") for path in found}
        paths = [path for path in found if _lists_images(contents[path])]
        skipped = [path for path in found if path not in paths]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        others = f" ({', '.join(some(skipped))} list no images)" if skipped else ""
        raise FileNotFoundError(
            f"no annotation file {', '.join(missing) or 'in ' + str(root)}{others}: give its path "
            "from the folder on by --ann; tools/convert.py makes one from other formats"
        )
    for path in paths:
        if path not in contents:
            contents[path] = read_json(path, what="the file")
    order = {"train": 0, "val": 1, "test": 2}
    pairs = sorted(
        zip(_names(root, paths), paths, strict=True),
        key=lambda pair: next((k for word, k in order.items() if word in pair[0].lower()), 3),
    )
    splits = [
        Split(
            name=name,
            ann_file=str(path),
            img_dir=str(
                root / img_dir if img_dir is not None else _images_of(root, path, contents[path])
            ),
            test_mode=i > 0,
            content=contents[path],
        )
        for i, (name, path) in enumerate(pairs)
    ]
    return splits, _skipped(root, skipped, len(splits) + len(skipped))


def split_of_file(path: str | Path, content: Any, img_dir: str | None = None) -> Split:
    """A single annotation file.

    Args:
        path: of the file. The folder of the data set is its own, or the one above ``annotations``.
        content: of the file.
        img_dir: folder of the images, from that folder on or from here; if None it is found as by
            :func:`splits_of_folder`.
    """
    path = Path(path)
    root = path.parent.parent if path.parent.name == "annotations" else path.parent
    if img_dir is None:
        images = _images_of(root, path, content)
    else:
        images = root / img_dir if (root / img_dir).is_dir() else Path(img_dir)
    return Split(name=path.stem, ann_file=str(path), img_dir=str(images), content=content)


def _lists_images(content: Any) -> bool:
    """Whether a JSON file can be one of annotations, and is no list of results or figures."""
    return isinstance(content, dict) and isinstance(content.get("images"), list)


def _skipped(root: Path, paths: Sequence[Path], total: int) -> list[Finding]:
    """A note about files that were found and not checked, or none."""
    if not paths:
        return []
    return [
        Finding(
            "note",
            "files-left-out",
            f"{len(paths)} of {total} JSON files list no images and are not checked",
            "nothing, where they are no annotation files; name one by --ann to have it checked",
            where=str(root),
            count=len(paths),
            total=total,
            examples=some(path.relative_to(root) for path in paths),
        )
    ]


def _names(root: Path, paths: Sequence[Path]) -> list[str]:
    """For each file its stem; its folder where stems repeat, its path where folders do, too."""
    inner = [Path(osp.relpath(path, root)) for path in paths]
    names = [path.stem for path in inner]
    folders = [path.parent.as_posix() if path.parent.name else path.stem for path in inner]
    for others in (folders, [path.as_posix() for path in inner]):
        counts = Counter(names)
        names = [
            name if counts[name] == 1 else other for name, other in zip(names, others, strict=True)
        ]
    return names


def _images_of(root: Path, ann_file: Path, content: Any) -> Path:
    """The folder of an annotation file's first picture, or else the likely one."""
    word, beside = ann_file.stem.removeprefix("instances_"), ann_file.parent
    choices = [root / word, root / "images" / word, beside, root / "images"]
    there = [path for path in choices if path != root and path.is_dir()]
    name = _first_file_name(content)
    found = [path for path in [*there, root] if name and osp.isfile(path / name)]
    likely = (path for path in there if path != beside or _has_pictures(path))
    return found[0] if found else next(likely, root)


def _first_file_name(content: Any) -> str:
    """``file_name`` of the first image record; empty where it has none."""
    images = content["images"] if _lists_images(content) else []
    name = images[0].get("file_name") if images and isinstance(images[0], dict) else None
    return name if isinstance(name, str) else ""


def _has_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.iterdir())
