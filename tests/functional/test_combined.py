"""The composite: every option against the paper in plain floats, in value and gradient."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmthermal.functional import (
    CombinedParts,
    CombinedSums,
    FBetaCounts,
    box_loss,
    combined_from_sums,
    combined_sums,
    focal_loss,
    mine_hard_negatives,
)

PARTS = ["cls_pos", "cls_neg", "f1_pos", "f1_neg", "combined"]
SIZES = list(itertools.product([0, 2], [0, 2]))
F1_NEGATIVES = ["background", "paper", "joint", "ignore"]
CLS_NEGATIVES = ["separate", "joint"]
NUM_CLASSES = 3


def batch(
    num_pos: int, num_neg: int, num_classes: int = NUM_CLASSES, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of positives, their labels, logits of negatives, float64."""
    maker = torch.Generator().manual_seed(seed)
    pos_logits = torch.randn(num_pos, num_classes, generator=maker, dtype=torch.float64)
    labels = torch.randint(0, num_classes, (num_pos,), generator=maker)
    neg_logits = torch.randn(num_neg, num_classes, generator=maker, dtype=torch.float64)
    return pos_logits * 2, labels, neg_logits * 2


def parts_of(
    pos_logits: Tensor,
    labels: Tensor,
    neg_logits: Tensor,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    weights: tuple[Tensor, Tensor] | tuple[None, None] = (None, None),
    f1_negatives: str = "background",
    **settings: object,
) -> CombinedParts:
    """Both halves of the composite in one call."""
    sums = combined_sums(
        pos_logits,
        labels,
        neg_logits,
        alpha=alpha,
        gamma=gamma,
        f1_negatives=f1_negatives,
        pos_weights=weights[0],
        neg_weights=weights[1],
    )
    return combined_from_sums(sums, f1_negatives=f1_negatives, **settings)


def check_against_reference(
    num_pos: int,
    num_neg: int,
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
    *,
    weighted: bool = False,
    mean: str = "shifted",
    **settings: object,
) -> None:
    """Compare all terms, and the gradient of the combined one, with the reference."""
    pos_logits, labels, neg_logits = batch(num_pos, num_neg)
    pos_logits, neg_logits = (
        x.to(device, dtype).requires_grad_() for x in (pos_logits, neg_logits)
    )
    weights: tuple[Tensor, Tensor] | tuple[None, None] = (None, None)
    lists: dict[str, object] = {}
    if weighted:
        weights = (
            torch.linspace(0.3, 2.0, num_pos).to(device, dtype),
            torch.linspace(1.7, 0.2, num_neg).to(device, dtype),
        )
        lists = {"pos_weights": weights[0].tolist(), "neg_weights": weights[1].tolist()}
    parts = parts_of(
        pos_logits, labels.to(device), neg_logits, weights=weights, mean=mean, **settings
    )
    grads = torch.autograd.grad(parts.combined, (pos_logits, neg_logits))

    def slow(flat: list[float]) -> dict[str, float]:
        rows = [flat[i : i + NUM_CLASSES] for i in range(0, len(flat), NUM_CLASSES)]
        return reference.final_loss(
            rows[:num_pos],
            labels.tolist(),
            rows[num_pos:],
            num_classes=NUM_CLASSES,
            mean_form=mean,
            **lists,
            **settings,
        )

    point = torch.cat([pos_logits, neg_logits]).flatten().tolist()
    expected = slow(point)
    for name in PARTS:
        assert getattr(parts, name).shape == ()
        assert getattr(parts, name).dtype == dtype
        assert_close(getattr(parts, name), expected[name])
    slopes = reference.gradient(lambda flat: slow(flat)["combined"], point, 1e-4)
    assert_close(torch.cat(grads).flatten(), slopes, dtype=torch.float32)


@pytest.mark.parametrize(("num_pos", "num_neg"), SIZES)
@pytest.mark.parametrize("f1_negatives", F1_NEGATIVES)
@pytest.mark.parametrize("cls_negatives", CLS_NEGATIVES)
@pytest.mark.parametrize("f1_normalize", ["none", "count"])
@pytest.mark.parametrize("mean", ["shifted", "paper"])
def test_every_mode_equals_reference(
    num_pos: int,
    num_neg: int,
    f1_negatives: str,
    cls_negatives: str,
    f1_normalize: str,
    mean: str,
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
) -> None:
    check_against_reference(
        num_pos,
        num_neg,
        device,
        dtype,
        assert_close,
        f1_negatives=f1_negatives,
        cls_negatives=cls_negatives,
        f1_normalize=f1_normalize,
        mean=mean,
    )


