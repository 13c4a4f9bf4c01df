"""CompositeRetinaHead: mmdet's head when told so, and its own loss otherwise."""

import copy
import warnings
from typing import Any

import pytest
import torch
from helpers_heads import Case, grads, head_cfg, make_case, make_head, objects, spread_weights
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from mmthermal.losses import CompositeLoss

KEYS = {
    "loss_cls", "loss_bbox", "dense", "combined", "cls_pos", "cls_neg", "rank", "num_pos",
    "num_neg",
}  # fmt: skip

BOX_CASES = {
    "l1": (dict(), dict()),
    "smooth_l1": (
        dict(loss_bbox=dict(type="SmoothL1Loss", beta=0.11, loss_weight=2.0)),
        dict(delta=0.11),
    ),
    "own_l1": (dict(), dict(box_form=None)),
    "decoded_giou": (
        dict(reg_decoded_bbox=True, loss_bbox=dict(type="GIoULoss", loss_weight=2.0)),
        dict(),
    ),
    "decoded_ciou_named": (
        dict(reg_decoded_bbox=True, loss_bbox=dict(type="CIoULoss", loss_weight=3.0)),
        dict(box_form=None, w_box=1.0),
    ),
    "dense_weight_and_gamma": (
        dict(loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=1.5, alpha=0.4)),
        dict(dense_alpha=0.4, dense_gamma=1.5),
    ),
    "w_box": (dict(loss_bbox=dict(type="L1Loss", loss_weight=0.7)), dict(w_box=0.7)),
    "positives_weigh_three": (dict(train_cfg=dict(pos_weight=3.0)), dict()),
}


def run(head: torch.nn.Module, case: Case) -> dict[str, float]:
    """Losses, after a backward pass of all that join the objective."""
    head.zero_grad()
    losses = case.loss(head)
    sum(value for key, value in losses.items() if "loss" in key).backward()
    return {key: value.item() for key, value in losses.items()}


@pytest.mark.parametrize("empty", ["none", "some", "all"])
@pytest.mark.parametrize("name", BOX_CASES)
def test_without_composite_it_is_mmdets_head(name: str, empty: str) -> None:
    overrides, loss = BOX_CASES[name]
    cfg = head_cfg(**copy.deepcopy(overrides))
    theirs = MODELS.build(dict(type="RetinaHead", **copy.deepcopy(cfg)))
    spread_weights(theirs)
    ours = MODELS.build(
        dict(
            type="CompositeRetinaHead",
            loss_composite=dict(w_cls=0, count_empty=True, **loss),
            **copy.deepcopy(cfg),
        )
    )
    # mmdet's checkpoint is complete but for the counter of iterations
    missing = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert missing.missing_keys == ["loss_composite.num_iters"]
    assert missing.unexpected_keys == []
    case = make_case(empty=empty)
    expected, actual = run(theirs, case), run(ours, case)
    if empty != "all":
        assert expected["loss_bbox"] > 0.1
    for key in ("loss_cls", "loss_bbox"):
        assert actual[key] == pytest.approx(expected[key], rel=2e-6, abs=1e-9)
    expected_grads = grads(theirs)
    for key, grad in grads(ours).items():
        scale = expected_grads[key].abs().max().item()
        torch.testing.assert_close(grad, expected_grads[key], rtol=2e-5, atol=2e-6 * scale)
        assert scale > 0 or empty == "all"


def test_w_dense_scales_only_the_dense_term() -> None:
    case = make_case()
    one = run(make_head(loss_composite=dict(w_cls=0, w_dense=1.0)), case)
    half = run(make_head(loss_composite=dict(w_cls=0, w_dense=0.5)), case)
    assert half["loss_cls"] == pytest.approx(0.5 * one["loss_cls"], rel=1e-6)
    assert half["loss_bbox"] == one["loss_bbox"]
    both = run(make_head(loss_composite=dict(w_cls=1.0, w_dense=1.0)), case)
    alone = run(make_head(loss_composite=dict(w_cls=1.0, w_dense=0.0)), case)
    assert both["loss_cls"] == pytest.approx(one["loss_cls"] + alone["loss_cls"], rel=1e-6)


