"""Which objects no anchor of a config reaches, and the setting that would reach them.

Shapes: G objects, A anchors of a place.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.registry import TASK_UTILS

from mmthermal.checking.finding import Finding
from mmthermal.checking.table import Table
from mmthermal.common.boxes import Bools, Floats

IOU = 0.5
"""An object is reached by an anchor with which its IoU is at least this."""
LOST = 0.05
"""Share of objects out of reach from which a warning is given."""
_ALIKE = 1.25  # two ratios within this factor need no anchor each
_SAMPLE = 20_000
_SCALES = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12)


def find_generator(model: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The anchor generator of a detector's config.

    Args:
        model: the ``model`` of a config.

    Returns:
        the key that leads to it, and its settings; None for a detector without anchors.
    """
    for part in ("rpn_head", "bbox_head"):
        head = model.get(part)
        if isinstance(head, Mapping) and isinstance(head.get("anchor_generator"), Mapping):
            generator = head["anchor_generator"]
            if "strides" in generator and ({"octave_base_scale", "scales"} & set(generator)):
                return f"model.{part}.anchor_generator", dict(generator)
    return None


def best_iou(boxes: Floats, sizes: Floats, generator: Mapping[str, Any]) -> Floats:
    """Largest IoU of each box with any anchor of its image.

    Args:
        boxes: (G, 4) boxes (x, y, width, height) in the pixels that the network sees.
        sizes: (G, 2) width and height of their images, likewise.
        generator: settings of an anchor generator.

    Returns:
        (G,) values in [0, 1].
    """
    built = TASK_UTILS.build(dict(generator))
    best = np.zeros(len(boxes))
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    for stride, anchors in zip(built.strides, built.base_anchors, strict=True):
        step = np.array(stride, dtype=np.float64)
        for left, top, right, bottom in anchors.numpy().astype(np.float64):
            middle = np.array([(left + right) / 2, (top + bottom) / 2])
            last = np.maximum(np.ceil(sizes / step) - 1, 0)
            place = np.clip(np.round((centres - middle) / step), 0, last) * step + middle
            best = np.maximum(best, _iou(boxes, centres - place, right - left, bottom - top))
    return best


def _iou(boxes: Floats, offset: Floats, width: float, height: float) -> Floats:
    """IoU of boxes with an anchor whose centre lies at an offset from theirs."""
    w, h = boxes[:, 2], boxes[:, 3]
    dx, dy = np.abs(offset).T
    inter_w = np.clip(np.minimum((w + width) / 2 - dx, np.minimum(w, width)), 0, None)
    inter_h = np.clip(np.minimum((h + height) / 2 - dy, np.minimum(h, height)), 0, None)
    inter = inter_w * inter_h
    iou: Floats = inter / (w * h + width * height - inter)
    return iou


def network_scale(pipeline: Sequence[Mapping[str, Any]], sizes: Floats) -> Floats:
    """By which factors a pipeline enlarges images.

    Args:
        pipeline: transforms as a config lists them; the first ``Resize`` counts, and its first
            scale where it has several.
        sizes: (N, 2) width and height.

    Returns:
        (N, 2) factors of width and height.
    """
    for transform in pipeline:
        if transform.get("type") not in ("Resize", "RandomResize", "RandomChoiceResize"):
            continue
        factor = transform.get("scale_factor")
        if factor is not None:
            return np.broadcast_to(np.asarray(factor, np.float64), sizes.shape).copy()
        scales = transform.get("scales")
        scale = transform.get("scale") or (scales[0] if isinstance(scales, list) else scales)
        if scale is None:
            break
        if isinstance(scale, Sequence) and isinstance(scale[0], Sequence):
            scale = scale[0]
        wanted = np.broadcast_to(np.asarray(scale, np.float64), 2)  # mmcv: a number is both sides
        if transform.get("keep_ratio", False):
            longest, shortest = wanted.max(), wanted.min()
            factors = np.minimum(longest / sizes.max(axis=1), shortest / sizes.min(axis=1))
            return np.repeat(factors[:, None], 2, axis=1)
        return wanted / sizes
    return np.ones(sizes.shape)


