"""Focal loss: by hand, BCE, the reference, mmdet's two implementations, extremes."""

import math
from collections.abc import Callable

import pytest
import reference
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from mmdet.models.losses import FocalLoss
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
from torch import Tensor

from mmthermal.functional import focal, focal_loss, focal_loss_sum

EXTREMES = [0.0, 30.0, -30.0, 1e4, -1e4]
GAMMAS = [0.0, 0.5, 2.0]


def one_hot(labels: Tensor, num_classes: int, dtype: torch.dtype) -> Tensor:
    """Targets of labels of which ``num_classes`` is background."""
    return F.one_hot(labels, num_classes + 1)[..., :num_classes].to(dtype)


def plain_sum(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, **settings: float
) -> Tensor:
    """What ``focal_loss_sum`` promises to equal, classes last."""
    loss = focal_loss(logits, one_hot(labels, logits.size(-1), logits.dtype), **settings)
    return loss.sum() if weights is None else (loss * weights.unsqueeze(-1)).sum()


@pytest.mark.parametrize(
    ("logit", "target", "alpha", "gamma", "expected"),
    [
        # p = 1/2 on either side: alpha_t * 0.5^gamma * log 2
        (0.0, 1, 0.25, 2.0, 0.25 * 0.25 * math.log(2)),
        (0.0, 0, 0.25, 2.0, 0.75 * 0.25 * math.log(2)),
        (0.0, 1, 0.25, 0.0, 0.25 * math.log(2)),
        # p = 3/4: logit log 3
        (math.log(3), 1, 0.3, 2.0, 0.3 * (1 / 4) ** 2 * math.log(4 / 3)),
        (math.log(3), 0, 0.3, 2.0, 0.7 * (3 / 4) ** 2 * math.log(4)),
        (-math.log(3), 1, 0.3, 0.5, 0.3 * (3 / 4) ** 0.5 * math.log(4)),
        (-math.log(3), 0, 0.3, 3.0, 0.7 * (1 / 4) ** 3 * math.log(4 / 3)),
        # alpha 1 leaves nothing of the negatives, alpha 0 nothing of the positives
        (1.0, 0, 1.0, 2.0, 0.0),
        (1.0, 1, 0.0, 2.0, 0.0),
    ],
)
def test_values_by_hand(
    logit: float, target: int, alpha: float, gamma: float, expected: float
) -> None:
    logits = torch.tensor([[logit]], dtype=torch.float64)
    targets = torch.tensor([[float(target)]], dtype=torch.float64)
    loss = focal_loss(logits, targets, alpha=alpha, gamma=gamma)
    assert loss.item() == pytest.approx(expected, rel=1e-13)
    label = torch.tensor([0 if target else 1])
    total = focal_loss_sum(logits, label, alpha=alpha, gamma=gamma)
    assert total.item() == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_defaults_are_the_focal_papers() -> None:
    logits, labels = torch.randn(9, 3), torch.randint(0, 4, (9,))
    targets = one_hot(labels, 3, logits.dtype)
    settings = {"alpha": 0.25, "gamma": 2.0}
    assert torch.equal(focal_loss(logits, targets), focal_loss(logits, targets, **settings))
    assert torch.equal(focal_loss_sum(logits, labels), focal_loss_sum(logits, labels, **settings))


@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.5])
def test_equals_reference(
    alpha: float,
    gamma: float,
    device: torch.device,
    dtype: torch.dtype,
    assert_close: Callable[..., None],
) -> None:
    logits = (torch.randn(30, 3, dtype=torch.float64) * 4).to(device, dtype).requires_grad_()
    labels = torch.randint(0, 4, (30,)).to(device)
    values, slopes = [], []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        for c, x in enumerate(row):
            values.append(reference.focal(x, c == label, alpha, gamma))
            slopes += reference.gradient(
                lambda q, true=c == label: reference.focal(q[0], true, alpha, gamma), [x], 1e-3
            )
    loss = focal_loss(logits, one_hot(labels, 3, dtype), alpha=alpha, gamma=gamma)
    (grad,) = torch.autograd.grad(loss.sum(), logits)
    assert_close(loss.flatten(), values)
    assert_close(grad.flatten(), slopes)
    total = focal_loss_sum(logits, labels, alpha=alpha, gamma=gamma)
    (grad,) = torch.autograd.grad(total, logits)
    assert_close(total, sum(values))
    assert_close(grad.flatten(), slopes)


