"""Convolutions with the channels of a pixel side by side in memory, which CPUs compute faster."""

from typing import Any

import torch
from mmdet.models.backbones import ResNet
from mmdet.models.necks import FPN
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmthermal.common.checks import check_choice
from mmthermal.common.processes import without_wrapper
from mmthermal.engine.optim_wrapper import Bfloat16OptimWrapper


def _takes_channels_last(part: nn.Module) -> bool:
    """Whether every layer reads any memory order, and none is slow in this one.

    mmcv's compiled operators refuse it or read it wrongly, and the gradient of a group norm in
    bfloat16 takes ten times as long.
    """
    return not any(
        isinstance(layer, nn.GroupNorm) or type(layer).__module__.startswith("mmcv.ops")
        for layer in part.modules()
    )


def _to_channels_last(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    # .contiguous() would leave a single channel's strides, by which convolutions choose the order
    return (inputs[0].to(memory_format=torch.channels_last), *inputs[1:])


def _to_contiguous(_: nn.Module, inputs: tuple[Any, ...], levels: tuple[Tensor, ...]) -> Any:
    return tuple(level.contiguous() for level in levels)


def use_channels_last(model: nn.Module) -> bool:
    """Let a detector's ResNet and FPN compute in channels-last order.

    Weights keep their order, and so do checkpoints; heads get features in the usual order. The
    numbers are the same up to rounding.

    Args:
        model: the detector; two hooks are registered on its parts.

    Returns:
        whether it was done: other backbones, and those with mmcv's operators or group norm, stay
        as they are.
    """
    backbone, neck = getattr(model, "backbone", None), getattr(model, "neck", None)
    if not isinstance(backbone, ResNet) or not _takes_channels_last(backbone):
        return False
    last = neck if isinstance(neck, FPN) and _takes_channels_last(neck) else backbone
    backbone.register_forward_pre_hook(_to_channels_last)
    last.register_forward_hook(_to_contiguous)
    return True


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Trains ResNet and FPN in channels-last order, see :func:`use_channels_last`.

    Args:
        enabled: ``'auto'``, which means on a CPU in bfloat16 only, or True or False to decide by
            hand. In float32 oneDNN 3.12 (torch 2.13) writes past its memory in the gradient of
            1 x 1 convolutions of stride 2 on several threads, with some sizes of batch.

    Raises:
        ValueError: if ``enabled`` is none of these.
    """

    def __init__(self, enabled: bool | str = "auto") -> None:
        check_choice("enabled", enabled, ("auto", True, False))
        self.enabled = enabled
        self._done = False

    def before_train(self, runner: Runner) -> None:
        """Change the model, once; a resumed training has its precision by now.

        Args:
            runner: the runner.
        """
        model = without_wrapper(runner.model)
        wrapper = runner.optim_wrapper
        in_bfloat16 = isinstance(wrapper, Bfloat16OptimWrapper) and wrapper.enabled
        on_cpu = next(model.parameters()).device.type == "cpu"
        wanted = on_cpu and in_bfloat16 if self.enabled == "auto" else self.enabled
        if wanted and not self._done:
            self._done = use_channels_last(model)