@pytest.mark.parametrize("f1_negatives", F1_NEGATIVES)
@pytest.mark.parametrize("f1_average", ["micro", "macro"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"beta": 2.0, "eps": 1e-2, "shift": 1.0},
        {"f1_share": 0.2, "alpha": 0.6, "gamma": 0.5},
        {"f1_share": 0, "gamma": 0.0},
        {"f1_share": 1},
        {"mean": "paper", "eps": 0.5},  # above L_f1's product: its floor is the same eps
    ],
)
def test_every_number_equals_reference(
    f1_negatives: str,
    f1_average: str,
    weighted: bool,
    settings: dict[str, object],
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
) -> None:
    check_against_reference(
        5,
        7,
        device,
        dtype,
        assert_close,
        weighted=weighted,
        f1_negatives=f1_negatives,
        f1_average=f1_average,
        **settings,
    )


def boxes(num_pos: int) -> tuple[Tensor, Tensor]:
    """Predicted and true boxes of the positives."""
    maker = torch.Generator().manual_seed(5)
    pred, target = torch.randn(2, num_pos, 4, generator=maker, dtype=torch.float64)
    return pred, target


def pairs(pred: Tensor, target: Tensor) -> list[tuple[list[float], list[float]]]:
    """Boxes as the reference takes them."""
    return list(zip(pred.tolist(), target.tolist(), strict=True))


@pytest.mark.parametrize("r", [1.0, 2.5])
def test_paper_mode_is_algorithm_2(r: float, assert_close: Callable[..., None]) -> None:
    """From all negatives to the final loss, line by line, mining included."""
    pos_logits, labels, all_negatives = batch(4, 30)
    pred, target = boxes(4)
    parameters = [t.requires_grad_() for t in (pos_logits, all_negatives, pred)]
    alpha, gamma, delta, eps, w_cls, w_box = 0.4, 1.5, 0.8, 1e-6, 1.3, 0.7

    scores = focal_loss(all_negatives.detach(), torch.zeros(30, 3), alpha=alpha, gamma=gamma)
    anchors = torch.cat([torch.full((4,), 99.0), scores.sum(1)]).unsqueeze(0)
    positives = (torch.arange(34) < 4).unsqueeze(0)
    mined = mine_hard_negatives(anchors, ~positives, positives, ratio=r, min_neg=0)
    parts = parts_of(
        pos_logits,
        labels,
        all_negatives[mined - 4],
        alpha=alpha,
        gamma=gamma,
        mean="paper",
        f1_negatives="paper",
        f1_normalize="count",
        eps=eps,
    )
    loss = w_cls * parts.combined
    loss = loss + w_box * box_loss(pred, target, delta=delta, form="paper").sum() / 4
    grads = torch.autograd.grad(loss, parameters)

    def slow(flat: list[float]) -> float:
        rows = torch.tensor(flat[:102], dtype=torch.float64).view(34, 3).tolist()
        moved = torch.tensor(flat[102:], dtype=torch.float64).view(4, 4)
        return reference.algorithm_2(
            rows[:4],
            labels.tolist(),
            rows[4:],
            pairs(moved, target),
            r=r,
            alpha=alpha,
            gamma=gamma,
            delta=delta,
            eps=eps,
            w_cls=w_cls,
            w_box=w_box,
        )

    point = torch.cat([p.flatten() for p in parameters]).tolist()
    assert_close(loss, slow(point))
    slopes = reference.gradient(slow, point, 1e-5)
    assert_close(torch.cat([g.flatten() for g in grads]), slopes, dtype=torch.float32)


