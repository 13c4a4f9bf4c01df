"""Pretrained weights for a network with another number of input channels."""

import torch
from mmengine.logging import print_log
from mmengine.model import PretrainedInit, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import load_state_dict
from mmengine.runner.checkpoint import _load_checkpoint, _load_checkpoint_with_prefix
from torch import Tensor, nn


def match_channels(kernels: Tensor, in_channels: int) -> Tensor:
    """Kernels of a first layer for another number of input channels.

    A grey image in all channels gives the same output with both: towards one channel the kernels
    are summed, from one channel they are repeated and divided.

    Args:
        kernels: (O, I, h, w).
        in_channels: number of channels wanted, or I.

    Returns:
        (O, in_channels, h, w).

    Raises:
        ValueError: if neither number is 1 nor are they equal.
    """
    given = kernels.size(1)
    if given == in_channels:
        return kernels
    if in_channels == 1:
        return kernels.sum(1, keepdim=True)
    if given == 1:
        return kernels.expand(-1, in_channels, -1, -1) / in_channels
    raise ValueError(
        f"the first layer of the checkpoint has {given} input channels and the network "
        f"{in_channels}: choose equal numbers, or 1 for one of them"
    )


@WEIGHT_INITIALIZERS.register_module()
class AnyChannelsInit(PretrainedInit):
    """mmengine's ``Pretrained`` that fits the first layer to the network's input channels.

    Goes to a backbone's ``init_cfg``: ``dict(type='AnyChannelsInit', checkpoint='resnet50.pth')``
    with ``in_channels=1`` starts a one-channel network from weights for colour.

    Args:
        layer: name of the first layer's weight.
        checkpoint: file or address of the weights.
        prefix: of the backbone's names in the checkpoint, such as ``'backbone.'``, or None.
        map_location: device that the file is read to.

    Raises:
        KeyError: when called, if checkpoint or network has no such layer.
        ValueError: when called, if the numbers of channels can't be matched, or the layers differ
            in kernel or output.
    """

    def __init__(
        self,
        checkpoint: str,
        prefix: str | None = None,
        map_location: str = "cpu",
        layer: str = "conv1.weight",
    ) -> None:
        super().__init__(checkpoint, prefix, map_location)
        self.layer = layer

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Args:
            module: the network.
        """
        print_log(f"load model from: {self.checkpoint}", logger="current")
        if self.prefix is None:
            content = _load_checkpoint(self.checkpoint, self.map_location)
            state = dict(content.get("state_dict", content))
        else:
            state = _load_checkpoint_with_prefix(self.prefix, self.checkpoint, self.map_location)
        own = dict(module.named_parameters())
        for place, names in (("the checkpoint", state), ("the network", own)):
            if self.layer not in names:
                raise KeyError(
                    f"{place} has no {self.layer!r}, but {next(iter(names))!r} and "
                    "others: set layer=… to the name of the first layer's weight, or prefix=…"
                )
        with torch.no_grad():
            state[self.layer] = match_channels(state[self.layer], own[self.layer].size(1))
        if state[self.layer].shape != own[self.layer].shape:
            raise ValueError(
                f"{self.layer} is {tuple(state[self.layer].shape)} in {self.checkpoint} and "
                f"{tuple(own[self.layer].shape)} in the network: build its first layer with the "
                "checkpoint's kernel and channels (SmallImageResNet: stem_kernel_size=7)"
            )
        load_state_dict(module, state, strict=False, logger="current")
        if hasattr(module, "_params_init_info"):
            update_init_info(module, init_info=self._get_init_info())
