"""The processes of a training."""

from typing import Any

from mmengine.dist import get_world_size
from mmengine.model import is_model_wrapper
from torch import nn


def several_processes() -> bool:
    """Whether this process trains together with others."""
    return get_world_size() > 1


def without_wrapper(model: nn.Module) -> Any:
    """The model itself, where one for several processes wraps it."""
    return model.module if is_model_wrapper(model) else model
