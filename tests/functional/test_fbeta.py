"""Soft F-beta: by hand, scikit-learn on hard labels, the reference, bounds."""

import math
from collections.abc import Callable

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score as sklearn_fbeta_score
from torch import Tensor

from mmthermal.functional import FBetaCounts, fbeta_counts, fbeta_loss, fbeta_score

AVERAGES = ["micro", "macro"]


def counts_of(tp: float, fp: float, fn: float) -> FBetaCounts:
    """Counts of one class."""
    numbers = [tp, fp, fn, tp + fn]
    return FBetaCounts(*(torch.tensor([n], dtype=torch.float64) for n in numbers))


def random_batch(seed: int, rows: int, num_classes: int) -> tuple[Tensor, Tensor]:
    """Probabilities and one-hot targets, some rows background."""
    maker = torch.Generator().manual_seed(seed)
    probs = torch.rand(rows, num_classes, generator=maker, dtype=torch.float64)
    labels = torch.randint(0, num_classes + 1, (rows, 1), generator=maker)
    return probs, (labels == torch.arange(num_classes)).double()


def test_counts_by_hand() -> None:
    # rows (p0, p1) with true class 0, 1, background
    probs = torch.tensor([[0.8, 0.3], [0.4, 0.6], [0.1, 0.2]], dtype=torch.float64)
    targets = torch.tensor([[1, 0], [0, 1], [0, 0]])
    counts = fbeta_counts(probs, targets)
    assert counts.tp.tolist() == pytest.approx([0.8, 0.6])
    assert counts.fp.tolist() == pytest.approx([0.4 + 0.1, 0.3 + 0.2])
    assert counts.fn.tolist() == pytest.approx([1 - 0.8, 1 - 0.6])
    assert counts.support.tolist() == [1, 1]
    weighted = fbeta_counts(probs, targets, torch.tensor([2.0, 0.5, 3.0], dtype=torch.float64))
    assert weighted.tp.tolist() == pytest.approx([2 * 0.8, 0.5 * 0.6])
    assert weighted.fp.tolist() == pytest.approx([0.5 * 0.4 + 3 * 0.1, 2 * 0.3 + 3 * 0.2])
    assert weighted.fn.tolist() == pytest.approx([2 * 0.2, 0.5 * 0.4])
    assert weighted.support.tolist() == [2, 0.5]


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "beta", "expected"),
    [
        (3, 1, 2, 1.0, 2 * 3 / (2 * 3 + 1 + 2)),  # P 3/4, R 3/5
        (3, 1, 2, 2.0, 5 * 3 / (5 * 3 + 1 + 4 * 2)),  # recall counts four times
        (3, 1, 2, 0.5, 1.25 * 3 / (1.25 * 3 + 1 + 0.25 * 2)),
        (4, 0, 0, 1.0, 1.0),
        (0, 5, 3, 1.0, 0.0),
        (0, 0, 0, 1.0, 0.0),
    ],
)
def test_score_by_hand(tp: float, fp: float, fn: float, beta: float, expected: float) -> None:
    for average in AVERAGES:
        score = fbeta_score(counts_of(tp, fp, fn), beta=beta, eps=1e-12, average=average)
        assert score.item() == pytest.approx(expected, abs=1e-11)


def test_all_three_epsilons_are_the_papers() -> None:
    # tp = fp = 1, fn = 0, eps = 1: P = 1/3, R = 1/2, F1 = 2/6 / (1/3 + 1/2 + 1) = 2/11
    assert fbeta_score(counts_of(1, 1, 0), eps=1.0).item() == pytest.approx(2 / 11, rel=1e-14)
    # beta = 2: 5/6 / (4/3 + 1/2 + 1) = 5/17
    score = fbeta_score(counts_of(1, 1, 0), eps=1.0, beta=2.0)
    assert score.item() == pytest.approx(5 / 17, rel=1e-14)


