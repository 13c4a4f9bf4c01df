"""The backbone that keeps one octave more detail."""

import pytest
import torch
from mmdet.models.backbones import ResNet

from mmthermal.backbones import SmallImageResNet
from mmthermal.heads import Float32RoIExtractor

SETTINGS = {
    "depth": 18,
    "in_channels": 1,
    "base_channels": 8,
    "stem_channels": 8,
    "strides": (1, 2, 2, 2),
    "zero_init_residual": False,
}


def test_strides_are_half_of_mmdets() -> None:
    """Stages of strides 2 to 16 where mmdet's are 4 to 32."""
    image = torch.randn(2, 1, 64, 96)
    ours = SmallImageResNet(**SETTINGS)(image)
    theirs = ResNet(**SETTINGS)(image)
    assert [level.shape[1] for level in ours] == [level.shape[1] for level in theirs]
    assert [tuple(level.shape[2:]) for level in ours] == [(32, 48), (16, 24), (8, 12), (4, 6)]
    assert [tuple(level.shape[2:]) for level in theirs] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_a_stem_of_mmdets_size_takes_mmdets_checkpoint() -> None:
    """Names and shapes of all weights are the same with a kernel of 7."""
    ours, theirs = SmallImageResNet(**SETTINGS, stem_kernel_size=7), ResNet(**SETTINGS)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.randn(1, 1, 64, 96)
    ours.eval(), theirs.eval()
    pool = torch.nn.MaxPool2d(3, 2, 1)
    ours.maxpool = pool  # with the pooling put back, the same network
    for a, b in zip(ours(image), theirs(image), strict=True):
        torch.testing.assert_close(a, b)


def test_channels_last_changes_the_order_and_nothing_else() -> None:
    """Outputs and gradients agree, and the order survives loading a checkpoint."""
    torch.manual_seed(0)
    plain, ordered = SmallImageResNet(**SETTINGS), SmallImageResNet(**SETTINGS, channels_last=True)
    ordered.load_state_dict(plain.state_dict())
    image = torch.randn(2, 1, 64, 96)
    for a, b in zip(plain(image), ordered(image), strict=True):
        assert b.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
        a.square().mean().backward(retain_graph=True)
        b.square().mean().backward(retain_graph=True)
    torch.testing.assert_close(
        plain.conv1.weight.grad, ordered.conv1.weight.grad, rtol=1e-3, atol=1e-4
    )


def test_roi_features_are_the_same_in_either_order() -> None:
    """mmcv's CPU kernel alone reads a channels-last map as garbage."""
    torch.manual_seed(0)
    maps = (torch.randn(2, 8, 16, 24),)
    rois = torch.tensor([[0.0, 2.0, 3.0, 30.0, 40.0], [1.0, 5.0, 5.0, 50.0, 22.0]])
    layer = {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 0}
    extract = Float32RoIExtractor(layer, out_channels=8, featmap_strides=[4])
    ordered = tuple(level.contiguous(memory_format=torch.channels_last) for level in maps)
    torch.testing.assert_close(extract(ordered, rois), extract(maps, rois))


@pytest.mark.parametrize("size", [0, 2, -1])
def test_the_kernel_must_be_odd(size: int) -> None:
    """An even kernel would shift every map by half a pixel."""
    with pytest.raises(ValueError, match="stem_kernel_size"):
        SmallImageResNet(**SETTINGS, stem_kernel_size=size)


def test_deep_stem_is_refused() -> None:
    """It has three convolutions."""
    with pytest.raises(ValueError, match="deep_stem"):
        SmallImageResNet(**SETTINGS, deep_stem=True)
