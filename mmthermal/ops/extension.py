"""What stands in for ``mmcv._ext``, mmcv's compiled extension, where only mmcv-lite is installed.

mmcv's Python code asks this module for each of its operators, 100 and some, when it is imported.
Those that detectors here need are supplied; any other one raises an error when it is called.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from mmthermal.ops.deform_conv import (
    deform_conv_backward_input,
    deform_conv_backward_parameters,
    deform_conv_forward,
    modulated_deform_conv_backward,
    modulated_deform_conv_forward,
)
from mmthermal.ops.focal_loss import sigmoid_focal_loss_backward, sigmoid_focal_loss_forward
from mmthermal.ops.roi_align import roi_align_backward, roi_align_forward
from mmthermal.ops.suppression import nms, nms_match, softnms

__all__ = [
    "deform_conv_backward_input",
    "deform_conv_backward_parameters",
    "deform_conv_forward",
    "get_compiler_version",
    "get_compiling_cuda_version",
    "modulated_deform_conv_backward",
    "modulated_deform_conv_forward",
    "nms",
    "nms_match",
    "roi_align_backward",
    "roi_align_forward",
    "sigmoid_focal_loss_backward",
    "sigmoid_focal_loss_forward",
    "softnms",
]

HOW_TO_COMPILE = (
    "pip uninstall -y mmcv-lite; pip install 'setuptools<81' wheel ninja psutil; "
    "pip install --no-build-isolation 'mmcv>=2.0.0rc4,<2.2' (needs a C++ compiler, and the CUDA "
    "toolkit for a GPU; in a clone of mmthermal: make OPS=compiled setup)"
)


def get_compiler_version() -> str:
    """Answer mmcv's question for its report of the environment."""
    return "none: operators of mmthermal"


def get_compiling_cuda_version() -> str:
    """Answer mmcv's question for its report of the environment."""
    return "not available"


def __getattr__(name: str) -> Callable[..., NoReturn]:
    """Give a function that raises for every operator that is not supplied."""
    if name.startswith("_"):
        raise AttributeError(name)

    def missing(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"The operator {name!r} needs a compiled mmcv, and mmcv-lite is installed. mmthermal "
            "supplies only what its detectors need: nms, soft-nms, RoIAlign, the sigmoid focal "
            f"loss and deformable convolution. To compile mmcv: {HOW_TO_COMPILE}."
        )

    missing.__name__ = missing.__qualname__ = name
    return missing
