"""The RoI sampler against a brute-force reference, and inside Faster and Cascade R-CNN."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import OHEMSampler, SamplingResult
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_overlaps
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

import mmthermal  # noqa: F401 (registers)
from mmthermal.samplers import HardNegativeSampler

NUM_CLASSES = 3


class FakeBBoxHead:
    """Gives each RoI the loss that is written in its first corner, in steps, so that ties occur."""

    num_classes = NUM_CLASSES

    def __init__(self, columns: int = 0) -> None:
        self.columns = columns

    def loss(self, *, cls_score: Tensor, reduction_override: str, **_: object) -> dict[str, Tensor]:
        assert reduction_override == "none"
        if self.columns:
            return dict(loss_cls=cls_score[:, None].expand(-1, self.columns) / self.columns)
        return dict(loss_cls=cls_score)


class FakeRoIHead:
    def __init__(self, columns: int = 0) -> None:
        self.bbox_head = FakeBBoxHead(columns)

    def _bbox_forward(self, feats: object, rois: Tensor) -> dict[str, Tensor]:
        return dict(cls_score=rois[:, 1].floor())


def make_boxes(num: int, levels: int = 4, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, levels, (num,), generator=generator).float()
    y = torch.rand(num, generator=generator) * 20
    side = 2 + torch.rand(num, 2, generator=generator) * 8
    return torch.stack([x, y, x + side[:, 0], y + side[:, 1]], 1)


def run(
    boxes: Tensor, gt_inds: Tensor, *, columns: int = 0, num: int = 512, **settings: object
) -> SamplingResult:
    num_gts = max(int(gt_inds.max()), 0) if len(gt_inds) else 0
    labels = torch.where(gt_inds > 0, gt_inds % NUM_CLASSES, -1)
    gts = InstanceData(bboxes=torch.rand(num_gts, 4), labels=torch.arange(num_gts) % NUM_CLASSES)
    sampler = HardNegativeSampler(
        num, 0.25, FakeRoIHead(columns), add_gt_as_proposals=False, **settings
    )
    assigned = AssignResult(num_gts, gt_inds.clone(), torch.zeros(len(boxes)), labels=labels)
    return sampler.sample(assigned, InstanceData(priors=boxes), gts, feats=[])


def reference(
    boxes: Tensor, gt_inds: Tensor, *, num: int, ratio: float, min_neg: int
) -> tuple[list[int], list[int]]:
    """What the docstring says, in plain Python."""
    loss = [int(x) for x in boxes[:, 0]]

    def hardest(inds: list[int], k: int) -> list[int]:
        return sorted(sorted(inds, key=lambda i: (-loss[i], i))[:k])

    pos = hardest([i for i, g in enumerate(gt_inds.tolist()) if g > 0], int(num * 0.25))
    neg = [i for i, g in enumerate(gt_inds.tolist()) if g == 0]
    wanted = len(neg) if ratio == float("inf") else int(ratio * len(pos))
    return pos, hardest(neg, min(max(wanted, min_neg), num - len(pos)))


@given(
    seed=st.integers(0, 10_000),
    num_boxes=st.integers(0, 60),
    num=st.sampled_from([8, 20, 512]),
    ratio=st.sampled_from([0.0, 0.5, 1.0, 3.0, float("inf")]),
    min_neg=st.sampled_from([0, 1, 7]),
    columns=st.sampled_from([0, 1, 4]),
)
def test_equals_brute_force(
    seed: int, num_boxes: int, num: int, ratio: float, min_neg: int, columns: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    boxes = make_boxes(num_boxes, seed=seed)
    gt_inds = torch.randint(-1, 3, (num_boxes,), generator=generator)
    gt_inds[torch.rand(num_boxes, generator=generator) < 0.6] = 0
    result = run(boxes, gt_inds, columns=columns, num=num, ratio=ratio, min_neg=min_neg)
    pos, neg = reference(boxes, gt_inds, num=num, ratio=ratio, min_neg=min_neg)
    assert sorted(result.pos_inds.tolist()) == pos
    assert sorted(result.neg_inds.tolist()) == neg


def test_an_infinite_ratio_takes_all_negatives_and_no_ignored_ones() -> None:
    gt_inds = torch.tensor([0, 1, -1, 0, 2, 0, 0])
    result = run(make_boxes(7), gt_inds, ratio=float("inf"))
    assert result.neg_inds.tolist() == [0, 3, 5, 6]
    assert result.pos_inds.tolist() == [1, 4]


def test_an_infinite_ratio_fills_up_without_positives_as_ohem_does() -> None:
    result = run(make_boxes(40), torch.zeros(40, dtype=torch.long), num=20, ratio=float("inf"))
    assert len(result.neg_inds) == 20


@pytest.mark.parametrize("neg_pos_ub", [-1, 0, 1, 2, 100])
def test_mmdets_upper_bound_holds_beside_the_ratio(neg_pos_ub: int) -> None:
    gt_inds = torch.tensor([1, 2, *[0] * 40])
    result = run(make_boxes(42), gt_inds, num=30, ratio=3.0, min_neg=0, neg_pos_ub=neg_pos_ub)
    assert len(result.pos_inds) == 2
    assert len(result.neg_inds) == (6 if neg_pos_ub < 0 else min(6, neg_pos_ub * 2))


def test_positives_are_counted_where_the_upper_bound_cuts() -> None:
    """More positives than their share: 3 of 10 are sampled, so that 6 negatives come."""
    gt_inds = torch.tensor([*[1] * 9, *[0] * 40])
    result = run(make_boxes(49), gt_inds, num=12, ratio=2.0, min_neg=0, neg_pos_ub=8)
    assert (len(result.pos_inds), len(result.neg_inds)) == (3, 6)


def test_casts_of_the_pass_without_a_graph_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch up to 2.9 would take them again in the pass that trains, which got no gradient."""
    order: list[str] = []

    class Head(FakeRoIHead):
        fc = torch.nn.Linear(5, 1)

        def _bbox_forward(self, feats: object, rois: Tensor) -> dict[str, Tensor]:
            order.append("forward")
            return dict(cls_score=self.fc(rois)[:, 0])

    forget = torch.clear_autocast_cache
    monkeypatch.setattr(torch, "clear_autocast_cache", lambda: (order.append("forget"), forget()))
    head = Head()
    sampler = HardNegativeSampler(8, 0.25, head)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sampler.roi_losses(make_boxes(6), torch.zeros(6, dtype=torch.long), [])
        assert order == ["forward", "forget"]
        head._bbox_forward([], torch.ones(2, 5))["cls_score"].sum().backward()
    assert head.fc.weight.grad is not None


