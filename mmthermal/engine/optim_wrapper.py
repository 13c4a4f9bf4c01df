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
    """Whether the hardware says that it computes bfloat16 faster than float32.

    Every CPU computes bfloat16 correctly. With AMX it is faster than float32. With AVX512-BF16
    alone it was half as fast on one machine and 1.8 times as fast on another: the answer is no,
    and ``enabled=True`` decides by hand. Nothing is timed, so that the answer does not depend on
    what else the machine does.

    Args:
        device_type: ``'cpu'``, ``'cuda'`` or another name that torch knows.

    Returns:
        whether it does; False where torch can't tell.
    """
    if device_type == "cuda":
        return _has_cuda_bfloat16()
    if device_type == "cpu":  # the check is private in torch, and absent from older versions
        return getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    return False


def _has_cuda_bfloat16() -> bool:
    """The answer of the current GPU."""
    try:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    except TypeError:  # torch before 2.4, some of which count emulation in
        native = torch.version.hip is not None or torch.cuda.get_device_capability() >= (8, 0)
        return native and torch.cuda.is_bf16_supported()


_PRECISION = "bfloat16"  # key in a checkpoint


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """``OptimWrapper`` that runs the forward pass in bfloat16 where that is faster.

    mmengine's ``AmpOptimWrapper`` refuses the CPU. This one takes both, and falls back to
    float32, saying so, where bfloat16 would not be faster. bfloat16 has float32's range, so there
    is no loss scale. Weights, gradients, optimizer state and the composite loss stay in float32.

    Under ``'auto'`` the first start decides, and the checkpoint remembers it: a resumed training
    goes on in the same precision, on another machine, too.

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
        self.by_hand = enabled != "auto"
        self.enabled = bool(enabled) if self.by_hand else has_bfloat16(self.device_type)
        self._reason = "as set" if self.by_hand else "the hardware decides"

    def initialize_count_status(self, *args: Any, **kwargs: Any) -> None:
        """Say the precision: mmengine calls this once, after a checkpoint was resumed.

        Args:
            *args: as ``OptimWrapper``.
            **kwargs: as ``OptimWrapper``.
        """
        super().initialize_count_status(*args, **kwargs)
        state = "bfloat16 autocast" if self.enabled else "float32"
        print_log(f"Training on {self.device_type} in {state} ({self._reason})", logger="current")

    def state_dict(self) -> dict:
        """State for a checkpoint.

        Returns:
            that of ``OptimWrapper``, and the precision.
        """
        return {**super().state_dict(), _PRECISION: self.enabled}

    def load_state_dict(self, state_dict: dict) -> None:
        """Take the state of a checkpoint, and under ``'auto'`` its precision.

        Args:
            state_dict: of this class or another optimizer wrapper.
        """
        state = dict(state_dict)
        remembered = state.pop(_PRECISION, None)
        super().load_state_dict(state)
        if remembered is None or self.by_hand:
            return
        if remembered != self.enabled:
            self._reason = "as the checkpoint; this machine alone would choose otherwise"
        else:
            self._reason = "as the checkpoint"
        self.enabled = bool(remembered)

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