def test_micro_and_macro_by_hand() -> None:
    # class 0: tp 2, fp 0, fn 0 -> 1; class 1: tp 1, fp 3, fn 1 -> 2/6; class 2 is absent, fp 1
    counts = FBetaCounts(
        *torch.tensor([[2, 1, 0], [0, 3, 1], [0, 1, 0], [2, 2, 0]], dtype=torch.float64)
    )
    macro = fbeta_score(counts, average="macro", eps=1e-12)
    assert macro.item() == pytest.approx((1 + 1 / 3) / 2)
    micro = fbeta_score(counts, average="micro", eps=1e-12)
    assert micro.item() == pytest.approx(2 * 3 / (2 * 3 + 4 + 1))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_equals_sklearn_on_hard_labels(
    average: str, beta: float, assert_close: Callable[..., None]
) -> None:
    probs = (torch.rand(60, 4) < 0.4).double()
    targets = (torch.rand(60, 4) < 0.4).double()
    expected = sklearn_fbeta_score(targets.numpy(), probs.numpy(), beta=beta, average=average)
    score = fbeta_score(fbeta_counts(probs, targets), beta=beta, average=average, eps=1e-13)
    assert_close(score, expected)


def test_weights_are_sklearns(assert_close: Callable[..., None]) -> None:
    probs, targets = (torch.rand(60, 3) < 0.5).double(), (torch.rand(60, 3) < 0.5).double()
    weights = torch.rand(60, dtype=torch.float64)
    expected = sklearn_fbeta_score(
        targets.numpy(), probs.numpy(), beta=1, average="micro", sample_weight=weights.numpy()
    )
    assert_close(fbeta_score(fbeta_counts(probs, targets, weights), eps=1e-13), expected)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(("beta", "eps"), [(1.0, 1e-6), (2.0, 1e-3), (0.7, 0.1)])
def test_equals_reference(
    average: str,
    beta: float,
    eps: float,
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
) -> None:
    probs, targets = random_batch(1, 12, 3)
    probs = probs.to(device, dtype).requires_grad_()
    targets = targets.to(device, dtype)
    truth = targets.tolist()

    def slow(flat: list[float]) -> float:
        rows = [flat[i : i + 3] for i in range(0, len(flat), 3)]
        return 1 - reference.f_beta(rows, truth, beta, eps, average)

    point = probs.flatten().tolist()
    loss = fbeta_loss(probs, targets, beta=beta, eps=eps, average=average)
    loss.backward()
    assert_close(loss, slow(point))
    assert_close(probs.grad.flatten(), reference.gradient(slow, point, 1e-3))


@pytest.mark.parametrize("average", AVERAGES)
def test_gradcheck(average: str) -> None:
    probs, targets = random_batch(2, 6, 3)
    weights = torch.rand(6, dtype=torch.float64)
    probs.requires_grad_()

    def loss(p: Tensor) -> Tensor:
        return 1 - fbeta_score(fbeta_counts(p, targets, weights), average=average, beta=1.5)

    assert torch.autograd.gradcheck(loss, (probs,))


def test_defaults_are_f1_micro() -> None:
    probs, targets = random_batch(3, 9, 3)
    explicit = fbeta_loss(probs, targets, beta=1.0, eps=1e-6, average="micro")
    assert torch.equal(fbeta_loss(probs, targets), explicit)


def test_gradient_raises_the_true_and_lowers_the_false() -> None:
    probs, targets = random_batch(4, 8, 3)
    probs.requires_grad_()
    fbeta_loss(probs, targets).backward()
    assert (probs.grad[targets == 1] < 0).all()
    assert (probs.grad[targets == 0] > 0).all()


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("rows", [0, 2])
def test_nothing_present_is_loss_1_without_nan(average: str, rows: int) -> None:
    probs = torch.full((rows, 3), 0.4, requires_grad=True)
    loss = fbeta_loss(probs, torch.zeros(rows, 3), average=average)
    loss.backward()
    assert loss.item() == 1
    assert (probs.grad == 0).all()
    assert probs.grad.shape == (rows, 3)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_certain_predictions_are_finite(average: str, p: float, t: float) -> None:
    probs = torch.full((5, 2), p, requires_grad=True)
    loss = fbeta_loss(probs, torch.full((5, 2), t), average=average)
    loss.backward()
    assert loss.item() == pytest.approx(0.0 if p == t == 1 else 1.0, abs=1e-5)
    assert probs.grad.isfinite().all()


