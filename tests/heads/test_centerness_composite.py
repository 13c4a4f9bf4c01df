"""What ATSS and FCOS share: the box loss weighted by centerness, in one and two processes."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from mmdet.models.losses import CrossEntropyLoss
from torch import Tensor, nn

from mmthermal.heads.centerness_composite import CenternessCompositeMixin
from mmthermal.heads.dense_levels import DenseLevels
from mmthermal.samplers import HardNegativeMiner


class L1Boxes(nn.Module):
    """A box loss simple enough to write down: the L1 distance."""

    def forward(self, pred: Tensor, target: Tensor, reduction_override: str) -> Tensor:
        assert reduction_override == "none"
        return (pred - target).abs().sum(1)


class ToyBase(nn.Module):
    """What mmdet brings: settings and loss modules."""

    def __init__(self) -> None:
        super().__init__()
        self.num_classes = self.cls_out_channels = 3
        self.use_sigmoid_cls = True
        self.train_cfg = dict(sampler=None)
        self.loss_bbox = L1Boxes()
        self.loss_centerness = CrossEntropyLoss(use_sigmoid=True)
        self.sampler = HardNegativeMiner()


class ToyHead(CenternessCompositeMixin, ToyBase):
    """A head that is its targets: two images, one level of 2 × 2 points, three classes."""

    def __init__(self, **loss: Any) -> None:
        super().__init__(loss_composite=loss)

    def loss(
        self, labels: Tensor, quality: Tensor, *, bias: Tensor, min_box_factor: float = 1.0
    ) -> dict[str, Tensor]:
        """Losses of predictions that are all ``bias``, against boxes of zeros."""
        num = len(labels)
        scores, deltas, center = (torch.zeros(num, c, 2, 2) + bias for c in (3, 4, 1))

        assigned = self.assigned(labels, torch.ones_like(quality), cls_score=[scores])
        pos_inds = assigned.pos_inds
        pred = DenseLevels([deltas], 4).rows(pos_inds)
        return self.centerness_loss(
            [scores],
            [center],
            labels,
            torch.ones_like(quality),
            assigned,
            pred,
            torch.zeros_like(pred),
            quality.flatten()[pos_inds],
            avg_factor=float((labels < 3).sum()),
            min_box_factor=min_box_factor,
        )


LABELS = torch.tensor([[0, 3, 2, 3], [3, 1, 3, 3]])
QUALITY = torch.tensor([[0.5, 0.9, 1.0, 0.9], [0.9, 0.25, 0.9, 0.9]])


def test_box_term_is_the_weighted_mean() -> None:
    losses = ToyHead(w_box=3.0).loss(LABELS, QUALITY, bias=torch.tensor(0.5))
    # every distance is 4 * 0.5, whatever the weights, which sum to 1.75
    torch.testing.assert_close(losses["loss_bbox"], torch.tensor(3.0 * 2.0))


def test_few_and_weak_positives_are_not_blown_up() -> None:
    labels, quality = LABELS[1:], QUALITY[1:]  # one positive, of weight 1/4
    floor_of_one = ToyHead().loss(labels, quality, bias=torch.tensor(0.5))
    torch.testing.assert_close(floor_of_one["loss_bbox"], torch.tensor(0.25 * 2.0))
    tiny_floor = ToyHead().loss(labels, quality, bias=torch.tensor(0.5), min_box_factor=1e-6)
    torch.testing.assert_close(tiny_floor["loss_bbox"], torch.tensor(2.0))


def test_centerness_is_binary_cross_entropy_over_the_positives() -> None:
    losses = ToyHead().loss(LABELS, QUALITY, bias=torch.tensor(0.0))
    # at logit 0 it is log 2 for every target
    torch.testing.assert_close(losses["loss_centerness"], torch.tensor(2.0).log())


def test_no_positive_gives_zero_with_a_gradient() -> None:
    bias = torch.tensor(0.5, requires_grad=True)
    losses = ToyHead().loss(torch.full((2, 4), 3), QUALITY, bias=bias)
    assert losses["loss_centerness"] == losses["loss_bbox"] == 0
    (grad,) = torch.autograd.grad(losses["loss_bbox"] + losses["loss_centerness"], bias)
    assert grad == 0


@pytest.mark.parametrize("form", ["paper", "huber", "smooth_l1"])
def test_refuses_a_box_form(form: str) -> None:
    with pytest.raises(ValueError, match=f"box_form='{form}'.*centerness"):
        ToyHead(box_form=form)


def test_refuses_a_count_of_boxes() -> None:
    with pytest.raises(ValueError, match="count_empty=True: ToyHead divides.*centerness"):
        ToyHead(count_empty=True)


def test_leaves_the_callers_settings_alone() -> None:
    settings = dict(w_cls=0.5)
    head = ToyHead(**settings)
    assert (head.loss_composite.w_box, head.loss_composite.box_form) == (1.0, None)
    assert settings == dict(w_cls=0.5)


def work(rank: int, folder: str) -> None:
    """One of two processes, each with one image of three and of one positives."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    bias = torch.tensor(0.5, requires_grad=True)
    losses = ToyHead().loss(LABELS[rank : rank + 1], QUALITY[rank : rank + 1], bias=bias)
    sum(v for k, v in losses.items() if "loss" in k).backward()
    dist.all_reduce(bias.grad)  # as DistributedDataParallel: the average of the ranks
    torch.save(bias.grad / 2, Path(folder) / f"rank{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_gradient_of_one(tmp_path: Path) -> None:
    bias = torch.tensor(0.5, requires_grad=True)
    losses = ToyHead().loss(LABELS, QUALITY, bias=bias)
    sum(v for k, v in losses.items() if "loss" in k).backward()
    torch.multiprocessing.start_processes(
        work, args=(str(tmp_path),), nprocs=2, start_method="fork"
    )
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"rank{rank}.pt"), bias.grad)


def test_centerness_is_divided_by_one_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other processes have no positive, the mean of their numbers is below one."""
    place = "mmthermal.heads.centerness_composite.reduce_mean"
    monkeypatch.setattr(place, lambda number: number / 4)
    losses = ToyHead().loss(LABELS[1:], QUALITY[1:], bias=torch.tensor(0.0))
    torch.testing.assert_close(losses["loss_centerness"], torch.tensor(2.0).log())