def test_gamma_0_is_weighted_bce(dtype: torch.dtype, assert_close: Callable[..., None]) -> None:
    logits = (torch.randn(40, 5, dtype=dtype) * 3).requires_grad_()
    targets = (torch.rand(40, 5) < 0.3).to(dtype)
    alpha_t = 0.3 * targets + 0.7 * (1 - targets)
    bce = F.binary_cross_entropy_with_logits(logits, targets, alpha_t, reduction="none")
    (bce_grad,) = torch.autograd.grad(bce.sum(), logits)
    loss = focal_loss(logits, targets, alpha=0.3, gamma=0)
    (grad,) = torch.autograd.grad(loss.sum(), logits)
    assert_close(loss, bce)
    assert_close(grad, bce_grad)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 1.5), (0.7, 0.0)])
@pytest.mark.parametrize("theirs", ["compiled", "python"])
def test_sum_is_mmdets(
    theirs: str, alpha: float, gamma: float, weighted: bool, assert_close: Callable[..., None]
) -> None:
    num_classes = 4
    logits = (torch.randn(200, num_classes) * 3).requires_grad_()
    labels = torch.randint(0, num_classes + 1, (200,))
    weights = torch.rand(200) * (torch.rand(200) > 0.2) if weighted else None
    if theirs == "compiled":
        loss = FocalLoss(gamma=gamma, alpha=alpha, reduction="sum")
        expected = loss(logits, labels, weights)
    else:
        targets = one_hot(labels, num_classes, logits.dtype)
        expected = py_sigmoid_focal_loss(
            logits, targets, weights, gamma=gamma, alpha=alpha, reduction="sum"
        )
    (expected_grad,) = torch.autograd.grad(expected, logits)
    total = focal_loss_sum(logits, labels, weights, alpha=alpha, gamma=gamma)
    (grad,) = torch.autograd.grad(total, logits)
    assert_close(total, expected)
    assert_close(grad, expected_grad)
    total = plain_sum(logits, labels, weights, alpha=alpha, gamma=gamma)
    (grad,) = torch.autograd.grad(total, logits)
    assert_close(total, expected)
    assert_close(grad, expected_grad)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("class_dim", [1, -1])
def test_class_weight_is_mmdets_weight_of_columns(
    class_dim: int, weighted: bool, assert_close: Callable[..., None]
) -> None:
    factors = [0.5, 0.0, 2.0]
    logits = (torch.randn(200, 3) * 3).requires_grad_()
    labels = torch.randint(0, 4, (200,))
    weights = torch.rand(200) if weighted else None
    columns = (torch.ones(200) if weights is None else weights)[:, None] * torch.tensor(factors)
    expected = FocalLoss(reduction="sum")(logits, labels, columns)
    (expected_grad,) = torch.autograd.grad(expected, logits)
    shape = (2, 100, 3)
    table, twice = logits.reshape(shape).movedim(-1, class_dim), labels.reshape(2, 100)
    total = focal_loss_sum(
        table, twice, None if weights is None else weights.reshape(2, 100),
        class_dim=class_dim, class_weight=factors,
    )  # fmt: skip
    (grad,) = torch.autograd.grad(total, logits)
    assert_close(total, expected)
    assert_close(grad, expected_grad)
    with pytest.raises(ValueError, match="class_weight has 3 values for 4 classes"):
        focal_loss_sum(torch.zeros(2, 4), labels[:2], class_weight=factors)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_gradcheck(gamma: float) -> None:
    logits = (torch.randn(5, 3, dtype=torch.float64) * 3).requires_grad_()
    labels, weights = torch.tensor([0, 1, 2, 3, 3]), torch.rand(5, dtype=torch.float64)
    targets = one_hot(labels, 3, torch.float64)
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, targets, gamma=gamma), (logits,))
    assert torch.autograd.gradcheck(
        lambda x: 3 * focal_loss_sum(x, labels, weights, gamma=gamma), (logits,)
    )


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("logit", EXTREMES)
@pytest.mark.parametrize("true", [False, True])
def test_extremes(logit: float, gamma: float, true: bool) -> None:
    logits = torch.tensor([[logit]], requires_grad=True)
    z = logit if true else -logit
    alpha_t = 0.25 if true else 0.75
    # limits: -z alpha_t with slope alpha_t for z -> -inf, 0 with slope 0 for z -> inf
    if abs(z) == 1e4:
        value, slope = (0.0, 0.0) if z > 0 else (-z * alpha_t, alpha_t)
    else:
        value = reference.focal(logit, true, gamma=gamma)
        slope = abs(
            reference.gradient(lambda q: reference.focal(q[0], true, gamma=gamma), [logit], 1e-3)[0]
        )
    for loss in (
        focal_loss(logits, torch.tensor([[float(true)]]), gamma=gamma).sum(),
        focal_loss_sum(logits, torch.tensor([0 if true else 1]), gamma=gamma),
    ):
        (grad,) = torch.autograd.grad(loss, logits)
        assert loss.item() == pytest.approx(value, rel=1e-5, abs=1e-7)
        assert grad.item() == pytest.approx(-slope if true else slope, rel=1e-5, abs=1e-7)


