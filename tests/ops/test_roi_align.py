"""RoIAlign by closed forms and gradcheck; test_extension.py has the compiled results."""

import pytest
import torch
from helpers_ops import extension as calling
from mmcv.ops import roi_align
from torch import Tensor

from mmthermal.ops import extension
from mmthermal.ops.roi_align import sample_points


def ramp(dtype: torch.dtype) -> Tensor:
    """(1, 2, 12, 16): a channel that is x and one that is 3 * y."""
    y, x = torch.meshgrid(torch.arange(12.0), torch.arange(16.0), indexing="ij")
    return torch.stack([x, 3 * y])[None].to(dtype)


@pytest.mark.usefixtures("supplied_ops")
@pytest.mark.parametrize("ratio", [0, 1, 3])
def test_the_average_over_a_ramp_is_its_value_at_the_centre(ratio: int, dtype: torch.dtype) -> None:
    rois = torch.tensor([[0, 2.0, 1.0, 10.0, 9.0]], dtype=dtype)
    out = roi_align(ramp(dtype), rois, (2, 4), 1.0, ratio, "avg", True)
    # bins 2 wide and 4 high; pixel i has its centre at i + 0.5
    torch.testing.assert_close(out[0, 0, 0], torch.tensor([3, 5, 7, 9], dtype=dtype) - 0.5)
    torch.testing.assert_close(out[0, 1, :, 0], 3 * (torch.tensor([3, 7], dtype=dtype) - 0.5))


@pytest.mark.usefixtures("supplied_ops")
def test_the_maximum_over_a_ramp_is_its_last_point() -> None:
    rois = torch.tensor([[0, 2.0, 1.0, 10.0, 9.0]])
    out = roi_align(ramp(torch.float32), rois, (1, 1), 1.0, 4, "max", True)
    # points every 2 pixels, the last one 1 before the end
    assert out.flatten().tolist() == pytest.approx([9 - 0.5, 3 * (8 - 0.5)])


@pytest.mark.usefixtures("supplied_ops")
@pytest.mark.parametrize("mode", ["avg", "max"])
def test_gradient(mode: str) -> None:
    features = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    rois = torch.tensor([[1, 0.3, 0.7, 4.2, 5.1], [0, -2, -1, 3, 2], [1, 2, 2, 2, 2]]).double()
    assert torch.autograd.gradcheck(
        lambda f: roi_align(f, rois, (2, 3), 0.9, 0, mode, True), features
    )


@pytest.mark.usefixtures("supplied_ops")
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_full(half: torch.dtype, backend: str) -> None:
    if backend == "torchvision" and half == torch.bfloat16:
        pytest.skip("torchvision has no bfloat16")
    rois = torch.tensor([[0, 2.0, 1.0, 10.0, 9.0]])
    features = torch.rand(1, 3, 12, 16)
    expected = roi_align(features.to(half).float(), rois, (3, 3), 1.0, 0, "avg", True)
    found = roi_align(features.to(half), rois.to(half), (3, 3), 1.0, 0, "avg", True)
    assert found.dtype == half
    torch.testing.assert_close(found.float(), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.usefixtures("supplied_ops")
def test_a_box_turned_round_is_refused() -> None:
    with pytest.raises(ValueError, match="x2 < x1 or y2 < y1"):
        roi_align(ramp(torch.float32), torch.tensor([[0, 5.0, 1, 2, 9]]), 2, 1.0, 0, "avg", True)


def test_a_bin_has_a_point_for_each_pixel() -> None:
    rois = torch.tensor([[1, 0, 0, 8.0, 12.0], [0, 3, 3, 3, 3]])
    samples = sample_points(rois, (2, 2), 1.0, 0, True)
    assert samples.counts.tolist() == [4 * 6] * 4 + [0] * 4
    assert samples.images.tolist() == [1] * 96
    assert samples.x[:4].tolist() == [0, 1, 2, 3]  # the first bin's first row, shifted by half
    assert samples.y[0:24:4].tolist() == [0, 1, 2, 3, 4, 5]


def test_both_ends_of_a_training_step_call_the_extension() -> None:
    """The helper really puts the module where mmcv looks."""
    from mmcv.ops.roi_align import RoIAlignFunction

    with calling(extension):
        assert RoIAlignFunction.forward.__globals__["ext_module"] is extension
