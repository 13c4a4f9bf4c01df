"""The backbone that keeps one octave more detail."""

import pytest
import torch
from mmdet.models.backbones import ResNet

from mmthermal.backbones import SmallImageResNet

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


@pytest.mark.parametrize("size", [0, 2, -1])
def test_the_kernel_must_be_odd(size: int) -> None:
    """An even kernel would shift every map by half a pixel."""
    with pytest.raises(ValueError, match="stem_kernel_size"):
        SmallImageResNet(**SETTINGS, stem_kernel_size=size)


def test_deep_stem_is_refused() -> None:
    """It has three convolutions."""
    with pytest.raises(ValueError, match="deep_stem"):
        SmallImageResNet(**SETTINGS, deep_stem=True)
