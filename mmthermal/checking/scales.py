"""Do training and evaluation show the network objects of about the same size?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmthermal.checking.anchors import network_scale
from mmthermal.checking.config_loaders import is_known, kind_of
from mmthermal.checking.config_numbers import dicts
from mmthermal.checking.finding import Finding
from mmthermal.checking.pipelines import pipelines_of
from mmthermal.checking.table import Table
from mmthermal.common.boxes import Floats

RATIO = 2.0
"""Factor between the sizes of training and evaluation from which a warning is given."""
_RESIZES = ("RandomChoiceResize", "RandomResize", "Resize")
# Transforms of mmcv and mmdet, beside all of mmthermal's, that leave the size of objects.
_KEEP_SIZE = (
    "CutOut",
    "FilterAnnotations",
    "LoadAnnotations",
    "LoadImageFromFile",
    "Normalize",
    "PackDetInputs",
    "Pad",
    "PhotoMetricDistortion",
    "RandomApply",
    "RandomCrop",
    "RandomFlip",
)


def compare_scales(cfg: Any, tables: Mapping[str, Table]) -> list[Finding]:
    """Compare the enlargement of pictures by the pipelines of training, validation and test.

    Args:
        cfg: the whole config.
        tables: records by split.

    Returns:
        a warning for each of ``val`` and ``test`` whose pictures are enlarged by less than half,
        or by more than twice, what those of ``train`` are, if objects differ so, too. Nothing for
        joined sets, and pipelines with a step of which the scale can't be told.
    """
    listed = {name: pipelines_of(cfg, name) for name in ("train", "val", "test") if name in tables}
    known = {
        name: (factors, _side(tables[name]))
        for name, found in listed.items()
        if len(found) == 1 and (factors := _factors(found[0], tables[name].sizes))
    }
    if "train" not in known:
        return []
    (low, high), side = known.pop("train")
    findings = []
    for name, ((other_low, other_high), other_side) in known.items():
        objects = side / other_side if side and other_side else 1.0
        smaller = high / other_low * max(objects, 1.0) < 1 / RATIO
        if smaller or low / other_high * min(objects, 1.0) > RATIO:
            width, height = np.median(tables["train"].sizes, axis=0)
            findings.append(
                Finding(
                    "warning",
                    "scale-differs",
                    f"train enlarges pictures {_times(low, high)}, {name} "
                    f"{_times(other_low, other_high)}: the network is judged on objects of another "
                    "size than it learns",
                    f"set {_sizes(listed['train'][0])} in the pipeline of train_dataloader for "
                    f"pictures of {width:.0f} × {height:.0f}, or {_sizes(listed[name][0])} in that "
                    f"of {name}_dataloader",
                    where=f"train, {name}",
                )
            )
    return findings


def _side(table: Table) -> float:
    """Median side of the objects; 0 without any."""
    boxes = table.boxes[table.objects]
    return float(np.median(np.sqrt(boxes[:, 2] * boxes[:, 3]))) if len(boxes) else 0.0


def _factors(pipeline: Sequence[Any], sizes: Floats) -> tuple[float, float] | None:
    """Smallest and largest factor, of the median picture; None where they can't be told."""
    resize: Mapping[str, Any] = {}
    for place, step in dicts(list(pipeline), "pipeline"):
        kind = kind_of(step)
        if kind in _RESIZES:
            if resize or place.count(".") > 1:
                return None
            resize = step
        elif "type" in step and not (kind in _KEEP_SIZE or is_known(kind, ("mmthermal",))):
            return None
    if not pipeline or not len(sizes):
        return None
    given = resize.get("scales", resize.get("scale"))
    several = isinstance(given, list) and ("scales" in resize or isinstance(given[0], Sequence))
    factors = [
        float(np.median(np.sqrt(network_scale([{**resize, "scale": scale}], sizes).prod(axis=1))))
        for scale in (given if several else [given])
    ]
    low, high = resize.get("ratio_range") or (1.0, 1.0)
    return min(factors) * low, max(factors) * high


def _times(low: float, high: float) -> str:
    return f"{low:.2g} times" if low == high else f"{low:.2g} to {high:.2g} times"


def _sizes(pipeline: Sequence[Any]) -> str:
    """The settings of a pipeline that choose the size, such as ``RandomResize's scale``."""
    keys = dict.fromkeys(_RESIZES, ("scale", "scales", "scale_factor")) | dict(
        RandomCrop=("crop_size",)
    )
    words = [
        f"{key}={step[key]} of {kind_of(step)}"
        for step in pipeline
        for key in keys.get(kind_of(step), ())
        if step.get(key) is not None
    ]
    return " and ".join(words) or "a Resize"
