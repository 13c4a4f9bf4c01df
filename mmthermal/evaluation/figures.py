"""The figures of a matched table: their names everywhere, and all of them in one dict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mmthermal.evaluation.error_types import calibration, error_types
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1, f1_at
from mmthermal.evaluation.outcomes import confusion, duplicates_per_gt, pairs_found
from mmthermal.evaluation.precision import (
    average_precision,
    average_recall,
    log_average_miss_rate,
)
from mmthermal.evaluation.subsets import DEFAULT_SUBSETS, Subset

SUBSET_WORDS = {
    "all": "all objects",
    "overlapped": "overlapped objects",
    "overlapped@0.3": "IoU with another object above 0.3",
    "overlapped@0.5": "IoU with another object above 0.5",
    "isolated": "isolated objects",
    "overlapped_same": "overlapped by their own class",
    "overlapped_cross": "overlapped by another class",
    "covered_0": "not covered",
    "covered_0-25": "covered up to 25 %",
    "covered_25-50": "covered 25 to 50 %",
    "covered_50-100": "covered above 50 %",
}
"""What the default subsets are called in labels."""


@dataclass(frozen=True)
class Figure:
    """A figure and its names.

    Attributes:
        key: in :func:`summary`.
        mmdet_key: that ``OverlapCocoMetric`` logs, without its prefix; None if it logs none. It
            has keys for the subsets in its ``key_subsets`` only.
        label: for people, with the objects that it is measured on.
        short: for the heads of tables.
        subset: name of the subset that it is measured on.
        iou_thr: of a hit; None averages over 0.50:0.05:0.95.
    """

    key: str
    mmdet_key: str | None
    label: str
    short: str
    subset: str = "all"
    iou_thr: float | None = 0.5

    def of_subset(self, name: str) -> "Figure":
        """The same figure, measured on another subset.

        Args:
            name: of a subset, also of one that is not among the default ones.
        """
        if name == self.subset:
            return self
        return replace(
            self,
            key=f"{name}_{self.key}",
            mmdet_key=self.mmdet_key and f"{self.mmdet_key}_{name}",
            label=f"{self.short}, {SUBSET_WORDS.get(name, name)}",
            short=f"{self.short} {name}",
            subset=name,
        )


AP = Figure("AP", "bbox_mAP", "AP, all objects", "AP", iou_thr=None)
AP50 = Figure("AP50", "bbox_mAP_50", "AP50, all objects", "AP50")
AP75 = Figure("AP75", "bbox_mAP_75", "AP75, all objects", "AP75", iou_thr=0.75)
AR = Figure("AR", "bbox_AR", "AR, all objects", "AR", iou_thr=None)
BEST_F1 = Figure("best_f1", "best_f1", "best F1, all objects", "best F1")
BEST_F1_THR = Figure(
    "best_f1_thr", "best_f1_thr", "score threshold of the best F1", "score of best F1"
)
DUPLICATES = Figure(
    "duplicates_per_gt", "duplicates_per_gt", "duplicates per object", "duplicates per object"
)
OF_EACH_SUBSET = (AP, AP50, AP75, AR, BEST_F1, BEST_F1_THR)
"""Measured on every subset, in the order in which they are logged."""
OF_ALL = (
    Figure("best_precision", "best_precision", "precision there", "precision at best F1"),
    Figure("best_recall", "best_recall", "recall there", "recall at best F1"),
    Figure("f1_at_0.5", "f1_at_0.5", "F1 at threshold 0.5", "F1 at score 0.5"),
    Figure("pairs_both", "pairs_both", "pairs of overlapped objects, both found", "pairs found"),
    Figure(
        "pairs_both_right",
        "pairs_both_right",
        "pairs of overlapped objects, both found with their class",
        "pairs found with class",
    ),
    DUPLICATES,
)
"""Measured on all objects, in the order in which they are logged."""
WITH_DUPLICATES = ("all", "overlapped", "isolated")
"""Subsets whose duplicates are counted."""
FIGURES = (
    *(figure.of_subset(subset.name) for subset in DEFAULT_SUBSETS for figure in OF_EACH_SUBSET),
    *OF_ALL,
    *(
        replace(DUPLICATES.of_subset(name), mmdet_key=None, label=f"duplicates per {name} object")
        for name in WITH_DUPLICATES[1:]
    ),
)
"""Every figure of the default subsets; counts of ground truths and pairs stand beside them."""


def select_figures(*keys: str) -> tuple[Figure, ...]:
    """Select figures by their keys.

    Args:
        *keys: as in :func:`summary`.

    Returns:
        The figures, in the order of the keys.

    Raises:
        ValueError: for a key that no figure has.
    """
    by_key = {figure.key: figure for figure in FIGURES}
    strangers = [key for key in keys if key not in by_key]
    if strangers:
        raise ValueError(f"no figure {strangers[0]!r}: choose from {', '.join(by_key)}")
    return tuple(by_key[key] for key in keys)


def summary(table: MatchTable, *, score_thr: float | None = None) -> dict[str, float]:
    """Collect the figures of all subsets in one flat dict.

    Args:
        table: the matched detections.
        score_thr: operating point of the counts over pairs, duplicates and F1; the best-F1
            threshold of all objects if None.

    Returns:
        ``AP``, ``AP50``, ``AP75``, ``AR`` and ``num_gt``, for subsets other than 'all'
        preceded by ``<name>_``; ``best_f1`` and ``best_f1_thr`` with ``best_precision`` and
        ``best_recall``; ``f1_at_0.5``; ``pairs_both``, ``pairs_both_right``, ``num_pairs``;
        ``duplicates_per_gt``. AP50 and AP75 are missing where the table lacks the threshold.
    """
    result: dict[str, float] = {}
    for subset in table.subsets:
        for figure, value in _ap_and_ar(table, subset.name).items():
            result[figure.of_subset(subset.name).key] = value
        result[f"num_gt_{subset.name}"] = table.num_gts(subset.name)
    if not table.has_thr(0.5):
        return result
    for subset in table.subsets:
        best = best_f1(table, subset.name)
        result[BEST_F1.of_subset(subset.name).key] = best["f1"]
        result[BEST_F1_THR.of_subset(subset.name).key] = best["threshold"]
        if subset.name == "all":
            result["best_precision"], result["best_recall"] = best["precision"], best["recall"]
    result["f1_at_0.5"] = f1_at(table, 0.5)["f1"]
    used = result["best_f1_thr"] if score_thr is None else score_thr
    result["score_thr"] = used
    found = pairs_found(table, used)
    result["num_pairs"] = found["num_pairs"]
    result["pairs_both"], result["pairs_both_right"] = found["both"], found["both_right"]
    for subset in table.subsets:
        if subset.name in WITH_DUPLICATES:
            key = DUPLICATES.of_subset(subset.name).key
            result[key] = duplicates_per_gt(table, used, subset=subset.name)
    return result


def to_dict(
    table: MatchTable,
    *,
    score_thr: float | None = None,
    miss_rate: bool = False,
    with_error_types: bool = False,
) -> dict[str, Any]:
    """Everything the table knows, ready for JSON.

    Args:
        table: the matched detections.
        score_thr: operating point, see :func:`summary`.
        miss_rate: also give the log-average miss rate of each subset.
        with_error_types: also give TIDE's error types and the calibration (needs hotcoco).

    Returns:
        ``num_images``, ``classes``, ``iou_thrs``, ``max_dets``, ``score_thr``; ``summary``,
        see :func:`summary`; ``subsets``: per subset ``name``, ``rule``, ``num_gt``, ``AP``,
        ``AP50``, ``AP75``, ``AR``, ``best_f1``, ``miss_rate`` and ``per_class``; ``pairs``;
        ``confusion``: matrices of 'all' and 'overlapped'; ``error_types``; ``calibration``.
    """
    figures = summary(table, score_thr=score_thr)
    full: dict[str, Any] = {
        "num_images": len(table.img_ids),
        "classes": table.class_names,
        "iou_thrs": table.iou_thrs.tolist(),
        "max_dets": table.max_dets,
        "summary": figures,
        "subsets": [_subset_row(table, subset, figures, miss_rate) for subset in table.subsets],
    }
    if "score_thr" in figures:
        used = figures["score_thr"]
        full["score_thr"] = used
        full["pairs"] = pairs_found(table, used)
        names = [subset.name for subset in table.subsets]
        full["confusion"] = {
            name: confusion(table, name, score_thr=used).tolist()
            for name in ("all", "overlapped")
            if name in names
        }
    if with_error_types:
        full["error_types"] = error_types(table)
        full["calibration"] = calibration(table)
    return full


def logged_figures(
    full: Mapping[str, Any], key_subsets: Sequence[str], *, classwise: bool = False
) -> dict[str, float]:
    """The figures that ``OverlapCocoMetric`` logs besides ``CocoMetric``'s own.

    Args:
        full: as :func:`to_dict` returns it.
        key_subsets: names of the subsets that get keys of their own.
        classwise: also give the AP of each class on these subsets.

    Returns:
        Values by ``Figure.mmdet_key``.
    """
    values = full["summary"]
    logged: dict[str, float] = {}
    for row in full["subsets"]:
        name = row["name"]
        if name not in ("all", *key_subsets):
            continue
        for figure in (figure.of_subset(name) for figure in OF_EACH_SUBSET):
            if figure.key in values and figure not in (AP, AP50, AP75):  # CocoMetric's own
                logged[str(figure.mmdet_key)] = values[figure.key]
        suffix = "" if name == "all" else f"_{name}"
        if "miss_rate" in row:
            logged[f"miss_rate{suffix}"] = row["miss_rate"]
        if suffix and classwise:
            for class_name, cells in row["per_class"].items():
                logged[f"{class_name}_precision{suffix}"] = cells["AP"]
    for figure in OF_ALL:
        if figure.key in values:
            logged[str(figure.mmdet_key)] = values[figure.key]
    return logged


def logged_names(
    key_subsets: Sequence[str], *, miss_rate: bool, classes: Sequence[str]
) -> list[str]:
    """Names of all that :func:`logged_figures` can give.

    Args:
        key_subsets: of the metric.
        miss_rate: of the metric.
        classes: names of the classes, where the AP of each is asked for.
    """
    names = [f.mmdet_key for f in (AR, BEST_F1, BEST_F1_THR, *OF_ALL)]
    names += [f.of_subset(name).mmdet_key for name in key_subsets for f in OF_EACH_SUBSET]
    suffixes = [f"_{name}" for name in key_subsets]
    names += [f"miss_rate{suffix}" for suffix in ("", *suffixes) if miss_rate]
    return [*map(str, names), *(f"{name}_precision{s}" for name in classes for s in suffixes)]


def _ap_and_ar(table: MatchTable, subset: str, cat_id: int | None = None) -> dict[Figure, float]:
    """AP, AP50, AP75 and AR of a subset and class; ``cat_id=None`` averages over the classes."""
    result = {}
    for figure in (AP, AP50, AP75):
        thr = figure.iou_thr
        if thr is None or table.has_thr(thr):
            result[figure] = average_precision(table, subset, iou_thr=thr, cat_id=cat_id)
    result[AR] = average_recall(table, subset, cat_id=cat_id)
    return result


def _subset_row(
    table: MatchTable, subset: Subset, figures: Mapping[str, float], miss_rate: bool
) -> dict[str, Any]:
    """The figures of one subset, over the classes and of each."""
    name = subset.name
    row: dict[str, Any] = {"name": name, "rule": subset.rule, "num_gt": table.num_gts(name)}
    for figure in (AP, AP50, AP75, AR):
        if figure.of_subset(name).key in figures:
            row[figure.key] = figures[figure.of_subset(name).key]
    if table.has_thr(0.5):
        row["best_f1"] = best_f1(table, name)
        if miss_rate:
            row["miss_rate"] = log_average_miss_rate(table, name)
    row["per_class"] = {
        class_name: {
            **{figure.key: v for figure, v in _ap_and_ar(table, name, cat_id).items()},
            "num_gt": table.num_gts(name, cat_id=cat_id),
        }
        for class_name, cat_id in zip(table.class_names, table.cat_ids, strict=True)
    }
    return row
