"""Is a training judged on the pictures that it learns from?"""

import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmthermal.checking.agreement import HELD_OUT_IS_TRAIN
from mmthermal.checking.finding import Finding
from mmthermal.checking.sources import unwrapped

_Files = tuple[str, str]


def check_held_out(cfg: Any) -> list[Finding]:
    """Compare the files of validation and test with those of the training.

    Args:
        cfg: the whole config. Loaders that take different ``indices`` of one file share none.

    Returns:
        a warning if one of them reads an annotation file of the training with the same pictures.
    """
    train = _files(cfg, "train")
    shared: dict[str, list[_Files]] = {}
    for name in ("val", "test"):
        found = _files(cfg, name)
        same = [files for files in found if files in train and _overlap(train[files], found[files])]
        if same:
            shared[name] = same
    if not shared:
        return []
    files = list(dict.fromkeys(files for same in shared.values() for files in same))
    names = " and ".join(shared)
    reads = "reads" if len(shared) == 1 else "read"
    return [
        Finding(
            "warning",
            HELD_OUT_IS_TRAIN,
            f"{names} {reads} {', '.join(ann_file for ann_file, _ in files)}, which the training "
            "learns from: its figures say nothing about new pictures, and save_best keeps the "
            "checkpoint that knows these by heart",
            f"give {' and '.join(f'{name}_dataloader' for name in shared)} the ann_file and "
            "data_prefix of pictures that are kept apart, and the evaluator that file; "
            "tools/split.py makes such a part (docs/split.md)",
            where=", ".join(f"{name}_dataloader" for name in ("train", *shared)),
        )
    ]


def _files(cfg: Any, name: str) -> dict[_Files, Any]:
    """``indices`` of a loader's data sets by annotation file and folder of the pictures."""
    loader = cfg.get(f"{name}_dataloader")
    dataset = loader.get("dataset") if isinstance(loader, Mapping) else None
    found: dict[_Files, Any] = {}
    for part in unwrapped(dataset) if isinstance(dataset, Mapping) else ():
        root, ann_file = part.get("data_root") or "", part["ann_file"]
        prefix = (part.get("data_prefix") or {}).get("img") or ""
        if isinstance(ann_file, str) and isinstance(prefix, str):
            files = osp.realpath(osp.join(root, ann_file)), osp.realpath(osp.join(root, prefix))
            found[files] = part.get("indices")
    return found


def _overlap(indices: Any, others: Any) -> bool:
    """Whether two parts of one file share pictures; parts that only differ are believed."""
    return indices is None or others is None or indices == others
