"""COCO-style thermal data sets, checked when they are opened."""

import os.path as osp
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from os import PathLike
from typing import Any, ClassVar

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS
from mmengine.logging import print_log

from mmthermal.checking.annotations import (
    CODES,
    DOUBTFUL,
    check_annotations,
    what_mmdet_reads,
)
from mmthermal.checking.settling import known_codes, settle
from mmthermal.common.checks import InputError, check_choice
from mmthermal.common.class_names import class_names
from mmthermal.common.display import class_colours
from mmthermal.common.files import read_json, without_mark
from mmthermal.common.installed import tool_command
from mmthermal.datasets.one_channel import check_one_channel


class _MarkedCoco(COCO):
    """``COCO`` of a file that may begin with a byte order mark."""

    def __init__(self, annotation_file: str | None = None) -> None:
        with without_mark(annotation_file) as path:
            super().__init__(path)


@DATASETS.register_module()
class ThermalCocoDataset(CocoDataset):
    """``CocoDataset`` that takes the classes from the annotation file and checks what it reads.

    mmdet's own drops objects without a word, fails an epoch late, or finds no object at all where
    ``metainfo`` names classes that the file doesn't have. Here what would spoil a training is an
    error when the file is opened, what may spoil it is logged once, and what is left is counted
    (docs/faults.md). A test set (``test_mode``) may be without annotations.

    Args:
        ann_file: COCO annotation file, relative to ``data_root``.
        data_root: folder that ``ann_file`` and ``data_prefix`` start from.
        metainfo: ``dict(classes=…)`` to choose classes, in the order of the file's categories, or
            a text file with a name in each line; all classes of the file, in its order, if left
            out.
        accept: codes of findings to go on with, such as ``['no-area']``; they stand in brackets at
            the end of each message.
        left_out: what becomes of objects with ``"ignore": 1`` and of those of classes that
            ``metainfo`` leaves out. ``'ignore'``: their places are neither object nor background,
            as those of crowd regions. ``'background'``: they are not there, as in mmdet.
        lazy_init: as ``CocoDataset``. If the file does not exist yet, it is checked when it is
            read, and its classes are not known before.
        **kwargs: as ``CocoDataset``.

    Raises:
        FileNotFoundError: if the annotation file or the image folder is missing.
        TypeError: if ``ann_file`` is not a path.
        ValueError: if the file is not a COCO detection file, holds what would spoil a training,
            lacks a class asked for, or lists its categories in another order than the classes, or
            if ``metainfo`` has the classes under another key.
    """

    COCOAPI: ClassVar[type] = _MarkedCoco
    METAINFO: ClassVar[dict] = CocoDataset.METAINFO
    CLASSES_FROM_FILE: ClassVar[bool] = True

    def __init__(
        self,
        ann_file: str = "",
        *,
        data_root: str | None = "",
        metainfo: Mapping | None = None,
        accept: Sequence[str] = (),
        left_out: str = "ignore",
        lazy_init: bool = False,
        **kwargs: Any,
    ) -> None:
        check_one_channel(kwargs.get("pipeline") or [])
        check_choice("left_out", left_out, ("ignore", "background"))
        self.left_out = left_out
        self.accept = known_codes(accept, CODES, "dataset.accept")
        path = _joined(data_root, ann_file)
        meta = dict(metainfo or {})
        _check_keys(meta)
        if isinstance(meta.get("classes"), str):
            meta["classes"] = class_names(meta["classes"])
        self._asked = meta.get("classes")
        self._checked = not lazy_init or osp.isfile(path)
        if self._checked:
            meta["classes"] = self._read(path, kwargs)
        meta.setdefault("palette", class_colours(len(meta.get("classes") or range(80))))
        super().__init__(
            ann_file=ann_file, data_root=data_root, metainfo=meta, lazy_init=lazy_init, **kwargs
        )

    def _read(self, path: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Check the file and return the classes in the order of their labels."""
        if not osp.isfile(path):
            raise FileNotFoundError(
                f"the annotation file {path} doesn't exist. Set data_root and ann_file of the data "
                f"set; the embedded data are made by '{tool_command('make_synthetic')}'."
            )
        content = read_json(path, what="the annotation file")
        test_mode = settings.get("test_mode", False)
        annotated = isinstance(content, dict) and bool(content.get("annotations"))
        findings = check_annotations(
            content,
            path,
            classes=self._asked,
            filter_cfg=settings.get("filter_cfg"),
            test_mode=test_mode,
            labelled=annotated or not test_mode,
        )
        settle(findings, accept=self.accept, doubtful=DOUBTFUL, setting="dataset.accept")
        counts = what_mmdet_reads(content, self._asked, findings)
        print_log(f"{path}: {counts}", logger="current")
        return _in_order(path, content["categories"], self._asked)

    def parse_data_info(self, raw_data_info: dict) -> dict | list[dict]:
        """Parse the annotations of an image, with the ignored ones among them.

        Args:
            raw_data_info: the image's record and its annotations.

        Returns:
            as ``CocoDataset``; what is left out by ``ignore`` or by its class has the
            ``ignore_flag`` of crowd regions, and the label 0 if its class has none.
        """
        if self.left_out == "ignore":
            annotations = [self._as_ignored(a) for a in raw_data_info["raw_ann_info"]]
            raw_data_info = {**raw_data_info, "raw_ann_info": annotations}
        parsed: dict | list[dict] = super().parse_data_info(raw_data_info)
        return parsed

    def _as_ignored(self, annotation: dict) -> dict:
        """An annotation, as a crowd region if it is left out."""
        other = annotation["category_id"] not in self.cat2label
        if not other and not annotation.get("ignore", False):
            return annotation
        cat_id = self.cat_ids[0] if other else annotation["category_id"]
        return {**annotation, "category_id": cat_id, "ignore": 0, "iscrowd": 1}

    def get_cat_ids(self, idx: int) -> list[int]:
        """Labels of the objects of an image, for data sets and samplers that balance classes.

        Args:
            idx: index of the image.

        Returns:
            the labels, without those of ignored regions.
        """
        instances = self.get_data_info(idx)["instances"]
        return [i["bbox_label"] for i in instances if not i["ignore_flag"]]

    def _join_prefix(self) -> None:
        super()._join_prefix()
        folder = self.data_prefix.get("img")
        if folder and "://" not in folder and not osp.isdir(folder):
            raise FileNotFoundError(
                f"the image folder {folder} doesn't exist. Set data_root and data_prefix.img of "
                "the data set; see 'Train on your own images' in the README."
            )

    def full_init(self) -> None:
        """Read the file; one that was missing when the data set was made is checked first."""
        if not self._checked:
            self._metainfo["classes"] = self._read(self.ann_file, vars(self))
            self._checked = True
        super().full_init()


def _joined(data_root: str | None, ann_file: object) -> str:
    """Path of the annotation file."""
    if isinstance(ann_file, (list, tuple)):
        raise TypeError(
            f"ann_file={ann_file!r}: one path is needed. Join several files by "
            "dataset=dict(type='ConcatDataset', datasets=[…]), one data set for each"
        )
    if not isinstance(ann_file, (str, PathLike)):
        raise TypeError(f"ann_file={ann_file!r}: the path of a COCO annotation file is needed")
    return osp.join(data_root or "", ann_file)


def _check_keys(metainfo: Mapping[str, Any]) -> None:
    """Raise if the classes stand under another key, which mmengine would keep and not read."""
    for key in metainfo:
        word = str(key).lower().replace("_", "").replace("-", "")
        meant = word in ("class", "classname", "classnames") or get_close_matches(
            word, ["classes"], cutoff=0.9
        )
        if meant and "classes" not in metainfo:
            raise InputError(
                f"metainfo={dict(metainfo)!r}: the key {key!r} chooses no classes. Write "
                f"metainfo=dict(classes={metainfo[key]!r})"
            )


def _in_order(
    path: str, categories: Sequence[Mapping[str, Any]], asked: Sequence[str] | None
) -> tuple[str, ...]:
    """The classes, if the file lists them in this order, in which mmdet numbers the labels."""
    names = [category["name"] for category in categories]
    if asked is None:
        return tuple(names)
    listed = [name for name in names if name in asked]
    if listed != list(asked):
        raise ValueError(
            f"{path} lists its categories in the order {tuple(listed)}, the classes are "
            f"{tuple(asked)}: mmdet numbers labels in the file's order, so the names "
            "would be mixed up. Sort the file's categories by id, or set "
            f"metainfo=dict(classes={tuple(listed)}) for all splits."
        )
    return tuple(asked)
