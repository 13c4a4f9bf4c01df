"""The guard of mmcv's operators: what a kernel lacks is computed in float32."""

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import mmcv.ops
import pytest
import torch
from torch import Tensor

from mmthermal.ops.low_precision import WITHOUT_HALF, guard_ops, guarded, needs_float32

SOURCES = Path(mmcv.ops.__file__).parent / "csrc" / "pytorch" / "cuda"
# mmcv 2.1's CUDA files without a float16 kernel, and the operators of each that take floats.
FILES_WITHOUT_HALF = {
    "box_iou_quadri": {"box_iou_quadri"},
    "box_iou_rotated": {"box_iou_rotated"},
    "diff_iou_rotated": {"diff_iou_rotated_sort_vertices_forward"},
    "furthest_point_sample": {
        "furthest_point_sampling_forward", "furthest_point_sampling_with_dist_forward",
    },
    "iou3d": {"iou3d_boxes_overlap_bev_forward", "iou3d_nms3d_forward",
              "iou3d_nms3d_normal_forward"},
    "nms": {"nms", "nms_match", "softnms"},  # the latter two have no CUDA kernel at all
    "prroi_pool": {"prroi_pool_forward", "prroi_pool_backward", "prroi_pool_coor_backward"},
    "psamask": {"psamask_forward", "psamask_backward"},
    "scatter_points": {"dynamic_point_to_voxel_forward", "dynamic_point_to_voxel_backward"},
    "voxelization": {"hard_voxelize_forward", "dynamic_voxelize_forward"},
}  # fmt: skip
# These dispatch by names of their own.
SPARSE = {"sparse_indice", "sparse_maxpool", "sparse_reordering"}


def kernel(first: Tensor, second: Tensor, output: Tensor, scale: float = 1.0) -> Tensor:
    """As mmcv's: fills ``output`` without telling autograd, refuses low precision."""
    for each in (first, second, output):
        if each.dtype in (torch.bfloat16, torch.float16):
            raise NotImplementedError("not implemented for 'BFloat16'")
    assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == torch.float32  # no autocast
    output.data.copy_(scale * (first + second))
    return torch.stack([first.sum(), second.sum()])


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
def test_fills_in_place_and_returns_the_arguments_type(low: torch.dtype) -> None:
    first, second, output = torch.randn(4, 3).to(low), torch.randn(4, 3).to(low), torch.ones(4, 3)
    output = output.to(low)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sums = guarded(kernel, "nms")(first, second, output=output, scale=2.0)
    assert output.dtype == sums.dtype == low
    torch.testing.assert_close(output, (2 * (first.float() + second.float())).to(low))
    torch.testing.assert_close(
        sums, torch.stack([first.float().sum(), second.float().sum()]).to(low)
    )


def test_inputs_do_not_count_as_changed() -> None:
    first = torch.randn(3, requires_grad=True)
    low = first.bfloat16()
    product = low * low  # keeps low for its backward pass
    guarded(kernel, "x")(low.detach(), low.detach(), torch.zeros(3).bfloat16())
    product.sum().backward()  # raises if low had been written to under autograd's eyes
    assert first.grad is not None


def test_expanded_arguments_are_only_read() -> None:
    row = torch.ones(1).bfloat16().expand(3)
    output = torch.zeros(3).bfloat16()
    guarded(kernel, "x")(row, row, output)
    assert output.tolist() == [2.0] * 3


def test_float32_passes_as_it_is() -> None:
    seen: list[Tensor] = []
    tensor = torch.randn(3)
    guarded(lambda *args: seen.extend(args), "x")(tensor, tensor)
    assert all(each is tensor for each in seen)


def test_channels_last_maps_are_reordered() -> None:
    seen: list[Tensor] = []
    maps = torch.randn(2, 3, 4, 4).bfloat16().contiguous(memory_format=torch.channels_last)
    guarded(lambda each: seen.append(each), "x")(maps)
    assert seen[0].is_contiguous()
    assert torch.equal(seen[0], maps.float())


