"""nms, soft-nms and nms_match against plain loops; test_extension.py has the compiled results."""

import math

import pytest
import torch
from torch import Tensor

from mmthermal.ops import suppression
from mmthermal.ops.suppression import nms, nms_match, softnms

METHODS = {"naive": 0, "linear": 1, "gaussian": 2}


def whole_boxes(count: int, size: int) -> Tensor:
    """Boxes with whole corners, so that a plain loop in Python's numbers is exact."""
    corners = torch.randint(0, size, (count, 2)).float()
    return torch.cat([corners, corners + torch.randint(1, 8, (count, 2))], 1)


def inter_and_union(a: list[float], b: list[float]) -> tuple[float, float]:
    """Areas of the intersection and the union of two boxes."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height, both - width * height


def plain_nms(boxes: Tensor, scores: Tensor) -> list[int]:
    """Indices that a plain loop keeps at the threshold 1/2."""
    kept: list[int] = []
    for i in scores.argsort(descending=True).tolist():
        pairs = [inter_and_union(boxes[i].tolist(), boxes[j].tolist()) for j in kept]
        if all(2 * inter <= union for inter, union in pairs):
            kept.append(i)
    return kept


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(("count", "size"), [(150, 12), (600, 40), (600, 400)])
def test_a_plain_loop_keeps_the_same_boxes(count: int, size: int) -> None:
    """With few and many kept, also over the borders of the blocks."""
    boxes, scores = whole_boxes(count, size), torch.rand(count)
    kept = plain_nms(boxes, scores)
    assert len(kept) < count
    assert nms(boxes, scores, 0.5, 0).tolist() == kept


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_block_does_not_matter(
    block: int, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes, scores = whole_boxes(200, 15), torch.rand(200)
    expected = nms(boxes, scores, 0.4, offset)
    monkeypatch.setattr(suppression, "BLOCK", block)
    assert torch.equal(nms(boxes, scores, 0.4, offset), expected)


@pytest.mark.usefixtures("backend")
def test_a_chain_is_cut_at_every_second_box() -> None:
    """Each box overlaps the next: the worst case for the rounds inside a block."""
    x = torch.arange(300.0)[:, None]
    boxes = torch.cat([x * 2, x * 0, x * 2 + 6, x * 0 + 1], 1)  # IoU 4 / 8 with the next one
    assert nms(boxes, -x[:, 0], 0.4, 0).tolist() == list(range(0, 300, 2))


def test_double_boxes_are_taken() -> None:
    boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]], dtype=torch.float64)
    assert nms(boxes, boxes.new_tensor([0.9, 0.8, 0.7]), 0.5, 0).tolist() == [0, 2]


def test_the_default_type_of_torch_does_not_matter() -> None:
    """A training in float64 sets it; the boxes may be float32 all the same."""
    boxes = whole_boxes(80, 12)
    expected = nms(boxes, torch.linspace(1, 0, 80), 0.4, 0)
    torch.set_default_dtype(torch.float64)
    try:
        kept = nms(boxes, torch.linspace(1, 0, 80, dtype=torch.float32), 0.4, 0)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(kept, expected)


@pytest.mark.parametrize("method", METHODS)
def test_soft_nms_is_a_plain_loop(method: str) -> None:
    boxes, scores = whole_boxes(80, 12), torch.rand(80)
    left = {i: float(scores[i]) for i in range(80)}
    kept: list[tuple[int, float]] = []
    while left:
        best = max(left, key=lambda i: left[i])
        kept.append((best, left.pop(best)))
        for i in list(left):
            inter, union = inter_and_union(boxes[best].tolist(), boxes[i].tolist())
            iou = inter / union
            if method == "gaussian":
                left[i] *= math.exp(-iou * iou / 0.5)
            elif iou >= 0.3:
                left[i] *= 1 - iou if method == "linear" else 0
            if left[i] < 0.05:
                del left[i]
    dets = torch.empty(80, 5)
    inds = softnms(boxes, scores, dets, 0.3, 0.5, 0.05, METHODS[method], 0)
    assert inds.tolist() == [i for i, _ in kept]
    assert torch.equal(dets[: len(inds), :4], boxes[inds])
    assert dets[: len(inds), 4].tolist() == pytest.approx([s for _, s in kept], rel=1e-5)


def test_nms_match_puts_each_box_in_one_group() -> None:
    boxes, scores = whole_boxes(120, 14), torch.rand(120)
    groups = nms_match(torch.cat([boxes, scores[:, None]], 1), 0.5)
    assert sorted(i for group in groups for i in group) == list(range(120))
    for group in groups:
        assert scores[group].tolist() == sorted(scores[group].tolist(), reverse=True)
        for other in group[1:]:
            inter, union = inter_and_union(boxes[group[0]].tolist(), boxes[other].tolist())
            assert 2 * inter >= union
