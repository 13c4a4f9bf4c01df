"""From one round of mining to the next, so that rounds don't run away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import box_iou
from mmthermal.common.checks import check_range
from mmthermal.mining.finding import MiningSettings, covered
from mmthermal.mining.region_file import SAME_IOU, Region


@dataclass(frozen=True)
class GroundTruth:
    """The annotated boxes of an image.

    Attributes:
        boxes: (G, 4), x, y, width, height in pixels of the file.
        crowd: (G,), crowd regions and others to be ignored.
    """

    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]


@dataclass(frozen=True)
class Merged:
    """Regions after a round.

    Attributes:
        regions: the round's own, hardest first, then those that decay, heaviest first.
        num_found: regions of this round.
        num_again: those of them that an earlier round had, too.
        num_decayed: regions of earlier rounds that stay with less weight.
        num_faded: regions of earlier rounds that fell below the floor.
        num_covered: regions of earlier rounds that now lie on a ground truth.
    """

    regions: tuple[Region, ...]
    num_found: int
    num_again: int
    num_decayed: int
    num_faded: int
    num_covered: int


def check_decay(decay: float, floor: float) -> None:
    """Raise if the settings would let regions live for ever.

    Args:
        decay: in [0, 1).
        floor: in (0, 1].

    Raises:
        TypeError: if one is no number.
        ValueError: if one is out of range.
    """
    check_range("decay", decay, 0, 1)
    check_range("floor", floor, 0, 1, open_low=True)
    if decay == 1:
        raise ValueError("decay=1: regions would never fade; choose less than 1")


def drop_covered(
    regions: Sequence[Region],
    ground_truth: Mapping[int | str, GroundTruth],
    settings: MiningSettings,
) -> list[Region]:
    """Regions that don't lie on a ground truth, say after labels were added.

    Args:
        regions: regions.
        ground_truth: by image id; regions of images that it lacks are dropped, too.
        settings: the thresholds that made the regions.

    Returns:
        the rest, in order.
    """
    kept = []
    for region in regions:
        truth = ground_truth.get(region.image_id)
        if truth is None:
            continue
        if not covered(np.array([region.bbox]), truth.boxes, truth.crowd, settings)[0]:
            kept.append(region)
    return kept


def merge_rounds(
    previous: Sequence[Region],
    found: Sequence[Region],
    ground_truth: Mapping[int | str, GroundTruth],
    settings: MiningSettings,
    *,
    decay: float = 0.5,
    floor: float = 0.2,
) -> Merged:
    """Join the regions of the rounds before with those just found.

    A region that is found again takes its new box, score and loss, and weight 1. One that isn't
    among the hardest any more keeps its box; its weight is multiplied by ``decay``, and it goes
    when that is below ``floor``. So a round holds at most k (1 + ln floor / ln decay) regions,
    however many rounds there were.

    Args:
        previous: regions of the round before.
        found: the k hardest of this round, hardest first.
        ground_truth: by image id.
        settings: the thresholds.
        decay: in [0, 1); 0 forgets earlier rounds.
        floor: in (0, 1].

    Returns:
        the regions and how many took which way.

    Raises:
        ValueError: for a setting out of range.
    """
    check_decay(decay, floor)
    alive = drop_covered(previous, ground_truth, settings)
    by_image: dict[int | str, list[int]] = {}
    for ind, region in enumerate(found):
        by_image.setdefault(region.image_id, []).append(ind)
    boxes = np.array([region.bbox for region in found]).reshape(-1, 4)
    first = [region.first_round for region in found]
    again: set[int] = set()
    old, num_faded = [], 0
    for region in alive:
        near = by_image.get(region.image_id, [])
        same = [
            ind
            for ind, iou in zip(near, box_iou(np.array(region.bbox), boxes[near]), strict=True)
            if iou >= SAME_IOU
        ]
        if same:
            again.update(same)
            for ind in same:
                first[ind] = min(first[ind], region.first_round)
        elif region.weight * decay < floor:
            num_faded += 1
        else:
            old.append(replace(region, weight=region.weight * decay))
    new = [replace(r, first_round=first[ind], weight=1.0) for ind, r in enumerate(found)]
    old.sort(key=lambda region: (-region.weight, -region.loss))
    return Merged(
        regions=(*new, *old),
        num_found=len(new),
        num_again=len(again),
        num_decayed=len(old),
        num_faded=num_faded,
        num_covered=len(previous) - len(alive),
    )