def test_the_plain_power_is_nan_where_ours_is_finite() -> None:
    """What the form of the weight is for: (1 - p)^0.5 has a NaN gradient at z = 30."""
    x = torch.tensor([30.0], requires_grad=True)
    plain = -0.25 * (1 - x.sigmoid()).pow(0.5) * F.logsigmoid(x)
    assert torch.autograd.grad(plain.sum(), x)[0].isnan().all()
    loss = focal_loss(x, torch.ones(1), gamma=0.5)
    assert torch.autograd.grad(loss.sum(), x)[0].isfinite().all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_non_finite_logits_are_not_hidden(bad: float) -> None:
    """The check for finite logits is the caller's; here nothing may turn NaN into a number."""
    logits = torch.tensor([[bad, 0.0]])
    total = focal_loss_sum(logits, torch.tensor([2]))
    assert not total.isfinite()
    assert not focal_loss(logits, torch.zeros(1, 2)).sum().isfinite()


@given(
    st.floats(-25, 25),
    st.floats(0.05, 5),
    st.booleans(),
    st.floats(0.05, 0.95),
    st.floats(0, 5),
)
def test_falls_as_the_signed_logit_rises(
    low: float, step: float, true: bool, alpha: float, gamma: float
) -> None:
    z = torch.tensor([low, low + step], dtype=torch.float64)
    targets = torch.full((2,), float(true), dtype=torch.float64)
    easier = focal_loss(z if true else -z, targets, alpha=alpha, gamma=gamma)
    assert easier[0] > easier[1] >= 0


@given(st.floats(-20, 20), st.booleans(), st.floats(0, 4), st.floats(0.1, 2))
def test_falls_as_gamma_grows(logit: float, true: bool, gamma: float, more: float) -> None:
    logits, targets = torch.tensor([logit]).double(), torch.tensor([float(true)]).double()
    focused = focal_loss(logits, targets, gamma=gamma + more)
    assert focused < focal_loss(logits, targets, gamma=gamma)


# --- the fused sum ------------------------------------------------------------------------


@pytest.mark.parametrize("slice_numel", [1, 3, 7, 16, 10_000])
@pytest.mark.parametrize("shape", [(11, 3), (2, 5, 3), (2, 3, 4, 3), (1, 1), (3, 0), (0, 3)])
@pytest.mark.parametrize("gamma", [2.0, 1.5])
def test_slices_make_no_difference(
    shape: tuple[int, ...],
    slice_numel: int,
    gamma: float,
    monkeypatch: pytest.MonkeyPatch,
    assert_close: Callable[..., None],
) -> None:
    monkeypatch.setattr(focal, "_SLICE_NUMEL", slice_numel)
    logits = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    labels, weights = torch.randint(0, shape[-1] + 1, shape[:-1]), torch.rand(shape[:-1]).double()
    expected = plain_sum(logits, labels, weights, gamma=gamma)
    (expected_grad,) = torch.autograd.grad(expected, logits)
    total = focal_loss_sum(logits, labels, weights, gamma=gamma)
    (grad,) = torch.autograd.grad(total, logits)
    assert_close(total, expected)
    assert_close(grad, expected_grad)


