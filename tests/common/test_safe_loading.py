"""Checkpoints of mmengine load with torch's safety on, and nothing else slips in."""

import codecs
import functools
import importlib
import operator
import os
import pickle
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import CheckpointLoader

from mmthermal.common.safe_loading import (
    _method,
    allow_checkpoint_classes,
    load_file,
    load_from_url,
    load_safely_everywhere,
    load_with_list,
)


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


REDUCES = [
    (os.system, ("touch {}",)),
    (subprocess.call, (["touch", "{}"],)),
    (eval, ("open({!r}, 'w')",)),
    (exec, ("open({!r}, 'w')",)),
    (getattr, (HistoryBuffer, "__init__")),
    (getattr, (np.ndarray, "tofile")),
    (getattr, ({}, "clear")),
    (__import__, ("os",)),
    (torch.load, ("x",)),
    (torch.hub.load, ("x", "y")),
    (torch.jit.load, ("x",)),
    (np.load, ("x",)),
    (np.fromfile, ("x",)),
    (codecs.decode, (b"x", "hex")),
    (open, ("{}", "w")),
    (shutil.rmtree, ("{}",)),
    (importlib.import_module, ("os",)),
    (operator.attrgetter, ("system",)),
    (functools.partial, (os.system, "x")),
    (setattr, (HistoryBuffer, "mean", 1)),
    (pickle.loads, (b"N.",)),
]


def evil(path: Path, reduce: tuple[Any, ...], target: Path) -> Path:
    """A checkpoint that would run a function, on a file to be made where it takes one."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{!r}", repr(str(target))).replace("{}", str(target))
        return [fill(part) for part in value] if isinstance(value, list) else value

    reduce = (reduce[0], tuple(map(fill, reduce[1])))
    return save(path, dict(state_dict=dict(weight=torch.ones(1)), extra=Evil(reduce)))


@pytest.mark.parametrize("reduce", REDUCES, ids=lambda r: r[0].__qualname__)
@pytest.mark.parametrize("forced", ["", "1"])
def test_no_loader_runs_code_under_any_torch(
    tmp_path: Path, reduce: tuple[Any, ...], forced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", forced)
    target = tmp_path / "made"
    path = evil(tmp_path / "evil.pth", reduce, target)
    refused = (pickle.UnpicklingError, ValueError)
    for load in (load_file, lambda p: load_with_list(p, "cpu"), mmengine_load):
        with pytest.raises(refused):
            load(path)
    monkeypatch.setattr(torch, "__version__", "2.5.1+cu121")
    for load in (load_file, mmengine_load):
        with pytest.raises(refused, match="isn't allowed|encoding"):
            load(path)
    assert not target.exists()


def mmengine_load(path: Path) -> Any:
    """What resume, load_from, init_cfg and init_detector call."""
    return CheckpointLoader.load_checkpoint(str(path), map_location="cpu", logger=None)


@pytest.mark.parametrize("version", ["2.0.1", "2.5.1+cu121", torch.__version__])
def test_a_whole_checkpoint_comes_back_under_any_torch(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = MessageHub("test_any_torch")
    hub.update_scalar("train/loss", 3.0)
    hub.update_info("best_score", np.float64(0.5))
    model = torch.nn.Linear(2, 2).to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 2, dtype=torch.bfloat16)).sum().backward()
    optimizer.step()
    content = dict(
        state_dict=model.state_dict(),
        optimizer=optimizer.state_dict(),
        message_hub=hub.state_dict(),
        meta=dict(epoch=1, classes=("a", "b"), size=torch.Size([2]), kinds={1, 2}),
        array=np.arange(3),
        parameter=torch.nn.Parameter(torch.ones(2)),
        dtype=torch.float16,
    )
    path = save(tmp_path / "a.pth", content)
    monkeypatch.setattr(torch, "__version__", version)
    found = load_file(path)
    assert found["meta"] == content["meta"] and found["dtype"] is torch.float16
    assert torch.equal(found["state_dict"]["weight"], model.weight)
    step = optimizer.state_dict()["state"][0]["exp_avg"]
    assert torch.equal(found["optimizer"]["state"][0]["exp_avg"], step)
    assert found["message_hub"]["log_scalars"]["train/loss"].current() == 3
    np.testing.assert_array_equal(found["array"], content["array"])


def test_downloads_are_read_safely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_safely_everywhere()
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    source = evil(tmp_path / "weights-deadbeef.pth", REDUCES[0], tmp_path / "made")
    url = source.as_uri()
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda url, to, mark, progress: shutil.copy(source, to)
    )
    with pytest.raises(pickle.UnpicklingError):
        load_from_url(url, model_dir=str(tmp_path / "cache"))
    with pytest.raises(pickle.UnpicklingError, match="system"):
        CheckpointLoader.load_checkpoint("http://a/weights-deadbeef.pth", logger=None)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("retina_20200130-2999be86.pth", "2999be86"),
        ("epoch-12.pth", None),
        ("model-20230501.pth", None),
        ("plain.pth", None),
    ],
)
def test_a_number_in_a_name_is_no_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, digits: str | None
) -> None:
    asked = []

    def download(url: str, to: str, mark: str | None, progress: bool) -> None:
        asked.append(mark)
        torch.save({"state_dict": {"a": torch.ones(1)}}, to)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    load_from_url(f"http://a/{name}", model_dir=str(tmp_path))
    assert asked == [digits]


def test_getattr_reaches_few_methods() -> None:
    assert _method(HistoryBuffer, "mean") is HistoryBuffer.mean
    for owner, name in ((HistoryBuffer.mean, "__globals__"), (OneCycleParamScheduler, "step")):
        with pytest.raises(ValueError, match=f"asks for .{name}."):
            _method(owner, name)


SCHEDULERS = [
    dict(type="MultiStepLR", milestones=[1, 2]),
    dict(type="StepLR", step_size=1),
    dict(type="ExponentialLR", gamma=0.1),
    dict(type="PolyLR"),
    dict(type="LinearLR"),
    dict(type="ConstantLR"),
    dict(type="CosineAnnealingLR", T_max=3),
    dict(type="CosineRestartLR", periods=[2], restart_weights=[1], eta_min=0.0),
    dict(type="OneCycleLR", eta_max=0.1, total_steps=9),
    dict(type="OneCycleLR", eta_max=0.1, total_steps=9, anneal_strategy="linear"),
    dict(type="ReduceOnPlateauLR", monitor="loss"),
]


@pytest.mark.parametrize("cfg", SCHEDULERS, ids=lambda cfg: str(cfg["type"]))
def test_every_scheduler_of_mmengine_comes_back(cfg: dict[str, Any], tmp_path: Path) -> None:
    optimizer = torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=0.1, momentum=0.9)
    state = PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer)).state_dict()
    path = save(tmp_path / "a.pth", state)
    assert load_file(path) == load_with_list(path, "cpu") == state


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
