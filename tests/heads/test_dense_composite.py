"""DenseCompositeMixin: what reaches the miner and the loss, and what is refused."""

from typing import Any

import pytest
import torch
from helpers_heads import Case, make_case, make_head
from mmdet.models.dense_heads import ATSSHead
from torch import Tensor

from mmthermal.heads.dense_composite import DenseCompositeMixin
from mmthermal.losses import CompositeLoss
from mmthermal.samplers import HardNegativeMiner


class RecordingMiner(HardNegativeMiner):
    """Keeps what it was given and what it chose."""

    def mine(
        self, scores: Tensor, candidates: Tensor, positives: Tensor, *, counts: list[list[int]]
    ) -> Tensor:
        self.given = (scores, candidates, positives)
        assert counts == torch.stack([positives.sum(1), candidates.sum(1)], 1).tolist()
        self.picks = super().mine(scores, candidates, positives, counts=counts)
        return self.picks


def recorded(case: Case, head: torch.nn.Module) -> RecordingMiner:
    """The head's miner after one loss."""
    head.sampler.__class__ = RecordingMiner
    case.loss(head)
    return head.sampler


def targets(case: Case, head: torch.nn.Module) -> tuple[Tensor, Tensor]:
    """Labels and label weights of all anchors, (N, S)."""
    sizes = [score.shape[-2:] for score in head(case.feats)[0]]
    anchors, valid = head.get_anchors(sizes, case.metas, "cpu")
    labels, weights, *_ = head.get_targets(
        anchors, valid, case.gts, case.metas, batch_gt_instances_ignore=case.ignored
    )
    return torch.cat(labels, 1), torch.cat(weights, 1)


def test_miner_sees_background_of_weight_above_zero_only() -> None:
    case, head = make_case(empty="none"), make_head()
    miner = recorded(case, head)
    labels, weights = targets(case, head)
    scores, candidates, positives = miner.given
    ignored = (labels == 3) & (weights == 0)
    assert int(ignored.sum()) > 100
    assert torch.equal(candidates, (labels == 3) & (weights > 0))
    assert torch.equal(positives, labels < 3)
    assert not (candidates & positives).any()
    assert not candidates[ignored].any()
    assert not ignored.flatten()[miner.picks].any()
    flat = [s.permute(0, 2, 3, 1).reshape(3, -1, 3) for s in head(case.feats)[0]]
    assert torch.equal(scores, torch.cat(flat, 1).amax(-1))
    assert not scores.requires_grad


def test_hardest_negatives_are_taken() -> None:
    case, head = make_case(), make_head()
    miner = recorded(case, head)
    scores, candidates, _ = miner.given
    taken = torch.zeros_like(candidates.flatten())
    taken[miner.picks] = True
    left = candidates.flatten() & ~taken
    assert scores.flatten()[taken].min() >= scores.flatten()[left].max()


def test_bbox_weights_of_zero_positives_keep_every_graph() -> None:
    case = make_case(empty="all")
    case.feats = [feat.requires_grad_() for feat in case.feats]
    losses = case.loss(make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0)))
    losses["loss_bbox"].backward(retain_graph=True)
    assert all(feat.grad is not None for feat in case.feats)


@pytest.mark.parametrize("empty", ["some", "all"])
@pytest.mark.parametrize("kind", ["GIoULoss", "IoULoss", "L1Loss"])
def test_own_box_loss_reaches_the_box_branch_without_positives(kind: str, empty: str) -> None:
    """mmdet's IoU of no boxes has no graph: on several processes that hangs or fails."""
    head = make_head(
        reg_decoded_bbox=True,
        loss_bbox=dict(type=kind),
        loss_composite=dict(box_form=None, w_dense=0.0),
    )
    losses = make_case(empty=empty).loss(head)
    losses["loss_bbox"].backward()
    assert head.retina_reg.weight.grad is not None
    assert (head.retina_reg.weight.grad.abs().max() > 0) == (empty == "some")


def test_dense_term_is_left_out_where_it_has_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = CompositeLoss.dense_sum

    def counted(self: CompositeLoss, *args: Any, **kwargs: Any) -> Tensor:
        calls.append(1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(CompositeLoss, "dense_sum", counted)
    case = make_case()
    case.loss(make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0)))
    assert calls == []
    head = make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0, warmup_iters=2))
    for expected in (3, 6, 6, 6):  # three levels a call while it warms up
        case.loss(head)
        assert len(calls) == expected


@pytest.mark.parametrize("sampler", ["pseudo", "none", "miner"])
def test_pseudo_sampler_is_replaced_by_a_miner(sampler: str) -> None:
    cfg: dict[str, Any] = {
        "pseudo": dict(type="PseudoSampler"),
        "none": None,
        "miner": dict(type="HardNegativeMiner", ratio=5.0, min_neg=2, scope="image"),
    }
    head = make_head(train_cfg=dict(sampler=cfg[sampler]))
    assert type(head.sampler) is HardNegativeMiner
    found = (head.sampler.ratio, head.sampler.min_neg, head.sampler.scope)
    assert found == ((5.0, 2, "image") if sampler == "miner" else (3.0, 16, "batch"))


@pytest.mark.parametrize("key", ["assigner", "sampler", "allowed_border", "pos_weight", "debug"])
def test_every_train_cfg_key_is_checked_by_name(key: str) -> None:
    wrong = key[:-1] + "x"
    with pytest.raises(ValueError, match=rf"train_cfg has '{wrong}'.*did you mean '{key}'\?"):
        make_head(train_cfg={wrong: 1})


