"""mmcv's operators under mixed precision: float32 where a kernel lacks the inputs' type.

None of mmcv's CUDA kernels is compiled for bfloat16, and some lack float16, too; the CPU kernels
lack more. Under autocast the layers hand on such tensors, and the operator raises. The guard stands
at the one place that every operator of every head, neck and backbone passes: the functions of
``mmcv._ext``.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

LOW = (torch.bfloat16, torch.float16)
# Operators whose CUDA kernels lack float16, too, by mmcv 2.1's sources.
WITHOUT_HALF = frozenset(
    (
        "box_iou_quadri",
        "box_iou_rotated",
        "diff_iou_rotated_sort_vertices_forward",
        "dynamic_point_to_voxel_backward",
        "dynamic_point_to_voxel_forward",
        "dynamic_voxelize_forward",
        "furthest_point_sampling_forward",
        "furthest_point_sampling_with_dist_forward",
        "hard_voxelize_forward",
        "iou3d_boxes_overlap_bev_forward",
        "iou3d_nms3d_forward",
        "iou3d_nms3d_normal_forward",
        "nms",
        "nms_match",
        "prroi_pool_backward",
        "prroi_pool_coor_backward",
        "prroi_pool_forward",
        "psamask_backward",
        "psamask_forward",
        "softnms",
    )
)


def guard_ops(module: ModuleType) -> None:
    """Put the guard around every operator of an extension; a second call changes nothing.

    Args:
        module: ``mmcv._ext`` or what stands in for it; its functions are replaced. mmcv's Python
            code looks them up at each call, so that it may be imported before or after.
    """
    for name in getattr(module, "__all__", dir(module)):
        function = getattr(module, name)
        if name.startswith(("_", "get_compil")) or not callable(function):
            continue
        if not hasattr(function, "__wrapped__"):
            setattr(module, name, guarded(function, name))


def guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """An operator that computes in float32 what its kernel lacks.

    Args:
        function: an operator of ``mmcv._ext``, which may fill arguments in place.
        name: its name there.

    Returns:
        a function of the same arguments. Where the floating tensors are of bfloat16, of float16
        that the kernel lacks, or of several types, the kernel gets contiguous float32 copies;
        what it fills in place is written back in the arguments' own type, and floating results
        have the lowest type of the arguments.
    """
    has_half = name not in WITHOUT_HALF

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        tensors = [each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)]
        dtypes = {each.dtype for each in tensors if each.is_floating_point()}
        if not needs_float32(dtypes, has_half, all(each.is_cuda for each in tensors)):
            return function(*args, **kwargs)
        copies: dict[int, Tensor] = {}
        with torch.autocast(tensors[0].device.type, enabled=False):
            result = function(
                *[_copied(each, copies) for each in args],
                **{key: _copied(each, copies) for key, each in kwargs.items()},
            )
        for each in tensors:
            if id(each) in copies and not _overlaps_itself(each):
                # As a kernel writes: past autograd, which must not take inputs for changed ones.
                each.data.copy_(copies[id(each)])
        lowest = next(dtype for dtype in LOW if dtype in dtypes)
        return _lowered(result, lowest)

    return call


def needs_float32(dtypes: set[torch.dtype], has_half: bool, on_gpu: bool) -> bool:
    """Whether a kernel lacks these types.

    Args:
        dtypes: of the floating tensors.
        has_half: whether the CUDA kernel is compiled for float16.
        on_gpu: whether the CUDA kernel is called.

    Returns:
        whether it does.
    """
    if torch.bfloat16 in dtypes:
        return True
    return torch.float16 in dtypes and not (has_half and on_gpu and len(dtypes) == 1)


def _copied(value: Any, copies: dict[int, Tensor]) -> Any:
    """The float32 copy of a low-precision tensor, the same for the same one; others as they are."""
    if not isinstance(value, Tensor) or value.dtype not in LOW:
        return value
    if id(value) not in copies:
        # Kernels index the memory as (N, C, H, W): channels-last maps must be reordered.
        copies[id(value)] = value.to(torch.float32, memory_format=torch.contiguous_format)
    return copies[id(value)]


def _overlaps_itself(tensor: Tensor) -> bool:
    """Whether elements share memory, as in an expanded tensor, which no kernel can fill."""
    pairs = zip(tensor.shape, tensor.stride(), strict=True)
    return any(size > 1 and stride == 0 for size, stride in pairs)


def _lowered(result: Any, dtype: torch.dtype) -> Any:
    """Float32 results in the type of the arguments."""
    if isinstance(result, (list, tuple)):
        return type(result)(_lowered(each, dtype) for each in result)
    is_float = isinstance(result, Tensor) and result.dtype == torch.float32
    return result.to(dtype) if is_float else result
