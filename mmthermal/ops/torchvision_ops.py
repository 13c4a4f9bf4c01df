"""torchvision's operators, where it is installed and they work."""

import functools
from typing import Any

import torch


@functools.cache
def torchvision_ops() -> Any:
    """Look torchvision's operators up, once.

    A torchvision of another torch or of another build than the torch that is installed often
    imports and fails only when an operator is called, so that one is called.

    Returns:
        the namespace torch.ops.torchvision, or None where there is none that works.
    """
    try:
        import torchvision  # noqa: F401

        torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
    return torch.ops.torchvision
