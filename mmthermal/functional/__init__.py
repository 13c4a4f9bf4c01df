"""The maths, as pure functions on tensors. Imports torch only."""

from mmthermal.functional.assignment import assign_max_iou
from mmthermal.functional.box import box_distance, box_loss
from mmthermal.functional.combined import (
    CombinedParts,
    CombinedSums,
    combined_from_sums,
    combined_sums,
)
from mmthermal.functional.fbeta import FBetaCounts, fbeta_counts, fbeta_loss, fbeta_score
from mmthermal.functional.focal import focal_loss, focal_loss_sum
from mmthermal.functional.means import geometric_mean
from mmthermal.functional.mining import hardest, mine_hard_negatives, num_hard_negatives
from mmthermal.functional.ranking import ap_loss

__all__ = [
    "CombinedParts",
    "CombinedSums",
    "FBetaCounts",
    "ap_loss",
    "assign_max_iou",
    "box_distance",
    "box_loss",
    "combined_from_sums",
    "combined_sums",
    "fbeta_counts",
    "fbeta_loss",
    "fbeta_score",
    "focal_loss",
    "focal_loss_sum",
    "geometric_mean",
    "hardest",
    "mine_hard_negatives",
    "num_hard_negatives",
]
