"""What a detector takes for an object in an image and is none; how hard it is.

Shape shorthand: D detections, G ground truths of one image. Boxes are x, y, width, height.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmthermal.common.boxes import box_iou
from mmthermal.common.checks import check_choice, check_range
from mmthermal.functional.focal import focal_loss
from mmthermal.functional.mining import num_hard_negatives
from mmthermal.mining.region_file import Region

COUNTS = ("objects", "images")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroundTruth:
    """The annotated boxes of an image.

    Attributes:
        boxes: (G, 4), x, y, width, height in pixels of the file.
        crowd: (G,), crowd regions and others to be ignored.
    """

    boxes: Floats
    crowd: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class MiningSettings:
    r"""How regions are found, and how many are kept.

    A detection is a *false region* if its score is at least ``score_thr``, its IoU with every
    ground truth is below ``iou_thr``, less than ``crowd_thr`` of its own area lies in each crowd
    region, and no harder false region of the image has an IoU above ``nms_iou`` with it. Of all
    images' false regions the :math:`k = \lfloor r N \rfloor` of the largest loss are kept.

    Attributes:
        ratio: r, >= 0; infinity keeps all.
        count: what N counts: ``'objects'``, the ground truths, as the paper's text has it, or
            ``'images'``, the images with objects, as line 4 of its algorithm.
        iou_thr: in (0, 1].
        score_thr: in [0, 1].
        nms_iou: in (0, 1]; 1 suppresses nothing.
        crowd_thr: in (0, 1].
        alpha: of the focal loss; the negative's weight is 1 - alpha.
        gamma: of the focal loss; 0 makes it cross-entropy.

    Raises:
        TypeError: for a setting of the wrong type.
        ValueError: for a setting out of range.

    Source: paper, algorithm 2, lines 3 to 7, and the section on hard-negative mining.
    """

    ratio: float = 1.0
    count: str = "objects"
    iou_thr: float = 0.1
    score_thr: float = 0.1
    nms_iou: float = 0.5
    crowd_thr: float = 0.5
    alpha: float = 0.25
    gamma: float = 2.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_range("ratio", self.ratio, 0, finite=False)
        check_choice("count", self.count, COUNTS)
        check_range("score_thr", self.score_thr, 0, 1)
        for name in ("iou_thr", "nms_iou", "crowd_thr"):
            check_range(name, getattr(self, name), 0, 1, open_low=True)
        check_range("alpha", self.alpha, 0, 1)
        check_range("gamma", self.gamma, 0)

    def to_dict(self) -> dict[str, Any]:
        """The settings, as JSON takes them."""
        return {k: "inf" if v == float("inf") else v for k, v in asdict(self).items()}


def negative_loss(scores: Floats, *, alpha: float, gamma: float) -> Floats:
    r"""Classification loss of negatives with given scores.

    .. math:: L(p) = -(1 - \alpha)\,p^\gamma \log(1 - p)

    Args:
        scores: (D,), in [0, 1]; 1 counts as the largest float64 below it.
        alpha: as in :func:`~mmthermal.functional.focal.focal_loss`.
        gamma: as in :func:`~mmthermal.functional.focal.focal_loss`.

    Returns:
        (D,), non-negative, rising with the score.

    Source: paper, section 2, L_cls for y_true = 0.
    """
    prob = torch.as_tensor(np.asarray(scores, dtype=np.float64)).clamp(1e-300, 1 - 2**-53)
    logits = prob.log() - (-prob).log1p()
    return focal_loss(logits, torch.zeros_like(logits), alpha=alpha, gamma=gamma).numpy()


def find_false_regions(
    boxes: Floats,
    scores: Floats,
    gt_boxes: Floats,
    gt_crowd: NDArray[np.bool_],
    settings: MiningSettings,
) -> NDArray[np.int64]:
    """The false regions among the detections of an image.

    Args:
        boxes: (D, 4).
        scores: (D,), in [0, 1].
        gt_boxes: (G, 4).
        gt_crowd: (G,), which of them are crowd regions or otherwise to be ignored.
        settings: the thresholds.

    Returns:
        indices of the detections, by falling score, the lower index first among equals.
    """
    area = boxes[:, 2] * boxes[:, 3]
    false = ~covered(boxes, gt_boxes, gt_crowd, settings)
    left = np.flatnonzero((scores >= settings.score_thr) & false & (area > 0))
    left = left[np.argsort(-scores[left], kind="stable")]
    kept: list[int] = []
    for ind in left:
        if not kept or (box_iou(boxes[ind], boxes[kept]) <= settings.nms_iou).all():
            kept.append(int(ind))
    return np.array(kept, dtype=np.int64)


def covered(
    boxes: Floats, gt_boxes: Floats, gt_crowd: NDArray[np.bool_], settings: MiningSettings
) -> NDArray[np.bool_]:
    """Which boxes lie on a ground truth or in a crowd region, so that they are no negatives.

    Args:
        boxes: (D, 4).
        gt_boxes: (G, 4).
        gt_crowd: (G,).
        settings: the thresholds.

    Returns:
        (D,).
    """
    if not len(gt_boxes):
        return np.zeros(len(boxes), dtype=bool)
    overlaps = box_iou(boxes[:, None], gt_boxes[None], gt_crowd[None])
    limits = np.where(gt_crowd, settings.crowd_thr, settings.iou_thr)
    return np.any(overlaps >= limits, axis=1)


def keep_hardest(
    regions: list[Region], *, num_objects: int, num_images: int, settings: MiningSettings
) -> list[Region]:
    """The k regions of the largest loss.

    Args:
        regions: all false regions, in the order of the data set.
        num_objects: ground truths of the data set, without crowd.
        num_images: images with at least one of them.
        settings: ratio and what it counts.

    Returns:
        at most k, hardest first; the order of the data set decides between equals.

    Source: paper, algorithm 2, lines 4 to 10.
    """
    number = num_objects if settings.count == "objects" else num_images
    k = num_hard_negatives(number, len(regions), ratio=settings.ratio, min_neg=0)
    return sorted(regions, key=lambda region: -region.loss)[:k]