def test_slices_cover_each_element_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for shape in [(11, 3), (2, 5, 3), (2, 3, 4, 3), (7, 1, 2), (4,)]:
        for slice_numel in (1, 2, 5, 6, 12, 100):
            monkeypatch.setattr(focal, "_SLICE_NUMEL", slice_numel)
            seen = torch.zeros(shape)
            for index in focal._slices(seen):
                seen[index] += 1
                # a slice may not be finer than one row of classes
                assert seen[index].numel() <= max(slice_numel, shape[-1])
            assert (seen == 1).all()


@pytest.mark.parametrize("class_dim", [0, 1, 2, 3, -1, -3])
def test_class_dim_anywhere(class_dim: int, assert_close: Callable[..., None]) -> None:
    logits = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    num_classes = logits.size(class_dim)
    labels = torch.randint(0, num_classes + 1, logits.movedim(class_dim, -1).shape[:-1])
    weights = torch.rand(labels.shape, dtype=torch.float64)
    expected = plain_sum(logits.movedim(class_dim, -1), labels, weights)
    (expected_grad,) = torch.autograd.grad(expected, logits)
    total = focal_loss_sum(logits, labels, weights, class_dim=class_dim)
    (grad,) = torch.autograd.grad(total, logits)
    assert_close(total, expected)
    assert_close(grad, expected_grad)


@pytest.mark.parametrize("layout", ["channels_last", "strided", "transposed", "expanded"])
def test_any_memory_layout(
    layout: str, monkeypatch: pytest.MonkeyPatch, assert_close: Callable[..., None]
) -> None:
    monkeypatch.setattr(focal, "_SLICE_NUMEL", 20)
    base = torch.randn(2, 6, 4, 8, dtype=torch.float64, requires_grad=True)
    logits = {
        "channels_last": lambda: base.to(memory_format=torch.channels_last),
        "strided": lambda: base[:, ::2, :, 1::3],
        "transposed": lambda: base.transpose(0, 3),
        "expanded": lambda: base[:1].expand(3, -1, -1, -1),
    }[layout]()
    labels = torch.randint(0, logits.size(1) + 1, logits.movedim(1, -1).shape[:-1])
    expected = plain_sum(logits.movedim(1, -1), labels)
    (expected_grad,) = torch.autograd.grad(expected, base, retain_graph=True)
    total = focal_loss_sum(logits, labels, class_dim=1)
    (grad,) = torch.autograd.grad(total, base)
    assert_close(total, expected)
    assert_close(grad, expected_grad)


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("gamma", [2.0, 1.5])
def test_half_logits_accumulate_in_float32(
    low: torch.dtype, gamma: float, assert_close: Callable[..., None]
) -> None:
    logits = torch.randn(5000, 4).to(low).requires_grad_()
    labels, weights = torch.randint(0, 5, (5000,)), torch.rand(5000)
    exact = logits.detach().double().requires_grad_()
    expected = plain_sum(exact, labels, weights.double(), gamma=gamma)
    (expected_grad,) = torch.autograd.grad(expected, exact)
    total = focal_loss_sum(logits, labels, weights, gamma=gamma)
    (grad,) = torch.autograd.grad(total, logits)
    assert total.dtype == torch.float32
    assert_close(total, expected)  # float32's tolerance, though the logits are coarser
    assert grad.dtype == low
    assert_close(grad, expected_grad)


def test_sum_of_a_million_float32_terms_keeps_five_digits() -> None:
    logits = torch.full((1 << 20, 1), -2.0)
    total = focal_loss_sum(logits, torch.ones(1 << 20, dtype=torch.long))
    assert total.item() == pytest.approx(reference.focal(-2.0, False) * (1 << 20), rel=1e-5)


@pytest.mark.parametrize("num_classes", [1, 80])
def test_one_class_and_80(num_classes: int, assert_close: Callable[..., None]) -> None:
    logits, labels = torch.randn(50, num_classes), torch.randint(0, num_classes + 1, (50,))
    assert_close(focal_loss_sum(logits, labels), plain_sum(logits.double(), labels))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (4, 0)])
def test_empty_keeps_the_graph(shape: tuple[int, ...]) -> None:
    logits = torch.zeros(shape, requires_grad=True)
    total = focal_loss_sum(logits, torch.zeros(shape[:-1], dtype=torch.long))
    total.backward()
    assert total.item() == 0
    assert logits.grad.shape == shape
    targets = torch.zeros(shape)
    assert focal_loss(logits, targets).shape == shape


