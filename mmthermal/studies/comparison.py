"""Compare trained models with paired statistics and say plainly what they show.

Shape shorthand in this module:
    S: seeds that all models share
    N: images of the test set
    B: bootstrap resamples
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO

from mmthermal.common.files import read_json
from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.error_types import ERROR_TYPES, error_types
from mmthermal.evaluation.figures import Figure, select_figures, summary
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1
from mmthermal.evaluation.outcomes import confusion
from mmthermal.evaluation.precision import average_precision, precision_recall
from mmthermal.evaluation.subsets import Subset
from mmthermal.studies import statistics
from mmthermal.studies.curves import curve_bands
from mmthermal.studies.gallery import gallery_records
from mmthermal.studies.run_folder import ConfigRuns, TestSet

SCHEMA = "mmthermal.comparison/1"


METRICS = select_figures("overlapped_AP50", "AP50", "isolated_AP50", "overlapped_AP", "AP")
"""Figures that the bootstrap resamples."""
METRIC_NAMES = tuple(metric.key for metric in METRICS)


@dataclass(frozen=True)
class Model:
    """The runs of one config, evaluated.

    Attributes:
        name: of the config.
        detections: per shared seed its COCO results.
        tables: per shared seed its matched detections.
        work_dirs: per shared seed its folder.
    """

    name: str
    detections: dict[int, list[dict[str, Any]]]
    tables: dict[int, MatchTable]
    work_dirs: dict[int, Path]


def shared_seeds(groups: Sequence[ConfigRuns]) -> list[int]:
    """Seeds that every config has.

    Raises:
        ValueError: there is none.
    """
    shared = set.intersection(*(set(group.seeds) for group in groups))
    if not shared:
        seeds = "; ".join(f"{group.name}: {group.seeds}" for group in groups)
        raise ValueError(f"the configs share no seed ({seeds}): pairs need the same seeds")
    return sorted(shared)


def load_models(groups: Sequence[ConfigRuns], ground_truth: COCO) -> list[Model]:
    """Match the predictions of every run with the ground truth.

    Args:
        groups: finished runs, the baseline first.
        ground_truth: annotations that all of them were tested on.

    Raises:
        ValueError: fewer than two configs, or no shared seed.
    """
    if len(groups) < 2:
        raise ValueError(f"{len(groups)} config given: a comparison needs at least two")
    seeds = shared_seeds(groups)
    models = []
    for group in groups:
        runs = {run.seed: run for run in group.runs if run.seed in seeds}
        detections = {
            seed: read_json(run.predictions, what="predictions")
            for seed, run in sorted(runs.items())
        }
        tables = {
            seed: MatchTable.from_coco(ground_truth, found) for seed, found in detections.items()
        }
        folders = {seed: runs[seed].folder for seed in tables}
        models.append(Model(group.name, detections, tables, folders))
    return models


def resample_models(
    models: Sequence[Model],
    counts: NDArray[np.int32],
    *,
    metrics: Sequence[Figure] = METRICS,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Values of every metric on every resample.

    Args:
        models: to evaluate, on the same images.
        counts: (B, N) multiplicities, the same for all models and seeds.
        metrics: which.
        say: takes progress lines.

    Returns:
        Per model and metric (B, S), NaN where undefined.
    """
    out: dict[str, dict[str, NDArray[np.float64]]] = {}
    for model in models:
        out[model.name] = {}
        start = time.monotonic()
        for metric in metrics:
            out[model.name][metric.key] = np.stack(
                [_resample(table, metric, counts) for table in model.tables.values()], axis=1
            )
        say(f"bootstrap of {model.name}: {time.monotonic() - start:.0f} s")
    return out


def _resample(table: MatchTable, metric: Figure, counts: NDArray[np.int32]) -> NDArray[np.float64]:
    return statistics.resample_metric(
        lambda row: average_precision(
            table, metric.subset, iou_thr=metric.iou_thr, image_counts=row
        ),
        counts,
    )


def check_settings(*, primary: str, resamples: int, level: float) -> None:
    """Check the settings of `compare`, before hours of training rather than after.

    Raises:
        ValueError: unknown primary metric, too few resamples, or a level outside (0, 1).
    """
    if primary not in METRIC_NAMES:
        raise ValueError(f"primary={primary!r}: choose one of {', '.join(METRIC_NAMES)}")
    if resamples < 100:
        raise ValueError(f"resamples={resamples}: give at least 100")
    if not 0 < level < 1:
        raise ValueError(f"level={level!r}: give a coverage between 0 and 1, such as 0.95")


