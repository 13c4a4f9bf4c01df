"""Targets by image against mmdet's by level."""

import torch
from helpers_heads import make_case, make_head

from mmthermal.heads.anchor_targets import anchor_targets


def test_levels_are_joined_in_mmdets_order() -> None:
    case, head = make_case(), make_head()
    scores, _ = head(case.feats)
    sizes = [score.shape[-2:] for score in scores]
    expected_anchors, valid = head.get_anchors(sizes, case.metas, "cpu")
    by_level = head.get_targets(
        [list(levels) for levels in expected_anchors],
        valid,
        case.gts,
        case.metas,
        batch_gt_instances_ignore=case.ignored,
    )
    anchors, targets, avg_factor = anchor_targets(head, scores, case.gts, case.metas, case.ignored)
    assert avg_factor == by_level[-1]
    for joined, levels in zip(targets, by_level[:-1], strict=True):
        torch.testing.assert_close(joined, torch.cat(levels, 1))
    assert len(anchors) == len(case.gts)
    labels, weights, *_ = targets
    num_anchors = sum(3 * 3 * int(h) * int(w) for h, w in sizes)
    assert labels.shape == weights.shape == (len(case.gts), num_anchors)
    assert (weights == 0).any() and (labels < 3).any()
