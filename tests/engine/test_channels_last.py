"""ChannelsLastHook: the same numbers in another order of memory, where every layer takes it."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmdet.registry import HOOKS, MODELS
from mmdet.utils import register_all_modules
from torch import Tensor, nn

from mmthermal.engine.channels_last import use_channels_last
from mmthermal.engine.optim_wrapper import Bfloat16OptimWrapper

register_all_modules()
NORM, GROUPS = dict(type="BN"), dict(type="GN", num_groups=4)


class Detector(nn.Module):
    def __init__(self, neck: dict[str, Any] | None = None, **backbone: Any) -> None:
        super().__init__()
        made = dict(type="SmallImageResNet", depth=18, in_channels=1, base_channels=8)
        made |= dict(stem_channels=8, norm_cfg=NORM, norm_eval=False, frozen_stages=-1)
        self.backbone = MODELS.build(made | backbone)
        if neck is not None:
            self.neck = MODELS.build(
                dict(type="FPN", in_channels=[8, 16, 32, 64], out_channels=8, num_outs=4) | neck
            )

    def forward(self, images: Tensor) -> list[Tensor]:
        levels = self.backbone(images)
        return list(self.neck(levels) if hasattr(self, "neck") else levels)


def orders(detector: nn.Module, part: str, images: Tensor) -> tuple[bool, list[bool]]:
    """Is the output of this convolution channels-last, and is each output contiguous?"""
    seen: list[bool] = []
    handle = detector.get_submodule(part).register_forward_hook(
        lambda _, inputs, output: seen.append(
            output.is_contiguous(memory_format=torch.channels_last) and not output.is_contiguous()
        )
    )
    levels = detector(images)
    handle.remove()
    return seen[0], [level.is_contiguous() for level in levels]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("neck", [{}, dict(norm_cfg=GROUPS), None], ids=["FPN", "GN", "no neck"])
def test_outputs_gradients_and_weights_are_the_same(channels: int, neck: dict | None) -> None:
    torch.manual_seed(0)
    plain = Detector(neck, in_channels=channels).double()
    changed = copy.deepcopy(plain)
    assert use_channels_last(changed)
    images = torch.randn(2, channels, 64, 96, dtype=torch.double)
    assert orders(plain, "backbone.conv1", images) == (False, [True] * 4)
    assert orders(changed, "backbone.conv1", images) == (True, [True] * 4)
    assert orders(changed, "backbone.layer4.1.conv2", images)[0]
    if neck is not None:
        last = "neck.fpn_convs.0.conv"
        assert orders(changed, last, images)[0] is (neck == {})  # group norm keeps the usual order
    for detector in (plain, changed):
        detector.load_state_dict(plain.state_dict())  # running statistics
        sum(level.square().mean() for level in detector(images)).backward()
    for (name, one), two in zip(plain.named_parameters(), changed.parameters(), strict=True):
        assert two.stride() == one.stride(), name
        torch.testing.assert_close(two.grad, one.grad, rtol=1e-9, atol=1e-12, msg=name)
    for one, two in zip(plain(images), changed(images), strict=True):
        torch.testing.assert_close(two, one, rtol=1e-9, atol=1e-12)


def test_other_parts_stay_as_they_are() -> None:
    stages = (False, True, True, True)
    deformable = dict(depth=50, dcn=dict(type="DCN", deform_groups=1), stage_with_dcn=stages)
    others = [Detector(**deformable), Detector(norm_cfg=GROUPS), nn.Linear(2, 2)]
    other_backbone = Detector()
    other_backbone.backbone = nn.Sequential(nn.Conv2d(1, 8, 3))
    for model in [*others, other_backbone]:
        assert not use_channels_last(model)
        assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


@pytest.mark.parametrize(
    ("enabled", "place", "bfloat16", "expected"),
    [
        ("auto", "cpu", True, True),
        ("auto", "cpu", False, False),
        ("auto", "meta", True, False),
        (True, "meta", False, True),
        (False, "cpu", True, False),
    ],
)
def test_the_hook_decides_by_device_and_precision_and_changes_a_model_once(
    enabled: bool | str, place: str, bfloat16: bool, expected: bool
) -> None:
    model = Detector().to(place)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    wrapper = Bfloat16OptimWrapper(optimizer=optimizer, enabled=bfloat16)
    hook = HOOKS.build(dict(type="ChannelsLastHook", enabled=enabled))
    for _ in range(2):
        hook.before_train(SimpleNamespace(model=model, optim_wrapper=wrapper))
    assert len(model.backbone._forward_pre_hooks) == expected


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="enabled='yes': choose one of 'auto', True, False"):
        HOOKS.build(dict(type="ChannelsLastHook", enabled="yes"))
