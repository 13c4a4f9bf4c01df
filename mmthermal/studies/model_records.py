"""What the report shows of each model: figures by seed, curves, matrices, errors, fit for JSON."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from mmthermal.evaluation.error_types import ERROR_TYPES, error_types
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.outcomes import confusion
from mmthermal.evaluation.precision import average_precision, precision_recall
from mmthermal.evaluation.subsets import Subset
from mmthermal.studies.ground_truth import match
from mmthermal.studies.model_tables import Model


def number(value: float) -> float | None:
    """A number for JSON; None where a metric is undefined (-1 or NaN)."""
    return float(value) if math.isfinite(value) and value != -1 else None


def mean_sd(values: Iterable[float | None]) -> dict[str, float | None]:
    """Mean and standard deviation of the known values; None where there are too few."""
    known = [v for v in values if v is not None]
    return {
        "mean": float(np.mean(known)) if known else None,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
    }


def model_record(
    model: Model, summaries: list[dict[str, float]], thresholds: list[float]
) -> dict[str, Any]:
    """Figures of a model by seed, summed up, and by class.

    Args:
        model: its tables.
        summaries: by seed, as `mmthermal.evaluation.figures.summary` gives them.
        thresholds: by seed, of the best F1.
    """
    per_seed = {
        key: [number(summary[key]) for summary in summaries]
        for key in summaries[0]
        if isinstance(summaries[0][key], int | float)
    }
    return {
        "work_dirs": [str(folder) for folder in model.work_dirs.values()],
        "thresholds": thresholds,
        "per_seed": per_seed,
        "metrics": {key: mean_sd(values) for key, values in per_seed.items()},
        "per_class": _per_class(model),
    }


def _per_class(model: Model) -> dict[str, dict[str, dict[str, float | None]]]:
    first = next(iter(model.tables.values()))
    return {
        subset: {
            name: mean_sd(
                number(average_precision(table, subset, iou_thr=0.5, cat_id=cat_id))
                for table in model.tables.values()
            )
            for name, cat_id in zip(first.class_names, first.cat_ids, strict=True)
        }
        for subset in ("all", "overlapped", "isolated")
    }


def num_gts(table: MatchTable) -> dict[str, int]:
    """Ground truths of each subset."""
    return {subset.name: table.num_gts(subset.name) for subset in table.subsets}


def pr_curves(models: Sequence[Model]) -> dict[str, Any]:
    """Precision by recall at IoU 0.5, per subset and model: mean over seeds ± one deviation."""
    out: dict[str, Any] = {}
    for subset in ("all", "overlapped", "isolated"):
        out[subset] = {}
        for model in models:
            curves = [
                precision
                for table in model.tables.values()
                if ((precision := precision_recall(table, subset, iou_thr=0.5)[1]) > -1).all()
            ]
            if not curves:
                continue
            stack = np.stack(curves)
            spread = stack.std(axis=0, ddof=1) if len(stack) > 1 else np.zeros(stack.shape[1])
            mean = stack.mean(axis=0)
            out[subset][model.name] = {
                "recall": np.linspace(0, 1, 101).round(2).tolist(),
                "mean": mean.round(5).tolist(),
                "low": (mean - spread).clip(0, 1).round(5).tolist(),
                "high": (mean + spread).clip(0, 1).round(5).tolist(),
            }
    return out


def ap_by_overlap(models: Sequence[Model]) -> dict[str, Any]:
    """Per subset its rule, its number of objects and each model's AP50."""
    first = next(iter(models[0].tables.values()))
    return {
        subset.name: {
            "num_gts": first.num_gts(subset.name),
            "rule": subset.rule,
            "models": {
                model.name: mean_sd(
                    number(average_precision(table, subset.name, iou_thr=0.5))
                    for table in model.tables.values()
                )
                for model in models
            },
        }
        for subset in first.subsets
    }


def confusion_matrices(
    models: Sequence[Model], thresholds: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """Per subset and model the confusion matrix at the run's own threshold, mean over seeds.

    Args:
        models: to describe.
        thresholds: per model and seed.

    Returns:
        Matrices (C + 1, C + 1): the last row is no object, the last column not found.
    """
    return {
        subset: {
            model.name: np.mean(
                [
                    confusion(table, subset, score_thr=threshold, iou_thr=0.5)
                    for table, threshold in zip(
                        model.tables.values(), thresholds[model.name], strict=True
                    )
                ],
                axis=0,
            ).tolist()
            for model in models
        }
        for subset in ("all", "overlapped")
    }


def detections_above(
    model: Model, thresholds: Mapping[str, Sequence[float]]
) -> Iterable[list[Mapping[str, Any]]]:
    """Per seed the detections at or above the run's own threshold."""
    for found, threshold in zip(model.detections.values(), thresholds[model.name], strict=True):
        yield [det for det in found if det["score"] >= threshold]


def error_counts(
    models: Sequence[Model],
    ground_truth: COCO,
    classes: Sequence[str] | None,
    thresholds: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """Mean over seeds: numbers of errors at the operating point, and AP50 lost over all scores."""
    settings: dict[str, Any] = dict(subsets=(Subset("all"),), iou_thrs=[0.5])
    out: dict[str, Any] = {}
    for model in models:
        counts = [
            error_types(match(ground_truth, found, classes, **settings))["counts"]
            for found in detections_above(model, thresholds)
        ]
        gains = [error_types(table)["dap"] for table in model.tables.values()]
        out[model.name] = {
            "counts": {key: float(np.mean([c[key] for c in counts])) for key in ERROR_TYPES},
            "dap": {key: mean_sd(gain[key] for gain in gains) for key in ERROR_TYPES},
        }
    return out
