"""Each model against the baseline: paired differences, their intervals and verdicts.

Shape shorthand in this module:
    S: seeds that all models share
    N: images of the test set
    B: bootstrap resamples
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.checks import check_choice, check_count, check_range
from mmthermal.evaluation.figures import Figure, select_figures
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.precision import average_precision
from mmthermal.studies import statistics
from mmthermal.studies.model_records import number
from mmthermal.studies.model_tables import Model
from mmthermal.studies.resampling import resample_metric
from mmthermal.studies.verdict import verdict_in_words

METRICS = select_figures("overlapped_AP50", "AP50", "isolated_AP50", "overlapped_AP", "AP")
"""Figures that the bootstrap resamples."""
METRIC_NAMES = tuple(metric.key for metric in METRICS)


def check_settings(*, primary: str, resamples: int, level: float) -> None:
    """Check the settings of `compare`, before hours of training rather than after.

    Raises:
        ValueError: unknown primary metric, too few resamples, or a level outside (0, 1).
    """
    check_choice("primary", primary, METRIC_NAMES)
    check_count("resamples", resamples, 100)
    check_range("level", level, 0, 1, open_low=True, open_high=True)


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
    return resample_metric(
        lambda row: average_precision(
            table, metric.subset, iou_thr=metric.iou_thr, image_counts=row
        ),
        counts,
    )


def pair_records(
    models: Sequence[Model],
    summaries: Mapping[str, list[dict[str, float]]],
    resampled: Mapping[str, Mapping[str, NDArray[np.float64]]],
    *,
    num_groups: int,
    rng: np.random.Generator,
    level: float,
    primary: str,
) -> list[dict[str, Any]]:
    """Compare every model with the first.

    Args:
        models: the baseline first.
        summaries: per model its figures by seed.
        resampled: as :func:`resample_models` gives them.
        num_groups: of images that were resampled together.
        rng: draws seeds for the bootstrap interval.
        level: confidence of intervals and claims.
        primary: metric that the verdict in words rests on.

    Returns:
        One record per candidate, fit for JSON: differences, intervals, p values adjusted for the
        number of candidates, verdicts, words.
    """
    baseline, *candidates = models

    def paired(candidate: Model, metric: str) -> statistics.PairedResult | None:
        pairs = _pairs(summaries[baseline.name], summaries[candidate.name], metric)
        if pairs is None:
            return None
        return statistics.paired_comparison(
            [b - a for a, b in pairs],
            resampled[candidate.name][metric] - resampled[baseline.name][metric],
            num_groups=num_groups,
            rng=rng,
            level=level,
        )

    results = [{metric: paired(model, metric) for metric in METRIC_NAMES} for model in candidates]
    adjusted = {
        metric: statistics.holm(
            [result.p_value if (result := found[metric]) else math.nan for found in results]
        )
        for metric in METRIC_NAMES
    }
    out = []
    for k, (candidate, found) in enumerate(zip(candidates, results, strict=True)):
        metrics = {
            metric: _metric_record(result, adjusted[metric][k], level)
            for metric, result in found.items()
        }
        words = verdict_in_words(
            baseline.name,
            candidate.name,
            metrics,
            labels={metric.key: metric.label for metric in METRICS},
            primary=primary,
            num_seeds=len(candidate.tables),
            num_candidates=len(candidates),
            level=level,
        )
        others = _other_differences(summaries[baseline.name], summaries[candidate.name], level)
        out.append(
            {
                "baseline": baseline.name,
                "candidate": candidate.name,
                "verdict": metrics[primary]["verdict"],
                "metrics": metrics,
                "others": others,
                "words": words,
            }
        )
    return out


def _pairs(
    baseline: Sequence[Mapping[str, float]], candidate: Sequence[Mapping[str, float]], key: str
) -> list[tuple[float, float]] | None:
    """A figure of both models by seed; None where it is undefined for any."""
    pairs = [(a[key], b[key]) for a, b in zip(baseline, candidate, strict=True)]
    undefined = any(number(value) is None for pair in pairs for value in pair)
    return None if undefined else pairs


def _metric_record(
    result: statistics.PairedResult | None, p_adjusted: float, level: float
) -> dict[str, Any]:
    if result is None:
        return {"difference": None, "verdict": "no difference shown", "reason": "no such objects"}
    record: dict[str, Any] = {
        "difference": result.mean,
        "sd": number(result.sd),
        "per_seed": result.differences.tolist(),
        "interval": result.interval.as_dict(),
        "seed_interval": result.seed_interval.as_dict(),
        "bootstrap_interval": result.bootstrap_interval.as_dict(),
        "p_value": number(result.p_value),
        "p_adjusted": number(p_adjusted),
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
        pairs = _pairs(baseline, candidate, key)
        if pairs is None:
            continue
        differences = [b - a for a, b in pairs]
        out[key] = {
            "difference": float(np.mean(differences)),
            "seed_interval": statistics.paired_t_interval(differences, level=level).as_dict(),
        }
    return out
