"""Sigmoid focal loss with mmcv's signature; mmdet calls it on a GPU only."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, one_hot

# N samples, C classes; a target of C is background.


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``output`` with the focal loss of each class.

    Args:
        input: (N, C) logits.
        target: (N,) long in [0, C]; C is background.
        weight: (C,) factor for the samples of each class, or empty.
        output: (N, C), filled in place.
        gamma: focusing exponent.
        alpha: factor of the positive class; the others have 1 - alpha.

    Source: Lin et al., Focal Loss for Dense Object Detection, equation 5.
    """
    sign, factor = _sign_and_factor(input, target, weight, alpha)
    # By logarithms: (1 - p) ** gamma loses all digits where p is near 1.
    output.copy_(-factor * torch.exp(gamma * logsigmoid(-sign * input)) * logsigmoid(sign * input))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``grad_input`` with the derivative of each class's focal loss.

    Args:
        input: (N, C) logits.
        target: (N,) long in [0, C]; C is background.
        weight: (C,) factor for the samples of each class, or empty.
        grad_input: (N, C), filled in place.
        gamma: focusing exponent.
        alpha: factor of the positive class; the others have 1 - alpha.

    Source: Lin et al., Focal Loss for Dense Object Detection, appendix B.
    """
    sign, factor = _sign_and_factor(input, target, weight, alpha)
    p = torch.sigmoid(sign * input)
    focus = torch.exp(gamma * logsigmoid(-sign * input))
    inner = gamma * p * logsigmoid(sign * input) - torch.sigmoid(-sign * input)
    grad_input.copy_(sign * factor * focus * inner)


def _sign_and_factor(
    input: Tensor, target: Tensor, weight: Tensor, alpha: float
) -> tuple[Tensor, Tensor]:
    """Return +1 for a sample's own class, else -1, and the factor of its loss; both (N, C)."""
    positive = one_hot(target, input.shape[1] + 1)[:, :-1].to(input)
    factor = positive * alpha + (1 - positive) * (1 - alpha)
    if weight.numel():
        # The compiled operator reads past the end for background; its weight is taken as 1.
        factor = factor * torch.cat([weight, weight.new_ones(1)])[target][:, None]
    return 2 * positive - 1, factor
