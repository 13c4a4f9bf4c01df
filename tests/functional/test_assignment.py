"""Assignment of a batch against mmdet's assigner, image by image."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmengine.structures import InstanceData
from torch import Tensor

from mmthermal.functional import assign_max_iou, assignment

DEFAULT = dict(
    pos_iou_thr=0.5,
    neg_iou_thr=(0.0, 0.4),
    min_pos_iou=0.0,
    gt_max_assign_all=True,
    match_low_quality=True,
)
IGNORE_IOF_THR = 0.5


def random_boxes(count: int, maker: torch.Generator) -> Tensor:
    """Boxes of whole coordinates, so that there are ties."""
    corners = torch.randint(0, 60, (count, 2), generator=maker).float()
    return torch.cat([corners, corners + torch.randint(1, 30, (count, 2), generator=maker)], 1)


def padded(images: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(N, G, 4) boxes of the images, G >= 1, and (N, G) which are real."""
    most = max(1, *map(len, images))
    boxes = torch.stack([torch.cat([each, each.new_zeros(most - len(each), 4)]) for each in images])
    return boxes, torch.stack([torch.arange(most) < len(each) for each in images])


def by_mmdet(
    anchors: Tensor, images: list[Tensor], ignored: list[Tensor], **cfg: Any
) -> list[Tensor]:
    low, high = cfg.pop("neg_iou_thr")
    assigner = MaxIoUAssigner(
        neg_iou_thr=(low, high) if low else high, ignore_iof_thr=IGNORE_IOF_THR, **cfg
    )
    return [
        assigner.assign(
            InstanceData(priors=anchors),
            InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.long)),
            InstanceData(bboxes=regions),
        ).gt_inds
        for boxes, regions in zip(images, ignored, strict=True)
    ]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    num_anchors=st.integers(1, 300),
    counts=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), min_size=2, max_size=4),
    low=st.sampled_from([0.0, 0.1]),
    min_pos_iou=st.sampled_from([0.0, 0.2, 0.45]),
    gt_max_assign_all=st.booleans(),
    match_low_quality=st.booleans(),
)
def test_is_mmdets_assigner(
    seed: int, num_anchors: int, counts: list[tuple[int, int]], low: float, **cfg: Any
) -> None:
    maker = torch.Generator().manual_seed(seed)
    anchors = random_boxes(num_anchors, maker)
    images = [random_boxes(objects, maker) for objects, _ in counts]
    ignored = [random_boxes(regions, maker) for _, regions in counts]
    cfg = {**DEFAULT, "neg_iou_thr": (low, 0.4), **cfg}
    left_out = assignment.covered_share(padded(ignored)[0], anchors) > IGNORE_IOF_THR
    found = assign_max_iou(anchors, None, *padded(images), left_out, **cfg)
    for image, expected in zip(found, by_mmdet(anchors, images, ignored, **cfg), strict=True):
        assert torch.equal(image, expected)


def test_an_anchor_outside_is_left_out() -> None:
    maker = torch.Generator().manual_seed(0)
    anchors, images = random_boxes(200, maker), [random_boxes(n, maker) for n in (5, 0)]
    inside = torch.rand(2, 200, generator=maker) < 0.7
    found = assign_max_iou(anchors, inside, *padded(images), None, **DEFAULT)
    assert found[~inside].unique().tolist() == [-1]
    for image, part, boxes in zip(found, inside, images, strict=True):
        (expected,) = by_mmdet(anchors[part], [boxes], [boxes[:0]], **DEFAULT)
        assert torch.equal(image[part], expected)


@pytest.mark.parametrize("chunk", [1, 700])
def test_the_chunk_does_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = torch.Generator().manual_seed(1)
    anchors, images = random_boxes(100, maker), [random_boxes(n, maker) for n in (3, 0, 7, 1)]
    whole = assign_max_iou(anchors, None, *padded(images), None, **DEFAULT)
    monkeypatch.setattr(assignment, "_CPU_CHUNK", chunk)
    found = assign_max_iou(anchors, None, *padded(images), None, **DEFAULT)
    assert torch.equal(found, whole)
