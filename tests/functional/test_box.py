"""Box loss: values by hand, the paper's invariances, mmdet's losses as special cases."""

import math
from collections.abc import Callable

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmdet.models.losses import L1Loss, SmoothL1Loss
from torch import Tensor

from mmthermal.functional import box_distance, box_loss

FORMS = ["paper", "huber", "smooth_l1"]
NORMS = ["coordinate", "vector"]

coordinates = st.floats(-4, 4, allow_nan=False, width=32)
boxes = st.lists(st.tuples(*[coordinates] * 4), min_size=1, max_size=5)


def single(*diff: float, **settings: object) -> float:
    """The loss of one box that is off by the four numbers."""
    pred = torch.tensor([diff], dtype=torch.float64)
    return box_loss(pred, torch.zeros_like(pred), **settings).item()


@pytest.mark.parametrize(
    ("form", "delta", "d", "expected"),
    [
        ("paper", 1.0, 0.5, 0.5 * 0.5**2),
        ("paper", 1.0, -3.0, 3 - 0.5 * 1),
        ("paper", 2.0, 1.5, 0.5 * 1.5**2),
        ("paper", 2.0, 3.0, 3 - 0.5 * 2),
        ("paper", 0.5, -2.0, 2 - 0.5 * 0.5),
        ("huber", 1.0, 3.0, 3 - 0.5 * 1),
        ("huber", 2.0, 1.5, 0.5 * 1.5**2),
        ("huber", 2.0, 3.0, 2 * (3 - 0.5 * 2)),
        ("huber", 0.5, -2.0, 0.5 * (2 - 0.5 * 0.5)),
        ("smooth_l1", 2.0, 1.5, 0.5 * 1.5**2 / 2),
        ("smooth_l1", 2.0, 3.0, 3 - 0.5 * 2),
        ("smooth_l1", 0.0, -3.0, 3.0),
        ("paper", 0.0, -3.0, 3.0),
    ],
)
@pytest.mark.parametrize("norm", NORMS)
def test_values_by_hand(form: str, delta: float, d: float, expected: float, norm: str) -> None:
    # one coordinate is off: its vector has the same length
    assert single(0, d, 0, 0, form=form, delta=delta, norm=norm) == pytest.approx(expected, 1e-14)


def test_coordinates_and_vectors_by_hand() -> None:
    # |d| = 3, 4, 0.6, 0.8; lengths 5 and 1; delta 1: linear d - 0.5, quadratic 0.5 d^2
    diff = (3.0, -4.0, 0.6, 0.8)
    by_coordinate = 2.5 + 3.5 + 0.5 * 0.36 + 0.5 * 0.64
    assert single(*diff, form="paper") == pytest.approx(by_coordinate, 1e-14)
    assert single(*diff, form="paper", norm="vector") == pytest.approx(4.5 + 0.5, 1e-14)


def test_defaults_are_huber_by_coordinate_with_delta_1() -> None:
    diff = (3.0, 0.3, -0.2, 4.0)
    assert single(*diff) == single(*diff, form="huber", norm="coordinate", delta=1.0)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_equals_reference(
    form: str,
    norm: str,
    delta: float,
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
) -> None:
    pred = (torch.randn(20, 4, dtype=torch.float64) * 2).to(device, dtype).requires_grad_()
    target = (torch.randn(20, 4, dtype=torch.float64) * 2).to(device, dtype)
    loss = box_loss(pred, target, delta=delta, form=form, norm=norm)
    loss.sum().backward()
    values, slopes = [], []
    for p, t in zip(pred.tolist(), target.tolist(), strict=True):
        values.append(reference.box_loss(p, t, delta, form, norm))
        slopes.append(
            reference.gradient(lambda q, t=t: reference.box_loss(q, t, delta, form, norm), p)
        )
    assert loss.shape == (20,)
    assert_close(loss, values)
    assert_close(pred.grad, slopes, dtype=torch.float32)


