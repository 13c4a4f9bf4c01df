"""Mixed precision in bfloat16 on CPUs and GPUs that compute in it."""

import time
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
    """Whether the hardware computes bfloat16, and faster than float32.

    Args:
        device_type: ``'cpu'``, ``'cuda'`` or another name that torch knows.

    Returns:
        whether it does; False where torch can't tell. Every CPU computes bfloat16 correctly:
        without the instructions slower than float32, with them not always faster, which a
        product of two matrices tells.
    """
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device_type == "cpu":  # the checks are private in torch, and absent from older versions
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, name, bool)() for name in names) and _is_faster_on_cpu()
    return False


def _is_faster_on_cpu() -> bool:
    """Whether bfloat16 beats float32; takes some 20 ms.

    AVX512-BF16 without AMX, as some virtual machines have it, can be half as fast as float32.
    """
    return _product_time(torch.bfloat16) < _product_time(torch.float32)


def _product_time(dtype: torch.dtype) -> float:
    """Least seconds of five for a product of two matrices, after one to warm up."""
    matrix = torch.ones(512, 512, dtype=dtype)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return min(times[1:])


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """``OptimWrapper`` that runs the forward pass in bfloat16 where that is faster.

    mmengine's ``AmpOptimWrapper`` refuses the CPU. This one takes both, and falls back to
    float32, saying so, where bfloat16 would not be faster. bfloat16 has float32's range, so there
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
        state = "bfloat16 autocast" if self.enabled else "float32 (bfloat16 is not faster here)"
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
