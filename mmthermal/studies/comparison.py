"""Compare trained models in one pass: match, resample, judge, collect what the report shows."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from mmthermal.common.run_state import check_ended_finite
from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.figures import summary
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.numbered_ids import number_ids
from mmthermal.evaluation.operating_point import best_f1
from mmthermal.studies.curves import curve_bands
from mmthermal.studies.differences import METRICS, check_settings, pair_records, resample_models
from mmthermal.studies.gallery import gallery_records
from mmthermal.studies.ground_truth import TestSet
from mmthermal.studies.model_records import (
    ap_by_overlap,
    confusion_matrices,
    detections_above,
    error_counts,
    model_record,
    num_gts,
    pr_curves,
)
from mmthermal.studies.model_tables import group_labels, load_models
from mmthermal.studies.resampling import image_multiplicities
from mmthermal.studies.run_folder import ConfigRuns

SCHEMA = "mmthermal.comparison/1"


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
        NotFiniteRunError: a training that did not end with finite numbers.
        ValueError: unknown primary metric, too few resamples, or runs that cannot be paired.
    """
    check_settings(primary=primary, resamples=resamples, level=level)
    for group in groups:
        for run in group.runs:
            check_ended_finite(run.folder)
    numbered = number_ids(load_ground_truth(where.ann_file))
    ground_truth = numbered.coco
    models = load_models(groups, numbered, where.classes)
    seeds = list(models[0].tables)
    dropped = {g.name: sorted(set(g.seeds) - set(seeds)) for g in groups}
    for name, extra in dropped.items():
        if extra:
            say(f"{name}: seeds {extra} are left out, other configs lack them")
    first = next(iter(models[0].tables.values()))
    labels = group_labels(ground_truth, first.img_ids, group_key)
    num_groups = len(set(labels)) if labels is not None else len(first.img_ids)
    rng = np.random.default_rng(bootstrap_seed)
    counts = image_multiplicities(len(first.img_ids), resamples, rng=rng, groups=labels)
    resampled = resample_models(models, counts, say=say)
    summaries = {m.name: [summary(t) for t in m.tables.values()] for m in models}
    comparisons = pair_records(
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
        "data": _data_record(where, ground_truth, first),
        "baseline": models[0].name,
        "seeds": seeds,
        "left_out": {name: extra for name, extra in dropped.items() if extra},
        "metric_labels": {metric.key: metric.label for metric in METRICS},
        "models": {
            model.name: model_record(model, summaries[model.name], thresholds[model.name])
            for model in models
        },
        "comparisons": comparisons,
        "pr_curves": pr_curves(models),
        "ap_by_overlap": ap_by_overlap(models),
        "confusion": confusion_matrices(models, thresholds),
        "error_types": error_counts(models, ground_truth, where.classes, thresholds),
        "training_curves": curve_bands({m.name: list(m.work_dirs.values()) for m in models}),
        "gallery": gallery_records(
            ground_truth,
            {model.name: list(detections_above(model, thresholds)) for model in models},
            seeds,
            cat_ids=first.cat_ids,
            size=gallery_size,
        ),
    }


def _data_record(where: TestSet, ground_truth: COCO, table: MatchTable) -> dict[str, Any]:
    """What the models were tested on."""
    return {
        "ann_file": str(where.ann_file),
        "img_dir": str(where.img_dir),
        "description": str((ground_truth.dataset.get("info") or {}).get("description", "")),
        "num_images": len(table.img_ids),
        "class_names": list(table.class_names),
        "num_gts": num_gts(table),
    }