def test_takes_the_arguments_of_every_mmdet_config_with_ohem() -> None:
    cfg = dict(
        type="OHEMSampler", num=512, pos_fraction=0.25, neg_pos_ub=-1, add_gt_as_proposals=True
    )
    context = FakeRoIHead(0)
    theirs = TASK_UTILS.build(cfg, default_args=dict(context=context))
    ours = TASK_UTILS.build(
        dict(cfg, type="HardNegativeSampler"), default_args=dict(context=context)
    )
    names = ("num", "pos_fraction", "neg_pos_ub", "add_gt_as_proposals", "loss_key")
    assert [getattr(ours, n) for n in names] == [getattr(theirs, n) for n in names]


def test_an_image_without_objects_teaches_min_neg() -> None:
    result = run(make_boxes(40), torch.zeros(40, dtype=torch.long), ratio=3.0, min_neg=5)
    assert len(result.neg_inds) == 5
    assert len(result.pos_inds) == 0


def test_nms_keeps_the_hardest_of_boxes_on_each_other() -> None:
    # A and B overlap by 9 / 11, C lies apart; losses (left corners) 3, 2, 2 and a tie D = E
    boxes = torch.tensor(
        [
            [2.0, 0, 12, 10],
            [3.0, 0, 13, 10],
            [2.0, 50, 12, 60],
            [1.0, 90, 11, 99],
            [1.0, 90, 11, 99],
        ]
    )
    negatives = torch.zeros(5, dtype=torch.long)
    all_of_them = run(boxes, negatives, min_neg=9)
    assert all_of_them.neg_inds.tolist() == [0, 1, 2, 3, 4]
    survivors = run(boxes, negatives, min_neg=9, nms_iou=0.7)
    assert survivors.neg_inds.tolist() == [1, 2, 3]
    hardest = run(boxes, negatives, min_neg=2, nms_iou=0.7)
    assert hardest.neg_inds.tolist() == [1, 2]


