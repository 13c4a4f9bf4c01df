"""What would make a GPU wait for the host, counted on the CPU."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import torch
from helpers_heads import dense_head, make_case, make_head
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import mmthermal.heads.dense_composite as dense_composite

STRIDES = (4, 8, 16)


class HostReads(ExitStack):
    """Notes the operators whose result, or its shape, the host has to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __enter__(self) -> "HostReads":
        super().__enter__()
        self.enter_context(_Lists(self.seen))
        self.enter_context(_Operators(self.seen))
        return self


class _Lists(TorchFunctionMode):
    """``tolist`` and ``numpy`` of a CPU tensor call no operator."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if func in (Tensor.tolist, Tensor.numpy, Tensor.cpu):
            self.seen.append(func.__name__)
        return func(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):
    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim")

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in self.WAITING:
            self.seen.append(name)
        if name in ("index", "index_put", "index_put_") and any(
            isinstance(inds, Tensor) and inds.dtype in (torch.bool, torch.uint8)
            for inds in args[1]
            if inds is not None
        ):
            self.seen.append(f"{name} by a mask")
        return func(*args, **(kwargs or {}))


def test_the_counter_counts() -> None:
    x = torch.arange(4.0)
    for read in (
        lambda: x.sum().item(),
        lambda: x.tolist(),
        lambda: x.nonzero(),
        lambda: x[x > 1],
        lambda: bool((x > 0).any()),
        lambda: x.unique(),
    ):
        with HostReads() as reads:
            read()
        assert reads.seen, read
    with HostReads() as reads:
        x[torch.tensor([1, 2])].topk(1)
    assert not reads.seen


def after_targets(monkeypatch: pytest.MonkeyPatch, head: nn.Module, mode: HostReads) -> None:
    """Switch the counter on where the targets are known."""
    found: Callable[..., Any] = dense_composite.DenseCompositeMixin.assigned

    def assigned(self: Any, *args: Any, **kwargs: Any) -> Any:
        with HostReads() as reads:
            result = found(self, *args, **kwargs)
        assert reads.seen == ["tolist"]  # all numbers in one transfer
        mode.__enter__()
        return result

    monkeypatch.setattr(dense_composite.DenseCompositeMixin, "assigned", assigned)


@pytest.mark.parametrize(
    "loss",
    [
        dict(),
        dict(dense_negatives=20),
        dict(w_dense=0.0),
        dict(ramp_iters=3),
        dict(f1_form="soft"),
        dict(mean="paper", f1_form="soft", f1_negatives="paper", f1_normalize="count"),
        dict(f1_form="soft", f1_average="macro", cls_negatives="joint"),
        dict(dense_class_weight=[1.0, 2.0, 0.5]),
    ],
    ids=lambda s: ",".join(s) or "defaults",
)
@pytest.mark.parametrize("kind", ["retina", "atss", "fcos"])
def test_no_host_read_between_targets_and_losses(
    monkeypatch: pytest.MonkeyPatch, kind: str, loss: dict[str, Any]
) -> None:
    case, head, mode = make_case(), dense_head(kind, **loss), HostReads()
    after_targets(monkeypatch, head, mode)
    args = (case.gts, case.metas) if kind == "fcos" else (case.gts, case.metas, case.ignored)
    try:
        losses = head.loss_by_feat(*head(case.feats), *args)
        total = sum(value for name, value in losses.items() if "loss" in name)
        total.backward()
    finally:
        mode.__exit__(None, None, None)
    own = ["_local_scalar_dense"] if kind == "atss" else []  # mmdet asserts that a target is no NaN
    assert mode.seen == own
    assert losses["num_pos"] > 0 and losses["num_neg"] > 0


@pytest.mark.parametrize("decoded", [False, True])
def test_one_transfer_in_all_where_the_targets_are_batched(decoded: bool) -> None:
    loss_bbox = dict(type="L1Loss")
    case, head = make_case(), make_head(reg_decoded_bbox=decoded, loss_bbox=loss_bbox)
    predictions = head(case.feats)
    with HostReads() as reads:
        losses = head.loss_by_feat(*predictions, case.gts, case.metas, case.ignored)
        (losses["loss_cls"] + losses["loss_bbox"]).backward()
    assert reads.seen == ["tolist"]
    assert losses["num_pos"] > 0
