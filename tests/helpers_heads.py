"""Small RetinaNet heads with features and ground truth, for the tests of the heads."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

import mmthermal  # noqa: F401 (registers; lets torch.load read mmengine's checkpoints)

STRIDES = (4, 8, 16)
SIZE = (64, 96)  # height, width


@dataclass
class Case:
    """Input of a head's loss.

    Attributes:
        feats: one (N, 8, H, W) tensor per level.
        gts: ground truth of each image.
        metas: meta information of each image.
        ignored: boxes of each image to leave out.
    """

    feats: list[Tensor]
    gts: list[InstanceData]
    metas: list[dict]
    ignored: list[InstanceData]

    def loss(self, head: nn.Module) -> dict[str, Tensor]:
        """The head's losses, lists of levels added up."""
        losses = head.loss_by_feat(*head(self.feats), self.gts, self.metas, self.ignored)
        return {k: sum(v) if isinstance(v, list) else v for k, v in losses.items()}


def objects(boxes: list[list[float]], labels: list[int]) -> InstanceData:
    """Ground truth of an image."""
    return InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(labels, dtype=torch.long),
    )


def make_case(*, empty: str = "some", images: int = 3, seed: int = 1) -> Case:
    """Features, and ground truth with small, large and overlapping boxes.

    Args:
        empty: which images have no object: ``'none'``, ``'some'`` (the second of three, or half)
            or ``'all'``.
        images: number of images.
        seed: of the features.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = SIZE
    feats = [torch.randn(images, 8, height // s, width // s, generator=generator) for s in STRIDES]
    full = [
        objects([[10, 10, 34, 50], [20, 20, 60, 56]], [0, 2]),
        objects([[50, 8, 66, 22]], [0]),
        objects([[5, 5, 25, 45]], [1]),
    ]
    gts = []
    for i in range(images):
        bare = empty == "all" or (empty == "some" and i % 2 == 1)
        gts.append(objects([], []) if bare else full[i % 3].clone())
    metas = [dict(img_shape=SIZE, pad_shape=SIZE) for _ in range(images)]
    ignored = [InstanceData(bboxes=torch.tensor([[64.0, 32, 94, 62]])) for _ in range(images)]
    return Case(feats, gts, metas, ignored)


def head_cfg(**overrides: Any) -> dict[str, Any]:
    """Config of a small RetinaHead without its type.

    Args:
        **overrides: keys to replace; ``train_cfg`` is merged.
    """
    train_cfg = dict(
        assigner=dict(
            type="MaxIoUAssigner",
            pos_iou_thr=0.5,
            neg_iou_thr=0.4,
            min_pos_iou=0,
            ignore_iof_thr=0.5,
        ),
        sampler=dict(type="PseudoSampler"),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    )
    train_cfg.update(overrides.pop("train_cfg", {}))
    cfg = dict(
        num_classes=3,
        in_channels=8,
        feat_channels=8,
        stacked_convs=1,
        anchor_generator=dict(
            type="AnchorGenerator",
            octave_base_scale=3,
            scales_per_octave=3,
            ratios=[0.5, 1.0, 2.0],
            strides=list(STRIDES),
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="L1Loss", loss_weight=2.0),
        train_cfg=ConfigDict(train_cfg),
    )
    cfg.update(overrides)
    return copy.deepcopy(cfg)


def spread_weights(head: nn.Module, seed: int = 0) -> None:
    """Weights that give varied scores, so that no test rests on the initial bias of −4.6."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in head.parameters():
            values = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(values * (0.2 if parameter.dim() > 1 else 0.05))


def make_head(**overrides: Any) -> nn.Module:
    """A CompositeRetinaHead with spread weights; further keys as :func:`head_cfg`."""
    head = MODELS.build(dict(type="CompositeRetinaHead", **head_cfg(**overrides)))
    spread_weights(head)
    return head


def grads(head: nn.Module) -> dict[str, Tensor]:
    """Gradient of each parameter."""
    return {name: parameter.grad for name, parameter in head.named_parameters()}


def dense_head(kind: str, **loss: Any) -> nn.Module:
    """A small head of a kind with the composite loss."""
    if kind == "retina":
        return make_head(loss_composite=loss)
    cfg = dict(
        num_classes=3, in_channels=8, feat_channels=8, stacked_convs=1, loss_composite=loss,
        norm_cfg=dict(type="GN", num_groups=2),
    )  # fmt: skip
    if kind == "atss":
        cfg.update(
            type="CompositeATSSHead",
            loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
            anchor_generator=dict(
                type="AnchorGenerator", ratios=[1.0], octave_base_scale=4, scales_per_octave=1,
                strides=list(STRIDES),
            ),
            train_cfg=ConfigDict(
                assigner=dict(type="ATSSAssigner", topk=9), allowed_border=-1, pos_weight=-1,
                debug=False,
            ),
        )  # fmt: skip
    else:
        ranges = ((-1, 16), (16, 32), (32, 1e8))
        cfg.update(
            type="CompositeFCOSHead", strides=list(STRIDES), regress_ranges=ranges,
            norm_on_bbox=True,
        )  # fmt: skip
    head = MODELS.build(copy.deepcopy(cfg))
    spread_weights(head)
    return head