def test_simple_variant_is_the_appendixs(assert_close: Callable[..., None]) -> None:
    pos_logits, labels, neg_logits = batch(4, 6)
    pred, target = boxes(4)
    parameters = [t.requires_grad_() for t in (pos_logits, neg_logits, pred)]
    parts = parts_of(
        pos_logits,
        labels,
        neg_logits,
        alpha=0.4,
        gamma=1.5,
        mean="paper",
        cls_negatives="joint",
        f1_negatives="ignore",
        beta=2.0,
    )
    loss = parts.combined + box_loss(pred, target, delta=0.8, form="paper").sum() / 4
    grads = torch.autograd.grad(loss, parameters)

    def slow(flat: list[float]) -> float:
        rows = torch.tensor(flat[:30], dtype=torch.float64).view(10, 3).tolist()
        moved = torch.tensor(flat[30:], dtype=torch.float64).view(4, 4)
        return reference.simple_variant(
            rows[:4],
            labels.tolist(),
            rows[4:],
            pairs(moved, target),
            alpha=0.4,
            gamma=1.5,
            delta=0.8,
            beta=2.0,
            eps=1e-6,
        )

    point = torch.cat([p.flatten() for p in parameters]).tolist()
    assert_close(loss, slow(point))
    slopes = reference.gradient(slow, point, 1e-5)
    assert_close(torch.cat([g.flatten() for g in grads]), slopes, dtype=torch.float32)


def test_references_agree_in_papers_mode() -> None:
    """The line-by-line algorithm and the general reference are two readings of one formula."""
    pos_logits, labels, neg_logits = batch(4, 8)
    numbers = {"alpha": 0.3, "gamma": 2.0, "delta": 1.0, "eps": 1e-6, "w_cls": 2.0, "w_box": 3.0}
    data = (pos_logits.tolist(), labels.tolist(), neg_logits.tolist(), pairs(*boxes(4)))
    literal = reference.algorithm_2(*data, r=2.0, **numbers)
    general = reference.final_loss(
        *data,
        form="paper",
        mean_form="paper",
        f1_negatives="paper",
        f1_normalize="count",
        **numbers,
    )
    assert general["final"] == pytest.approx(literal, rel=1e-13)


# --- by hand ------------------------------------------------------------------------------


def test_parts_by_hand() -> None:
    # All logits 0, so p = 1/2; one class. Focal with alpha 1/4, gamma 2 is log 2 / 16 for a
    # positive, 3 log 2 / 16 for a negative. 2 positives: tp 1, fn 1; F1 = 2 / 3. 3 negatives as
    # background: tp 3/2, fn 3/2; F1 = 2 / 3.
    zeros = torch.zeros(2, 1, dtype=torch.float64), torch.tensor([0, 0]), torch.zeros(3, 1).double()
    parts = parts_of(*zeros, eps=1e-12)
    assert parts.cls_pos.item() == pytest.approx(math.log(2) / 16)
    assert parts.cls_neg.item() == pytest.approx(3 * math.log(2) / 16)
    assert parts.f1_pos.item() == pytest.approx(1 / 3)
    assert parts.f1_neg.item() == pytest.approx(1 / 3)
    l_cls = math.sqrt((math.log(2) / 16 + 0.1) * (3 * math.log(2) / 16 + 0.1)) - 0.1
    combined = math.sqrt((l_cls + 0.1) * (1 / 3 + 0.1)) - 0.1
    assert parts.combined.item() == pytest.approx(combined)
    # one F1 over both: tp 1, fn 1, fp 3/2: F1 = 2 / (2 + 1 + 3/2)
    parts = parts_of(*zeros, eps=1e-12, f1_negatives="joint", cls_negatives="joint", f1_share=1)
    assert parts.combined.item() == pytest.approx(1 - 2 / 4.5)
    # sum over both divided by N_pos = 2
    parts = parts_of(*zeros, eps=1e-12, cls_negatives="joint", f1_share=0)
    assert parts.combined.item() == pytest.approx((2 + 3 * 3) * math.log(2) / 16 / 2)


