"""mmcv's operators as a GPU has them: kernels that refuse what CUDA's refuse, on the CPU."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import mmdet.models.losses.focal_loss as mmdet_focal
import pytest
import torch
from torch import Tensor

from mmthermal.ops import focal_loss
from mmthermal.ops.low_precision import guarded


def refusing(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A kernel that raises for bfloat16 with the words of torch's dispatch on CUDA."""

    def call(*args: Any, **kwargs: Any) -> Any:
        for each in (*args, *kwargs.values()):
            if isinstance(each, Tensor) and each.dtype == torch.bfloat16:
                raise NotImplementedError(f"\"{name}_cuda_kernel\" not implemented for 'BFloat16'")
        return function(*args, **kwargs)

    return call


def counting(function: Callable[..., Any], name: str, called: list[str]) -> Callable[..., Any]:
    """A function that notes its calls."""

    def call(*args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return function(*args, **kwargs)

    return call


def focal_loss_as_on_a_gpu(pred: Tensor, target: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """mmdet's focal loss by mmcv's operator, as on a GPU; target (N, C), 0 or 1."""
    labels = torch.where(target.any(1), target.int().argmax(1), target.size(1))
    return mmdet_focal.sigmoid_focal_loss(pred, labels, *args, **kwargs)


def use_gpu_kernels(monkeypatch: pytest.MonkeyPatch, *, guard: bool = True) -> list[str]:
    """Put such kernels in the place of ``mmcv._ext``'s functions.

    Args:
        monkeypatch: takes everything back.
        guard: whether the package's guard is around them.

    Returns:
        a list that gets the name of each operator that is called.
    """
    called: list[str] = []
    extension: ModuleType = importlib.import_module("mmcv._ext")
    for name in getattr(extension, "__all__", dir(extension)):
        function = getattr(extension, name)
        if not hasattr(function, "__wrapped__"):
            continue
        kernel = getattr(focal_loss, name, function.__wrapped__)  # mmcv has it for CUDA only

        kernel = counting(refusing(kernel, name), name, called)
        monkeypatch.setattr(extension, name, guarded(kernel, name) if guard else kernel)
    monkeypatch.setattr(mmdet_focal, "py_sigmoid_focal_loss", focal_loss_as_on_a_gpu)
    return called
