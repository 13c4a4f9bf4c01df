"""CompositeLoss: the functional layer's result, the schedule, and what a checkpoint keeps."""

import copy
import inspect
import itertools
import pickle
import warnings
from pathlib import Path
from typing import Any

import helpers_ddp
import helpers_processes
import pytest
import reference
import torch
from helpers_data import tiny_config, write_coco
from helpers_learn import overfit
from mmdet.registry import MODELS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmthermal.common.safe_loading import load_file
from mmthermal.functional.box import box_loss
from mmthermal.functional.combined import combined_from_sums, combined_sums
from mmthermal.functional.focal import focal_loss_sum
from mmthermal.functional.ranking import ap_loss
from mmthermal.losses import CompositeLoss

PAPER: dict[str, Any] = dict(
    mean="paper", f1_form="soft", w_dense=0, w_box=1, f1_negatives="paper",
    f1_normalize="count", box_form="paper", delta=1,
)  # fmt: skip


def make_batch(num_pos: int = 6, num_neg: int = 18, num_classes: int = 3) -> dict[str, Any]:
    return dict(
        pos_logits=torch.randn(num_pos, num_classes, requires_grad=True),
        pos_labels=torch.randint(num_classes, (num_pos,)),
        neg_logits=torch.randn(num_neg, num_classes, requires_grad=True),
        pred=torch.randn(num_pos, 4, requires_grad=True),
        target=torch.randn(num_pos, 4),
        all_logits=torch.randn(60, num_classes, requires_grad=True),
        all_labels=torch.randint(num_classes + 1, (60,)),
        all_weights=(torch.rand(60) > 0.2).float(),
    )


def call(loss: CompositeLoss, batch: dict[str, Any], **kwargs: Any) -> dict[str, torch.Tensor]:
    return loss(
        batch["pos_logits"],
        batch["pos_labels"],
        batch["neg_logits"],
        box_sum=loss.box_sum(batch["pred"], batch["target"]),
        dense_sum=loss.dense_sum(batch["all_logits"], batch["all_labels"], batch["all_weights"]),
        **kwargs,
    )


SETTINGS: list[dict[str, Any]] = [
    dict(),
    PAPER,
    dict(f1_form="soft", cls_negatives="joint", f1_negatives="ignore"),
    dict(
        f1_form="soft", f1_negatives="joint", f1_share=0.2, f1_average="macro", beta=2.0, shift=0.3,
    ),
    dict(f1_share=0.3, rank_delta=0.5, mean="shifted", shift=0.02, w_cls=1.5),
    dict(f1_share=1.0, w_cls=0.3),
    dict(f1_share=0.0),
    dict(alpha=0.6, gamma=1.0, dense_alpha=0.1, dense_gamma=0.5, w_dense=0.3, w_cls=0.7, w_box=1.5),
    dict(f1_form="soft", box_form="huber", box_norm="vector", delta=0.5, eps=1e-4),
    dict(dense_class_weight=[0.5, 1.0, 2.0]),
]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s) or "defaults")
def test_equals_the_functional_layer(settings: dict[str, Any]) -> None:
    """Value and gradient; each setting reaches the function that it is for."""
    batch = make_batch()
    twin = copy.deepcopy(batch)
    defaults = {k: p.default for k, p in inspect.signature(CompositeLoss).parameters.items()}
    s = {**defaults, **settings}
    pos_weights, neg_weights = torch.rand(6), torch.rand(18)
    actual = call(
        CompositeLoss(**settings), batch, avg_factor=8.0, pos_weights=pos_weights,
        neg_weights=neg_weights,
    )  # fmt: skip
    sums = combined_sums(
        twin["pos_logits"], twin["pos_labels"], twin["neg_logits"], alpha=s["alpha"],
        gamma=s["gamma"], f1_negatives=s["f1_negatives"], pos_weights=pos_weights,
        neg_weights=neg_weights,
    )  # fmt: skip
    names = (
        "mean", "shift", "f1_share", "cls_negatives", "f1_negatives", "f1_average",
        "f1_normalize", "beta", "eps",
    )  # fmt: skip
    rank = None
    if s["f1_form"] == "ranked":
        rank = ap_loss(
            twin["pos_logits"], twin["pos_labels"], twin["neg_logits"], delta=s["rank_delta"],
            pos_weights=pos_weights, neg_weights=neg_weights,
        )  # fmt: skip
    parts = combined_from_sums(sums, rank_loss=rank, **{name: s[name] for name in names})
    dense = focal_loss_sum(
        twin["all_logits"], twin["all_labels"], twin["all_weights"], alpha=s["dense_alpha"],
        gamma=s["dense_gamma"], class_weight=s["dense_class_weight"],
    )  # fmt: skip
    box = box_loss(
        twin["pred"], twin["target"], form=s["box_form"], norm=s["box_norm"], delta=s["delta"]
    ).sum()
    expected = dict(
        loss_cls=s["w_dense"] * dense / 8 + s["w_cls"] * parts.combined,
        loss_bbox=s["w_box"] * box / 6,
        dense=dense / 8,
        combined=parts.combined,
        cls_pos=parts.cls_pos,
        cls_neg=parts.cls_neg,
        num_pos=torch.tensor(6.0),
        num_neg=torch.tensor(18.0),
    )
    if rank is None:
        expected.update(f1_pos=parts.f1_pos, f1_neg=parts.f1_neg)
    elif s["f1_share"]:
        expected["rank"] = rank
    assert actual.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(actual[key].detach(), value.detach(), rtol=1e-6, atol=1e-7)
    (actual["loss_cls"] + actual["loss_bbox"]).backward()
    (expected["loss_cls"] + expected["loss_bbox"]).backward()
    for name in ("pos_logits", "neg_logits", "pred", "all_logits"):
        ours, theirs = batch[name].grad, twin[name].grad
        if theirs is None:
            theirs = torch.zeros_like(ours)
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-8)