def test_sums_by_hand() -> None:
    pos_logits = torch.tensor([[0.0, math.log(3)], [-math.log(3), 0.0]], dtype=torch.float64)
    neg_logits = torch.tensor([[math.log(3), 0.0]], dtype=torch.float64)
    sums = combined_sums(pos_logits, torch.tensor([1, 0]), neg_logits, f1_negatives="paper")
    # p = [[1/2, 3/4], [1/4, 1/2]], true classes 1 and 0; negative p = [3/4, 1/2]
    assert (sums.num_pos.item(), sums.num_neg.item()) == (2, 1)
    assert sums.f1_pos.tp.tolist() == pytest.approx([1 / 4, 3 / 4])
    assert sums.f1_pos.fp.tolist() == pytest.approx([1 / 2, 1 / 2])
    assert sums.f1_pos.fn.tolist() == pytest.approx([3 / 4, 1 / 4])
    assert sums.f1_pos.support.tolist() == [1, 1]
    assert sums.f1_neg.tp.tolist() == [0, 0]
    assert sums.f1_neg.fp.tolist() == pytest.approx([3 / 4, 1 / 2])
    assert sums.f1_neg.fn.tolist() == [0, 0]
    background = combined_sums(pos_logits, torch.tensor([1, 0]), neg_logits).f1_neg
    assert background.tp.tolist() == pytest.approx([1 / 4, 1 / 2])
    assert background.fp.tolist() == [0, 0]
    assert background.fn.tolist() == pytest.approx([3 / 4, 1 / 2])
    # one negative: 3/4 p^2 softplus(x) = 3/4 ((3/4)^2 log 4 + (1/2)^2 log 2)
    expected = 0.75 * (9 / 16 * math.log(4) + 1 / 4 * math.log(2))
    assert sums.cls_neg.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "best"),
    [
        (dict(mean="paper", f1_negatives="paper"), -4),  # below lies the floor eps
        (dict(mean="paper", f1_share=0.0), -4),
        (dict(mean="paper", cls_negatives="joint", f1_negatives="ignore"), 0),
        (dict(mean="shifted"), 0),
    ],
    ids=["paper", "paper_without_f1", "simple", "shifted"],
)
def test_where_a_trained_detector_is_drawn(settings: dict[str, Any], best: int) -> None:
    """Imperfect scores, all logits shifted alike: the paper's mean is least at the lowest."""
    maker = torch.Generator().manual_seed(0)
    pos = torch.full((300, NUM_CLASSES), -4.0, dtype=torch.float64)
    labels = torch.arange(300) % NUM_CLASSES
    noise = torch.randn(1200, generator=maker, dtype=torch.float64)
    pos[torch.arange(300), labels] = 0.5 + noise[:300]
    neg = torch.full((900, NUM_CLASSES), -4.0, dtype=torch.float64)
    neg[:, 0] = -1.7 + 0.6 * noise[300:]
    shifts = range(-4, 4)
    losses = [float(parts_of(pos + d, labels, neg + d, **settings).combined) for d in shifts]
    assert shifts[losses.index(min(losses))] == best


def test_papers_negative_f1_is_1_without_gradient() -> None:
    pos_logits, labels, neg_logits = batch(3, 5)
    neg_logits.requires_grad_()
    parts = parts_of(pos_logits, labels, neg_logits, f1_negatives="paper")
    assert parts.f1_neg.item() == 1
    (grad,) = torch.autograd.grad(parts.f1_neg, neg_logits)
    assert (grad == 0).all()


@pytest.mark.parametrize("f1_negatives", ["background", "joint"])
def test_negatives_have_a_gradient_through_f1(f1_negatives: str) -> None:
    pos_logits, labels, neg_logits = batch(3, 5)
    neg_logits.requires_grad_()
    parts = parts_of(pos_logits, labels, neg_logits, f1_negatives=f1_negatives)
    (grad,) = torch.autograd.grad(parts.f1_neg, neg_logits)
    assert (grad > 0).all()  # a higher score of a negative is worse


def test_ignored_negatives_leave_f1_alone() -> None:
    pos_logits, labels, neg_logits = batch(3, 5)
    few = parts_of(pos_logits, labels, neg_logits[:1], f1_negatives="ignore", f1_share=1)
    many = parts_of(pos_logits, labels, neg_logits, f1_negatives="ignore", f1_share=1)
    assert few.combined.item() == many.combined.item()


def test_defaults() -> None:
    data = batch(3, 5)
    explicit = parts_of(
        *data,
        alpha=0.25,
        gamma=2.0,
        mean="shifted",
        shift=0.1,
        f1_share=0.5,
        cls_negatives="separate",
        f1_negatives="background",
        f1_average="micro",
        f1_normalize="none",
        beta=1.0,
        eps=1e-6,
    )
    parts = combined_from_sums(combined_sums(*data))
    assert all(torch.equal(getattr(parts, n), getattr(explicit, n)) for n in PARTS)