def test_nms_survivors_do_not_overlap_and_cover_the_dropped() -> None:
    boxes = make_boxes(50)
    result = run(boxes, torch.zeros(50, dtype=torch.long), min_neg=50, nms_iou=0.5)
    kept = result.neg_inds
    overlaps = bbox_overlaps(boxes[kept], boxes[kept]).fill_diagonal_(0)
    assert overlaps.max() <= 0.5
    dropped = torch.tensor([i for i in range(50) if i not in kept.tolist()])
    assert len(dropped) > 5
    covering = bbox_overlaps(boxes[dropped], boxes[kept]) > 0.5
    harder = boxes[kept, 0].floor() >= boxes[dropped, 0].floor()[:, None]
    assert (covering & harder).any(1).all()


def test_random_share_follows_the_seed_and_leaves_the_hardest_in() -> None:
    boxes, negatives = make_boxes(60, levels=60), torch.zeros(60, dtype=torch.long)

    def draw(seed: int) -> list[int]:
        torch.manual_seed(seed)
        return run(boxes, negatives, min_neg=20, random_share=0.5).neg_inds.tolist()

    hard = run(boxes, negatives, min_neg=10).neg_inds.tolist()
    first = draw(1)
    assert first == draw(1)
    assert first != draw(2)
    assert len(set(first)) == 20
    assert set(hard) < set(first)


def test_a_random_share_of_one_ignores_the_losses() -> None:
    boxes, negatives = make_boxes(60, levels=60), torch.zeros(60, dtype=torch.long)
    torch.manual_seed(0)
    drawn = [
        run(boxes, negatives, min_neg=10, random_share=1.0).neg_inds.tolist() for _ in range(40)
    ]
    counts = torch.bincount(torch.tensor(drawn).flatten(), minlength=60)
    assert counts.min() > 0


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (dict(ratio=-1), ValueError),
        (dict(min_neg=-1), ValueError),
        (dict(min_neg=1.5), TypeError),
        (dict(random_share=2), ValueError),
        (dict(nms_iou=0), ValueError),
        (dict(neg_pos_up=3), TypeError),
        (dict(neg_pos_ub=-2), ValueError),
    ],
)
def test_refuses_bad_settings(settings: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(settings))):
        HardNegativeSampler(64, 0.25, FakeRoIHead(), **settings)


@pytest.mark.parametrize("context", [None, SimpleNamespace(), SimpleNamespace(bbox_head=None)])
def test_a_context_without_bbox_head_is_told_what_to_do(context: object) -> None:
    with pytest.raises(TypeError, match=r"train_cfg.rcnn.sampler.*HardNegativeMiner"):
        HardNegativeSampler(64, 0.25, context)


def test_at_an_rpn_it_says_so() -> None:
    with pytest.raises(Exception, match=r"RPNHead has none.*HardNegativeMiner"):
        MODELS.build(
            dict(
                type="RPNHead",
                in_channels=4,
                train_cfg=ConfigDict(
                    assigner=ASSIGNER,
                    sampler=dict(type="HardNegativeSampler", num=8, pos_fraction=0.5),
                ),
            )
        )


def test_a_wrong_loss_key_names_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"loss_key='loss_clss'.*loss_cls"):
        run(make_boxes(9), torch.zeros(9, dtype=torch.long), min_neg=2, loss_key="loss_clss")


def test_a_loss_that_is_not_finite_is_told() -> None:
    boxes = make_boxes(9)
    boxes[3, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="1 of 9 values of loss_cls"):
        run(boxes, torch.zeros(9, dtype=torch.long), min_neg=2)


