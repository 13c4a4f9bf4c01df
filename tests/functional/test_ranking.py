"""AP loss: scikit-learn's average precision, pairs by hand, what moves and what doesn't."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from torch import Tensor

from mmthermal.functional import ap_loss
from mmthermal.functional.ranking import _doubling_sums


def random_batch(seed: int, num_pos: int = 12, num_neg: int = 30, classes: int = 3) -> list[Tensor]:
    """Logits of positives, their labels, logits of negatives, and weights of both."""
    maker = torch.Generator().manual_seed(seed)
    return [
        torch.randn(num_pos, classes, generator=maker, dtype=torch.float64).requires_grad_(),
        torch.randint(classes, (num_pos,), generator=maker),
        torch.randn(num_neg, classes, generator=maker, dtype=torch.float64).requires_grad_(),
        torch.rand(num_pos, generator=maker, dtype=torch.float64),
        torch.rand(num_neg, generator=maker, dtype=torch.float64),
    ]


def by_pairs(
    pos: Tensor, labels: Tensor, neg: Tensor, weights: Tensor, neg_weights: Tensor, delta: float
) -> tuple[float, Tensor, Tensor]:
    """The definition, pair by pair: value and gradients."""

    def above(x: float) -> float:
        return min(max(x / (2 * delta) + 0.5, 0.0), 1.0)

    value, pos_grad, neg_grad = 0.0, torch.zeros_like(pos), torch.zeros_like(neg)
    present = sorted({int(label) for label in labels})
    for c in present:
        own = [i for i in range(len(pos)) if labels[i] == c]
        total = sum(float(weights[i]) for i in own) * len(present)
        for i in own:
            s, w = float(pos[i, c]), float(weights[i])
            tp = w + sum(float(weights[j]) * above(float(pos[j, c]) - s) for j in own if j != i)
            rivals = [(neg, neg_grad, k, float(neg_weights[k])) for k in range(len(neg))]
            rivals += [
                (pos, pos_grad, j, float(weights[j])) for j in range(len(pos)) if j not in own
            ]
            errors = [v * above(float(logits[k, c]) - s) for logits, _, k, v in rivals]
            for error, (_, grad, k, _) in zip(errors, rivals, strict=True):
                share = w * error / (tp + sum(errors)) / total
                value += share
                grad[k, c] += share
                pos_grad[i, c] -= share
    return value, pos_grad, neg_grad


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_narrow_ties_give_scikit_learns_average_precision(seed: int, weighted: bool) -> None:
    pos, labels, neg, weights, neg_weights = random_batch(seed)
    kwargs: dict[str, Any] = dict(pos_weights=weights, neg_weights=neg_weights) if weighted else {}
    found = ap_loss(pos, labels, neg, delta=1e-6, **kwargs)
    all_weights = torch.cat([weights, neg_weights]) if weighted else None
    scores = torch.cat([pos, neg]).detach()
    truth = torch.cat([labels, torch.full((len(neg),), -1)])
    expected = [
        average_precision_score(truth == c, scores[:, c], sample_weight=all_weights)
        for c in labels.unique().tolist()
    ]
    assert found.item() == pytest.approx(1 - sum(expected) / len(expected), abs=1e-7)


@pytest.mark.parametrize("delta", [0.3, 1.0])
def test_value_and_gradient_pair_by_pair(delta: float) -> None:
    pos, labels, neg, weights, neg_weights = random_batch(5)
    with torch.no_grad():
        value, pos_grad, neg_grad = by_pairs(pos, labels, neg, weights, neg_weights, delta)
    loss = ap_loss(pos, labels, neg, delta=delta, pos_weights=weights, neg_weights=neg_weights)
    loss.backward()
    assert loss.item() == pytest.approx(value, rel=1e-11)
    torch.testing.assert_close(pos.grad, pos_grad)
    torch.testing.assert_close(neg.grad, neg_grad)


@given(st.integers(0, 10_000), st.sampled_from([0, 1, 7]), st.sampled_from([0, 1, 9]))
def test_bounds_and_balance(seed: int, num_pos: int, num_neg: int) -> None:
    pos, labels, neg, *_ = random_batch(seed, num_pos, num_neg)
    loss = ap_loss(pos, labels, neg)
    loss.backward()
    assert 0 <= loss.item() <= 1
    assert pos.grad is not None and neg.grad is not None
    # what pushes positives up pulls the others down by as much: no threshold moves
    assert (pos.grad.sum(0) + neg.grad.sum(0)).abs().max() < 1e-12
    assert (neg.grad >= 0).all()


def test_nothing_to_do_where_the_order_is_right() -> None:
    pos = torch.tensor([[3.0, -3.0], [2.5, -9.0], [-4.0, 3.0]], requires_grad=True)
    neg = torch.tensor([[0.4, 0.9], [-1.0, -8.0]], requires_grad=True)
    loss = ap_loss(pos, torch.tensor([0, 0, 1]), neg)
    loss.backward()
    assert loss.item() == 0
    assert pos.grad is not None and not pos.grad.any()


def test_the_worst_order_has_the_largest_gradient() -> None:
    gradients = []
    for gap in (0.0, 2.0, 200.0):  # a sigmoid's derivative would vanish at 200
        pos = torch.zeros(1, 1, requires_grad=True)
        ap_loss(pos, torch.tensor([0]), torch.full((1, 1), gap)).backward()
        assert pos.grad is not None
        gradients.append(pos.grad.item())
    assert gradients == pytest.approx([-1 / 3, -1 / 2, -1 / 2])


def test_a_rare_class_counts_as_much_as_a_common_one() -> None:
    pos = torch.zeros(11, 2)
    labels = torch.tensor([0] * 10 + [1])
    pos[:10, 0] = 5.0  # the common class is in order, the rare one below all
    pos[10, 1], pos[:10, 1], pos[10, 0] = -5.0, 0.0, -5.0
    assert ap_loss(pos, labels, torch.zeros(0, 2)).item() == pytest.approx(0.5 * 10 / 11)


def test_descent_puts_all_positives_on_top() -> None:
    pos, labels, neg, *_ = random_batch(7)
    optimizer = torch.optim.SGD([pos, neg], lr=5.0)
    for _ in range(200):
        optimizer.zero_grad()
        ap_loss(pos, labels, neg, delta=0.5).backward()
        optimizer.step()
    assert ap_loss(pos, labels, neg, delta=1e-6).item() == 0


def test_weight_two_is_a_sample_twice() -> None:
    pos, labels, neg, *_ = random_batch(11, num_pos=5, num_neg=4)
    twice = ap_loss(pos, labels, torch.cat([neg, neg[:1]]), delta=1e-6)
    weights = torch.tensor([2.0, 1, 1, 1])
    assert twice.item() == pytest.approx(
        ap_loss(pos, labels, neg, delta=1e-6, neg_weights=weights).item()
    )


def test_weightless_rows_are_absent() -> None:
    pos, labels, neg, *_ = random_batch(3)
    plain = ap_loss(pos, labels, neg)
    padded = ap_loss(
        torch.cat([pos, torch.zeros(3, 3)]),
        torch.cat([labels, torch.zeros(3, dtype=torch.long)]),
        torch.cat([neg, torch.zeros(2, 3)]),
        pos_weights=torch.tensor([1.0] * 12 + [0.0] * 3),
        neg_weights=torch.tensor([1.0] * 30 + [0.0] * 2),
    )
    assert padded.item() == pytest.approx(plain.item())


def test_a_class_of_weightless_rows_alone_is_absent() -> None:
    """As on several processes, where rows fill the tables up: the best of all, of weight 0."""
    pos, neg = torch.full((2, 3), -4.6, requires_grad=True), torch.full((3, 3), -4.6)
    plain = ap_loss(pos, torch.tensor([1, 2]), neg)
    (expected,) = torch.autograd.grad(plain, pos)
    padded = ap_loss(
        torch.cat([pos, torch.zeros(4, 3)]),
        torch.tensor([1, 2, 0, 0, 0, 0]),
        torch.cat([neg, torch.zeros(1, 3)]),
        pos_weights=torch.tensor([1.0, 1, 0, 0, 0, 0]),
        neg_weights=torch.tensor([1.0, 1, 1, 0]),
    )
    (found,) = torch.autograd.grad(padded, pos)
    torch.testing.assert_close(padded, plain)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(delta=0), r"delta=0: must lie in \(0"),
        (dict(delta=math.nan), "delta=nan"),
        (dict(pos_labels=torch.zeros(3, dtype=torch.long)), "pos_labels"),
        (dict(neg_logits=torch.zeros(4, 2)), r"neg_logits is \(4, 2\), expected \(H, 3\)"),
        (dict(neg_logits=torch.zeros(4)), r"neg_logits is \(4,\)"),
        (dict(pos_weights=torch.ones(3)), "pos_weights"),
        (dict(neg_weights=torch.ones(3)), "neg_weights"),
    ],
)
def test_refuses_wrong_input(changes: dict[str, Any], message: str) -> None:
    pos, labels, neg, *_ = random_batch(0)
    arguments: dict[str, Any] = dict(pos_logits=pos, pos_labels=labels, neg_logits=neg)
    with pytest.raises(ValueError, match=message):
        ap_loss(**{**arguments, **changes})


@pytest.mark.parametrize("huge", [1e5, 1e17, 1e36])
def test_one_huge_logit_costs_no_digit_of_the_others(huge: float) -> None:
    """Beyond the window of a tie, a logit's size doesn't matter."""
    pos = torch.tensor([[0.0], [12.0], [-50.0]], requires_grad=True)
    neg = torch.tensor([[0.25], [60.0]], requires_grad=True)
    labels = torch.zeros(3, dtype=torch.long)
    found = []
    for scale in (1.0, huge):
        rows = [torch.where(x.abs() >= 50, x * scale, x) for x in (pos, neg)]
        loss = ap_loss(rows[0], labels, rows[1])
        found += [loss, *torch.autograd.grad(loss, rows)]
    for plain, far in zip(found[:3], found[3:], strict=True):
        torch.testing.assert_close(far, plain, rtol=1e-6, atol=0)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 64, 1000])
def test_sums_in_a_fixed_order_are_the_running_sums(length: int) -> None:
    """What a GPU takes with deterministic algorithms, where torch's cumsum refuses."""
    rows = torch.rand(3, length, dtype=torch.float64)
    torch.testing.assert_close(_doubling_sums(rows), rows.cumsum(1), rtol=1e-13, atol=0)


def test_tiny_weights_weigh_as_any_others() -> None:
    pos, labels, neg, weights, neg_weights = random_batch(3)
    found = []
    for scale in (1.0, 1e-200):
        scaled = dict(pos_weights=scale * weights, neg_weights=scale * neg_weights)
        loss = ap_loss(pos, labels, neg, **scaled)
        found.append((loss, *torch.autograd.grad(loss, (pos, neg))))
    for one, tiny in zip(*found, strict=True):
        torch.testing.assert_close(tiny, one)
