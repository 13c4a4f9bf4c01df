"""Targets of all anchors of a batch, by image."""

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.utils import InstanceList, OptInstanceList
from torch import Tensor


def anchor_targets(
    head: Any,
    cls_scores: Sequence[Tensor],
    batch_gt_instances: InstanceList,
    batch_img_metas: list[dict],
    batch_gt_instances_ignore: OptInstanceList,
) -> tuple[list[list[Any]], list[Tensor], float]:
    """Let an mmdet ``AnchorHead`` make its anchors and assign them, and join the levels.

    Args:
        head: the head.
        cls_scores: one (N, A * C, H, W) tensor per level, for its size.
        batch_gt_instances: the ground truth of each image.
        batch_img_metas: meta information of each image.
        batch_gt_instances_ignore: boxes of each image to leave out.

    Returns:
        the anchors by image and level; what ``get_targets`` gives by level, each joined over the
        levels, (N, S) or (N, S, 4); mmdet's count of positives.
    """
    sizes = [score.shape[-2:] for score in cls_scores]
    anchors, valid = head.get_anchors(sizes, batch_img_metas, device=cls_scores[0].device)
    *targets, avg_factor = head.get_targets(
        anchors,
        valid,
        batch_gt_instances,
        batch_img_metas,
        batch_gt_instances_ignore=batch_gt_instances_ignore,
    )
    return anchors, [torch.cat(levels, 1) for levels in targets], avg_factor
