"""Regions change the loss by just what is promised, and the choice of the miner."""

import pytest
import torch
import torch.nn.functional as F
from helpers_heads import SIZE, make_case, make_head, objects
from mmdet.registry import MODELS
from torch.testing import assert_close

from mmthermal.mining.mined_regions import MinedRegions
from mmthermal.mining.region_file import Region
from mmthermal.samplers import HardNegativeMiner

BOX = (60.0, 40.0, 20.0, 20.0)  # far from the objects of make_case


def regions_for(case, head, *, weight=1.0, region_weight=1.0, mine_first=False):
    found = MinedRegions(weight=weight, mine_first=mine_first, iou_thr=0.5)
    found.replace([Region(0, BOX, 1, 0.5, 1.0, 0, 0, region_weight)])
    found.begin_batch([dict(img_id=i, img_shape=SIZE) for i in range(len(case.gts))])
    head.mined_regions = found
    return found


def flat_scores(head, case):
    """(N, S, C) logits and (S, 4) anchors."""
    scores = head(case.feats)[0]
    sizes = [score.shape[-2:] for score in scores]
    priors = head.prior_generator.grid_priors(sizes, device="cpu")
    anchors = torch.cat([level.reshape(-1, 4) for level in priors])
    flat = [s.permute(0, 2, 3, 1).reshape(len(s), -1, head.cls_out_channels) for s in scores]
    return torch.cat(flat, 1), anchors


def on_region(anchors):
    """IoU with BOX of at least 0.5, in plain arithmetic."""
    x1, y1, w, h = BOX
    width = (anchors[:, 2].clamp(max=x1 + w) - anchors[:, 0].clamp(min=x1)).clamp(min=0)
    height = (anchors[:, 3].clamp(max=y1 + h) - anchors[:, 1].clamp(min=y1)).clamp(min=0)
    inter = width * height
    area = (anchors[:, 2] - anchors[:, 0]) * (anchors[:, 3] - anchors[:, 1])
    return inter / (area + w * h - inter) >= 0.5


def focal_of_negatives(logits):
    """(K, C) logits to their focal losses, alpha .25, gamma 2, summed."""
    prob = logits.sigmoid()
    return (0.75 * prob**2 * F.softplus(logits)).sum()


@pytest.mark.parametrize(("weight", "region_weight"), [(3.0, 1.0), (3.0, 0.25), (1.0, 1.0)])
def test_dense_term_grows_by_the_weight_times_the_loss_on_the_region(weight, region_weight):
    case = without_ignored(make_case(empty="none"))
    head = make_head(loss_composite=dict(w_cls=0.0))
    before = case.loss(head)["loss_cls"]
    factor = len_positives(head, case)
    regions_for(case, head, weight=weight, region_weight=region_weight)
    after = case.loss(head)["loss_cls"]
    logits, anchors = flat_scores(head, case)
    hit = on_region(anchors)
    assert 3 <= int(hit.sum()) < 60
    extra = (weight - 1) * region_weight * focal_of_negatives(logits[0, hit])
    assert_close(after - before, extra / factor, rtol=1e-3, atol=1e-6)


def without_ignored(case):
    """The case with no box to leave out."""
    case.ignored = [objects([], []) for _ in case.gts]
    return case


def test_anchors_to_be_ignored_are_left_alone():
    """A crowd box covers the region in make_case's first image."""
    case, head = make_case(empty="none"), make_head(loss_composite=dict(w_cls=0.0))
    before = case.loss(head)["loss_cls"]
    case.ignored[0] = objects([[56, 36, 90, 64]], [0])
    ignored = case.loss(head)["loss_cls"]
    regions_for(case, head, weight=9.0)
    assert_close(case.loss(head)["loss_cls"], ignored, rtol=0, atol=0)
    case.ignored = without_ignored(case).ignored
    assert case.loss(head)["loss_cls"] > before


def len_positives(head, case):
    """mmdet's avg_factor, which does not depend on the regions."""
    return float(max(case.loss(head)["num_pos"], len(case.gts)))


def test_priority_takes_anchors_on_regions_first():
    case = without_ignored(make_case(empty="all"))
    head = make_head(train_cfg=dict(sampler=dict(type="HardNegativeMiner", min_neg=16)))
    picked = []
    mine = head.sampler.mine
    head.sampler.mine = lambda *a, **k: picked.append(mine(*a, **k)) or picked[-1]
    case.loss(head)
    regions_for(case, head, mine_first=True)
    case.loss(head)
    logits, anchors = flat_scores(head, case)
    hit = on_region(anchors).nonzero().squeeze(1)  # image 0, so these are flat indices, too
    assert len(hit) < 48
    assert not set(hit.tolist()) <= set(picked[0].tolist())
    assert set(hit.tolist()) <= set(picked[1].tolist())
    # the rest is as hard as it can be
    others = torch.tensor(sorted(set(range(logits.shape[0] * logits.shape[1])) - set(hit.tolist())))
    scores = logits.amax(2).flatten()[others]
    wanted = others[scores.topk(48 - len(hit)).indices]
    assert set(wanted.tolist()) == set(picked[1].tolist()) - set(hit.tolist())