@pytest.mark.parametrize("delta", [0.05, 0.11, 1.0])
def test_smooth_l1_is_mmdets(delta: float, assert_close: Callable[..., None]) -> None:
    check_against_mmdet(SmoothL1Loss(beta=delta, reduction="none"), delta, assert_close)


def test_delta_0_is_mmdets_l1(assert_close: Callable[..., None]) -> None:
    check_against_mmdet(L1Loss(reduction="none"), 0.0, assert_close)


def check_against_mmdet(
    theirs: torch.nn.Module, delta: float, assert_close: Callable[..., None]
) -> None:
    """Compare value and gradient of form ``smooth_l1`` with those of a loss of mmdet."""
    pred, target = torch.randn(50, 4, requires_grad=True), torch.randn(50, 4)
    expected = theirs(pred, target).sum(1)
    (expected_grad,) = torch.autograd.grad(expected.sum(), pred)
    loss = box_loss(pred, target, delta=delta, form="smooth_l1")
    (grad,) = torch.autograd.grad(loss.sum(), pred)
    assert_close(loss, expected)
    assert_close(grad, expected_grad)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("form", FORMS)
def test_gradcheck(form: str, norm: str) -> None:
    pred = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    target = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    settings = {"form": form, "norm": norm, "delta": 0.7}
    near_kink = (box_distance(pred, target, norm=norm) - 0.7).abs() < 1e-3
    assert not near_kink.any()
    assert torch.autograd.gradcheck(lambda p, t: box_loss(p, t, **settings), (pred, target))


@pytest.mark.parametrize(
    ("form", "delta", "at", "above", "slope_at", "slope_above"),
    [
        # the paper's form jumps by delta - 0.5 delta - 0.5 delta^2 just above delta
        ("paper", 2.0, 0.5 * 4, 2 - 0.5 * 2, 2.0, 1.0),
        ("paper", 0.5, 0.5 * 0.25, 0.5 - 0.25, 0.5, 1.0),
        ("paper", 1.0, 0.5, 0.5, 1.0, 1.0),
        ("huber", 2.0, 2.0, 2.0, 2.0, 2.0),
        ("huber", 0.5, 0.125, 0.125, 0.5, 0.5),
        ("smooth_l1", 2.0, 1.0, 1.0, 1.0, 1.0),
    ],
)
def test_one_sided_values_at_delta(
    form: str, delta: float, at: float, above: float, slope_at: float, slope_above: float
) -> None:
    for d, value, slope in [(delta, at, slope_at), (delta + 1e-12, above, slope_above)]:
        pred = torch.tensor([[d, 0, 0, 0]], dtype=torch.float64, requires_grad=True)
        loss = box_loss(pred, torch.zeros_like(pred), form=form, delta=delta)
        loss.sum().backward()
        assert loss.item() == pytest.approx(value, abs=1e-11)
        assert pred.grad[0, 0].item() == pytest.approx(slope, abs=1e-11)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("delta", [0.1, 1.0])
def test_perfect_box_has_zero_loss_and_gradient(form: str, norm: str, delta: float) -> None:
    pred = torch.randn(3, 4, requires_grad=True)
    loss = box_loss(pred, pred.detach().clone(), form=form, norm=norm, delta=delta)
    loss.sum().backward()
    assert loss.tolist() == [0, 0, 0]
    assert pred.grad.tolist() == [[0] * 4] * 3


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("form", FORMS)
def test_no_boxes(form: str, norm: str) -> None:
    pred = torch.zeros(0, 4, requires_grad=True)
    loss = box_loss(pred, torch.zeros(0, 4), form=form, norm=norm)
    assert loss.shape == (0,)
    loss.sum().backward()
    assert pred.grad.shape == (0, 4)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("d", [1e4, -1e4, 1e-30, 0.0])
def test_extremes_are_finite(form: str, norm: str, d: float) -> None:
    pred = torch.full((1, 4), d, requires_grad=True)
    loss = box_loss(pred, torch.zeros(1, 4), form=form, norm=norm)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert pred.grad.isfinite().all()