# --- empty, extreme -----------------------------------------------------------------------


@pytest.mark.parametrize("f1_negatives", F1_NEGATIVES)
@pytest.mark.parametrize("cls_negatives", CLS_NEGATIVES)
@pytest.mark.parametrize("mean", ["shifted", "paper"])
def test_empty_sets(f1_negatives: str, cls_negatives: str, mean: str) -> None:
    settings = {"f1_negatives": f1_negatives, "cls_negatives": cls_negatives, "mean": mean}
    # no positives: the mean classification loss of the negatives
    pos_logits, labels, neg_logits = batch(0, 2)
    parts = parts_of(pos_logits, labels, neg_logits, **settings)
    expected = focal_loss(neg_logits, torch.zeros(2, 3, dtype=torch.float64)).sum() / 2
    torch.testing.assert_close(parts.combined, expected)
    # no negatives: g(cls_pos, f1_pos)
    pos_logits, labels, neg_logits = batch(2, 0)
    parts = parts_of(pos_logits, labels, neg_logits, **settings)
    expected = reference.mean(parts.cls_pos.item(), parts.f1_pos.item(), mean)
    assert parts.combined.item() == pytest.approx(expected, rel=1e-12)
    # neither
    parts = parts_of(*batch(0, 0), **settings)
    assert parts.combined.item() == 0


@pytest.mark.parametrize(("num_pos", "num_neg"), SIZES)
@pytest.mark.parametrize("f1_negatives", F1_NEGATIVES)
@pytest.mark.parametrize("f1_average", ["micro", "macro"])
@pytest.mark.parametrize("mean", ["shifted", "paper"])
@pytest.mark.parametrize("num_classes", [1, 80])
def test_every_prediction_has_a_finite_gradient(
    num_pos: int, num_neg: int, f1_negatives: str, f1_average: str, mean: str, num_classes: int
) -> None:
    pos_logits, labels, neg_logits = batch(num_pos, num_neg, num_classes)
    logits = torch.cat([pos_logits, neg_logits]).float().requires_grad_()
    parts = parts_of(
        logits[:num_pos],
        labels,
        logits[num_pos:],
        f1_negatives=f1_negatives,
        f1_average=f1_average,
        mean=mean,
    )
    assert all(getattr(parts, name).isfinite() for name in PARTS)
    assert parts.combined.requires_grad
    parts.combined.backward()
    assert logits.grad.isfinite().all()
    if num_pos + num_neg:
        assert (logits.grad != 0).any()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("pos", [0.0, 30.0, -30.0, 1e4, -1e4])
@pytest.mark.parametrize("neg", [0.0, 30.0, -30.0, 1e4, -1e4])
@pytest.mark.parametrize("mean", ["shifted", "paper"])
def test_extremes_are_finite(pos: float, neg: float, gamma: float, mean: str) -> None:
    logits = torch.tensor([[pos, -pos], [pos, pos], [neg, neg], [neg, -neg]], requires_grad=True)
    for f1_negatives, cls_negatives in itertools.product(F1_NEGATIVES, CLS_NEGATIVES):
        parts = parts_of(
            logits[:2],
            torch.tensor([0, 1]),
            logits[2:],
            gamma=gamma,
            mean=mean,
            f1_negatives=f1_negatives,
            cls_negatives=cls_negatives,
        )
        (grad,) = torch.autograd.grad(parts.combined, logits)
        assert all(getattr(parts, name).isfinite() for name in PARTS)
        assert grad.isfinite().all()


def test_nan_is_not_hidden() -> None:
    """The check for finite logits is the caller's; here nothing may turn NaN into a number."""
    pos_logits, labels, neg_logits = batch(2, 2)
    neg_logits[1, 1] = math.nan
    assert parts_of(pos_logits, labels, neg_logits).combined.isnan()


@pytest.mark.parametrize("f1_negatives", F1_NEGATIVES)
@pytest.mark.parametrize("cls_negatives", CLS_NEGATIVES)
def test_gradcheck(f1_negatives: str, cls_negatives: str) -> None:
    pos_logits, labels, neg_logits = batch(3, 4)

    def combined(pos: Tensor, neg: Tensor) -> Tensor:
        return parts_of(
            pos, labels, neg, f1_negatives=f1_negatives, cls_negatives=cls_negatives, f1_share=0.3
        ).combined

    assert torch.autograd.gradcheck(
        combined, (pos_logits.requires_grad_(), neg_logits.requires_grad_())
    )


