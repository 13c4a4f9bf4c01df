"""VFNet's losses: mmdet's in float32, and float32 under autocast."""

from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

import mmthermal  # noqa: F401 (registers)


def make_head(type_: str) -> Any:
    torch.manual_seed(0)
    norm = dict(type="GN", num_groups=2, requires_grad=True)
    assigner = dict(type="ATSSAssigner", topk=9)
    cfg = dict(
        type=type_, num_classes=2, in_channels=4, feat_channels=4, stacked_convs=1,
        strides=(4, 8, 16, 32, 64), norm_cfg=norm, dcn_on_last_conv=False,
        train_cfg=ConfigDict(assigner=assigner, allowed_border=-1, pos_weight=-1, debug=False),
    )  # fmt: skip
    return MODELS.build(cfg).train()


def losses(head: Any) -> dict[str, torch.Tensor]:
    maker = torch.Generator().manual_seed(1)
    feats = [torch.randn(1, 4, side, side, generator=maker) for side in (16, 8, 4, 2, 1)]
    truth = InstanceData(
        bboxes=torch.tensor([[4.0, 4, 30, 40], [20, 10, 60, 50]]), labels=torch.tensor([0, 1])
    )
    return head.loss_by_feat(*head(feats), [truth], [dict(img_shape=(64, 64), pad_shape=(64, 64))])


def test_without_autocast_it_is_mmdets() -> None:
    torch.testing.assert_close(
        losses(make_head("Float32VFNetHead")), losses(make_head("VFNetHead"))
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_under_autocast_it_is_near_and_float32(dtype: torch.dtype) -> None:
    plain = losses(make_head("VFNetHead"))
    with torch.autocast("cpu", dtype=dtype):
        found = losses(make_head("Float32VFNetHead"))
    for name, value in plain.items():
        assert found[name].dtype == torch.float32
        assert found[name].item() == pytest.approx(value.item(), rel=0.1)