@pytest.mark.parametrize(
    ("dtypes", "has_half", "on_gpu", "expected"),
    [
        ({torch.float32}, False, True, False),
        ({torch.float32, torch.float64}, True, True, False),
        ({torch.bfloat16}, True, True, True),
        ({torch.float16}, True, True, False),  # the kernel's own float16
        ({torch.float16}, False, True, True),
        ({torch.float16}, True, False, True),
        ({torch.float16, torch.float32}, True, True, True),
        (set(), False, False, False),
    ],
)
def test_which_types_a_kernel_lacks(
    dtypes: set[torch.dtype], has_half: bool, on_gpu: bool, expected: bool
) -> None:
    assert needs_float32(dtypes, has_half, on_gpu) is expected


def test_a_second_guard_changes_nothing() -> None:
    module = ModuleType("ext")
    module.nms = kernel  # type: ignore[attr-defined]
    module.get_compiler_version = str  # type: ignore[attr-defined]
    guard_ops(module)
    once = module.nms
    guard_ops(module)
    assert module.nms is once
    assert once.__wrapped__ is kernel
    assert module.get_compiler_version is str


def test_every_operator_that_mmcv_calls_here_is_guarded() -> None:
    extension = importlib.import_module("mmcv._ext")
    names = getattr(extension, "__all__", dir(extension))
    open_ = [
        name
        for name in names
        if callable(getattr(extension, name))
        and not name.startswith(("_", "get_compil"))
        and not hasattr(getattr(extension, name), "__wrapped__")
    ]
    assert open_ == []


@pytest.mark.skipif(not SOURCES.is_dir(), reason="mmcv's CUDA sources are not installed")
def test_the_table_is_that_of_mmcv_s_sources() -> None:
    without = set()
    for path in SOURCES.glob("*.cu"):
        text = path.read_text(errors="replace")
        assert not re.search("bfloat16|BFloat16|FLOATING_TYPES_AND2", text, re.IGNORECASE), path
        if not re.search(r"_AND_HALF\(|Half", text):
            without.add(re.sub("_cuda$", "", path.stem))
    assert without - SPARSE == set(FILES_WITHOUT_HALF)
    assert set().union(*FILES_WITHOUT_HALF.values()) == WITHOUT_HALF


def ways() -> dict[str, Any]:
    """Calls of the operators in low precision: a function of the tensors, and those tensors."""
    maps = torch.randn(1, 4, 8, 8)
    boxes = torch.tensor([[0, 1.0, 1, 6, 7], [0, 0.0, 2, 4, 5]])
    return {
        "roi_align": (lambda m: mmcv.ops.roi_align(m, boxes.to(m.dtype), 2), [maps]),
        "deform_conv": (
            lambda m, o, w: mmcv.ops.deform_conv2d(m, o, w, 1, 1),
            [maps, torch.randn(1, 18, 8, 8) / 4, torch.randn(2, 4, 3, 3)],
        ),
        "modulated_deform_conv": (
            lambda m, o, k, w: mmcv.ops.modulated_deform_conv2d(m, o, k, w, None, 1, 1),
            [maps, torch.randn(1, 18, 8, 8) / 4, torch.rand(1, 9, 8, 8),
             torch.randn(2, 4, 3, 3)],
        ),
    }  # fmt: skip


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["roi_align", "deform_conv", "modulated_deform_conv"])
def test_operators_equal_float32_on_the_rounded_inputs(name: str, low: torch.dtype) -> None:
    call, tensors = ways()[name]
    results = []
    for dtype in (low, torch.float32):
        leaves = [each.to(low).to(dtype).requires_grad_() for each in tensors]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == low):
            out = call(*leaves)
        assert out.dtype == dtype
        out.float().square().sum().backward()
        results.append((out, *(leaf.grad for leaf in leaves)))
    for found, expected in zip(*results, strict=True):
        scale = float(expected.abs().max())
        torch.testing.assert_close(found.float(), expected, rtol=0.03, atol=0.02 * scale)


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
def test_nms_keeps_what_it_keeps_in_float32(low: torch.dtype) -> None:
    corners = torch.rand(60, 2) * 50
    boxes = torch.cat([corners, corners + 5 + torch.rand(60, 2) * 20], 1).to(low)
    scores = torch.rand(60).to(low)
    found, kept = mmcv.ops.nms(boxes, scores, 0.5)
    expected, places = mmcv.ops.nms(boxes.float(), scores.float(), 0.5)
    assert torch.equal(kept, places)
    assert torch.equal(found.float(), expected)