ASSIGNER = dict(type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5)
EXTRACTOR = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=3, sampling_ratio=1),
    out_channels=4,
    featmap_strides=[4],
)
LOSSES = {
    "cross-entropy": dict(type="CrossEntropyLoss", use_sigmoid=False),
    "sigmoid": dict(type="CrossEntropyLoss", use_sigmoid=True),
    "sigmoid of C columns": dict(
        type="CrossEntropyCustomLoss", use_sigmoid=True, num_classes=NUM_CLASSES
    ),
    "focal": dict(type="FocalLoss", use_sigmoid=True),
}


def roi_head(
    bbox_head: dict, sampler: dict | None = None, *, stages: int = 0
) -> StandardRoIHead | CascadeRoIHead:
    torch.manual_seed(1)
    rcnn = dict(
        assigner=ASSIGNER,
        sampler=sampler
        or dict(type="HardNegativeSampler", num=24, pos_fraction=0.25, ratio=2.0, min_neg=4),
        pos_weight=-1,
        debug=False,
    )
    bbox_head = dict(
        dict(type="Shared2FCBBoxHead", in_channels=4, fc_out_channels=8, roi_feat_size=3),
        **bbox_head,
    )
    cfg = dict(type="StandardRoIHead", bbox_roi_extractor=EXTRACTOR, bbox_head=bbox_head)
    cfg["train_cfg"] = ConfigDict(rcnn)
    if stages:
        cfg.update(
            type="CascadeRoIHead",
            num_stages=stages,
            stage_loss_weights=[1] * stages,
            bbox_head=[dict(bbox_head, reg_class_agnostic=True)] * stages,
            train_cfg=[ConfigDict(rcnn)] * stages,
        )
    head = MODELS.build(ConfigDict(cfg))
    head.init_weights()
    return head


def batch(num_imgs: int = 2) -> tuple[Tensor, list[InstanceData], list[DetDataSample]]:
    feats = torch.randn(num_imgs, 4, 16, 16)
    proposals, samples = [], []
    for i in range(num_imgs):
        boxes = make_boxes(40, seed=i)
        gts = InstanceData(bboxes=boxes[:3] + 0.5, labels=torch.tensor([0, 1, 2]))
        sample = DetDataSample(metainfo=dict(img_shape=(64, 64)), gt_instances=gts)
        proposals.append(InstanceData(bboxes=boxes, scores=torch.ones(40)))
        samples.append(sample)
    return feats, proposals, samples


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_trains_with_every_kind_of_loss(loss: str) -> None:
    head = roi_head(dict(num_classes=NUM_CLASSES, loss_cls=LOSSES[loss]))
    feats, proposals, samples = batch()
    losses = head.loss((feats,), proposals, samples)
    sum(value for name, value in losses.items() if "loss" in name).backward()
    assert all(torch.isfinite(p.grad).all() for p in head.parameters())


@pytest.mark.parametrize(
    "loss", [dict(type="CrossEntropyLoss", use_sigmoid=False), LOSSES["sigmoid of C columns"]]
)
def test_trains_with_the_composite_head(loss: dict) -> None:
    head = roi_head(
        dict(
            type="CompositeBBoxHead",
            num_classes=NUM_CLASSES,
            loss_cls=loss,
            neg_ratio=float("inf"),
        )
    )
    feats, proposals, samples = batch()
    losses = head.loss((feats,), proposals, samples)
    assert losses["num_neg"] == 2 * max(4, 2 * losses["num_pos"] / 2)
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    assert all(torch.isfinite(p.grad).all() for p in head.parameters())


def test_takes_what_mmdets_ohem_takes_where_the_counts_agree() -> None:
    ours = roi_head(
        dict(num_classes=NUM_CLASSES),
        dict(type="HardNegativeSampler", num=12, pos_fraction=0.25, ratio=float("inf")),
    )
    theirs = roi_head(
        dict(num_classes=NUM_CLASSES), dict(type="OHEMSampler", num=12, pos_fraction=0.25)
    )
    assert type(theirs.bbox_sampler) is OHEMSampler
    feats, proposals, samples = batch(1)
    results = []
    for head in (ours, theirs):
        priors = InstanceData(priors=proposals[0].bboxes)
        gts = samples[0].gt_instances
        assigned = head.bbox_assigner.assign(priors, gts)
        results.append(head.bbox_sampler.sample(assigned, priors, gts, feats=[feats]))
    assert results[0].pos_inds.tolist() == results[1].pos_inds.tolist()
    assert results[0].neg_inds.tolist() == results[1].neg_inds.tolist()
    assert len(results[0].neg_inds) == 9