def test_paper_settings_give_the_papers_algorithm() -> None:
    """The settings of the class docstring, against the slow reference in Python floats."""
    batch = make_batch()
    actual = call(CompositeLoss(**PAPER), batch)
    pos, neg = batch["pos_logits"].tolist(), batch["neg_logits"].tolist()
    labels = batch["pos_labels"].tolist()
    cls_pos = sum(
        reference.focal(x, k == y)
        for row, y in zip(pos, labels, strict=True)
        for k, x in enumerate(row)
    ) / len(pos)
    cls_neg = sum(reference.focal(x, False) for row in neg for x in row) / len(neg)
    probs = [[reference.sigmoid(x) for x in row] for row in pos]
    targets = [reference.one_hot(y, 3) for y in labels]
    f1_pos = (1 - reference.f_beta(probs, targets)) / len(pos)
    f1_neg = 1 / len(neg)  # no class is true on a negative: F1 is 0
    combined = ((cls_pos * cls_neg) ** 0.5 * (f1_pos * f1_neg) ** 0.5) ** 0.5
    box = sum(
        reference.box_loss(p, t)
        for p, t in zip(batch["pred"].tolist(), batch["target"].tolist(), strict=True)
    ) / len(pos)
    assert actual["loss_cls"].item() == pytest.approx(combined, rel=1e-5)
    assert actual["loss_bbox"].item() == pytest.approx(box, rel=1e-5)
    assert actual["f1_neg"].item() == pytest.approx(f1_neg, rel=1e-6)


def test_logged_parts_stay_out_of_the_objective() -> None:
    """mmengine adds up every key that contains 'loss', and wants float tensors."""
    losses = call(CompositeLoss(), make_batch())
    for key, value in losses.items():
        assert value.dim() == 0 and value.dtype == torch.float32
        assert value.requires_grad == ("loss" in key) == key.startswith("loss_")


@pytest.mark.parametrize(("count_empty", "divisor"), [(False, 6), (True, 9)])
def test_count_empty_chooses_the_divisor_of_the_box_term(count_empty: bool, divisor: int) -> None:
    batch = make_batch()
    loss = CompositeLoss(count_empty=count_empty)
    box = loss.box_sum(batch["pred"], batch["target"]).item()
    actual = call(loss, batch, avg_factor=9.0)["loss_bbox"].item()
    assert actual == pytest.approx(2.0 * box / divisor, rel=1e-6)


@pytest.mark.parametrize("num_pos", [0, 2])
@pytest.mark.parametrize("num_neg", [0, 2])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s) or "defaults")
def test_empty_grid(settings: dict[str, Any], num_pos: int, num_neg: int) -> None:
    batch = make_batch(num_pos, num_neg)
    losses = call(CompositeLoss(**settings), batch)
    assert all(torch.isfinite(value) for value in losses.values())
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    for name in ("pos_logits", "neg_logits", "pred", "all_logits"):
        assert batch[name].grad is not None and torch.isfinite(batch[name].grad).all(), name
    assert (losses["loss_bbox"] > 0) == (num_pos > 0)


