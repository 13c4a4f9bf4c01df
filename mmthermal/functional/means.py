"""Geometric means that join two loss terms."""

import torch
from torch import Tensor

from mmthermal.common.checks import check_choice, check_range

MEANS = ("shifted", "paper")


def check_mean(mean: str, shift: float, eps: float, share: float, *, name: str = "share") -> None:
    """Raise if the settings of :func:`geometric_mean` are unknown or out of range.

    Args:
        mean: as in :func:`geometric_mean`.
        shift: as in :func:`geometric_mean`.
        eps: as in :func:`geometric_mean`.
        share: as in :func:`geometric_mean`.
        name: what the share is called in an error.

    Raises:
        TypeError: if a number is none.
        ValueError: if a setting is not allowed.
    """
    check_choice("mean", mean, MEANS)
    check_range("shift", shift, 0, open_low=True)
    check_range("eps", eps, 0, open_low=True)
    check_range(name, share, 0, 1)
    if mean == "paper" and share not in (0, 0.5, 1):
        raise ValueError(
            f"{name}={share!r} with mean='paper': the paper's mean weighs both sides alike. "
            "Choose 0.5 (or 0 or 1 for one side alone), or mean='shifted'."
        )


def geometric_mean(
    a: Tensor,
    b: Tensor,
    *,
    mean: str = "shifted",
    shift: float = 0.1,
    eps: float = 1e-6,
    share: float = 0.5,
) -> Tensor:
    r"""Geometric mean of two non-negative terms.

    .. math::
        \text{paper: } \sqrt{\max(a b, \epsilon)} \qquad
        \text{shifted: } \exp\bigl((1 - s) \log(a + c) + s \log(b + c)\bigr) - c

    The paper's mean has its minimum wherever *either* side is 0 and an unbounded slope there, so
    a model can leave it by giving up one side. The shifted one, with :math:`c > 0`, has bounded
    slopes: :math:`c \to 0` gives the paper's, :math:`c \to \infty` the arithmetic mean.

    Args:
        a: any shape, non-negative.
        b: same shape, non-negative.
        mean: ``'shifted'`` or ``'paper'``.
        shift: c, > 0, in the unit of the losses. Not used by the paper's mean.
        eps: floor of the product, > 0. Not used by the shifted mean.
        share: s, the weight of ``b``, in [0, 1]; 0 gives ``a`` alone and 1 gives ``b``. The
            paper's mean takes 0, 0.5 and 1 only.

    Returns:
        same shape; between the geometric and the arithmetic mean of a and b for ``'shifted'``.

    Raises:
        ValueError: if a setting is unknown or out of range.

    Source: paper, section 2, L_cls, L_f1, L_combined; algorithm 2, lines 13 to 15.
    """
    check_mean(mean, shift, eps, share)
    if share == 0:
        return a
    if share == 1:
        return b
    if mean == "paper":
        return (a * b).clamp(min=eps).sqrt()
    # Not exp(log(a + c) ...) - c: that cancels, at a = b = 1e-6 and c = 0.1 it is 0.2 % off.
    return shift * torch.expm1(
        (1 - share) * torch.log1p(a / shift) + share * torch.log1p(b / shift)
    )
