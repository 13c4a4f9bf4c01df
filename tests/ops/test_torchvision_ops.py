"""Whether torchvision's operators are there."""

import sys

import pytest
import torch

from mmthermal.ops.torchvision_ops import torchvision_ops


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Forget the answer of the last call."""
    torchvision_ops.cache_clear()


def test_without_torchvision_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)  # import raises ImportError
    assert torchvision_ops() is None
    torchvision_ops.cache_clear()


def test_a_torchvision_of_another_torch_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", torch)  # imports, but registers nothing

    class Broken:
        def nms(self, *args: object) -> None:
            raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(torch.ops, "torchvision", Broken(), raising=False)
    assert torchvision_ops() is None
    torchvision_ops.cache_clear()


def test_the_real_ones_suppress_boxes() -> None:
    operators = torchvision_ops()
    if operators is None:
        pytest.skip("no torchvision whose operators load")
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9]])
    assert operators.nms(boxes, torch.tensor([0.5, 0.9]), 0.5).tolist() == [1]
