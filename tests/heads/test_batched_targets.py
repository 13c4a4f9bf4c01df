"""Targets of a batch at once against mmdet's ``get_targets``."""

from typing import Any

import pytest
import torch
from helpers_heads import Case, head_cfg, make_case, make_head
from mmdet.models.dense_heads import RetinaHead
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData
from torch import nn

from mmthermal.heads import CompositeRetinaHead
from mmthermal.heads.anchor_targets import anchor_targets
from mmthermal.heads.batched_targets import batched_targets, can_batch

SMALLER = (48, 70)  # height, width: a smaller picture beside larger ones


def check(head: nn.Module, case: Case) -> None:
    """The same labels, weights, anchors and boxes as mmdet's."""
    scores, _ = head(case.feats)
    batch = (case.gts, case.metas, case.ignored)
    anchors, (labels, weights, boxes, _), _ = anchor_targets(head, scores, *batch)
    sizes = [score.shape[-2:] for score in scores]
    found = batched_targets(head, sizes, *batch, device=scores[0].device)
    assert torch.equal(found.labels, labels)
    assert torch.equal(found.label_weights, weights)
    pos_inds = (labels.flatten() < 3).nonzero()[:, 0]
    priors, target = found.of_positives(pos_inds)
    assert torch.equal(priors, torch.cat([torch.cat(each) for each in anchors])[pos_inds])
    if not head.reg_decoded_bbox:
        target = head.bbox_coder.encode(priors, target)
    assert torch.equal(target, boxes.flatten(0, 1)[pos_inds])


@pytest.mark.parametrize("empty", ["none", "some", "all"])
@pytest.mark.parametrize("decoded", [False, True])
def test_is_mmdets(empty: str, decoded: bool) -> None:
    loss_bbox = dict(type="GIoULoss") if decoded else dict(type="L1Loss")
    check(make_head(reg_decoded_bbox=decoded, loss_bbox=loss_bbox), make_case(empty=empty))


@pytest.mark.parametrize("pos_weight", [-1, 2.0])
def test_weight_of_the_positives(pos_weight: float) -> None:
    check(make_head(train_cfg=dict(pos_weight=pos_weight)), make_case())


def test_pictures_of_several_sizes() -> None:
    case = make_case(empty="none")
    case.metas[1] = dict(img_shape=SMALLER, pad_shape=SMALLER)
    check(make_head(), case)


def test_no_ignored_regions() -> None:
    case = make_case()
    case.ignored = [InstanceData(bboxes=torch.zeros(0, 4)) for _ in case.gts]
    check(make_head(), case)
    case.ignored = None  # type: ignore[assignment]
    check(make_head(), case)
    case.ignored = [None] * len(case.gts)  # type: ignore[list-item]
    check(make_head(), case)


@pytest.mark.parametrize("empty", ["none", "some", "all"])
def test_the_assigner_that_ignores_in_images_without_objects(empty: str) -> None:
    aware = make_head(**assigner(type="IgnoreAwareMaxIoUAssigner", ignore_iof_thr=0.5))
    assert can_batch(aware)
    case = make_case(empty=empty)
    check(aware, case)
    if empty == "all":  # mmdet's gives each anchor a weight
        batch = (case.gts, case.metas, case.ignored)
        _, (_, weights, _, _), _ = anchor_targets(aware, aware(case.feats)[0], *batch)
        assert 0 < (weights == 0).float().mean() < 0.5


def test_boxes_of_mmdets_type() -> None:
    case = make_case(empty="none")
    plain = make_case(empty="none")
    for gts in case.gts:
        gts.bboxes = HorizontalBoxes(gts.bboxes)
    head = make_head()
    expected = plain.loss(head)
    for name, value in case.loss(head).items():
        assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize("decoded", [False, True])
def test_the_losses_do_not_depend_on_it(decoded: bool, case: Case) -> None:
    loss_bbox = dict(type="GIoULoss") if decoded else dict(type="L1Loss")
    cfg = dict(reg_decoded_bbox=decoded, loss_bbox=loss_bbox)
    found = [case.loss(make_head(batched_targets=batched, **cfg)) for batched in (True, False)]
    for name, value in found[0].items():
        torch.testing.assert_close(value, found[1][name], rtol=1e-6, atol=0)


@TASK_UTILS.register_module()
class OwnAssigner(MaxIoUAssigner):
    """An assigner that a person registers."""


class OwnTargets(CompositeRetinaHead):
    """A head with targets of its own."""

    def _get_targets_single(self, *args: Any, **kwargs: Any) -> tuple:
        return RetinaHead._get_targets_single(self, *args, **kwargs)


def assigner(**settings: Any) -> dict[str, Any]:
    cfg = dict(type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0.0)
    return dict(train_cfg=dict(assigner={**cfg, **settings}))


@pytest.mark.parametrize(
    "settings",
    [
        assigner(type="OwnAssigner"),
        assigner(iou_calculator=dict(type="BboxOverlaps2D", scale=512.0, dtype="fp16")),
        assigner(iou_calculator=dict(type="BboxOverlaps2D_GLIP")),
        assigner(min_pos_iou=-1.0),
        assigner(gpu_assign_thr=50),
        assigner(ignore_iof_thr=0.5, ignore_wrt_candidates=False),
        assigner(perm_repeat_gt_cfg=dict(iou_thr=0.9, perm_range=0.01)),
        dict(train_cfg=dict(allowed_border=0)),
    ],
)
def test_others_keep_mmdets_way(settings: dict[str, Any], monkeypatch: Any) -> None:
    head = make_head(**settings)
    assert not can_batch(head)
    monkeypatch.setattr("mmthermal.heads.anchor_composite.batched_targets", None)  # not called
    assert make_case().loss(head)["loss_cls"] > 0


def test_a_head_with_targets_of_its_own_keeps_them() -> None:
    assert can_batch(make_head())
    assert not can_batch(OwnTargets(**head_cfg()))