def test_terms_are_those_of_the_picks_in_mmdets_order() -> None:
    """The head's parts equal CompositeLoss on rows picked from mmdet's own flattening."""
    case, head = make_case(empty="none"), make_head(loss_composite=dict(w_dense=0.0, w_cls=1.0))
    scores, boxes = head(case.feats)
    anchors, valid = head.get_anchors([s.shape[-2:] for s in scores], case.metas, "cpu")
    labels, weights, targets, _, avg_factor = head.get_targets(
        anchors, valid, case.gts, case.metas, batch_gt_instances_ignore=case.ignored
    )

    def flat(levels: list[torch.Tensor], dim: int) -> torch.Tensor:
        images = [x.permute(0, 2, 3, 1).reshape(3, -1, dim) for x in levels]
        return torch.cat(images, 1).flatten(0, 1)

    logits, deltas = flat(scores, 3), flat(boxes, 4)
    label, weight = torch.cat(labels, 1).flatten(), torch.cat(weights, 1).flatten()
    pos = (label < 3).nonzero().squeeze(1)
    order = sorted(
        ((label == 3) & (weight > 0)).nonzero().squeeze(1).tolist(),
        key=lambda i: (-logits[i].max().item(), i),
    )
    neg = torch.tensor(order[: 3 * len(pos)])
    expected = CompositeLoss(w_dense=0.0, w_cls=1.0)(
        logits[pos],
        label[pos],
        logits[neg],
        box_sum=(deltas[pos] - torch.cat(targets, 1).flatten(0, 1)[pos]).abs().sum(),
        avg_factor=avg_factor,
    )
    actual = case.loss(head)
    assert actual["num_pos"] == len(pos) > 10
    assert actual["num_neg"] == 3 * len(pos)
    for key in KEYS:
        torch.testing.assert_close(actual[key], expected[key], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("scope", ["batch", "image"])
@pytest.mark.parametrize("min_neg", [0, 16])
@pytest.mark.parametrize("w_dense", [0.0, 1.0])
@pytest.mark.parametrize("mean", ["shifted", "paper"])
@pytest.mark.parametrize("empty", ["none", "some", "all"])
def test_empty_grid(empty: str, mean: str, w_dense: float, min_neg: int, scope: str) -> None:
    head = make_head(
        loss_composite=dict(mean=mean, w_dense=w_dense, w_cls=1.0),
        train_cfg=dict(sampler=dict(type="HardNegativeMiner", min_neg=min_neg, scope=scope)),
    )
    losses = run(head, make_case(empty=empty))
    assert set(losses) == KEYS
    assert all(torch.isfinite(torch.tensor(value)) for value in losses.values())
    for name, grad in grads(head).items():
        assert grad is not None and torch.isfinite(grad).all(), name
    if empty == "all":
        assert losses["loss_bbox"] == 0
        assert losses["num_pos"] == 0
        assert losses["num_neg"] == 3 * min_neg
        assert (losses["loss_cls"] > 0) == (min_neg > 0 or w_dense > 0)
        assert all(
            float(head.get_parameter(f"retina_reg.{k}").grad.abs().max()) == 0
            for k in ("weight", "bias")
        )
    else:
        assert losses["loss_bbox"] > 0
        assert losses["num_pos"] > 0
        assert losses["loss_cls"] > 0
        for name, grad in grads(head).items():
            assert grad.abs().max() > 0, name


def test_without_positives_the_loss_is_that_of_the_negatives() -> None:
    head = make_head(loss_composite=dict(w_dense=0.0, w_cls=0.5))
    losses = run(head, make_case(empty="all"))
    assert losses["loss_cls"] == pytest.approx(0.5 * losses["cls_neg"], rel=1e-6)


@pytest.mark.parametrize("num_classes", [1, 3, 80])
@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize(
    ("f_term", "settings"),
    [
        ("rank", dict()),
        ("f1_pos", dict(f1_form="soft")),
        ("f1_pos", dict(f1_form="soft", f1_average="macro")),
    ],
    ids=["ranked", "micro", "macro"],
)
def test_class_and_image_counts(
    num_classes: int, images: int, f_term: str, settings: dict[str, str]
) -> None:
    case = make_case(images=images)
    for gt in case.gts:
        gt.labels = gt.labels.clamp(max=num_classes - 1)
    head = make_head(num_classes=num_classes, loss_composite=settings)
    losses = run(head, case)
    assert losses["num_neg"] == 3 * losses["num_pos"] > 0
    assert 0 < losses[f_term] < 1
    for name, grad in grads(head).items():
        assert torch.isfinite(grad).all() and grad.abs().max() > 0, name


def test_no_annotation_at_all_and_no_ignored_argument() -> None:
    case, head = make_case(empty="all"), make_head()
    losses = head.loss_by_feat(*head(case.feats), case.gts, case.metas)
    assert losses["loss_cls"] > 0 and losses["loss_bbox"] == 0


def test_autocast_computes_the_loss_in_float32() -> None:
    case = make_case()
    head = make_head()
    exact = run(head, case)
    exact_grads = {key: grad.clone() for key, grad in grads(head).items()}
    head.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores, boxes = head(case.feats)
        assert scores[0].dtype == boxes[0].dtype == torch.bfloat16
        losses = head.loss_by_feat(scores, boxes, case.gts, case.metas, case.ignored)
    assert all(value.dtype == torch.float32 for value in losses.values())
    # the convolutions round to 8 bits: what differs stays in that order
    for key in KEYS - {"num_pos", "num_neg"}:
        assert losses[key].item() == pytest.approx(exact[key], rel=2e-2), key
    assert losses["num_pos"] == exact["num_pos"]
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    for name, grad in grads(head).items():
        assert grad.dtype == torch.float32
        error = (grad - exact_grads[name]).norm() / exact_grads[name].norm()
        assert error < 0.05, (name, error)
    # the loss alone, of the same rounded predictions, is exact: nothing inside it is rounded
    again = head.loss_by_feat(
        [s.detach().float() for s in scores], [b.detach().float() for b in boxes],
        case.gts, case.metas, case.ignored,
    )  # fmt: skip
    for key in KEYS - {"num_pos", "num_neg"}:
        torch.testing.assert_close(losses[key].detach(), again[key], rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("which", ["cls_score", "bbox_pred"])
def test_non_finite_predictions_are_named(value: float, which: str) -> None:
    case, head = make_case(), make_head()
    scores, boxes = head(case.feats)
    broken = (scores if which == "cls_score" else boxes)[1]
    with torch.no_grad():
        broken[0, 0, 0, :2] = value
        broken[2, 5, 3, 4] = value
    total = broken.numel()
    before = int(head.loss_composite.num_iters)
    pattern = rf"{which} of level 1 .*: 3 of {total}\b"
    with pytest.raises(FloatingPointError, match=pattern):
        head.loss_by_feat(scores, boxes, case.gts, case.metas, case.ignored)
    assert int(head.loss_composite.num_iters) == before


def test_ignored_anchors_change_nothing() -> None:
    """Predictions on ignored anchors may be anything: no value and no gradient moves."""
    case = make_case()
    head = make_head(
        train_cfg=dict(sampler=dict(type="HardNegativeMiner", ratio="all")),
    )
    scores, boxes = head(case.feats)
    anchors, valid = head.get_anchors([s.shape[-2:] for s in scores], case.metas, "cpu")
    _, weights, *_ = head.get_targets(
        anchors, valid, case.gts, case.metas, batch_gt_instances_ignore=case.ignored
    )
    plain = head.loss_by_feat(scores, boxes, case.gts, case.metas, case.ignored)
    raised, dropped = [], 0
    for score, weight in zip(scores, weights, strict=True):
        anchor_first = score.detach().clone().unflatten(1, (-1, 3))
        ignored = weight.reshape(3, *score.shape[-2:], -1).permute(0, 3, 1, 2) == 0
        dropped += int(ignored.sum())
        anchor_first.permute(0, 1, 3, 4, 2)[ignored] = 50.0
        raised.append(anchor_first.flatten(1, 2).requires_grad_())
    assert dropped > 100  # the crowd box and the band between the two thresholds
    louder = head.loss_by_feat(raised, boxes, case.gts, case.metas, case.ignored)
    for key in KEYS:
        torch.testing.assert_close(louder[key], plain[key].detach(), rtol=1e-6, atol=0)
    louder["loss_cls"].backward()
    for score, weight in zip(raised, weights, strict=True):
        ignored = weight.reshape(3, *score.shape[-2:], -1).permute(0, 3, 1, 2) == 0
        grad = score.grad.unflatten(1, (-1, 3)).permute(0, 1, 3, 4, 2)
        assert grad[ignored].abs().max() == 0
        assert grad[~ignored].abs().max() > 0


def test_repeats_exactly() -> None:
    case = make_case()
    head = make_head()
    with torch.no_grad():  # equal scores everywhere: ties decide what is mined
        head.retina_cls.weight.zero_()
    first = run(head, case)
    first_grads = {key: grad.clone() for key, grad in grads(head).items()}
    for _ in range(3):
        assert run(head, case) == first
        for key, grad in grads(head).items():
            assert torch.equal(grad, first_grads[key])


def test_memory_layout_does_not_matter() -> None:
    case, head = make_case(), make_head()
    plain = run(head, case)
    case.feats = [feat.to(memory_format=torch.channels_last) for feat in case.feats]
    assert run(head, case) == pytest.approx(plain, rel=1e-5)


def test_other_image_sizes_in_one_batch() -> None:
    """Anchors in the padding of a smaller image are no candidates."""
    case = make_case()
    case.metas[2] = dict(img_shape=(40, 48), pad_shape=(40, 48))
    sampler = dict(type="HardNegativeMiner", ratio=float("inf"))
    whole = run(make_head(train_cfg=dict(sampler=sampler)), make_case())
    padded = run(make_head(train_cfg=dict(sampler=sampler)), case)
    assert 0 < padded["num_neg"] < whole["num_neg"] - 1000
    assert padded["num_pos"] <= whole["num_pos"]


def test_prediction_is_mmdets() -> None:
    cfg = head_cfg(
        test_cfg=dict(
            nms_pre=100, min_bbox_size=0, score_thr=0.05,
            nms=dict(type="nms", iou_threshold=0.5), max_per_img=20,
        )
    )  # fmt: skip
    results = []
    for kind in ("RetinaHead", "CompositeRetinaHead"):
        head = MODELS.build(dict(type=kind, **copy.deepcopy(cfg)))
        spread_weights(head)
        case = make_case()
        metas = [dict(meta, scale_factor=(1.0, 1.0), ori_shape=(64, 96)) for meta in case.metas]
        test_cfg = MODELS.build(dict(type=kind, **copy.deepcopy(cfg))).test_cfg
        results.append(
            head.predict_by_feat(
                *head(case.feats), batch_img_metas=metas, cfg=ConfigDict(test_cfg), rescale=False
            )
        )
    for theirs, ours in zip(*results, strict=True):
        assert len(theirs) > 0
        assert torch.equal(theirs.bboxes, ours.bboxes)
        assert torch.equal(theirs.scores, ours.scores)


def test_builds_for_inference_without_train_cfg() -> None:
    cfg = head_cfg()
    cfg["train_cfg"] = None
    head = MODELS.build(dict(type="CompositeRetinaHead", **cfg))
    assert isinstance(head.loss_composite, CompositeLoss)


def test_default_argument_is_not_shared() -> None:
    first, second = make_head(), make_head(loss_composite=dict(w_box=7.0))
    assert first.loss_composite is not make_head().loss_composite
    assert (first.loss_composite.w_box, second.loss_composite.w_box) == (2.0, 7.0)


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (
            dict(loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False)),
            ValueError,
            "use_sigmoid=True",
        ),
        (
            dict(train_cfg=dict(sampler=dict(type="RandomSampler", num=64, pos_fraction=0.5))),
            ValueError,
            "train_cfg.sampler is a RandomSampler.*HardNegativeMiner",
        ),
        (dict(loss_composite=dict(w_clss=1.0)), TypeError, "w_clss"),
        (dict(loss_composite=dict(mean="geometric")), ValueError, "mean='geometric': choose"),
        (dict(loss_composite=dict(type="FocalLoss", w_cls=1.0)), TypeError, "w_cls"),
        (
            dict(train_cfg=dict(sampler=dict(type="HardNegativeMiner", ration=3))),
            TypeError,
            "ration",
        ),
        (
            dict(train_cfg=dict(alowed_border=-1)),
            ValueError,
            "'alowed_border'.*did you mean 'allowed_border'",
        ),
        (
            dict(train_cfg=dict(hard_negatives=True)),
            ValueError,
            "'hard_negatives', which CompositeRetinaHead doesn't read",
        ),
        (dict(loss_compsite=dict()), TypeError, "loss_compsite"),
    ],
)
def test_refuses_wrong_settings(
    overrides: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_head(**overrides)


def test_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        case = make_case()
        case.gts[1] = objects([], [])
        run(make_head(), case)
