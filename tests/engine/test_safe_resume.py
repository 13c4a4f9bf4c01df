"""Checkpoints of mmengine load with torch's safety on, and nothing else slips in."""

import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from mmthermal.engine import allow_checkpoint_classes
from mmthermal.engine.safe_resume import _statistics_method


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_a_message_hub_comes_back_whole(tmp_path: Path) -> None:
    hub = MessageHub("test_safe_resume")
    for value in (3.0, 1.0, 2.0):
        hub.update_scalar("train/loss", value)
    hub.update_info("epoch", 3)
    path = save(tmp_path / "a.pth", dict(message_hub=hub.state_dict(), weight=torch.ones(2)))
    state = torch.load(path, weights_only=True)
    buffer = state["message_hub"]["log_scalars"]["train/loss"]
    assert isinstance(buffer, HistoryBuffer)
    assert [buffer.statistics(k) for k in ("min", "max", "mean", "current")] == [1, 3, 2, 2]
    fresh = MessageHub("test_safe_resume_fresh")
    fresh.load_state_dict(state["message_hub"])
    assert fresh.get_info("epoch") == 3
    fresh.update_scalar("train/loss", 10.0)
    assert fresh.get_scalar("train/loss").mean() == 4.0


@pytest.mark.parametrize("kind", ["bool", "int32", "int64", "float32", "float64"])
def test_numpy_arrays_and_scalars(tmp_path: Path, kind: str) -> None:
    array = np.array([0, 1, 1], dtype=kind)
    loaded = torch.load(save(tmp_path / "a.pth", [array, array[1]]), weights_only=True)
    np.testing.assert_array_equal(loaded[0], array)
    assert loaded[0].dtype == array.dtype
    assert loaded[1] == array[1] and type(loaded[1]) is type(array[1])


class Evil:
    """Runs a command where it is unpickled without care."""

    def __init__(self, reduce: tuple[Any, ...]) -> None:
        self.reduce = reduce

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduce


@pytest.mark.parametrize(
    "reduce",
    [
        (os.system, ("true",)),
        (subprocess.call, (["true"],)),
        (eval, ("1",)),
        (getattr, (HistoryBuffer, "__init__")),
        (getattr, (HistoryBuffer, "register_statistics")),
        (getattr, (np.ndarray, "tofile")),
        (getattr, ({}, "clear")),
    ],
    ids=lambda r: f"{r[0].__name__}{r[1][-1:]}",
)
def test_anything_else_is_still_refused(tmp_path: Path, reduce: tuple[Any, ...]) -> None:
    path = save(tmp_path / "evil.pth", dict(weight=torch.ones(1), extra=Evil(reduce)))
    with pytest.raises((pickle.UnpicklingError, ValueError), match="allowed|Unsupported|blocked"):
        torch.load(path, weights_only=True)


def test_history_method_gives_statistics_only() -> None:
    assert _statistics_method(HistoryBuffer, "mean") is HistoryBuffer.mean
    with pytest.raises(ValueError, match="asks for .__globals__."):
        _statistics_method(HistoryBuffer.mean, "__globals__")


def test_twice_is_as_once(tmp_path: Path) -> None:
    allow_checkpoint_classes()
    before = set(map(str, torch.serialization.get_safe_globals()))
    allow_checkpoint_classes()
    assert set(map(str, torch.serialization.get_safe_globals())) == before


def test_old_torch_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: list) -> None:
        raise AssertionError("must not be called")

    monkeypatch.setattr(torch.serialization, "add_safe_globals", refuse)
    for version in ("2.0.1", "2.5.1+cu121"):
        monkeypatch.setattr(torch, "__version__", version)
        allow_checkpoint_classes()
    monkeypatch.setattr(torch, "__version__", "2.6.0+cpu")
    with pytest.raises(AssertionError, match="must not be called"):
        allow_checkpoint_classes()
