"""From one round of mining to the next, so that rounds don't run away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmthermal.common.boxes import box_iou
from mmthermal.common.checks import check_range
from mmthermal.mining.finding import (
    GroundTruth,
    MiningSettings,
    covered,
    keep_hardest,
    negative_loss,
)
from mmthermal.mining.partial import Row
from mmthermal.mining.region_file import SAME_IOU, Region, drop_excluded
from mmthermal.mining.training_set import TrainingSet


@dataclass(frozen=True)
class Merged:
    """Regions of a round and of those before it.

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


@dataclass(frozen=True)
class MinedRound:
    """A round of mining.

    Attributes:
        merged: its regions and those that are carried on, without the excluded ones.
        num_false_regions: all that were found in the training set.
        num_excluded: regions of the round that are excluded.
        mean_loss: of the round's regions, with the excluded ones; None without any.
    """

    merged: Merged
    num_false_regions: int
    num_excluded: int
    mean_loss: float | None


def mine_round(
    rows: Mapping[int, Sequence[Row]],
    images: TrainingSet,
    previous: Sequence[Region],
    settings: MiningSettings,
    *,
    round_number: int,
    exclusions: Mapping[int | str, NDArray[np.float64]],
    decay: float,
    floor: float,
) -> MinedRound:
    """From the false regions of all images to the regions that are trained on.

    Args:
        rows: false regions by index of the image.
        images: the training set.
        previous: regions of the round before.
        settings: how many regions are kept, and the thresholds.
        round_number: goes into the regions.
        exclusions: (E, 4) boxes by image id of objects without a label.
        decay: see :func:`merge_rounds`.
        floor: see there.

    Returns:
        the round.

    Raises:
        ValueError: for a setting out of range.

    Source: paper, algorithm 2, lines 3 to 10.
    """
    found = hardest_regions(rows, images, settings, round_number=round_number)
    merged = merge_rounds(
        drop_excluded(previous, exclusions),
        drop_excluded(found, exclusions),
        images.truths,
        settings,
        decay=decay,
        floor=floor,
    )
    return MinedRound(
        merged=merged,
        num_false_regions=sum(map(len, rows.values())),
        num_excluded=len(found) - merged.num_found,
        mean_loss=sum(region.loss for region in found) / len(found) if found else None,
    )


def hardest_regions(
    rows: Mapping[int, Sequence[Row]],
    images: TrainingSet,
    settings: MiningSettings,
    *,
    round_number: int,
) -> list[Region]:
    """The k hardest regions of the data set.

    Args:
        rows: false regions by index of the image.
        images: the training set.
        settings: how many are kept, and the loss.
        round_number: goes into the regions.

    Returns:
        the regions, hardest first.
    """
    flat = [(index, row) for index in sorted(rows) for row in rows[index]]
    scores = np.array([row[5] for _, row in flat], dtype=np.float64)
    losses = negative_loss(scores, alpha=settings.alpha, gamma=settings.gamma)
    regions = [
        Region(
            image_id=images.image_ids[index],
            bbox=(row[0], row[1], row[2], row[3]),
            category_id=row[4],
            score=row[5],
            loss=float(f"{loss:.6g}"),
            round=round_number,
            first_round=round_number,
        )
        for (index, row), loss in zip(flat, losses.tolist(), strict=True)
    ]
    return keep_hardest(
        regions,
        num_objects=images.num_objects,
        num_images=images.num_images,
        settings=settings,
    )


def check_decay(decay: float, floor: float) -> None:
    """Raise if the settings would let regions live for ever.

    Args:
        decay: in [0, 1).
        floor: in (0, 1].

    Raises:
        TypeError: if one is no number.
        ValueError: if one is out of range.
    """
    check_range("decay", decay, 0, 1, open_high=True)
    check_range("floor", floor, 0, 1, open_low=True)


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