def _alternatives(generator: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The settings themselves, then others: scales, and strides of one octave finer."""
    key = "octave_base_scale" if generator.get("octave_base_scale") else "scales"
    strides = list(generator["strides"])
    yield dict(generator)
    finer = [[s / 2 for s in stride] if isinstance(stride, Sequence) else stride / 2
             for stride in strides]  # fmt: skip
    choices = [strides]
    if all((min(s) if isinstance(s, list) else s) >= 2 for s in finer):
        choices.append([[int(v) for v in s] if isinstance(s, list) else int(s) for s in finer])
    for steps in choices:
        for scale in _SCALES:
            yield {**generator, "strides": steps, key: scale if key != "scales" else [scale]}


def check_anchors(
    table: Table,
    model: Mapping[str, Any],
    pipeline: Sequence[Mapping[str, Any]],
    *,
    seed: int = 0,
) -> tuple[list[Finding], dict[str, Any]]:
    """Measure the objects that no anchor reaches.

    Args:
        table: the training set's records.
        model: the ``model`` of the config.
        pipeline: the training pipeline, whose ``Resize`` counts.
        seed: of the sample of 20,000 objects that stands for larger sets.

    Returns:
        findings; and figures: ``key``, ``unreached`` (share of the objects), ``classes`` (the
        share by class), ``best`` (setting and share of the best alternative), ``ratios`` (with
        those of objects that are taller or wider than all anchors; empty where few are). Both are
        empty for a detector without anchors or a set without objects.
    """
    found = find_generator(model)
    objects = np.flatnonzero(table.objects)
    if found is None or not objects.size:
        return [], {}
    key, generator = found
    if objects.size > _SAMPLE:
        objects = np.random.default_rng(seed).choice(objects, _SAMPLE, replace=False)
    sizes = table.box_image_sizes[objects]
    factors = network_scale(pipeline, sizes)
    boxes = table.boxes[objects] * np.concatenate([factors, factors], axis=1)

    def reach(setting: Mapping[str, Any]) -> Bools:
        found: Bools = best_iou(boxes, sizes * factors, setting) >= IOU
        return found

    now, *others = _alternatives(generator)
    reached = reach(now)
    share = float(1 - reached.mean())
    best, best_share = _best(others, reach, now, share) if share > 0.01 else (now, share)
    ratios = _more_ratios(generator, boxes[~reach(best)]) if best_share > LOST else []
    if ratios:
        others = list(_alternatives({**generator, "ratios": ratios}))
        best, best_share = _best(others, reach, best, best_share)
    figures = {
        "key": key,
        "unreached": share,
        "classes": _by_class(table, objects, reached),
        "best": {"setting": _difference(key, now, best), "unreached": best_share},
        "ratios": ratios,
    }
    return _finding(figures, len(objects)), figures


def _best(
    settings: Sequence[dict[str, Any]],
    reach: Callable[[Mapping[str, Any]], Bools],
    best: dict[str, Any],
    share: float,
) -> tuple[dict[str, Any], float]:
    """The setting that loses least and its share, where it betters one by a hundredth."""
    for other in settings:
        lost = float(1 - reach(other).mean())
        if lost < share - 0.01:
            best, share = other, lost
    return best, share


def _more_ratios(generator: Mapping[str, Any], missed: Floats) -> list[float]:
    """The ratios with those of (M, 4) missed boxes, where most of these lie beyond all of them."""
    ratios = list(generator.get("ratios") or ())
    if not ratios or not all(isinstance(ratio, int | float) for ratio in ratios):
        return []
    shapes = missed[:, 3] / missed[:, 2]
    middle = float(np.median(shapes))
    if min(ratios) <= middle <= max(ratios):
        return []
    outer = float(np.percentile(shapes, 90 if middle > max(ratios) else 10))
    added = [middle] if 1 / _ALIKE < outer / middle < _ALIKE else [middle, outer]
    return sorted({*map(float, ratios), *(float(f"{ratio:.2g}") for ratio in added)})


def _by_class(table: Table, objects: Any, reached: Bools) -> dict[str, float]:
    """Share of each class out of reach."""
    classes = table.category_inds[objects]
    return {
        name: float(1 - reached[classes == i].mean())
        for i, name in enumerate(table.names)
        if (classes == i).any()
    }


def _difference(key: str, now: Mapping[str, Any], best: Mapping[str, Any]) -> dict[str, Any]:
    """What to set, by its full key; empty where nothing is better."""
    return {f"{key}.{name}": value for name, value in best.items() if now.get(name) != value}


def _finding(figures: Mapping[str, Any], total: int) -> list[Finding]:
    """A finding about the objects out of reach, or none."""
    if figures["unreached"] <= LOST:
        return []
    setting, lost = figures["best"]["setting"], figures["best"]["unreached"]
    if not setting:
        remedy = "no other scale or stride that was tried does better: add ratios"
        if figures["ratios"]:
            remedy += f", such as ratios={figures['ratios']}"
    else:
        words = ", ".join(f"{name}={value}" for name, value in setting.items())
        remedy = f"set {words}: {lost:.1%} remain"
        if any("strides" in name for name in setting):
            remedy += "; finer strides need a neck and backbone to match (SmallImageResNet)"
    worst = sorted(figures["classes"].items(), key=lambda item: -item[1])
    return [
        Finding(
            "warning",
            "anchors-miss-objects",
            f"no anchor of {figures['key']} reaches {figures['unreached']:.1%} of the objects at "
            f"IoU {IOU:g}",
            remedy,
            count=round(figures["unreached"] * total),
            total=total,
            examples=tuple(f"{name}: {share:.1%}" for name, share in worst[:5]),
        )
    ]
