"""The RoI heads against mmdet's, and their composite term against the loss called by hand."""

import copy
from typing import Any

import pytest
import torch
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.registry import MODELS
from torch import Tensor

import mmthermal  # noqa: F401 (registers)
from mmthermal.functional.mining import hardest
from mmthermal.losses import CompositeLoss

NUM_CLASSES = 3
HEADS = {
    "CompositeBBoxHead": "Shared2FCBBoxHead",
    "CompositeConvBBoxHead": "Shared4Conv1FCBBoxHead",
}
PLAIN = dict(w_cls=0.0)  # the composite switched off
SOFTMAX = dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.5)
SIGMOID = dict(type="CrossEntropyCustomLoss", use_sigmoid=True, num_classes=NUM_CLASSES)
FOCAL = dict(type="FocalCustomLoss", use_sigmoid=True, num_classes=NUM_CLASSES)
LOSSES = {"softmax": SOFTMAX, "sigmoid": SIGMOID, "focal": FOCAL}


def make_head(type_: str, **settings: Any) -> BBoxHead:
    cfg = dict(
        type=type_,
        in_channels=4,
        fc_out_channels=8,
        roi_feat_size=3,
        num_classes=NUM_CLASSES,
        loss_bbox=dict(type="SmoothL1Loss", beta=0.5, loss_weight=0.7),
    )
    if "Conv" in type_:
        cfg["conv_out_channels"] = 4
    head = MODELS.build(dict(cfg, **copy.deepcopy(settings)))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return head


def make_rois(num_pos: int = 5, num_neg: int = 9, num_ignored: int = 2) -> dict[str, Tensor]:
    """Features and targets of RoIs; the ignored carry the background label and weight 0."""
    generator = torch.Generator().manual_seed(4)
    num = num_pos + num_neg + num_ignored
    corner = torch.rand(num, 2, generator=generator) * 30
    side = 4 + torch.rand(num, 2, generator=generator) * 10
    weights = torch.ones(num)
    weights[num_pos + num_neg :] = 0
    is_pos = (torch.arange(num) < num_pos).float()
    return dict(
        feats=torch.randn(num, 4, 3, 3, generator=generator),
        rois=torch.cat([torch.arange(num)[:, None] % 2, corner, corner + side], 1),
        labels=torch.cat(
            [torch.arange(num_pos) % NUM_CLASSES, torch.full((num - num_pos,), NUM_CLASSES)]
        ),
        label_weights=weights,
        bbox_targets=torch.randn(num, 4, generator=generator) * is_pos[:, None],
        bbox_weights=is_pos[:, None].expand(-1, 4).contiguous(),
    )


def losses_of(head: BBoxHead, rois: dict[str, Tensor], **kwargs: Any) -> dict[str, Tensor]:
    rest = {k: v for k, v in rois.items() if k != "feats"}
    cls_score, bbox_pred = head(rois["feats"])
    return head.loss(cls_score, bbox_pred, **rest, **kwargs)


def backward(losses: dict[str, Tensor]) -> None:
    sum(value for name, value in losses.items() if "loss" in name).backward()


