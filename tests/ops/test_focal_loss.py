"""Sigmoid focal loss against mmdet's Python function and closed forms."""

import math

import pytest
import torch
from helpers_ops import extension as calling
from mmcv.ops import sigmoid_focal_loss
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
from torch import Tensor
from torch.nn.functional import one_hot

from mmthermal.ops import extension


def value_and_grad(logits: Tensor, target: Tensor, *args: object) -> tuple[Tensor, Tensor]:
    """Loss of mmcv's function with mmthermal's operators, and its gradient."""
    leaf = logits.clone().requires_grad_()
    with calling(extension):
        loss = sigmoid_focal_loss(leaf, target, *args)
        (grad,) = torch.autograd.grad(loss.sum(), leaf)
    return loss.detach(), grad


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_value_and_gradient_are_those_of_mmdet(gamma: float, dtype: torch.dtype) -> None:
    logits, target = torch.randn(40, 3, dtype=dtype) * 3, torch.randint(0, 4, (40,))
    leaf = logits.clone().requires_grad_()
    hot = one_hot(target, 4)[:, :3]
    expected = py_sigmoid_focal_loss(leaf, hot, gamma=gamma, alpha=0.3, reduction="none")
    (grad,) = torch.autograd.grad(expected.sum(), leaf)
    loss, found = value_and_grad(logits, target, gamma, 0.3, None, "none")
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found, grad, rtol=1e-4, atol=1e-6)


def test_at_a_logit_of_zero() -> None:
    """p = 1/2: alpha * (1/2) ** gamma * ln 2 for the own class, 1 - alpha for the others."""
    loss, _ = value_and_grad(torch.zeros(1, 2), torch.tensor([1]), 2.0, 0.25, None, "none")
    ln2 = math.log(2)
    assert loss[0].tolist() == pytest.approx([0.75 * 0.25 * ln2, 0.25 * 0.25 * ln2])


def test_class_weights_multiply_and_background_has_none() -> None:
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 2])
    plain, _ = value_and_grad(logits, target, 2.0, 0.25, None, "none")
    weighted, _ = value_and_grad(logits, target, 2.0, 0.25, torch.tensor([3.0, 5.0]), "none")
    torch.testing.assert_close(weighted, plain * torch.tensor([[3.0], [5.0], [1.0]]))


@pytest.mark.parametrize("size", [30.0, 1e4])
def test_extreme_logits_give_finite_losses_and_gradients(size: float) -> None:
    logits, target = torch.tensor([[size, -size]] * 3), torch.tensor([0, 1, 2])
    loss, grad = value_and_grad(logits, target, 0.5, 0.25, None, "none")
    assert loss.isfinite().all()
    assert grad.isfinite().all()
    assert loss[1, 0] == pytest.approx(0.75 * size)  # certain of the wrong class
