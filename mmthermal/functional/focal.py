"""Focal classification loss: by element for a few rows, and as one fused sum for all anchors.

Shape shorthand: M rows, C sigmoid class columns. The label C is background.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmthermal.common.checks import check_range

# Elements of a slice of the fused sum on the CPU: its temporaries stay in the cache.
_SLICE_NUMEL = 1 << 18
# float16 gradients are kept this much larger, or those of easy negatives would underflow before a
# gradient scaler could lift them.
_HALF_SCALE = 256.0


def focal_loss(
    logits: Tensor, targets: Tensor, *, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    r"""Focal loss of each element, from logits.

    .. math:: -\alpha_t (1 - p_t)^\gamma \log p_t

    With :math:`z` the logit signed so that :math:`p_t = \sigma(z)`, the weight is computed as
    :math:`\exp(\gamma \log\sigma(-z))`: ``(1 - p).pow(gamma)`` has a NaN gradient for
    :math:`\gamma < 1` as soon as ``1 - p`` rounds to 0, at z = 17 in float32.

    Args:
        logits: any shape, any finite value.
        targets: same shape, 1 for the true class and 0 elsewhere.
        alpha: weight of the true class, in [0, 1]; the other has 1 - alpha.
        gamma: focusing exponent, >= 0; 0 gives weighted binary cross-entropy.

    Returns:
        same shape as ``logits``, non-negative.

    Raises:
        ValueError: if a setting is out of range or the shapes differ.

    Source: paper, section 2, L_cls.
    """
    check_range("alpha", alpha, 0, 1)
    check_range("gamma", gamma, 0)
    if logits.shape != targets.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} and targets {tuple(targets.shape)} must have one shape"
        )
    true = targets > 0.5
    signed = torch.where(true, logits, -logits)
    # Tensors, since torch.where makes float32 of two numbers whatever the logits are; filled on
    # the device, since a copy from the host would make it wait.
    alpha_t = torch.where(true, logits.new_full((), alpha), logits.new_full((), 1 - alpha))
    return alpha_t * torch.exp(gamma * F.logsigmoid(-signed)) * -F.logsigmoid(signed)


class TrueRows(NamedTuple):
    """Rows of a table of logits that have a class.

    Attributes:
        places: one (K,) tensor for each dimension of the labels.
        valid: (K,), bool, which of them count; None for all.
    """

    places: tuple[Tensor, ...]
    valid: Tensor | None


def focal_loss_sum(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    *,
    true: TrueRows | None = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
    class_dim: int = -1,
    class_weight: Tensor | Sequence[float] | None = None,
) -> Tensor:
    """Focal loss summed over all rows and classes, with the gradient made in the same pass.

    Equal to ``(focal_loss(logits, one_hot(labels)) * weights[..., None]).sum()``, without the
    one-hot targets, without a float32 copy of the logits and with one tensor of the logits' size
    (the gradient, in their dtype) kept for the backward pass.

    Args:
        logits: (..., C, ...), any finite value, floating, any memory layout.
        labels: the shape of ``logits`` without ``class_dim``; 0 to C - 1, or C for background.
        weights: shape of ``labels``, non-negative, or None for ones.
        true: all rows with a class, each once, where the caller knows them; None looks for them,
            for which a GPU is waited for.
        alpha: as in :func:`focal_loss`.
        gamma: as in :func:`focal_loss`.
        class_dim: the dimension of ``logits`` that holds the classes.
        class_weight: C factors >= 0, each of a class's column, positives and negatives alike; None
            for ones. A tensor on the logits' device saves a copy to it.

    Returns:
        scalar, non-negative, float32 (float64 for float64 logits).

    Raises:
        ValueError: if a setting is out of range or the shapes disagree.

    Source: paper, section 2, L_cls, over all anchors: the focal loss that mmdet's RetinaNet uses.
    """
    check_range("alpha", alpha, 0, 1)
    check_range("gamma", gamma, 0)
    rows = list(logits.shape)
    del rows[class_dim]
    for name, tensor in (("labels", labels), ("weights", weights)):
        if tensor is not None and list(tensor.shape) != rows:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected {tuple(rows)}")
    columns = None
    if class_weight is not None:
        if len(class_weight) != logits.size(class_dim):
            raise ValueError(
                f"class_weight has {len(class_weight)} values for {logits.size(class_dim)} classes"
            )
        dtype = torch.promote_types(logits.dtype, torch.float32)
        columns = torch.as_tensor(class_weight, dtype=dtype, device=logits.device)
    total: Tensor = _FocalSum.apply(
        logits.movedim(class_dim, -1), labels, weights, alpha, gamma, columns, true
    )
    return total


class _FocalSum(torch.autograd.Function):
    """Value and gradient of the summed focal loss, made slice by slice in one pass."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None,
        alpha: float,
        gamma: float,
        columns: Tensor | None,
        true: TrueRows | None,
    ) -> Tensor:
        dtype = torch.promote_types(logits.dtype, torch.float32)
        needs_grad = ctx.needs_input_grad[0]
        grad = torch.empty_like(logits) if needs_grad else None
        ctx.scale = scale = _HALF_SCALE if logits.dtype == torch.float16 else 1.0
        total = logits.new_zeros((), dtype=dtype)
        for index in _slices(logits):
            weight = None if weights is None else weights[index].to(dtype).unsqueeze(-1)
            if columns is not None:
                weight = columns if weight is None else weight * columns
            value, slope = _background_sum(
                logits[index].to(dtype), weight, 1 - alpha, gamma, needs_grad
            )
            total += value
            if grad is not None:
                grad[index] = slope if scale == 1 else slope.mul_(scale)
        # The few true columns were counted as background above: put them right.
        if true is None:
            rows = ((labels >= 0) & (labels < logits.size(-1))).nonzero(as_tuple=True)
            true = TrueRows(rows, None)
        label = labels[true.places]
        # Rows that are not valid may stand at the place of one that is: each writes the gradient
        # that its place has, or there would be no telling which of the two stays.
        known = (label >= 0) & (label < logits.size(-1))
        label = torch.where(known, label, 0)
        where = (*true.places, label)
        x = logits[where].to(dtype)
        weight = torch.ones_like(x) if weights is None else weights[true.places].to(dtype)
        if columns is not None:
            weight = weight * columns[label]
        value, slope = _background_focal(-x, alpha, gamma)
        wrong, _ = _background_focal(x, 1 - alpha, gamma)
        change = (value - wrong) * weight
        total += (change if true.valid is None else torch.where(true.valid, change, 0)).sum()
        if grad is not None:
            right = (-slope * weight * scale).to(grad.dtype)
            grad[where] = right.where(known, grad[where])
            ctx.save_for_backward(grad)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        if not ctx.needs_input_grad[0]:
            return (None,) * 7
        (grad,) = ctx.saved_tensors
        return grad * (grad_output / ctx.scale).to(grad.dtype), *(None,) * 6