# ------------------------------------------------------------------- schedule


def walk(loss: CompositeLoss, number: int) -> list[tuple[float, float]]:
    weights = []
    for _ in range(number):
        weights.append(loss.schedule())
        call(loss, make_batch())
    return weights


def test_schedule_without_warmup_is_constant() -> None:
    loss = CompositeLoss(w_dense=0.5, w_cls=2.0)
    assert walk(loss, 3) == [(0.5, 2.0)] * 3


def test_schedule_holds_then_goes_linearly_to_the_settings() -> None:
    loss = CompositeLoss(w_dense=0.0, w_cls=2.0, warmup_iters=2, ramp_iters=3)
    # two calls of warm-up; the ramp takes steps of 1/4, so that none repeats either end
    expected = [(1.0, 0.0)] * 2 + [(0.75, 0.5), (0.5, 1.0), (0.25, 1.5)]
    expected += [(0.0, 2.0)] * 3
    assert sum(walk(loss, 8), ()) == pytest.approx(sum(expected, ()))


def test_schedule_jumps_without_ramp_and_ramps_without_warmup() -> None:
    jump = walk(CompositeLoss(w_dense=0.5, w_cls=1.0, warmup_iters=1), 3)
    assert jump == [(1, 0), (0.5, 1), (0.5, 1)]
    ramp = walk(CompositeLoss(w_dense=3.0, w_cls=1.0, ramp_iters=1), 3)
    assert ramp == [(2, 0.5), (3, 1), (3, 1)]


def test_forward_uses_the_weights_of_its_call() -> None:
    batch = make_batch()
    loss = CompositeLoss(w_dense=0.0, w_cls=1.0, warmup_iters=1, ramp_iters=1)
    values = [call(loss, batch)["loss_cls"].item() for _ in range(4)]
    dense = call(CompositeLoss(w_cls=0.0), batch)["loss_cls"].item()
    full = call(CompositeLoss(w_dense=0.0, w_cls=1.0), batch)["loss_cls"].item()
    assert values == pytest.approx([dense, (dense + full) / 2, full, full], rel=1e-6)
    assert dense != pytest.approx(full, rel=0.1)


def test_every_part_of_the_default_is_alive() -> None:
    """The paper's structure: both sides of both means move the loss, and so does the F term."""
    loss = CompositeLoss()
    assert min(loss.w_dense, loss.w_cls, loss.w_box) > 0
    assert loss.f1_form == "ranked" and 0 < loss.combine["f1_share"] < 1
    assert loss.combine["cls_negatives"] == "separate"
    batch = make_batch()
    losses = call(loss, batch)
    for part in ("dense", "combined", "cls_pos", "cls_neg", "rank"):
        assert losses[part] > 0, part
    easier = {**batch, "neg_logits": batch["neg_logits"] - 2.0}
    assert call(loss, easier)["cls_neg"] < losses["cls_neg"]
    assert call(loss, easier)["rank"] < losses["rank"]
    assert call(loss, easier)["combined"] < losses["combined"]


def test_share_1_is_the_ranking_loss_alone() -> None:
    """The loss that won before (``w_rank=0.3``), with the weights of the samples."""
    batch = make_batch()
    weights = dict(pos_weights=torch.rand(6), neg_weights=torch.rand(18))
    without = call(CompositeLoss(w_cls=0.0), batch, **weights)
    losses = call(CompositeLoss(w_cls=0.3, f1_share=1.0, rank_delta=0.7), batch, **weights)
    rows = (batch["pos_logits"], batch["pos_labels"], batch["neg_logits"])
    expected = ap_loss(*rows, delta=0.7, **weights)
    assert losses["rank"].item() == pytest.approx(expected.item())
    assert not losses["rank"].requires_grad
    added = losses["loss_cls"] - without["loss_cls"]
    assert added.item() == pytest.approx(0.3 * expected.item(), rel=1e-5)
    assert "rank" not in without and "combined" not in without


def test_evaluation_does_not_count() -> None:
    loss = CompositeLoss(warmup_iters=5)
    loss.eval()
    call(loss, make_batch())
    assert int(loss.num_iters) == 0
    loss.train()
    call(loss, make_batch())
    assert int(loss.num_iters) == 1


