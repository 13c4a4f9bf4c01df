"""Settings of data loaders that end in a wrong figure, in no end, or in a strange error."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mmdet.registry import TRANSFORMS

from mmthermal.checking.config_numbers import dicts

MOVING = (
    "CachedMixUp",
    "CachedMosaic",
    "CopyPaste",
    "CutOut",
    "Expand",
    "MinIoURandomCrop",
    "MixUp",
    "Mosaic",
    "OverlapCopyPaste",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomShift",
)
"""Transforms that move or hide objects: an evaluation must see the picture as its file has it."""
_LABELS = "Annotations"  # in the name of each transform that loads labels
_KNOWN = ("mmcv", "mmdet", "mmthermal")
_ENDLESS = ("InfiniteSampler", "GroupMultiSourceSampler", "MultiSourceSampler")


def wrong_loaders(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Settings of the data loaders that can't be meant.

    Args:
        cfg: the whole config.

    Yields:
        a sentence each.
    """
    loop = cfg.get("train_cfg") or {}
    by_epoch = loop.get("by_epoch", True) and "max_iters" not in loop
    for place, loader in dicts(cfg, ""):
        name = place.rpartition(".")[2]
        if not name.endswith("_dataloader"):
            continue
        for key in ("drop_last", "persistent_workers", "pin_memory"):
            if isinstance(loader.get(key), str):
                yield f"{place}.{key}={loader[key]!r}: True or False, without quotes"
        sampler = kind_of(loader.get("sampler"))
        if name.startswith("train"):
            yield from _training(place, loader)
            if by_epoch and sampler in _ENDLESS:
                yield (
                    f"{place}.sampler.type={sampler!r} never ends an epoch: take 'DefaultSampler', "
                    "or an IterBasedTrainLoop"
                )
        else:
            yield from _evaluation(place, loader)
            if sampler in _ENDLESS:
                yield f"{place}.sampler.type={sampler!r} never ends: take 'DefaultSampler'"
        for at, dataset in dicts(loader.get("dataset"), f"{place}.dataset"):
            indices = dataset.get("indices")
            if indices is not None and "ann_file" in dataset and not _are_indices(indices):
                yield (
                    f"{at}.indices={indices!r}: a number of images other than 0 (a negative one "
                    "takes the last ones), or a list of their places"
                )


def _training(place: str, loader: Mapping[str, Any]) -> Iterator[str]:
    """A training set that is not filtered, or whose boxes are not loaded."""
    inner = loader.get("dataset")
    if isinstance(inner, Mapping) and inner.get("test_mode"):
        yield f"{place}.dataset.test_mode: a training filters and shuffles, set it to False"
    for at, dataset in dicts(inner, f"{place}.dataset"):
        if "ann_file" in dataset and _without_boxes(dataset.get("pipeline")):
            yield f"{at}.pipeline loads no boxes: add dict(type='LoadAnnotations', with_bbox=True)"


def _without_boxes(pipeline: Any) -> bool:
    """Whether a pipeline of known transforms packs images of which it has loaded no boxes."""
    steps = [step for _, step in dicts(pipeline, "pipeline") if kind_of(step)]
    if "PackDetInputs" not in map(kind_of, steps):
        return False
    for step in steps:
        if not is_known(kind_of(step)):
            return False  # the user's own may load anything
        loads_seg = step.get("with_seg") or step.get("with_mask")
        if _LABELS in kind_of(step) and (step.get("with_bbox", True) or loads_seg):
            return False
    return True


def _evaluation(place: str, loader: Mapping[str, Any]) -> Iterator[str]:
    """Images that are left out of an evaluation, or changed by chance."""
    if loader.get("drop_last") is True:
        yield f"{place}.drop_last: the images of the last batch would count as missed"
    for at, step in dicts(loader.get("dataset"), f"{place}.dataset"):
        steps = at.rpartition(".pipeline.")[2]  # deeper ones are variants of TestTimeAug
        if ".pipeline." not in at or ".transforms." in steps or step.get("prob") in (0, 0.0):
            continue
        if kind_of(step) in MOVING:
            yield f"{at}: {kind_of(step)} moves or hides objects by chance, take it out"


def kind_of(node: Any) -> str:
    """Name of the class that a dict asks for, without its scope.

    Args:
        node: a part of a config.

    Returns:
        the name; empty where there is none, or the class itself.
    """
    kind = node.get("type") if isinstance(node, Mapping) else None
    return kind.rpartition(".")[2] if isinstance(kind, str) else ""


def is_known(name: str, packages: Collection[str] = _KNOWN) -> bool:
    """Whether a transform is one of these packages, and none of the user's own.

    Args:
        name: of the transform.
        packages: names of packages.
    """
    kind = TRANSFORMS.get(name) if name else None
    return kind is not None and kind.__module__.partition(".")[0] in packages


def _are_indices(value: Any) -> bool:
    listed = value if isinstance(value, list | tuple | range) else [value]
    whole = all(isinstance(v, int) and not isinstance(v, bool) for v in listed)
    return whole and len(listed) > 0 and (listed is value or value != 0)