# --- laws ---------------------------------------------------------------------------------

seeds = st.integers(0, 2**16)
sizes = st.integers(0, 6)


@given(seeds, sizes, sizes, st.integers(1, 4), st.sampled_from(F1_NEGATIVES), st.floats(0, 1))
def test_sums_of_parts_are_the_sums_of_the_union(
    seed: int, num_pos: int, num_neg: int, num_classes: int, f1_negatives: str, cut: float
) -> None:
    pos_logits, labels, neg_logits = batch(num_pos, num_neg, num_classes, seed)
    weights = torch.rand(num_pos).double(), torch.rand(num_neg).double()
    i, j = int(cut * num_pos), int((1 - cut) * num_neg)

    def sums(pos: slice, neg: slice) -> CombinedSums:
        return combined_sums(
            pos_logits[pos],
            labels[pos],
            neg_logits[neg],
            f1_negatives=f1_negatives,
            pos_weights=weights[0][pos],
            neg_weights=weights[1][neg],
        )

    whole = sums(slice(None), slice(None))
    union = sums(slice(i), slice(j)) + sums(slice(i, None), slice(j, None))
    torch.testing.assert_close(union.to_vector(), whole.to_vector(), rtol=1e-12, atol=1e-12)
    parts = combined_from_sums(union, f1_negatives=f1_negatives)
    expected = combined_from_sums(whole, f1_negatives=f1_negatives)
    torch.testing.assert_close(parts.combined, expected.combined, rtol=1e-9, atol=1e-9)


@given(seeds, st.integers(1, 6), sizes, st.sampled_from(F1_NEGATIVES))
def test_order_does_not_matter(seed: int, num_pos: int, num_neg: int, f1_negatives: str) -> None:
    pos_logits, labels, neg_logits = batch(num_pos, num_neg, seed=seed)
    maker = torch.Generator().manual_seed(seed)
    p, n = (torch.randperm(size, generator=maker) for size in (num_pos, num_neg))
    parts = parts_of(pos_logits, labels, neg_logits, f1_negatives=f1_negatives)
    moved = parts_of(pos_logits[p], labels[p], neg_logits[n], f1_negatives=f1_negatives)
    torch.testing.assert_close(moved.combined, parts.combined, rtol=1e-11, atol=1e-11)
    # classes may be renamed, too
    classes = torch.randperm(NUM_CLASSES, generator=maker)
    back = classes.argsort()
    renamed = parts_of(
        pos_logits[:, classes], back[labels], neg_logits[:, classes], f1_negatives=f1_negatives
    )
    torch.testing.assert_close(renamed.combined, parts.combined, rtol=1e-11, atol=1e-11)


@given(seeds, sizes, sizes, st.sampled_from(F1_NEGATIVES))
def test_weight_0_is_a_removed_row_but_for_the_count(
    seed: int, num_pos: int, num_neg: int, f1_negatives: str
) -> None:
    pos_logits, labels, neg_logits = batch(num_pos, num_neg, seed=seed)
    keep_pos, keep_neg = torch.arange(num_pos) % 2 == 0, torch.arange(num_neg) % 3 > 0
    weighted = combined_sums(
        pos_logits,
        labels,
        neg_logits,
        f1_negatives=f1_negatives,
        pos_weights=keep_pos.double(),
        neg_weights=keep_neg.double(),
    )
    removed = combined_sums(
        pos_logits[keep_pos], labels[keep_pos], neg_logits[keep_neg], f1_negatives=f1_negatives
    )
    torch.testing.assert_close(weighted.to_vector()[2:], removed.to_vector()[2:])
    assert (weighted.num_pos.item(), weighted.num_neg.item()) == (num_pos, num_neg)