def compare(
    groups: Sequence[ConfigRuns],
    where: TestSet,
    *,
    primary: str = "overlapped_AP50",
    resamples: int = 1000,
    level: float = 0.95,
    group_key: str | None = None,
    bootstrap_seed: int = 0,
    gallery_size: int = 48,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Compare finished runs; the first config is the baseline.

    Args:
        groups: runs of at least two configs that share at least one seed.
        where: annotations and images of the test set.
        primary: metric that the verdict in words rests on.
        resamples: bootstrap resamples of the images, at least 100.
        level: confidence of all intervals and claims.
        group_key: field of the image records; images that share its value (a flight, a video) are
            resampled together. None resamples single images.
        bootstrap_seed: makes the resampling repeatable.
        gallery_size: images kept for the gallery.
        say: takes progress lines.

    Returns:
        The whole comparison, fit for JSON; docs/compare.md describes it.

    Raises:
        ValueError: unknown primary metric, too few resamples, or runs that cannot be paired.
    """
    check_settings(primary=primary, resamples=resamples, level=level)
    ground_truth = load_ground_truth(where.ann_file)
    models = load_models(groups, ground_truth)
    seeds = list(models[0].tables)
    dropped = {g.name: sorted(set(g.seeds) - set(seeds)) for g in groups}
    for name, extra in dropped.items():
        if extra:
            say(f"{name}: seeds {extra} are left out, other configs lack them")
    first = next(iter(models[0].tables.values()))
    labels = group_labels(ground_truth, first.img_ids, group_key)
    num_groups = len(set(labels)) if labels is not None else len(first.img_ids)
    rng = np.random.default_rng(bootstrap_seed)
    counts = statistics.image_multiplicities(len(first.img_ids), resamples, rng=rng, groups=labels)
    resampled = resample_models(models, counts, say=say)
    summaries = {m.name: [summary(t) for t in m.tables.values()] for m in models}
    comparisons = _comparisons(
        models, summaries, resampled, num_groups=num_groups, rng=rng, level=level, primary=primary
    )
    thresholds = {
        model.name: [float(best_f1(table)["threshold"]) for table in model.tables.values()]
        for model in models
    }
    return {
        "schema": SCHEMA,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "settings": {
            "primary": primary,
            "resamples": resamples,
            "level": level,
            "group_key": group_key,
            "num_groups": num_groups,
            "bootstrap_seed": bootstrap_seed,
        },
        "data": {
            "ann_file": str(where.ann_file),
            "img_dir": str(where.img_dir),
            "description": str((ground_truth.dataset.get("info") or {}).get("description", "")),
            "num_images": len(first.img_ids),
            "class_names": list(first.class_names),
            "num_gts": _num_gts(first),
        },
        "baseline": models[0].name,
        "seeds": seeds,
        "left_out": {name: extra for name, extra in dropped.items() if extra},
        "metric_labels": {metric.key: metric.label for metric in METRICS},
        "models": {
            model.name: _model_record(model, summaries[model.name], thresholds[model.name])
            for model in models
        },
        "comparisons": comparisons,
        "pr_curves": _pr_curves(models),
        "ap_by_overlap": _ap_by_overlap(models),
        "confusion": _confusion(models, thresholds),
        "error_types": _error_types(models, ground_truth, thresholds),
        "training_curves": curve_bands({m.name: list(m.work_dirs.values()) for m in models}),
        "gallery": gallery_records(
            ground_truth,
            {model.name: list(_above(model, thresholds)) for model in models},
            seeds,
            size=gallery_size,
        ),
    }


def group_labels(
    ground_truth: COCO, img_ids: Iterable[int], group_key: str | None
) -> list[str] | None:
    """Read the field of the image records by which images are resampled together.

    Raises:
        ValueError: an image record lacks it.
    """
    if group_key is None:
        return None
    records = [ground_truth.imgs[i] for i in img_ids]
    missing = [record["file_name"] for record in records if group_key not in record]
    if missing:
        raise ValueError(
            f"group_key={group_key!r}: {len(missing)} image records lack it, {missing[0]!r} first; "
            f"known are {sorted(records[0])}"
        )
    return [str(record[group_key]) for record in records]


def _number(value: float) -> float | None:
    """A number for JSON; None where a metric is undefined (-1 or NaN)."""
    return float(value) if math.isfinite(value) and value != -1 else None


def _mean_sd(values: Iterable[float | None]) -> dict[str, float | None]:
    known = [v for v in values if v is not None]
    return {
        "mean": float(np.mean(known)) if known else None,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
    }


def _model_record(
    model: Model, summaries: list[dict[str, float]], thresholds: list[float]
) -> dict[str, Any]:
    per_seed = {
        key: [_number(summary[key]) for summary in summaries]
        for key in summaries[0]
        if isinstance(summaries[0][key], int | float)
    }
    return {
        "work_dirs": [str(folder) for folder in model.work_dirs.values()],
        "thresholds": thresholds,
        "per_seed": per_seed,
        "metrics": {key: _mean_sd(values) for key, values in per_seed.items()},
        "per_class": _per_class(model),
    }


def _per_class(model: Model) -> dict[str, dict[str, dict[str, float | None]]]:
    first = next(iter(model.tables.values()))
    return {
        subset: {
            name: _mean_sd(
                _number(average_precision(table, subset, iou_thr=0.5, cat_id=cat_id))
                for table in model.tables.values()
            )
            for name, cat_id in zip(first.class_names, first.cat_ids, strict=True)
        }
        for subset in ("all", "overlapped", "isolated")
    }


def _comparisons(
    models: Sequence[Model],
    summaries: Mapping[str, list[dict[str, float]]],
    resampled: Mapping[str, Mapping[str, NDArray[np.float64]]],
    *,
    num_groups: int,
    rng: np.random.Generator,
    level: float,
    primary: str,
) -> list[dict[str, Any]]:
    baseline, *candidates = models
    results: dict[str, dict[str, statistics.PairedResult | None]] = {}
    for candidate in candidates:
        results[candidate.name] = {}
        for metric in METRIC_NAMES:
            pairs = [
                (a[metric], b[metric])
                for a, b in zip(summaries[baseline.name], summaries[candidate.name], strict=True)
            ]
            if any(_number(value) is None for pair in pairs for value in pair):
                results[candidate.name][metric] = None
                continue
            results[candidate.name][metric] = statistics.paired_comparison(
                [b - a for a, b in pairs],
                resampled[candidate.name][metric] - resampled[baseline.name][metric],
                num_groups=num_groups,
                rng=rng,
                level=level,
            )
    adjusted = {
        metric: statistics.holm(
            [
                result.p_value if (result := results[c.name][metric]) else math.nan
                for c in candidates
            ]
        )
        for metric in METRIC_NAMES
    }
    out = []
    for k, candidate in enumerate(candidates):
        metrics = {
            metric: _metric_record(results[candidate.name][metric], adjusted[metric][k], level)
            for metric in METRIC_NAMES
        }
        out.append(
            {
                "baseline": baseline.name,
                "candidate": candidate.name,
                "verdict": metrics[primary]["verdict"],
                "metrics": metrics,
                "others": _other_differences(
                    summaries[baseline.name], summaries[candidate.name], level
                ),
                "words": verdict_in_words(
                    baseline.name,
                    candidate.name,
                    metrics,
                    primary=primary,
                    num_seeds=len(candidate.tables),
                    level=level,
                ),
            }
        )
    return out


def _metric_record(
    result: statistics.PairedResult | None, p_adjusted: float, level: float
) -> dict[str, Any]:
    if result is None:
        return {"difference": None, "verdict": "no difference shown", "reason": "no such objects"}
    record: dict[str, Any] = {
        "difference": result.mean,
        "sd": _number(result.sd),
        "per_seed": result.differences.tolist(),
        "interval": result.interval.as_dict(),
        "seed_interval": result.seed_interval.as_dict(),
        "bootstrap_interval": result.bootstrap_interval.as_dict(),
        "p_value": _number(result.p_value),
        "p_adjusted": _number(p_adjusted),
        "verdict": statistics.verdict(result.mean, p_adjusted, level=level),
    }
    if len(result.differences) < 2:
        record["reason"] = "one seed cannot show a difference"
    return record


def _other_differences(
    baseline: list[dict[str, float]], candidate: list[dict[str, float]], level: float
) -> dict[str, Any]:
    """Differences of the metrics that are not resampled: intervals over seeds, no verdict."""
    out: dict[str, Any] = {}
    for key in baseline[0]:
        if key in METRIC_NAMES or not isinstance(baseline[0][key], int | float):
            continue
        pairs = [(a[key], b[key]) for a, b in zip(baseline, candidate, strict=True)]
        if any(_number(value) is None for pair in pairs for value in pair):
            continue
        differences = [b - a for a, b in pairs]
        out[key] = {
            "difference": float(np.mean(differences)),
            "seed_interval": statistics.paired_t_interval(differences, level=level).as_dict(),
        }
    return out


def points(value: float, *, sign: bool = True) -> str:
    """A share as points with one decimal: 0.028 is +2.8."""
    text = f"{100 * value:{'+' if sign else ''}.1f}"
    return text.replace("-", "−")


def verdict_in_words(
    baseline: str,
    candidate: str,
    metrics: Mapping[str, Mapping[str, Any]],
    *,
    primary: str,
    num_seeds: int,
    level: float,
) -> dict[str, str]:
    """The verdict as a headline and two sentences, the same in terminal and report.

    Returns:
        `headline` (on the primary metric), `primary` (its figures), `others` (what the other
        metrics show).
    """
    labels = {metric.key: metric.label for metric in METRICS}
    record = metrics[primary]
    measure, objects = labels[primary].split(", ")
    what = f"on {objects} ({measure})"
    headlines = {
        "better": f"{candidate} is better than {baseline} {what}",
        "worse": f"{candidate} is worse than {baseline} {what}",
        "no difference shown": f"No difference shown between {candidate} and {baseline} {what}",
    }
    others = []
    for name, other in metrics.items():
        if name != primary and other["difference"] is not None:
            others.append(f"{labels[name]}: {_figures(other, level)}, {other['verdict']}")
    return {
        "headline": headlines[record["verdict"]],
        "primary": _primary_sentence(record, num_seeds, level),
        "others": "; ".join(others) + "." if others else "",
    }


def _figures(record: Mapping[str, Any], level: float) -> str:
    text = f"{points(record['difference'])} points"
    interval = record["interval"]
    if interval["low"] is not None:
        text += (
            f" ({100 * level:g} % interval {points(interval['low'])} to {points(interval['high'])})"
        )
    return text


def _primary_sentence(record: Mapping[str, Any], num_seeds: int, level: float) -> str:
    if record["difference"] is None:
        return "The test set has no such objects, so there is nothing to compare."
    seeds = f"{num_seeds} paired seed{'s' if num_seeds != 1 else ''}"
    sentence = f"Difference {_figures(record, level)}, {seeds}."
    if record["interval"]["low"] is None:
        return f"{sentence} One seed shows no spread: give at least three, better five."
    if record["verdict"] == "no difference shown":
        half = (record["interval"]["high"] - record["interval"]["low"]) / 2
        sentence += (
            f" Differences smaller than about {points(half, sign=False)} points cannot be seen "
            "with these seeds and images."
        )
    return sentence


def _num_gts(table: MatchTable) -> dict[str, int]:
    return {subset.name: table.num_gts(subset.name) for subset in table.subsets}


def _pr_curves(models: Sequence[Model]) -> dict[str, Any]:
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


def _ap_by_overlap(models: Sequence[Model]) -> dict[str, Any]:
    first = next(iter(models[0].tables.values()))
    return {
        subset.name: {
            "num_gts": first.num_gts(subset.name),
            "rule": subset.rule,
            "models": {
                model.name: _mean_sd(
                    _number(average_precision(table, subset.name, iou_thr=0.5))
                    for table in model.tables.values()
                )
                for model in models
            },
        }
        for subset in first.subsets
    }


def _confusion(
    models: Sequence[Model], thresholds: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
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


def _above(
    model: Model, thresholds: Mapping[str, Sequence[float]]
) -> Iterable[list[dict[str, Any]]]:
    """Per seed the detections at or above the run's own threshold."""
    for found, threshold in zip(model.detections.values(), thresholds[model.name], strict=True):
        yield [det for det in found if det["score"] >= threshold]


def _error_types(
    models: Sequence[Model], ground_truth: COCO, thresholds: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """Mean over seeds: numbers of errors at the operating point, and AP50 lost over all scores."""
    out: dict[str, Any] = {}
    for model in models:
        counts = [
            error_types(
                MatchTable.from_coco(ground_truth, found, subsets=(Subset("all"),), iou_thrs=[0.5])
            )["counts"]
            for found in _above(model, thresholds)
        ]
        gains = [error_types(table)["dap"] for table in model.tables.values()]
        out[model.name] = {
            "counts": {key: float(np.mean([c[key] for c in counts])) for key in ERROR_TYPES},
            "dap": {key: _mean_sd(gain[key] for gain in gains) for key in ERROR_TYPES},
        }
    return out