def test_dense_sum_may_be_left_out_only_where_it_has_no_weight() -> None:
    batch = make_batch()
    args = (batch["pos_logits"], batch["pos_labels"], batch["neg_logits"])
    box = torch.zeros(())
    CompositeLoss(w_dense=0.0)(*args, box_sum=box)
    with pytest.raises(ValueError, match=r"w_dense is 1\.0, but dense_sum is None"):
        CompositeLoss()(*args, box_sum=box)


def test_counter_travels_in_the_state_dict() -> None:
    loss = CompositeLoss(warmup_iters=2, ramp_iters=4, w_dense=0.0, w_cls=1.0)
    walk(loss, 4)
    fresh = CompositeLoss(warmup_iters=2, ramp_iters=4, w_dense=0.0, w_cls=1.0)
    assert fresh.schedule() == (1.0, 0.0)
    fresh.load_state_dict(loss.state_dict())
    assert fresh.schedule() == loss.schedule() == pytest.approx((0.4, 0.6))


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_survives_copies(how: str) -> None:
    loss = CompositeLoss(warmup_iters=1, f1_share=0.3, gamma=1.0)
    call(loss, make_batch())
    twin = pickle.loads(pickle.dumps(loss)) if how == "pickle" else copy.deepcopy(loss)
    batch = make_batch()
    assert int(twin.num_iters) == 1
    for key, value in call(loss, batch).items():
        assert torch.equal(value, call(copy.deepcopy(twin), batch)[key])