@pytest.mark.parametrize("agnostic", [False, True], ids=["class-specific", "class-agnostic"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("type_", HEADS)
def test_without_the_composite_it_is_mmdets_head(type_: str, loss: str, agnostic: bool) -> None:
    settings = dict(loss_cls=LOSSES[loss], reg_class_agnostic=agnostic)
    ours = make_head(type_, loss_composite=PLAIN, **settings)
    theirs = make_head(HEADS[type_], **settings)
    missing = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert missing.unexpected_keys == []
    assert missing.missing_keys == ["loss_composite.num_iters"]
    rois = make_rois()
    found = []
    for head in (ours, theirs):
        losses = losses_of(head, rois)
        backward(losses)
        found.append((losses, {name: p.grad for name, p in head.named_parameters()}))
    (our_losses, our_grads), (their_losses, their_grads) = found
    assert set(their_losses) <= set(our_losses)
    for name, value in their_losses.items():
        assert float(torch.as_tensor(value).max()) > 0, name
        torch.testing.assert_close(our_losses[name], value, rtol=1e-5, atol=1e-7)
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("agnostic", [False, True], ids=["class-specific", "class-agnostic"])
def test_decoded_regression_is_mmdets(agnostic: bool) -> None:
    settings = dict(
        reg_decoded_bbox=True,
        loss_bbox=dict(type="GIoULoss", loss_weight=3.0),
        reg_class_agnostic=agnostic,
    )
    rois = make_rois()
    rois["bbox_targets"] = rois["rois"][:, 1:] + 1.0
    values = []
    for head in (
        make_head("CompositeBBoxHead", loss_composite=PLAIN, **settings),
        make_head("Shared2FCBBoxHead", **settings),
    ):
        losses = losses_of(head, rois)
        backward(losses)
        values.append((losses["loss_bbox"], head.fc_reg.weight.grad))
    assert values[1][0] > 0.1
    for ours, theirs in zip(*values, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_predicts_as_mmdets_head() -> None:
    ours, theirs = make_head("CompositeBBoxHead"), make_head("Shared2FCBBoxHead")
    rois = make_rois()
    for actual, expected in zip(ours(rois["feats"]), theirs(rois["feats"]), strict=True):
        torch.testing.assert_close(actual, expected)
    assert type(ours).predict_by_feat is BBoxHead.predict_by_feat


@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_composite_is_the_loss_over_positives_and_hardest_negatives(loss: str) -> None:
    settings = dict(loss_cls=LOSSES[loss])
    composite = dict(
        f1_form="soft", f1_negatives="joint", f1_share=0.4, beta=2.0, w_cls=1.7, w_dense=0.0,
        gamma=1.0,
    )  # fmt: skip
    head = make_head(
        "CompositeBBoxHead", loss_composite=composite, neg_ratio=0.9, min_neg=1, **settings
    )
    rois = make_rois(num_pos=5, num_neg=9)
    losses = losses_of(head, rois)
    assert losses["num_pos"] == 5
    assert losses["num_neg"] == 4  # floor(0.9 * 5)

    scores, _ = head(rois["feats"])
    probs = scores.softmax(1)[:, :-1] if loss == "softmax" else scores.sigmoid()
    logits = probs.double().logit()
    picked = 5 + hardest(logits[5:14].amax(1), 4)
    expected = CompositeLoss(**composite, box_form=None)(
        logits[:5], rois["labels"][:5], logits[picked], box_sum=torch.zeros((), dtype=torch.double)
    )
    for name in ("loss_cls", "cls_pos", "cls_neg", "f1_pos", "f1_neg"):
        torch.testing.assert_close(losses[name].double(), expected[name], rtol=1e-4, atol=1e-6)
        assert expected[name] > 0


def test_weights_of_the_terms_add_up() -> None:
    rois = make_rois()

    def loss_cls(**composite: float) -> Tensor:
        return losses_of(make_head("CompositeBBoxHead", loss_composite=composite), rois)["loss_cls"]

    off = dict(w_dense=0.0, w_cls=0.0)
    dense, mined = (loss_cls(**{**off, name: 1.0}) for name in off)
    assert min(dense, mined) > 0
    torch.testing.assert_close(loss_cls(w_dense=0.5, w_cls=3.0), 0.5 * dense + 3 * mined)


def test_ranks_where_told_so() -> None:
    composite = dict(f1_form="ranked", f1_share=1.0, w_dense=0.0, w_cls=0.3)
    losses = losses_of(make_head("CompositeBBoxHead", loss_composite=composite), make_rois())
    assert losses["rank"] > 0
    torch.testing.assert_close(losses["loss_cls"].detach(), 0.3 * losses["rank"])


def test_defaults_are_a_quarter_of_the_combination_without_ranking() -> None:
    losses = losses_of(make_head("CompositeBBoxHead"), make_rois())
    assert "rank" not in losses
    assert losses["f1_pos"] == losses["f1_neg"]  # one F1 over both sets
    dense = losses_of(make_head("CompositeBBoxHead", loss_composite=PLAIN), make_rois())
    loss_cls, f1 = (losses["cls_pos"] + 0.1) * (losses["cls_neg"] + 0.1), losses["f1_pos"] + 0.1
    combined = loss_cls ** (0.5 * 0.8) * f1**0.2 - 0.1
    expected = dense["loss_cls"] + 0.25 * combined
    torch.testing.assert_close(losses["loss_cls"].detach(), expected.detach())


def test_the_papers_mean_brings_its_share() -> None:
    paper = dict(mean="paper", w_dense=1.0)
    given, alone = (
        losses_of(make_head("CompositeBBoxHead", loss_composite=settings), make_rois())
        for settings in ({**paper, "f1_share": 0.5}, paper)
    )
    assert given["f1_pos"] > 0
    torch.testing.assert_close(alone["loss_cls"], given["loss_cls"])


@pytest.mark.parametrize(
    ("settings", "num_neg"), [(dict(min_neg=1), 6), (dict(neg_ratio="all"), 9)]
)
def test_number_of_hard_negatives(settings: dict[str, float], num_neg: int) -> None:
    rois = make_rois(num_pos=2, num_neg=9, num_ignored=2)
    assert losses_of(make_head("CompositeBBoxHead", **settings), rois)["num_neg"] == num_neg


def test_composite_box_form_is_divided_by_the_positives() -> None:
    rois = make_rois(num_pos=5)
    head = make_head(
        "CompositeBBoxHead", loss_composite=dict(box_form="huber", delta=0.4, w_box=3.0)
    )
    _, bbox_pred = head(rois["feats"])
    labels = rois["labels"][:5]
    pred = bbox_pred.view(len(bbox_pred), NUM_CLASSES, 4)[torch.arange(5), labels]
    dist = (pred - rois["bbox_targets"][:5]).abs()
    huber = torch.where(dist <= 0.4, 0.5 * dist**2, 0.4 * (dist - 0.2))
    expected = 3.0 * huber.sum() / 5
    torch.testing.assert_close(losses_of(head, rois)["loss_bbox"], expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_gives_a_sampler_one_loss_per_roi(loss: str) -> None:
    settings = dict(loss_cls=LOSSES[loss])
    rois = make_rois()
    given = {k: rois[k] for k in ("rois", "labels", "label_weights")}
    found = []
    for type_ in ("CompositeBBoxHead", "Shared2FCBBoxHead"):
        head = make_head(type_, **settings)
        cls_score, _ = head(rois["feats"])
        losses = head.loss(
            cls_score=cls_score,
            bbox_pred=None,
            bbox_targets=None,
            bbox_weights=None,
            reduction_override="none",
            **given,
        )
        found.append(losses["loss_cls"])
    ours, theirs = found
    assert ours.shape == (16,)
    torch.testing.assert_close(ours, theirs if theirs.dim() == 1 else theirs.sum(1))


def test_a_samplers_question_is_no_training_step() -> None:
    head = make_head("CompositeBBoxHead", loss_composite=dict(warmup_iters=4))
    rois = make_rois()
    losses_of(head, rois, reduction_override="none")
    assert head.loss_composite.num_iters == 0
    losses_of(head, rois)
    assert head.loss_composite.num_iters == 1


@pytest.mark.parametrize("num_pos", [0, 2])
@pytest.mark.parametrize("num_neg", [0, 2])
@pytest.mark.parametrize("box_form", [None, "smooth_l1"])
@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_empty_sets_give_finite_losses_and_gradients(
    num_pos: int, num_neg: int, box_form: str | None, loss: str
) -> None:
    head = make_head(
        "CompositeBBoxHead", loss_composite=dict(box_form=box_form), loss_cls=LOSSES[loss]
    )
    losses = losses_of(head, make_rois(num_pos, num_neg, num_ignored=0))
    backward(losses)
    assert all(torch.isfinite(p.grad).all() for p in head.parameters())
    assert (losses["loss_bbox"] > 0) == (num_pos > 0)
    assert (losses["loss_cls"] > 0) == (num_pos + num_neg > 0)


def test_only_losses_join_the_objective() -> None:
    losses = losses_of(make_head("CompositeBBoxHead"), make_rois())
    assert {name for name in losses if "loss" in name} == {"loss_cls", "loss_bbox"}
    assert all(not v.requires_grad for name, v in losses.items() if "loss" not in name)


def test_autocast_changes_nothing_but_the_layers() -> None:
    head, rois = make_head("CompositeBBoxHead"), make_rois()
    cls_score, bbox_pred = head(rois["feats"])
    rest = {k: v for k, v in rois.items() if k != "feats"}
    expected = head.loss(cls_score.bfloat16().float(), bbox_pred.bfloat16().float(), **rest)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = head.loss(cls_score.bfloat16(), bbox_pred.bfloat16(), **rest)
    for name in ("loss_cls", "loss_bbox", "cls_pos", "f1_neg"):
        assert actual[name].dtype == torch.float32
        torch.testing.assert_close(actual[name], expected[name])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["cls_score", "bbox_pred"])
def test_a_bad_prediction_is_named(name: str, value: float) -> None:
    head, rois = make_head("CompositeBBoxHead"), make_rois()
    preds = dict(zip(("cls_score", "bbox_pred"), head(rois["feats"]), strict=True))
    preds[name] = preds[name].clone()
    preds[name][2, 1] = value
    with pytest.raises(FloatingPointError, match=f"{name}: 1 of"):
        head.loss(**preds, **{k: v for k, v in rois.items() if k != "feats"})


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        (dict(neg_ratio=-1), ValueError, "neg_ratio"),
        (dict(min_neg=0.5), TypeError, "min_neg"),
        (dict(loss_composite=dict(gama=2.0)), TypeError, "gama"),
        (dict(with_reg=False), ValueError, "with_reg=False leaves no boxes"),
        (dict(loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True)), ValueError, "CustomLoss"),
        (dict(loss_cls=dict(type="FocalLoss", use_sigmoid=True)), ValueError, "4 columns for 3"),
        (dict(loss_composite=dict(dense_gamma=1.0)), ValueError, "dense_gamma.*loss_cls"),
        (dict(negratio=1), TypeError, "negratio"),
    ],
)
def test_refuses_bad_settings(settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make_head("CompositeBBoxHead", **settings)