@given(
    st.integers(0, 2**16),
    st.integers(0, 8),
    st.integers(1, 4),
    st.floats(0.1, 5),
    st.sampled_from([1e-6, 1e-3, 1.0]),
    st.sampled_from(AVERAGES),
    st.sampled_from([torch.float32, torch.float64]),
    st.booleans(),
)
def test_loss_lies_in_0_to_1(
    seed: int,
    rows: int,
    num_classes: int,
    beta: float,
    eps: float,
    average: str,
    dtype: torch.dtype,
    hard: bool,
) -> None:
    probs, targets = random_batch(seed, rows, num_classes)
    probs = targets if hard else probs
    loss = fbeta_loss(probs.to(dtype), targets.to(dtype), beta=beta, eps=eps, average=average)
    assert 0 <= loss.item() <= 1


@pytest.mark.parametrize("beta", [0.1 * i for i in range(1, 40)])
def test_perfect_float32_prediction_never_scores_above_1(beta: float) -> None:
    # (1 + beta^2) P R / (beta^2 P + R) rounds up for some beta: a negative loss has no root
    ones = torch.ones(1000, 1)
    for average in AVERAGES:
        assert 0 <= fbeta_loss(ones, ones, beta=beta, eps=1e-12, average=average).item() <= 1e-5


@given(st.integers(0, 2**16), st.integers(1, 8), st.integers(1, 3), st.sampled_from(AVERAGES))
def test_laws(seed: int, rows: int, num_classes: int, average: str) -> None:
    """Order does not matter, weight 0 is a removed row, counts of parts add to the whole."""
    probs, targets = random_batch(seed, rows, num_classes)
    counts = fbeta_counts(probs, targets)
    score = fbeta_score(counts, average=average)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    shuffled = fbeta_counts(probs[order], targets[order])
    half = rows // 2
    parts = zip(
        fbeta_counts(probs[:half], targets[:half]),
        fbeta_counts(probs[half:], targets[half:]),
        strict=True,
    )
    union = FBetaCounts(*(a + b for a, b in parts))
    for other in (shuffled, union):
        torch.testing.assert_close(other, counts)
        torch.testing.assert_close(fbeta_score(other, average=average), score)
    keep = order % 2 == 0
    weighted = fbeta_counts(probs, targets, keep.double())
    torch.testing.assert_close(weighted, fbeta_counts(probs[keep], targets[keep]))


def test_beta_weighs_recall() -> None:
    # precision 1, recall 1/2: with beta -> 0 precision alone counts, with beta -> inf recall
    counts = counts_of(2, 0, 2)
    scores = [fbeta_score(counts, beta=b).item() for b in (1e-3, 0.5, 1, 2, 1e3)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1, abs=1e-5)
    assert scores[-1] == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"average": "weighted"}, "average='weighted': choose one of 'micro', 'macro'"),
        ({"beta": 0}, "beta=0: must lie in"),
        ({"beta": math.inf}, "beta=inf: must lie in"),
        ({"eps": 0.0}, "eps=0.0: must lie in"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fbeta_loss(torch.zeros(2, 3), torch.zeros(2, 3), **settings)


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match=r"probs \(2, 3\) and targets \(2, 1\) must both be"):
        fbeta_counts(torch.zeros(2, 3), torch.zeros(2, 1))
    with pytest.raises(ValueError, match=r"must both be \(M, C\)"):
        fbeta_counts(torch.zeros(2), torch.zeros(2))
    with pytest.raises(ValueError, match=r"weights has shape \(3,\), expected \(2,\)"):
        fbeta_counts(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(3))