def test_builds_from_mmdets_registry() -> None:
    loss = MODELS.build(dict(type="CompositeLoss", w_box=3.0))
    assert type(loss) is CompositeLoss
    assert loss.w_box == 3.0
    assert MODELS.get("mmdet.CompositeLoss") is CompositeLoss


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (dict(gama=2.0), TypeError, "gama"),
        (dict(alpha=1.5), ValueError, r"alpha=1.5: must lie in \[0, 1\]"),
        (dict(dense_alpha=-0.1), ValueError, "dense_alpha=-0.1"),
        (dict(gamma=-1), ValueError, "gamma=-1"),
        (dict(dense_gamma="2"), TypeError, "dense_gamma='2': a number"),
        (dict(dense_class_weight=[1, -1]), ValueError, r"dense_class_weight\[1\]=-1"),
        (dict(beta=0), ValueError, r"beta=0: must lie in \(0"),
        (dict(mean="harmonic"), ValueError, "mean='harmonic': choose one of 'shifted', 'paper'"),
        (dict(shift=0), ValueError, "shift=0"),
        (dict(f1_share=1.1), ValueError, "^f1_share=1.1"),
        (dict(mean="paper", f1_share=0.2), ValueError, "share=0.2 with mean='paper'"),
        (dict(cls_negatives="none"), ValueError, "cls_negatives='none': choose one of"),
        (dict(f1_negatives="foreground"), ValueError, "f1_negatives='foreground'"),
        (dict(f1_average="weighted"), ValueError, "f1_average='weighted'"),
        (dict(f1_normalize="sum"), ValueError, "f1_normalize='sum'"),
        (dict(eps=0), ValueError, "eps=0"),
        (dict(box_form="giou"), ValueError, "box_form='giou': choose one of.*None"),
        (dict(box_norm="l2"), ValueError, "box_norm='l2'"),
        (dict(delta=-1.0), ValueError, "delta=-1.0"),
        (dict(box_form="huber", delta=0), ValueError, "delta=0"),
        (dict(w_dense=-1), ValueError, "w_dense=-1"),
        (dict(w_cls=float("nan")), ValueError, "w_cls=nan"),
        (dict(w_rank=0.3), TypeError, "w_rank"),
        (dict(f1_form="hard"), ValueError, "f1_form='hard': choose one of 'ranked', 'soft'"),
        (dict(beta=2.0), ValueError, "beta=2.0 is not read with f1_form='ranked'"),
        (dict(f1_negatives="joint"), ValueError, "f1_negatives='joint' is not read"),
        (dict(f1_average="macro"), ValueError, "f1_average='macro' is not read"),
        (dict(f1_normalize="count"), ValueError, "f1_normalize='count' is not read"),
        (dict(f1_form="soft", rank_delta=2.0), ValueError, "rank_delta=2.0 is not read with"),
        (dict(mean="paper", shift=5.0), ValueError, "shift=5.0 is not read with mean='paper'"),
        (dict(box_form=None, delta=1.0), ValueError, "delta=1.0 is not read with box_form=None"),
        (dict(box_form=None, box_norm="vector"), ValueError, "box_norm='vector' is not read"),
        (dict(rank_delta=0), ValueError, r"rank_delta=0: must lie in \(0"),
        (dict(w_box=float("inf")), ValueError, "w_box=inf"),
        (dict(w_box=True), TypeError, "w_box=True"),
        (dict(warmup_iters=1.5), TypeError, "warmup_iters=1.5: an integer"),
        (dict(ramp_iters=-1), ValueError, "ramp_iters=-1"),
    ],
)
def test_refuses_wrong_settings(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        MODELS.build(dict(type="CompositeLoss", **settings))


@pytest.mark.parametrize(("delta", "warns"), [(0, False), (0.5, True), (1, False), (2.0, True)])
def test_papers_box_loss_warns_where_it_jumps(delta: float, warns: bool) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CompositeLoss(box_form="paper", delta=delta)
    assert [str(w.message)[:24] for w in caught] == ["box_form='paper' jumps a"] * warns


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        (dict(w_dense=0, w_cls=1), True),
        (dict(w_dense=0, w_cls=1, warmup_iters=200), True),
        (dict(w_dense=1, w_cls=1), False),
        (dict(w_dense=0, w_cls=0), False),
        (dict(w_dense=0, w_cls=1, cls_negatives="joint"), False),
    ],
)
def test_papers_mean_warns_without_the_dense_term(settings: dict[str, Any], warns: bool) -> None:
    """Only where "all is background" is its least value."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CompositeLoss(mean="paper", **settings)
    assert [str(w.message)[:25] for w in caught] == ["mean='paper' with w_dense"] * warns


# --------------------------------------------------------------- two processes


def test_two_processes_give_the_gradient_of_one(tmp_path: Path) -> None:
    settings = [
        dict(),
        dict(f1_share=1.0, w_cls=0.3),
        dict(f1_form="soft", w_dense=0.0, count_empty=True),
        dict(f1_form="soft", w_dense=0.0, mean="paper", f1_negatives="joint", f1_average="macro"),
        dict(f1_form="soft", cls_negatives="joint", f1_normalize="count", gamma=0.5),
    ]
    numbers = [((5, 0), (9, 4)), ((4, 3), (2, 11)), ((0, 0), (3, 3)), ((6, 1), (0, 0))]
    cases = [(s, *n) for s, n in itertools.product(settings, numbers)]
    ranks = helpers_processes.results(helpers_ddp.work, 2, tmp_path, cases)
    for (kwargs, num_pos, num_neg), *results in zip(cases, *ranks, strict=True):
        weight = helpers_ddp.start_weight()
        batch = helpers_ddp.joined(helpers_ddp.split_batch(num_pos, num_neg))
        losses = helpers_ddp.forward(kwargs, batch, weight)
        (losses["loss_cls"] + losses["loss_bbox"]).backward()
        assert weight.grad.abs().max() > 0
        for grad, theirs in results:
            torch.testing.assert_close(grad, weight.grad, rtol=1e-5, atol=1e-7)
            for key, value in losses.items():
                torch.testing.assert_close(theirs[key], value.detach(), rtol=1e-5, atol=1e-7)


# ---------------------------------------------------------------------- resume


class Recorder(Hook):
    """Keeps the log of every training iteration."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def after_train_iter(self, runner: Runner, batch_idx: int, **kwargs: Any) -> None:
        self.seen.append({k: float(v) for k, v in kwargs["outputs"].items()})


def train(root: Path, work_dir: Path, *, epochs: int, resume: bool = False) -> list[dict]:
    """Log of each iteration of a real training; two iterations an epoch."""
    cfg = tiny_config("retinanet/retina_composite_hituav160.py", root)
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f"{work_dir.name}_{epochs}_{resume}"
    cfg.resume = resume
    cfg.train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=epochs, val_interval=100)
    cfg.param_scheduler = [dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=6)]
    cfg.model.bbox_head.loss_composite = dict(w_dense=0.2, warmup_iters=2, ramp_iters=4)
    # draws from the global generator, whose state no checkpoint of mmengine holds
    steps = cfg.train_dataloader.dataset.pipeline
    cfg.train_dataloader.dataset.pipeline = [x for x in steps if "Random" not in x["type"]]
    cfg.log_level = "ERROR"
    runner = Runner.from_cfg(cfg)
    recorder = Recorder()
    runner.register_hook(recorder)
    runner.train()
    return recorder.seen


