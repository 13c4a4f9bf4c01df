"""RoI features in float32: mmdet's without autocast, exact boxes under it."""

import pytest
import torch
from mmdet.registry import MODELS

import mmthermal  # noqa: F401 (registers)


def make_extractor(type_: str) -> torch.nn.Module:
    return MODELS.build(
        dict(
            type=type_,
            roi_layer=dict(type="RoIAlign", output_size=3, sampling_ratio=1),
            out_channels=4,
            featmap_strides=[4, 8],
            finest_scale=16,
        )
    )


@pytest.fixture
def feats() -> list[torch.Tensor]:
    return [torch.randn(1, 4, 40, 40), torch.randn(1, 4, 20, 20)]


ROIS = torch.tensor([[0, 130.7, 99.3, 149.6, 121.9], [0, 10.0, 10.0, 90.0, 90.0]])


def test_without_autocast_it_is_mmdets(feats: list[torch.Tensor]) -> None:
    ours, theirs = make_extractor("Float32RoIExtractor"), make_extractor("SingleRoIExtractor")
    torch.testing.assert_close(ours(feats, ROIS), theirs(feats, ROIS), rtol=0, atol=0)


def test_pools_bfloat16_features_at_exact_places(feats: list[torch.Tensor]) -> None:
    levels = [level.bfloat16().requires_grad_() for level in feats]
    extractor = make_extractor("Float32RoIExtractor")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = extractor(levels, ROIS)
    assert pooled.dtype == torch.float32
    expected = extractor([level.bfloat16().float() for level in feats], ROIS)
    torch.testing.assert_close(pooled, expected)
    assert (pooled - extractor(levels, ROIS.bfloat16().float())).abs().max() > 0.01
    pooled.sum().backward()
    assert all(level.grad.abs().sum() > 0 for level in levels)


def test_maps_in_channels_last_order_are_reordered(feats: list[torch.Tensor]) -> None:
    """mmcv's CPU kernel alone takes such a map for (N, C, H, W)."""
    extractor = make_extractor("Float32RoIExtractor")
    ordered = [level.contiguous(memory_format=torch.channels_last) for level in feats]
    torch.testing.assert_close(extractor(ordered, ROIS), extractor(feats, ROIS), rtol=0, atol=0)
