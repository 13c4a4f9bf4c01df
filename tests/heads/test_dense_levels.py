"""DenseLevels answers like mmdet's flattening, without making it."""

import pytest
import torch
from torch import Tensor

from mmthermal.functional.focal import focal_loss_sum
from mmthermal.heads.dense_levels import DenseLevels

SHAPES = ((6, 8), (3, 4), (1, 2))


def make_levels(num_anchors: int = 3, dim: int = 4, images: int = 2) -> list[Tensor]:
    return [torch.randn(images, num_anchors * dim, *shape, requires_grad=True) for shape in SHAPES]


def flatten(levels: list[Tensor], dim: int) -> Tensor:
    """mmdet's own: (N, S, D)."""
    return torch.cat([x.permute(0, 2, 3, 1).reshape(x.size(0), -1, dim) for x in levels], 1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("num_anchors", "dim"), [(3, 4), (1, 4), (9, 1), (2, 80)])
def test_rows_are_those_of_mmdets_flattening(
    num_anchors: int, dim: int, layout: torch.memory_format
) -> None:
    levels = [x.detach().contiguous(memory_format=layout) for x in make_levels(num_anchors, dim)]
    flat = flatten(levels, dim).flatten(0, 1)
    everything = torch.arange(len(flat))
    view = DenseLevels(levels, dim)
    assert torch.equal(view.rows(everything), flat)
    some = everything[torch.rand(len(flat)) < 0.1]
    assert len(some) > 3
    assert torch.equal(view.rows(some), flat[some])
    assert torch.equal(view.row_max(), flatten(levels, dim).amax(-1))


def test_gradient_goes_back_to_the_rows() -> None:
    levels = make_levels()
    twin = [x.detach().clone().requires_grad_() for x in levels]
    inds = torch.tensor([0, 17, 143, 150, 182, 190, 300, 365])
    weights = torch.randn(len(inds), 4)
    (DenseLevels(levels, 4).rows(inds) * weights).sum().backward()
    (flatten(twin, 4).flatten(0, 1)[inds] * weights).sum().backward()
    for ours, theirs in zip(levels, twin, strict=True):
        assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize(
    "inds", [[0, 365], [0, 143, 144, 365], [143, 180, 366], [5, 179, 180, 186, 329, 330, 366]]
)
@pytest.mark.parametrize("label", [0, 3])
def test_focal_loss_at_the_ends_of_levels_equals_the_one_without_rows(
    inds: list[int], label: int
) -> None:
    """Rows of other levels are parked there, at the place of an object of the first class too."""
    levels = make_levels()
    view = DenseLevels(levels, 4)
    labels = torch.full((2, sum(view.sizes)), 4)
    labels.view(-1)[inds] = label
    rows = view.true_rows(torch.tensor(inds))
    found = []
    for true in (rows, [None] * len(rows)):
        losses = [
            focal_loss_sum(logits, each, class_dim=2, true=where)
            for logits, each, where in zip(view.levels, view.split(labels), true, strict=True)
        ]
        found.append((sum(losses), *torch.autograd.grad(sum(losses), levels)))
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("inds", [[], [0]])
def test_every_level_stays_in_the_graph(inds: list[int]) -> None:
    levels = make_levels()
    rows = DenseLevels(levels, 4).rows(torch.tensor(inds, dtype=torch.long))
    assert rows.shape == (len(inds), 4)
    rows.sum().backward()
    assert all(level.grad is not None for level in levels)
    assert float(sum(level.grad.abs().sum() for level in levels)) == 4 * len(inds)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_rows_come_in_float32_at_least(given: torch.dtype, expected: torch.dtype) -> None:
    levels = [x.detach().to(given) for x in make_levels()]
    view = DenseLevels(levels, 4)
    assert view.rows(torch.tensor([1, 5])).dtype == expected
    assert view.row_max().dtype == given
    assert not view.row_max().requires_grad


def test_row_max_is_detached() -> None:
    assert not DenseLevels(make_levels(), 4).row_max().requires_grad


def test_split_puts_targets_beside_their_predictions() -> None:
    """split() undoes the flattening: an anchor's target meets that anchor's prediction."""
    levels = make_levels(dim=1)
    targets = flatten(levels, 1).squeeze(-1)
    parts = DenseLevels(levels, 1).split(targets)
    for part, level in zip(parts, levels, strict=True):
        assert torch.equal(part, level)  # one value per anchor: (N, A * 1, H, W)


def test_channels_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="12 channels are not a multiple of 5"):
        DenseLevels(make_levels(), 5)