def test_resumed_training_repeats_the_uninterrupted_one(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        root = write_coco(tmp_path / "data", splits={"train": 8, "val": 2, "test": 1})
        whole = train(root, tmp_path / "whole", epochs=4)
        first = train(root, tmp_path / "cut", epochs=2)  # ends in the middle of the ramp
        second = train(root, tmp_path / "cut", epochs=4, resume=True)
    finally:
        torch.set_num_threads(threads)
    assert len(whole) == 8 and len(first) == 4 and len(second) == 4
    assert first == whole[:4]
    assert second == whole[4:]
    assert len({row["loss_cls"] for row in whole}) == 8
    checkpoint = load_file(tmp_path / "cut" / "epoch_4.pth")
    assert int(checkpoint["state_dict"]["bbox_head.loss_composite.num_iters"]) == 8


# ---------------------------------------------------------------------- learns


@pytest.mark.slow
@pytest.mark.parametrize("settings", [dict(), dict(f1_form="soft")], ids=["ranked", "soft"])
@pytest.mark.parametrize("seed", [0, 1])
def test_learns_from_scratch(tmp_path: Path, seed: int, settings: dict[str, float]) -> None:
    root = write_coco(tmp_path / "data", splits={"train": 8, "val": 1})
    outcome = overfit(root, seed=seed, iters=100, w_dense=1.0, **settings)
    assert outcome.losses[-1] < 0.1 * outcome.losses[0]
    assert outcome.ap50 > 0.9
    if not settings:
        assert outcome.logs["rank"] < 0.05  # 0 where all eight frames are in order
    f_term = ("f1_pos", "f1_neg") if settings else ()
    for part in ("cls_pos", "cls_neg", *f_term, "combined"):
        assert 1e-6 < outcome.logs[part] < 0.99, part


PAPERS_MEAN: dict[str, Any] = dict(mean="paper", f1_form="soft", f1_negatives="paper", w_dense=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("f1_negatives", ["paper", "background"])
def test_papers_mean_collapses_from_scratch(tmp_path: Path, f1_negatives: str) -> None:
    r"""Documented, not wanted: ``sqrt(a b)`` is smallest where one side alone is 0.

    "All background" makes the side of the negatives 0, the product with it, and so the loss: it
    falls as it would in a good training, while every score goes to background.
    """
    root = write_coco(tmp_path / "data", splits={"train": 8, "val": 1})
    outcome = overfit(root, seed=0, iters=100, **{**PAPERS_MEAN, "f1_negatives": f1_negatives})
    assert outcome.losses[-1] < 0.1 * outcome.losses[0]  # looks healthy
    assert outcome.ap50 == 0
    assert outcome.top_score < 0.05  # nothing above the detector's score_thr
    assert outcome.logs["cls_neg"] < 1e-5
    assert outcome.logs["cls_pos"] > 1
    assert outcome.logs["f1_pos"] > 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    "cure",
    [dict(mean="shifted"), dict(warmup_iters=40, ramp_iters=20), dict(w_dense=1.0)],
    ids=["shifted_mean", "warm_up", "dense_term"],
)
def test_cures_of_the_collapse(tmp_path: Path, cure: dict[str, Any]) -> None:
    """Each alone: the shifted mean, a warm-up with the dense focal loss, or keeping that loss."""
    root = write_coco(tmp_path / "data", splits={"train": 8, "val": 1})
    outcome = overfit(root, seed=0, iters=100, **{**PAPERS_MEAN, **cure})
    assert outcome.ap50 > 0.9
    assert outcome.top_score > 0.5


def test_class_weights_are_a_setting_and_not_part_of_a_checkpoint() -> None:
    assert CompositeLoss(dense_class_weight=[1.0, 2.0]).state_dict().keys() == {"num_iters"}


def test_the_same_parts_are_logged_in_the_warmup_and_after_it() -> None:
    loss, batch = CompositeLoss(warmup_iters=1), make_batch()
    assert call(loss, batch).keys() == call(loss, batch).keys()
