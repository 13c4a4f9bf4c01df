"""Names of the classes that a model finds."""

import sys
from collections.abc import Mapping
from typing import Any

from mmdet.registry import DATASETS
from torch import nn

from mmthermal.common.class_names import class_names as setting_names
from mmthermal.common.dataset_configs import innermost


def stored_names(checkpoint: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The class names in a checkpoint, of mmdet 3 or before.

    Args:
        checkpoint: content of the file.

    Returns:
        the names; None without any.
    """
    meta = checkpoint.get("meta") or {}
    lower = {key.lower(): value for key, value in (meta.get("dataset_meta") or meta).items()}
    return tuple(lower.get("classes") or ()) or None


def class_names(cfg: Mapping[str, Any], model: nn.Module) -> tuple[str, ...]:
    """Names for the classes of a model whose checkpoint has none; a note says where from.

    Args:
        cfg: the config.
        model: built from it.

    Returns:
        the first of the test, val and train sets' names that are as many as the model's classes:
        ``metainfo.classes``, else those that the data set's class always has. Without any,
        ``class1``, ``class2``, … as the category ids of the results: the boxes are right even so.
    """
    number = _num_classes(model)
    for loader in ("test", "val", "train"):
        for dataset in innermost((cfg.get(f"{loader}_dataloader") or {}).get("dataset")):
            names = _names(dataset)
            if len(names) == number:
                print(
                    "note: the checkpoint holds no class names; those of the config's "
                    f"{loader}_dataloader are taken: {', '.join(names)}",
                    file=sys.stderr,
                )
                return names
    print(
        f"note: neither the checkpoint nor the config names {number} classes; they are called "
        f"class1 to class{number}. Name them: --cfg-options "
        "\"test_dataloader.dataset.metainfo.classes=('a','b')\"",
        file=sys.stderr,
    )
    return tuple(f"class{k}" for k in range(1, number + 1))


def _num_classes(model: nn.Module) -> int:
    """Of the heads that find objects; the 1 of an RPN is never the most."""
    return max(
        (
            module.num_classes
            for name, module in model.named_modules()
            if isinstance(getattr(module, "num_classes", None), int)
            and not name.startswith("backbone")
            and not name.endswith("semantic_head")
        ),
        default=1,
    )


def _names(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of one data set in a config; empty if only its file has them."""
    names = (dataset.get("metainfo") or {}).get("classes")
    if names is None:
        kind = DATASETS.get(dataset["type"]) if isinstance(dataset.get("type"), str) else None
        if not getattr(kind, "CLASSES_FROM_FILE", False):
            names = getattr(kind, "METAINFO", {}).get("classes")
    return setting_names(names or ())
