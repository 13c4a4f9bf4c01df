"""The RPN's predictions stay in float32 under autocast, so that mmcv's NMS takes them."""

import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

import mmthermal  # noqa: F401 (registers)


def make_rpn(type_: str) -> torch.nn.Module:
    torch.manual_seed(0)
    test_cfg = dict(
        nms_pre=50, max_per_img=20, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
    )
    return MODELS.build(
        dict(type=type_, in_channels=4, feat_channels=4, test_cfg=ConfigDict(test_cfg))
    )


def feats() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(1, 4, side, side, generator=generator) for side in (16, 8, 4, 2, 1)]


def test_without_autocast_it_is_mmdets() -> None:
    for ours, theirs in zip(
        make_rpn("Float32RPNHead")(feats()), make_rpn("RPNHead")(feats()), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_proposals_under_autocast() -> None:
    head = make_rpn("Float32RPNHead")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outs = head(feats())
        assert all(level.dtype == torch.float32 for levels in outs for level in levels)
        proposals = head.predict_by_feat(
            *outs, batch_img_metas=[dict(img_shape=(64, 64), scale_factor=1.0)], rescale=False
        )[0]
    assert len(proposals) == 20
    assert proposals.bboxes.dtype == torch.float32