def test_a_head_of_another_kind_can_use_it() -> None:
    """The steps of the docstring work on a head that this package has no class for."""

    class CompositeATSSHead(DenseCompositeMixin, ATSSHead):
        pass

    head = CompositeATSSHead(
        num_classes=2,
        in_channels=8,
        feat_channels=8,
        stacked_convs=1,
        norm_cfg=dict(type="GN", num_groups=4),
        anchor_generator=dict(
            type="AnchorGenerator", ratios=[1.0], octave_base_scale=8, scales_per_octave=1,
            strides=[8, 16],
        ),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True),
        train_cfg=None,
    )  # fmt: skip
    head.init_composite(dict(w_dense=0.0, w_cls=1.0))
    head.sampler = HardNegativeMiner(ratio=2.0, min_neg=0)
    scores = [torch.randn(2, 2, 4, 6, requires_grad=True), torch.randn(2, 2, 2, 3)]
    labels = torch.full((2, 30), 2)
    labels[0, 3], labels[1, 27] = 1, 0
    assigned = head.assigned(labels, torch.ones(2, 30), cls_score=scores)
    pos_inds = assigned.pos_inds
    losses = head.composite_loss(
        scores,
        labels,
        torch.ones(2, 30),
        assigned,
        box_sum=scores[0].sum() * 0 + pos_inds.sum(),
        avg_factor=2,
    )
    assert pos_inds.tolist() == [3, 57]
    assert losses["num_pos"] == 2 and losses["num_neg"] == 4
    assert float(losses["loss_bbox"].detach()) == 2.0 * (3 + 57) / 2  # w_box x indices / N_pos


def test_label_weights_of_the_positives_reach_the_mined_terms() -> None:
    """train_cfg.pos_weight multiplies their focal loss, and not their number."""
    case = make_case()
    plain = case.loss(make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0)))
    heavy = case.loss(
        make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0), train_cfg=dict(pos_weight=3.0))
    )
    torch.testing.assert_close(heavy["cls_pos"], 3 * plain["cls_pos"], rtol=1e-5, atol=0)
    assert heavy["num_pos"] == plain["num_pos"]
    assert heavy["cls_neg"] == plain["cls_neg"]


def test_label_weights_of_the_negatives_reach_the_mined_terms() -> None:
    head = make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0))
    scores = [torch.randn(2, 3 * head.cls_out_channels, 2, 5)]
    labels = torch.full((2, 30), head.num_classes)
    labels[0, 3] = 0
    losses = []
    for weight in (1.0, 0.25):
        weights = torch.where(labels < head.num_classes, 1.0, weight)
        assigned = head.assigned(labels, weights, cls_score=scores)
        losses.append(
            head.composite_loss(
                scores, labels, weights, assigned, box_sum=scores[0].sum() * 0, avg_factor=1
            )
        )
    torch.testing.assert_close(losses[1]["cls_neg"], 0.25 * losses[0]["cls_neg"])
    assert losses[1]["num_neg"] == losses[0]["num_neg"] > 0


def test_autocast_is_off_inside_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    original = CompositeLoss.box_sum

    def recorded_sum(self: CompositeLoss, pred: Tensor, target: Tensor) -> Tensor:
        states.append((torch.is_autocast_enabled("cpu"), pred.dtype))
        return original(self, pred, target)

    monkeypatch.setattr(CompositeLoss, "box_sum", recorded_sum)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        make_case().loss(make_head())
    assert states == [(False, torch.float32)]


def test_sampled_dense_term_is_unbiased() -> None:
    """Over many draws its mean is the term over all anchors, in value and in gradient."""
    case = make_case()
    settings = dict(w_cls=0.0, w_box=0.0)
    whole, sampled = (
        make_head(loss_composite=dict(settings, **more)) for more in ({}, dict(dense_negatives=3))
    )
    scores = [level.detach() for level in whole(case.feats)[0]]

    def run(head: torch.nn.Module) -> tuple[float, Tensor]:
        given = [level.clone().requires_grad_() for level in scores]
        boxes = [level.detach() for level in whole(case.feats)[1]]
        loss = head.loss_by_feat(given, boxes, case.gts, case.metas, case.ignored)["loss_cls"]
        loss.backward()
        return loss.item(), torch.cat([level.grad.sum((0, 2, 3)) for level in given])

    value, slope = run(whole)
    draws = [run(sampled) for _ in range(300)]
    values, slopes = torch.tensor([v for v, _ in draws]), torch.stack([g for _, g in draws])
    assert values.std() > 0
    error = values.std() / len(values) ** 0.5
    assert abs(values.mean() - value) < 4 * error < 0.05 * value
    errors = slopes.std(0) / len(slopes) ** 0.5
    assert ((slopes.mean(0) - slope).abs() < 5 * errors + 1e-6).all()


def test_ignored_anchors_are_never_drawn() -> None:
    case, head = make_case(), make_head(loss_composite=dict(dense_negatives=5, w_cls=0.0))
    scores = [level.detach().requires_grad_() for level in head(case.feats)[0]]
    boxes = [level.detach() for level in head(case.feats)[1]]
    sizes = [score.shape[-2:] for score in scores]
    anchors, valid = head.get_anchors(sizes, case.metas, "cpu")
    _, weights, *_ = head.get_targets(
        anchors, valid, case.gts, case.metas, batch_gt_instances_ignore=case.ignored
    )
    for _ in range(20):
        head.loss_by_feat(scores, boxes, case.gts, case.metas, case.ignored)["loss_cls"].backward()
    for score, weight in zip(scores, weights, strict=True):
        ignored = weight.reshape(3, *score.shape[-2:], -1).permute(0, 3, 1, 2) == 0
        grad = score.grad.unflatten(1, (-1, 3)).permute(0, 1, 3, 4, 2)
        assert grad[ignored].abs().max() == 0
        assert grad[~ignored].abs().max() > 0
