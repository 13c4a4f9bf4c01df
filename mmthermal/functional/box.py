"""Box regression loss.

Shape shorthand: P boxes, 4 coordinates (dcx, dcy, dw, dh) or corners.
"""

import torch
from torch import Tensor

from mmthermal.common.checks import check_choice, check_range

BOX_FORMS = ("paper", "huber", "smooth_l1")
BOX_NORMS = ("coordinate", "vector")


def box_distance(pred: Tensor, target: Tensor, *, norm: str = "coordinate") -> Tensor:
    r"""Distances between predicted and true boxes that the loss is a function of.

    Args:
        pred: (P, 4), any finite value.
        target: (P, 4), same encoding as ``pred``.
        norm: ``'coordinate'`` for :math:`|d|` of each coordinate, ``'vector'`` for the Euclidean
            lengths of the 2-vectors :math:`(d_0, d_1)` and :math:`(d_2, d_3)`, which do not
            change when both boxes' vectors are rotated.

    Returns:
        (P, 4) or (P, 2), non-negative. The gradient of a length is 0 at length 0.

    Raises:
        ValueError: for an unknown ``norm`` or shapes that differ or are not (P, 4).

    Source: paper, section 3 (rotation and translation invariance).
    """
    check_choice("norm", norm, BOX_NORMS)
    if pred.shape != target.shape or pred.dim() != 2 or pred.size(1) != 4:
        raise ValueError(
            f"boxes must both be (P, 4): pred is {tuple(pred.shape)}, "
            f"target is {tuple(target.shape)}"
        )
    diff = pred - target
    if norm == "coordinate":
        return diff.abs()
    square = diff.unflatten(1, (2, 2)).square().sum(-1)
    # sqrt has an infinite slope at 0, and 0 * inf is NaN: no gradient passes where the length is 0
    moved = square > 0
    return torch.where(moved, torch.where(moved, square, torch.ones_like(square)).sqrt(), square)


def box_loss(
    pred: Tensor,
    target: Tensor,
    *,
    delta: float = 1.0,
    form: str = "huber",
    norm: str = "coordinate",
) -> Tensor:
    r"""Quadratic-then-linear regression loss of each box.

    With :math:`d` from :func:`box_distance`, every form is quadratic up to :math:`\delta` and
    linear beyond:

    .. math::
        \text{paper: } \begin{cases} 0.5 d^2 \\ d - 0.5\delta \end{cases} \quad
        \text{huber: } \begin{cases} 0.5 d^2 \\ \delta (d - 0.5\delta) \end{cases} \quad
        \text{smooth\_l1: } \begin{cases} 0.5 d^2 / \delta & d \le \delta \\
        d - 0.5\delta & d > \delta \end{cases}

    The paper's form jumps at :math:`\delta` by :math:`\delta - 0.5\delta - 0.5\delta^2` unless
    :math:`\delta` is 0 or 1; ``'huber'`` is continuous for every :math:`\delta`;
    ``'smooth_l1'`` is mmdet's ``SmoothL1Loss``, and its ``L1Loss`` at :math:`\delta = 0`.

    Args:
        pred: (P, 4), any finite value.
        target: (P, 4), same encoding as ``pred``.
        delta: where the quadratic part ends, in the unit of the boxes; >= 0, for ``'huber'`` > 0.
        form: ``'paper'``, ``'huber'`` or ``'smooth_l1'``.
        norm: as in :func:`box_distance`.

    Returns:
        (P,), non-negative: the sum over the coordinates (or vectors) of each box.

    Raises:
        ValueError: for unknown settings or shapes, or ``delta`` out of range.

    Source: paper, section 2, L_box (``form='paper'``).
    """
    check_choice("form", form, BOX_FORMS)
    check_range("delta", delta, 0, open_low=form == "huber")
    dist = box_distance(pred, target, norm=norm)
    linear = dist - 0.5 * delta
    if delta == 0:
        return linear.sum(-1)
    quadratic = 0.5 * dist.square()
    if form == "huber":
        linear = delta * linear
    elif form == "smooth_l1":
        quadratic = quadratic / delta
    return torch.where(dist <= delta, quadratic, linear).sum(-1)
