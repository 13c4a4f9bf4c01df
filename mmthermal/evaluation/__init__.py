"""Evaluation of overlap: COCO matching by subset, error types, comparison and reports."""

from mmthermal.evaluation.matching import MatchTable
from mmthermal.evaluation.overlap import (
    AREA_SUBSETS,
    DEFAULT_SUBSETS,
    OVERLAP_KEYS,
    Subset,
    largest_overlap,
)
from mmthermal.evaluation.overlap_coco_metric import OverlapCocoMetric

__all__ = [
    "AREA_SUBSETS",
    "DEFAULT_SUBSETS",
    "OVERLAP_KEYS",
    "MatchTable",
    "OverlapCocoMetric",
    "Subset",
    "largest_overlap",
]