def test_each_cascade_stage_mines_by_its_own_head(monkeypatch: pytest.MonkeyPatch) -> None:
    head = roi_head(dict(num_classes=NUM_CLASSES), stages=3)
    calls = []
    for stage, bbox_head in enumerate(head.bbox_head):
        loss = bbox_head.loss

        def spy(*args: object, _loss: object = loss, _stage: int = stage, **kwargs: object) -> dict:
            if kwargs.get("reduction_override") == "none":
                calls.append((_stage, head.current_stage))
            return _loss(*args, **kwargs)

        monkeypatch.setattr(bbox_head, "loss", spy)
    feats, proposals, samples = batch()
    losses = head.loss((feats,), proposals, samples)
    assert {f"s{i}.loss_cls" for i in range(3)} < set(losses)
    assert {stage for stage, _ in calls} == {0, 1, 2}
    assert all(stage == current for stage, current in calls)


@pytest.mark.parametrize("add_gt", [True, False])
def test_no_ground_truth_box_is_a_negative(add_gt: bool) -> None:
    sampler = dict(
        type="HardNegativeSampler",
        num=512,
        pos_fraction=0.25,
        ratio=float("inf"),
        add_gt_as_proposals=add_gt,
    )
    head = roi_head(dict(num_classes=NUM_CLASSES), sampler)
    feats, proposals, samples = batch(1)
    gts = samples[0].gt_instances
    priors = InstanceData(priors=torch.cat([gts.bboxes, proposals[0].bboxes]))
    result = head.bbox_sampler.sample(
        head.bbox_assigner.assign(priors, gts), priors, gts, feats=[feats]
    )
    assert len(result.neg_priors) > 20
    same = (result.neg_priors[:, None] == gts.bboxes[None]).all(-1)
    assert not same.any()
    assert bbox_overlaps(result.neg_priors, gts.bboxes).max() < 0.5


def test_gradients_flow_through_the_sampled_rois_only() -> None:
    head = roi_head(dict(num_classes=NUM_CLASSES))
    feats, proposals, samples = batch(1)
    feats.requires_grad_()
    seen = []
    bbox_loss = head.bbox_loss
    head.bbox_loss = lambda x, results: seen.append(results) or bbox_loss(x, results)
    losses = head.loss((feats,), proposals, samples)
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    mined = {name: p.grad.clone() for name, p in head.named_parameters()}
    mined["feats"] = feats.grad.clone()

    head.zero_grad()
    feats.grad = None
    again = bbox_loss((feats,), seen[0])["loss_bbox"]  # of the sampled RoIs alone, nothing mined
    (again["loss_cls"] + again["loss_bbox"]).backward()
    assert len(seen[0][0].neg_inds) < 37
    assert mined["feats"].abs().sum() > 0
    torch.testing.assert_close(mined["feats"], feats.grad)
    for name, parameter in head.named_parameters():
        torch.testing.assert_close(mined[name], parameter.grad)


def test_builds_from_a_config() -> None:
    sampler = TASK_UTILS.build(
        dict(type="HardNegativeSampler", num=8, pos_fraction=0.5, context=FakeRoIHead())
    )
    assert isinstance(sampler, HardNegativeSampler)


def test_hardness_is_the_sum_over_the_classes() -> None:
    class Head(FakeBBoxHead):
        def loss(self, **_: object) -> dict[str, Tensor]:
            return dict(loss_cls=torch.tensor([[3.0, 0.0], [2.0, 2.0]]))

    context = FakeRoIHead()
    context.bbox_head = Head()
    sampler = HardNegativeSampler(8, 0.25, context)
    losses = sampler.roi_losses(make_boxes(2), torch.full((2,), NUM_CLASSES), [])
    assert losses.tolist() == [3, 4]
