"""Mixed precision in bfloat16 on CPUs and GPUs that compute in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn


def has_bfloat16(device_type: str) -> bool:
    """Whether bfloat16 is computed in hardware, so that autocast to it is faster than float32.

    Args:
        device_type: ``'cpu'``, ``'cuda'`` or another name that torch knows.

    Returns:
        whether it is; False where torch can't tell. A CPU without the instructions computes
        bfloat16 correctly, but slower than float32.
    """
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device_type == "cpu":  # the checks are private in torch, and absent from older versions
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, name, bool)() for name in names)
    return False


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """``OptimWrapper`` that runs the forward pass in bfloat16 where the hardware has it.

    mmengine's ``AmpOptimWrapper`` refuses the CPU. This one takes both, and falls back to
    float32, saying so, where bfloat16 would be emulated. bfloat16 has float32's range, so there
    is no loss scale. Weights, gradients, optimizer state and the composite loss stay in float32.

    Args:
        enabled: ``'auto'``, or True or False to decide by hand.
        **kwargs: as ``OptimWrapper``.

    Raises:
        ValueError: if ``enabled`` is none of these.
    """

    def __init__(self, enabled: bool | str = "auto", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if enabled not in (True, False, "auto"):
            raise ValueError(f"enabled={enabled!r}: choose 'auto', True or False")
        self.device_type = get_device().split(":")[0]
        self.enabled = has_bfloat16(self.device_type) if enabled == "auto" else bool(enabled)
        state = "bfloat16 autocast" if self.enabled else "float32 (no bfloat16 in hardware)"
        print_log(f"Training on {self.device_type} in {state}", logger="current")

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast around the forward pass.

        Args:
            model: the model being trained.

        Yields:
            nothing.
        """
        autocast = torch.autocast(self.device_type, dtype=torch.bfloat16, enabled=self.enabled)
        with super().optim_context(model), autocast:
            yield
