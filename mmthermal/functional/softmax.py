"""Softmax scores as one sigmoid score per class.

Shape shorthand: M rows, C classes and one background column.
"""

import torch
from torch import Tensor


def one_vs_rest_logits(logits: Tensor) -> Tensor:
    r"""Logit of each class against all other columns, the background among them.

    .. math:: z_c = x_c - \log \sum_{j \ne c} e^{x_j}, \quad \sigma(z_c) = softmax(x)_c

    so that what is made for sigmoid columns, such as
    :func:`~mmthermal.functional.focal.focal_loss`, takes the softmax probabilities exactly.

    Args:
        logits: (M, C + 1) with C >= 1, any finite value; the last column is the background.

    Returns:
        (M, C), finite; the background's column is left out.

    Raises:
        ValueError: if the logits are not (M, 2 or more).
    """
    if logits.dim() != 2 or logits.size(1) < 2:
        raise ValueError(f"logits is {tuple(logits.shape)}, expected (M, C + 1) with C >= 1")
    log_probs = logits.log_softmax(1)
    top = logits.argmax(1, keepdim=True)
    # log p - log(1 - p) is exact up to p = 1/2, which only the largest column can exceed. There
    # 1 - p cancels, so the others are summed without it.
    top_logits = logits.gather(1, top) - logits.scatter(1, top, float("-inf")).logsumexp(
        1, keepdim=True
    )
    # The largest is blanked before log1p, for log(1 - 1) has no finite gradient.
    others = log_probs - torch.log1p(-log_probs.exp().scatter(1, top, 0.0))
    return others.scatter(1, top, top_logits)[:, :-1]