def test_weights_enter_the_mined_term():
    """cls_neg is the weighted mean over the mined: with priority, closed form on an empty batch."""
    case = without_ignored(make_case(empty="all"))
    cfg = dict(sampler=dict(type="HardNegativeMiner", min_neg=1))
    head = make_head(train_cfg=cfg, loss_composite=dict(w_dense=0.0))
    regions_for(case, head, weight=3.0, region_weight=0.5, mine_first=True)
    losses = case.loss(head)
    logits, anchors = flat_scores(head, case)
    hit = on_region(anchors).nonzero().squeeze(1)
    hardest = hit[logits[0, hit].amax(1).topk(3).indices]  # k = 1 per image
    expected = 2.0 * focal_of_negatives(logits[0, hardest]) / 3
    assert_close(losses["cls_neg"], expected.detach(), rtol=1e-4, atol=1e-6)


def test_switched_off_is_as_without():
    case, head = make_case(), make_head()
    before = case.loss(head)
    regions_for(case, head, weight=1.0, mine_first=False)
    after = case.loss(head)
    for key, value in before.items():
        assert_close(after[key], value, rtol=0, atol=0)


def test_positives_keep_their_weight():
    """A region on an object (a label was added since): its positive anchors are left alone."""
    case, head = make_case(empty="none"), make_head(loss_composite=dict(w_dense=0.0))
    found = regions_for(case, head, weight=9.0)
    before = case.loss(head)
    found.replace([Region(0, (10.0, 10.0, 24.0, 40.0), 1, 0.5, 1.0, 0, 0)])
    assert_close(case.loss(head)["cls_pos"], before["cls_pos"], rtol=0, atol=0)


def test_miner_orders_within_first_and_rest():
    scores = torch.tensor([[5.0, 1.0, 2.0, 4.0, 3.0, 9.0]])
    candidates = torch.tensor([[True, True, True, True, True, False]])
    first = torch.tensor([[False, True, True, False, False, True]])
    positives = torch.zeros_like(candidates)
    picks = {
        k: HardNegativeMiner(ratio=0.0, min_neg=k).mine(scores, candidates, positives, first=first)
        for k in range(1, 5)
    }
    assert {k: p.tolist() for k, p in picks.items()} == {
        1: [2],
        2: [1, 2],
        3: [0, 1, 2],
        4: [0, 1, 2, 3],
    }


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_priority_keeps_the_order_of_close_scores(scale):
    scores = torch.tensor([[1.0, 1.0 + 2**-20, -1.0, 0.5]]) * scale
    every = torch.ones(1, 4, dtype=torch.bool)
    first = torch.tensor([[True, True, False, False]])
    miner = HardNegativeMiner(ratio=0.0, min_neg=1)
    assert miner.mine(scores, every, ~every, first=first).tolist() == [1]


def bbox_head(**loss):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type="CompositeBBoxHead",
            in_channels=4,
            fc_out_channels=8,
            roi_feat_size=1,
            num_classes=2,
            bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
            loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False),
            loss_bbox=dict(type="L1Loss"),
            loss_composite=loss,
            neg_ratio=1.0,
            min_neg=2,
        )
    )


def roi_loss(head, scores):
    rois = torch.tensor(
        [[0, 0, 0, 9, 9], [0, 60, 40, 80, 60], [0, 0, 30, 9, 39], [1, 60, 40, 80, 60.0]]
    )
    labels = torch.tensor([0, 2, 2, 2])
    return head.loss(
        scores, torch.zeros(4, 8), rois, labels, torch.ones(4), torch.zeros(4, 4), torch.ones(4, 4)
    )


def test_roi_on_a_region_weighs_more_in_cross_entropy():
    scores = torch.randn(4, 3)
    head = bbox_head(w_cls=0.0)
    before = roi_loss(head, scores)["loss_cls"]
    case = make_case(images=2)
    regions_for(case, head, weight=3.0, region_weight=0.5)
    after = roi_loss(head, scores)["loss_cls"]
    extra = (3.0 - 1) * 0.5 * F.cross_entropy(scores[1:2], torch.tensor([2]))
    assert_close(after - before, extra / 4)


def test_roi_on_a_region_is_mined_first():
    logits = torch.tensor([[9.0, 0, 0], [-5, -5, 5], [1, 1, 0], [2, 2, 0]])
    head = bbox_head()
    candidates = torch.tensor([False, True, True, True])
    plain = head.hard_negatives(logits[:, :2], candidates, 1, 3)
    first = torch.tensor([False, True, False, False])
    assert plain.tolist() == [2, 3]
    favoured = head.hard_negatives(logits[:, :2], candidates, 1, 3, first=first)
    assert favoured.tolist() == [1, 3]


def test_the_easiest_of_first_comes_before_the_hardest_of_the_rest():
    scores, every = torch.tensor([[3.0, 3.0, 0.0]]), torch.ones(1, 3, dtype=torch.bool)
    first = torch.tensor([[False, False, True]])
    miner = HardNegativeMiner(ratio=0.0, min_neg=2)
    assert miner.mine(scores, every, ~every, first=first).tolist() == [0, 2]
    head = bbox_head()  # of two negatives, too
    logits = scores.T.expand(3, 2)
    assert head.hard_negatives(logits, every[0], 0, 3, first=first[0]).tolist() == [0, 2]


def test_positive_rois_keep_their_weight():
    scores, head = torch.randn(4, 3), bbox_head(w_cls=0.0)
    before = roi_loss(head, scores)["loss_cls"]
    found = regions_for(make_case(images=2), head, weight=9.0)
    found.replace([Region(0, (0.0, 0.0, 9.0, 9.0), 1, 0.5, 1.0, 0, 0)])
    assert_close(roi_loss(head, scores)["loss_cls"], before, rtol=0, atol=0)