@given(seeds, st.integers(1, 5), st.integers(1, 5), st.sampled_from(["background", "paper"]))
def test_combined_lies_between_its_terms(
    seed: int, num_pos: int, num_neg: int, f1_negatives: str
) -> None:
    parts = parts_of(*batch(num_pos, num_neg, seed=seed), f1_negatives=f1_negatives)
    terms = [parts.cls_pos, parts.cls_neg, parts.f1_pos, parts.f1_neg]
    assert min(terms) - 1e-12 <= parts.combined <= max(terms) + 1e-12
    for name in ("f1_pos", "f1_neg"):
        assert 0 <= getattr(parts, name) <= 1


def test_vector_and_back() -> None:
    sums = combined_sums(*batch(3, 5))
    vector = sums.to_vector()
    assert vector.shape == (4 + 8 * NUM_CLASSES,)
    back = CombinedSums.from_vector(vector)
    assert isinstance(back.f1_pos, FBetaCounts)
    assert isinstance(back.f1_neg, FBetaCounts)
    for name in ("num_pos", "num_neg", "cls_pos", "cls_neg"):
        assert torch.equal(getattr(back, name), getattr(sums, name))
    for field in FBetaCounts._fields:
        assert torch.equal(getattr(back.f1_pos, field), getattr(sums.f1_pos, field))
        assert torch.equal(getattr(back.f1_neg, field), getattr(sums.f1_neg, field))


def test_gradient_passes_through_the_vector() -> None:
    pos_logits, labels, neg_logits = batch(3, 5)
    parameters = pos_logits.requires_grad_(), neg_logits.requires_grad_()
    sums = combined_sums(pos_logits, labels, neg_logits)
    direct = torch.autograd.grad(combined_from_sums(sums).combined, parameters, retain_graph=True)
    through = combined_from_sums(CombinedSums.from_vector(sums.to_vector()))
    for a, b in zip(torch.autograd.grad(through.combined, parameters), direct, strict=True):
        torch.testing.assert_close(a, b)


def test_two_processes_give_the_gradient_of_one() -> None:
    """Sums of halves, added before any ratio, lead to the gradient of the joined batch."""
    pos_logits, labels, neg_logits = batch(4, 6)
    parameters = pos_logits.requires_grad_(), neg_logits.requires_grad_()
    whole = parts_of(pos_logits, labels, neg_logits).combined
    # the second half has no positives
    halves = combined_sums(pos_logits, labels, neg_logits[:2]) + combined_sums(
        pos_logits[:0], labels[:0], neg_logits[2:]
    )
    joined = combined_from_sums(halves).combined
    torch.testing.assert_close(joined, whole)
    grads = torch.autograd.grad(whole, parameters), torch.autograd.grad(joined, parameters)
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean": "harmonic"}, "mean='harmonic': choose one of"),
        ({"shift": 0.0}, "shift=0.0: must lie in"),
        ({"f1_share": 2}, "share=2: must lie in"),
        ({"cls_negatives": "both"}, "cls_negatives='both': choose one of 'separate', 'joint'"),
        ({"f1_negatives": "none"}, "f1_negatives='none': choose one of 'background', 'paper', "),
        ({"f1_average": "samples"}, "average='samples': choose one of"),
        ({"f1_normalize": "mean"}, "f1_normalize='mean': choose one of 'none', 'count'"),
        ({"beta": -1}, "beta=-1: must lie in"),
        ({"eps": 0}, "eps=0: must lie in"),
        ({"alpha": 2}, "alpha=2: must lie in"),
        ({"gamma": -2}, "gamma=-2: must lie in"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parts_of(*batch(2, 2), **settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pos_labels": torch.zeros(3).long()}, r"pos_labels has shape \(3,\), expected \(2,\)"),
        ({"neg_logits": torch.zeros(2, 4)}, r"neg_logits is \(2, 4\), expected \(H, 3\)"),
        ({"neg_logits": torch.zeros(3)}, r"neg_logits is \(3,\), expected \(H, 3\)"),
        ({"pos_weights": torch.zeros(3)}, r"weights has shape \(3,\), expected \(2,\)"),
        ({"neg_weights": torch.zeros(1)}, r"weights has shape \(1,\), expected \(2,\)"),
    ],
)
def test_bad_shapes(change: dict[str, Tensor], message: str) -> None:
    given = {
        "pos_logits": torch.zeros(2, 3),
        "pos_labels": torch.zeros(2).long(),
        "neg_logits": torch.zeros(2, 3),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        combined_sums(**given)