def test_without_gradient_the_value_is_the_same() -> None:
    logits, labels = torch.randn(40, 3), torch.randint(0, 4, (40,))
    with_grad = focal_loss_sum(logits.clone().requires_grad_(), labels)
    plain = focal_loss_sum(logits, labels)
    assert not plain.requires_grad
    assert with_grad.item() == plain.item()


def test_gradient_is_scaled_by_what_comes_from_above() -> None:
    logits, labels = torch.randn(6, 2, requires_grad=True), torch.randint(0, 3, (6,))
    (grad,) = torch.autograd.grad(focal_loss_sum(logits, labels), logits)
    (scaled,) = torch.autograd.grad(focal_loss_sum(logits, labels) * -2.5, logits)
    torch.testing.assert_close(scaled, grad * -2.5)


def test_backward_twice_gives_the_same() -> None:
    logits = torch.randn(6, 2, requires_grad=True)
    total = focal_loss_sum(logits, torch.randint(0, 3, (6,)))
    (first,) = torch.autograd.grad(total, logits, retain_graph=True)
    (second,) = torch.autograd.grad(total, logits)
    assert torch.equal(first, second)


@given(st.integers(0, 2**16), st.integers(1, 12), st.integers(1, 4))
def test_sum_laws(seed: int, rows: int, num_classes: int) -> None:
    """Weight 0 is a removed row, weight w a row w times, the order does not matter."""
    maker = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, num_classes, generator=maker, dtype=torch.float64) * 3
    labels = torch.randint(0, num_classes + 1, (rows,), generator=maker)
    weights = torch.randint(0, 3, (rows,), generator=maker)
    total = focal_loss_sum(logits, labels, weights.double())
    again = focal_loss_sum(logits.repeat_interleave(weights, 0), labels.repeat_interleave(weights))
    order = torch.randperm(rows, generator=maker)
    shuffled = focal_loss_sum(logits[order], labels[order], weights[order].double())
    half = rows // 2
    parts = focal_loss_sum(logits[:half], labels[:half], weights[:half].double())
    parts = parts + focal_loss_sum(logits[half:], labels[half:], weights[half:].double())
    for other in (again, shuffled, parts):
        torch.testing.assert_close(other, total, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 1.5}, r"alpha=1.5: must lie in \[0, 1\]"),
        ({"alpha": -0.1}, r"alpha=-0.1: must lie in \[0, 1\]"),
        ({"gamma": -1}, r"gamma=-1: must lie in \[0, inf\)"),
        ({"gamma": math.nan}, "gamma=nan"),
    ],
)
def test_bad_settings(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        focal_loss(torch.zeros(2, 3), torch.zeros(2, 3), **settings)
    with pytest.raises(ValueError, match=message):
        focal_loss_sum(torch.zeros(2, 3), torch.zeros(2, dtype=torch.long), **settings)


def test_bad_shapes() -> None:
    labels = torch.zeros(2, dtype=torch.long)
    with pytest.raises(ValueError, match=r"logits \(2, 3\) and targets \(2, 4\)"):
        focal_loss(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"labels has shape \(2,\), expected \(5,\)"):
        focal_loss_sum(torch.zeros(5, 3), labels)
    with pytest.raises(ValueError, match=r"weights has shape \(3,\), expected \(2,\)"):
        focal_loss_sum(torch.zeros(2, 3), labels, torch.zeros(3))


def test_float16_gradient_of_easy_negatives_survives_under_a_gradient_scale() -> None:
    # at z = -7 the slope is 3/4 p^2 (2 (1 - p) softplus(z) + p) = 1.7e-9, the least float16 6e-8
    logits = torch.full((4, 2), -7.0, dtype=torch.float16, requires_grad=True)
    labels = torch.full((4,), 2)
    exact = torch.full((4, 2), -7.0, dtype=torch.float64, requires_grad=True)
    (focal_loss_sum(exact, labels) * 65536).backward()
    (focal_loss_sum(logits, labels) * 65536).backward()
    assert exact.grad.max() / 65536 < 6e-8
    torch.testing.assert_close(logits.grad.double(), exact.grad, rtol=0.1, atol=0)
