"""Evaluation of overlap: COCO matching by subset, and the figures that follow from it."""

from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.figures import FIGURES, Figure, select_figures, summary, to_dict
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1, f1_at, fppi_at_recall
from mmthermal.evaluation.outcomes import confusion, duplicates_per_gt, pairs_found
from mmthermal.evaluation.overlap import OVERLAP_KEYS, largest_overlap
from mmthermal.evaluation.overlap_coco_metric import OverlapCocoMetric
from mmthermal.evaluation.precision import (
    average_precision,
    average_recall,
    log_average_miss_rate,
    precision_recall,
)
from mmthermal.evaluation.subsets import AREA_SUBSETS, DEFAULT_SUBSETS, Subset

__all__ = [
    "AREA_SUBSETS",
    "DEFAULT_SUBSETS",
    "FIGURES",
    "OVERLAP_KEYS",
    "Figure",
    "MatchTable",
    "OverlapCocoMetric",
    "Subset",
    "average_precision",
    "average_recall",
    "best_f1",
    "confusion",
    "duplicates_per_gt",
    "f1_at",
    "fppi_at_recall",
    "largest_overlap",
    "load_ground_truth",
    "log_average_miss_rate",
    "pairs_found",
    "precision_recall",
    "select_figures",
    "summary",
    "to_dict",
]
