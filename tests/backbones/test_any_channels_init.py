"""Weights for colour in a one-channel network, and the other way round: equal on grey images."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

import mmthermal  # noqa: F401 (registers)
from mmthermal.backbones.any_channels_init import match_channels
from mmthermal.common.safe_loading import CheckpointError


def resnet(in_channels: int, **init: Any) -> nn.Module:
    cfg = dict(type="ResNet", depth=18, base_channels=8, stem_channels=8, in_channels=in_channels)
    return MODELS.build(dict(cfg, init_cfg=init or None))


@pytest.fixture(params=[None, "backbone."])
def prefix(request: pytest.FixtureRequest) -> str | None:
    return request.param


@pytest.mark.parametrize(("given", "wanted"), [(3, 1), (1, 3), (3, 3)])
def test_output_on_a_grey_image_is_the_same(
    given: int, wanted: int, prefix: str | None, tmp_path: Path
) -> None:
    trained = resnet(given)
    for parameter in trained.parameters():  # unlike any initialisation
        nn.init.normal_(parameter, std=0.2)
    weights = {f"{prefix or ''}{key}": value for key, value in trained.state_dict().items()}
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": weights} if prefix else weights, path)
    started = resnet(wanted, type="AnyChannelsInit", checkpoint=str(path), prefix=prefix)
    started.init_weights()
    grey = torch.randn(2, 1, 32, 48)
    outs = []
    for net, channels in ((started, wanted), (trained, given)):
        net.eval()
        outs.append(net(grey.expand(-1, channels, -1, -1)))
    for found, expected in zip(*outs, strict=True):
        scale = expected.detach().abs().max().item()
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * scale)
    assert started.conv1.weight.size(1) == wanted


def test_numbers_that_can_not_be_matched() -> None:
    with pytest.raises(ValueError, match="has 3 input channels and the network 4: choose equal"):
        match_channels(torch.zeros(2, 3, 1, 1), 4)


def test_another_kernel_is_refused(tmp_path: Path) -> None:
    torch.save(resnet(3).state_dict(), tmp_path / "weights.pth")
    init = dict(type="AnyChannelsInit", checkpoint=str(tmp_path / "weights.pth"))
    cfg = dict(type="SmallImageResNet", depth=18, base_channels=8, stem_channels=8, in_channels=1)
    with pytest.raises(
        ValueError, match=r"\(8, 1, 7, 7\) in .*\(8, 1, 5, 5\) .*stem_kernel_size=7"
    ):
        MODELS.build(dict(cfg, init_cfg=init)).init_weights()


def test_a_file_without_the_layer_is_explained(tmp_path: Path) -> None:
    torch.save({"layer1": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(KeyError, match=r"the checkpoint has no 'conv1.weight', but 'layer1'"):
        resnet(1, type="AnyChannelsInit", checkpoint=str(tmp_path / "other.pth")).init_weights()


def test_a_file_without_weights_is_explained(tmp_path: Path) -> None:
    torch.save({}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="holds no weights"):
        resnet(1, type="AnyChannelsInit", checkpoint=str(tmp_path / "other.pth")).init_weights()


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TypeError, match="layers"):
        resnet(1, type="AnyChannelsInit", checkpoint="x", layers="conv1").init_weights()