def rotate(vectors: Tensor, angle: float) -> Tensor:
    """Turn the two 2-vectors of each box."""
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    return (vectors.unflatten(1, (2, 2)) @ matrix.T).flatten(1)


@given(boxes, st.floats(-math.pi, math.pi), st.sampled_from(FORMS))
def test_vector_norm_is_rotation_invariant(
    rows: list[tuple[float, ...]], angle: float, form: str
) -> None:
    pred = torch.tensor(rows, dtype=torch.float64)
    target = pred.roll(1, 0).flip(1) * 0.5
    loss = box_loss(pred, target, norm="vector", form=form)
    turned = box_loss(rotate(pred, angle), rotate(target, angle), norm="vector", form=form)
    # Form 'paper' with delta = 1 does not jump, so that rounding at delta cannot matter.
    torch.testing.assert_close(turned, loss, rtol=1e-9, atol=1e-9)


def test_coordinate_norm_is_not_rotation_invariant() -> None:
    # off by (3, 4): 2.5 + 3.5 = 6; turned to (5, 0): 4.5, for the vector 4.5 both times
    target = torch.zeros(1, 4, dtype=torch.float64)
    pred = torch.tensor([[3.0, 4.0, 0, 0]], dtype=torch.float64)
    turned = rotate(pred, -math.atan2(4, 3))
    torch.testing.assert_close(turned, torch.tensor([[5.0, 0, 0, 0]], dtype=torch.float64))
    assert box_loss(pred, target).item() == pytest.approx(6)
    assert box_loss(turned, target).item() == pytest.approx(4.5)
    assert box_loss(pred, target, norm="vector").item() == pytest.approx(4.5)
    assert box_loss(turned, target, norm="vector").item() == pytest.approx(4.5)


@given(boxes, st.tuples(*[coordinates] * 4), st.sampled_from(FORMS), st.sampled_from(NORMS))
def test_translation_invariant(
    rows: list[tuple[float, ...]], move: tuple[float, ...], form: str, norm: str
) -> None:
    pred = torch.tensor(rows, dtype=torch.float64)
    target, moved = pred.roll(1, 0).flip(1) * 0.5, torch.tensor(move, dtype=torch.float64)
    loss = box_loss(pred, target, norm=norm, form=form)
    again = box_loss(pred + moved, target + moved, norm=norm, form=form)
    torch.testing.assert_close(again, loss, rtol=1e-9, atol=1e-9)


@given(boxes, st.sampled_from(FORMS), st.sampled_from(NORMS), st.floats(0.25, 4))
def test_symmetric_non_negative_and_independent_by_row(
    rows: list[tuple[float, ...]], form: str, norm: str, delta: float
) -> None:
    pred = torch.tensor(rows, dtype=torch.float64)
    target = torch.zeros_like(pred)
    loss = box_loss(pred, target, form=form, norm=norm, delta=delta)
    assert (loss >= 0).all()
    assert torch.equal(box_loss(target, pred, form=form, norm=norm, delta=delta), loss)
    assert torch.equal(
        box_loss(pred.flip(0), target, form=form, norm=norm, delta=delta).flip(0), loss
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "hubert"}, "form='hubert': choose one of 'paper', 'huber', 'smooth_l1'"),
        ({"norm": "l2"}, "norm='l2': choose one of 'coordinate', 'vector'"),
        ({"delta": -1.0}, "delta=-1.0: must lie in"),
        ({"delta": 0.0}, "delta=0.0: must lie in"),  # huber would be 0 everywhere
        ({"delta": math.inf}, "delta=inf: must lie in"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        box_loss(torch.zeros(1, 4), torch.zeros(1, 4), **settings)


@pytest.mark.parametrize("shapes", [((2, 4), (1, 4)), ((4,), (4,)), ((2, 5), (2, 5))])
def test_bad_shapes(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    pred, target = map(torch.zeros, shapes)
    with pytest.raises(ValueError, match=r"boxes must both be \(P, 4\)"):
        box_loss(pred, target)
