"""Geometric means: by hand, bounds, limits, and the cancellation that the form avoids."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmthermal.functional import geometric_mean

losses = st.floats(0, 20)
shifts = st.floats(1e-3, 1e3)
shares = st.floats(0.05, 0.95)


def scalar(value: float) -> Tensor:
    """A float64 scalar."""
    return torch.tensor(value, dtype=torch.float64)


def exact(a: float, b: float, shift: float, share: float = 0.5) -> float:
    """The shifted mean with fifty digits."""
    with localcontext() as context:
        context.prec = 50
        x, y, c, s = map(Decimal, (a, b, shift, share))
        return float(((1 - s) * (x + c).ln() + s * (y + c).ln()).exp() - c)


@pytest.mark.parametrize(
    ("a", "b", "settings", "expected"),
    [
        (3, 8, {"shift": 1.0}, math.sqrt(4 * 9) - 1),
        (0, 3, {"shift": 1.0}, math.sqrt(1 * 4) - 1),
        (0.3, 0.8, {"shift": 0.1}, math.sqrt(0.4 * 0.9) - 0.1),
        (7, 15, {"shift": 1.0, "share": 0.25}, 8**0.75 * 16**0.25 - 1),
        (7, 15, {"shift": 1.0, "share": 0.75}, 8**0.25 * 16**0.75 - 1),
        (2, 5, {"share": 0}, 2),
        (2, 5, {"share": 1}, 5),
        (4, 9, {"mean": "paper"}, 6),
        (4, 9, {"mean": "paper", "share": 0}, 4),
        (4, 9, {"mean": "paper", "share": 1}, 9),
        (0, 9, {"mean": "paper", "eps": 1e-4}, math.sqrt(1e-4)),
        (1e-3, 1e-3, {"mean": "paper", "eps": 1e-4}, math.sqrt(1e-4)),
    ],
)
def test_values_by_hand(a: float, b: float, settings: dict[str, object], expected: float) -> None:
    g = geometric_mean(scalar(a), scalar(b), **settings)
    assert g.item() == pytest.approx(expected, rel=1e-14)


def test_defaults_are_shifted_by_a_tenth_with_equal_shares() -> None:
    a, b = torch.rand(20), torch.rand(20)
    explicit = geometric_mean(a, b, mean="shifted", shift=0.1, share=0.5)
    assert torch.equal(geometric_mean(a, b), explicit)
    # and the paper's eps is 1e-6
    paper = geometric_mean(scalar(0), scalar(1), mean="paper")
    assert paper.item() == pytest.approx(1e-3, rel=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"mean": "paper"},
        {"mean": "paper", "eps": 0.3},
        {"mean": "shifted", "shift": 0.1},
        {"mean": "shifted", "shift": 3.0, "share": 0.2},
    ],
)
def test_equals_reference(
    settings: dict[str, object],
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
) -> None:
    a, b = (torch.rand(15).to(device, dtype).requires_grad_() for _ in range(2))
    named = {"eps": 1e-6, "share": 0.5, "shift": 0.1, **settings}
    g = geometric_mean(a, b, **named)
    grads = torch.autograd.grad(g.sum(), (a, b))
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    assert_close(g, [reference.mean(x, y, **named) for x, y in pairs])
    slopes = [
        reference.gradient(lambda q: reference.mean(*q, **named), pair, 1e-5) for pair in pairs
    ]
    assert_close(torch.stack(grads, 1), slopes, dtype=torch.float32)


@pytest.mark.parametrize("mean", ["shifted", "paper"])
def test_gradcheck(mean: str) -> None:
    a, b = (torch.rand(5, dtype=torch.float64) + 0.1 for _ in range(2))
    share = 0.3 if mean == "shifted" else 0.5

    def function(a: Tensor, b: Tensor) -> Tensor:
        return geometric_mean(a, b, mean=mean, share=share)

    assert torch.autograd.gradcheck(function, (a.requires_grad_(), b.requires_grad_()))


@pytest.mark.parametrize(
    ("a", "b"), [(1e-6, 1e-6), (1e-8, 0.0), (0.0, 1e-7), (1e-9, 1e-3), (1e-6, 5.0)]
)
@pytest.mark.parametrize("shift", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_float32_does_not_cancel(a: float, b: float, shift: float, share: float) -> None:
    x, y = torch.tensor(a), torch.tensor(b)
    g = geometric_mean(x, y, shift=shift, share=share)
    assert g.item() == pytest.approx(exact(x.item(), y.item(), shift, share), rel=1e-6)


def test_the_plain_form_cancels() -> None:
    """What the form is for: at a = b = 1e-6 the plain one is 0.2 % off, at (1e-8, 0) it is 0."""
    a = torch.tensor(1e-6)
    plain = ((a + 0.1) * (a + 0.1)).sqrt() - 0.1
    assert abs(plain.item() / 1e-6 - 1) > 1e-3
    assert geometric_mean(a, a).item() == pytest.approx(1e-6, rel=1e-6)
    tiny, zero = torch.tensor(1e-8), torch.tensor(0.0)
    assert ((tiny + 0.1) * (zero + 0.1)).sqrt().item() - torch.tensor(0.1).item() == 0
    assert geometric_mean(tiny, zero).item() == pytest.approx(0.5e-8, rel=1e-5)


@given(losses, losses, shifts)
def test_between_geometric_and_arithmetic_mean(a: float, b: float, shift: float) -> None:
    g = geometric_mean(scalar(a), scalar(b), shift=shift).item()
    slack = 1e-12 * (1 + a + b)
    assert math.sqrt(a * b) - slack <= g <= (a + b) / 2 + slack


@given(losses, losses, shifts, st.floats(1.01, 100), shares)
def test_grows_with_the_shift(
    a: float, b: float, shift: float, factor: float, share: float
) -> None:
    small = geometric_mean(scalar(a), scalar(b), shift=shift, share=share).item()
    large = geometric_mean(scalar(a), scalar(b), shift=shift * factor, share=share).item()
    assert small <= large + 1e-12 * (1 + a + b)


@given(losses, losses, shifts, shares, st.sampled_from(["shifted", "paper"]))
def test_symmetry_and_monotony(a: float, b: float, shift: float, share: float, mean: str) -> None:
    if mean == "paper":
        share = 0.5
    x, y = scalar(a), scalar(b)
    g = geometric_mean(x, y, mean=mean, shift=shift, share=share)
    mirrored = geometric_mean(y, x, mean=mean, shift=shift, share=1 - share)
    torch.testing.assert_close(mirrored, g, rtol=1e-12, atol=1e-12)
    assert geometric_mean(x + 0.5, y, mean=mean, shift=shift, share=share) >= g - 1e-12
    assert geometric_mean(x, y + 0.5, mean=mean, shift=shift, share=share) >= g - 1e-12


@given(losses, shifts, shares)
def test_mean_of_equals_is_the_value(a: float, shift: float, share: float) -> None:
    g = geometric_mean(scalar(a), scalar(a), shift=shift, share=share)
    assert g.item() == pytest.approx(a, rel=1e-11, abs=1e-12)


def test_limits_of_the_shift() -> None:
    a, b = scalar(0.4), scalar(3.0)
    assert geometric_mean(a, b, shift=1e-12).item() == pytest.approx(math.sqrt(1.2), rel=1e-6)
    assert geometric_mean(a, b, shift=1e9).item() == pytest.approx(1.7, rel=1e-6)


def test_shares_run_from_one_side_to_the_other() -> None:
    a, b = scalar(0.5), scalar(4.0)
    means = [geometric_mean(a, b, share=s / 20).item() for s in range(21)]
    assert means == sorted(means)
    assert means[0] == 0.5
    assert means[-1] == 4.0
    # continuous at the ends, where the code returns one side
    assert geometric_mean(a, b, share=1e-9).item() == pytest.approx(0.5, rel=1e-7)
    assert geometric_mean(a, b, share=1 - 1e-9).item() == pytest.approx(4.0, rel=1e-7)


@pytest.mark.parametrize("mean", ["shifted", "paper"])
@pytest.mark.parametrize("a", [0.0, 1e-30, 1e4])
@pytest.mark.parametrize("b", [0.0, 1e-30, 1e4])
def test_extremes_have_finite_values_and_slopes(mean: str, a: float, b: float) -> None:
    x, y = (torch.tensor(v, requires_grad=True) for v in (a, b))
    g = geometric_mean(x, y, mean=mean)
    g.backward()
    assert g.isfinite()
    assert x.grad.isfinite()
    assert y.grad.isfinite()


def test_slopes_at_zero_are_the_reason_for_the_shift() -> None:
    # shifted, a = 0: dg/da = sqrt((b + c) / c) / 2, bounded by c
    a, b = scalar(0).requires_grad_(), scalar(0.8)
    geometric_mean(a, b, shift=0.1).backward()
    assert a.grad.item() == pytest.approx(math.sqrt(0.9 / 0.1) / 2)
    # paper: 0 below the floor, sqrt(b / a) / 2 above it, which grows without bound as a falls
    for value, slope in [(1e-7, 0.0), (1e-4, math.sqrt(0.8 / 1e-4) / 2)]:
        a = scalar(value).requires_grad_()
        geometric_mean(a, b, mean="paper").backward()
        assert a.grad.item() == pytest.approx(slope)


def test_one_sided_at_the_papers_floor() -> None:
    # a b = eps: the floor's value on either side; slope 0 below, sqrt(b / a) / 2 from eps on
    for value, slope in [(0.25 - 1e-12, 0.0), (0.25, 0.5), (0.25 + 1e-12, 0.5)]:
        a = scalar(value).requires_grad_()
        g = geometric_mean(a, scalar(0.25), mean="paper", eps=0.0625)
        g.backward()
        assert g.item() == pytest.approx(0.25, rel=1e-10)
        assert a.grad.item() == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean": "geometric"}, "mean='geometric': choose one of 'shifted', 'paper'"),
        ({"shift": 0.0}, "shift=0.0: must lie in"),
        ({"shift": math.inf}, "shift=inf: must lie in"),
        ({"eps": 0}, "eps=0: must lie in"),
        ({"share": 1.1}, "share=1.1: must lie in"),
        ({"mean": "paper", "share": 0.3}, "share=0.3 with mean='paper': .* alike"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        geometric_mean(scalar(1), scalar(1), **settings)