def _slices(logits: Tensor) -> list[tuple[int | slice, ...]]:
    """Index tuples that cut the leading dimensions into slices of bounded size; one on a GPU."""
    indices: list[tuple[int | slice, ...]] = [()]
    if logits.device.type != "cpu":  # launches cost more than what they compute
        return indices
    size = logits.numel()
    for extent in logits.shape[:-1]:
        if size <= _SLICE_NUMEL or extent == 0:
            break
        size //= extent
        if size >= _SLICE_NUMEL:
            indices = [(*index, i) for index in indices for i in range(extent)]
        else:
            step = max(_SLICE_NUMEL // size, 1)
            cuts = [slice(start, start + step) for start in range(0, extent, step)]
            return [(*index, cut) for index in indices for cut in cuts]
    return indices


def _background_focal(x: Tensor, weight: float, gamma: float) -> tuple[Tensor, Tensor]:
    """Focal loss of logits whose target is 0, and its derivative.

    Value w p^g softplus(x), derivative w p^g (g (1 - p) softplus(x) + p), with p = sigmoid(x).
    The true class of logit x is this function at -x, its derivative negated.
    """
    prob, value = x.sigmoid(), F.softplus(x)
    factor = torch.exp(gamma * F.logsigmoid(x)).mul_(weight)
    return factor * value, torch.addcmul(prob, value, 1 - prob, value=gamma) * factor


def _background_sum(
    x: Tensor, weights: Tensor | None, weight: float, gamma: float, needs_grad: bool
) -> tuple[Tensor, Tensor]:
    """The sum of :func:`_background_focal` and its derivative, with three tensors of its size."""
    prob, value = x.sigmoid(), F.softplus(x)
    factor = prob.square() if gamma == 2.0 else F.logsigmoid(x).mul_(gamma).exp_()
    factor *= weight if weights is None else weight * weights
    value *= factor
    total = value.sum()
    if needs_grad:  # in place: the derivative is g (1 - p) value + p factor
        value.addcmul_(value, prob, value=-1).mul_(gamma).addcmul_(factor, prob)
    return total, value
