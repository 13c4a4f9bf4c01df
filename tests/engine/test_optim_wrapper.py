"""Bfloat16OptimWrapper on the CPU."""

import copy
import random
import time
from typing import Any

import pytest
import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from torch import nn

from mmthermal.engine import optim_wrapper
from mmthermal.engine.optim_wrapper import Bfloat16OptimWrapper, has_bfloat16


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optim_wrapper, "get_device", lambda: "cpu")


def build(model: nn.Module, **kwargs: Any) -> Bfloat16OptimWrapper:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return OPTIM_WRAPPERS.build(dict(type="Bfloat16OptimWrapper", optimizer=optimizer, **kwargs))


def step(model: nn.Module, wrapper: Bfloat16OptimWrapper) -> torch.Tensor:
    with wrapper.optim_context(model):
        out = model(torch.ones(2, 4))
    wrapper.update_params(out.float().square().mean())
    return out


def test_forward_runs_in_bfloat16_and_everything_else_in_float32() -> None:
    model = nn.Linear(4, 3)
    wrapper = build(model, enabled=True)
    before = model.weight.detach().clone()
    out = step(model, wrapper)
    assert out.dtype == torch.bfloat16
    assert model.weight.dtype == torch.float32
    assert not torch.equal(before, model.weight)
    assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == torch.float32  # no autocast


def test_switched_off_it_is_the_plain_wrapper() -> None:
    model = nn.Linear(4, 3)
    twin = copy.deepcopy(model)
    assert step(model, build(model, enabled=False)).dtype == torch.float32
    plain = torch.optim.SGD(twin.parameters(), lr=0.1)
    twin(torch.ones(2, 4)).square().mean().backward()
    plain.step()
    assert torch.equal(model.weight, twin.weight)


@pytest.mark.parametrize("hardware", [True, False])
def test_auto_asks_the_hardware(monkeypatch: pytest.MonkeyPatch, hardware: bool) -> None:
    monkeypatch.setattr(optim_wrapper, "has_bfloat16", lambda kind: hardware and kind == "cpu")
    model = nn.Linear(4, 3)
    wrapper = build(model)
    assert wrapper.enabled is hardware
    assert step(model, wrapper).dtype == (torch.bfloat16 if hardware else torch.float32)


@pytest.mark.parametrize(
    ("supported", "expected"),
    [
        ((), False),
        (("_is_avx512_bf16_supported",), False),
        (("_is_amx_tile_supported",), True),
        (("_is_avx512_bf16_supported", "_is_amx_tile_supported"), True),
    ],
)
def test_a_cpu_needs_amx(
    monkeypatch: pytest.MonkeyPatch, supported: tuple[str, ...], expected: bool
) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda n=name: n in supported, raising=False)
    assert has_bfloat16("cpu") is expected


def test_thirty_starts_under_load_choose_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is timed: a clock that runs wild changes nothing."""
    monkeypatch.setattr(time, "perf_counter", random.random)
    assert len({build(nn.Linear(4, 3)).enabled for _ in range(30)}) == 1


@pytest.mark.parametrize("hardware", [True, False])
@pytest.mark.parametrize("remembered", [True, False])
def test_a_resume_keeps_the_precision_and_says_it_once(
    monkeypatch: pytest.MonkeyPatch, hardware: bool, remembered: bool
) -> None:
    said: list[str] = []
    monkeypatch.setattr(optim_wrapper, "print_log", lambda text, **kwargs: said.append(text))
    monkeypatch.setattr(optim_wrapper, "has_bfloat16", lambda kind: remembered)
    first = build(nn.Linear(4, 3))
    state = first.state_dict()
    monkeypatch.setattr(optim_wrapper, "has_bfloat16", lambda kind: hardware)
    model = nn.Linear(4, 3)
    again = build(model)
    again.load_state_dict(state)
    assert again.enabled is remembered
    again.initialize_count_status(model, 0, 10)
    assert len(said) == 1
    assert ("bfloat16 autocast" if remembered else "float32") in said[0]
    assert ("otherwise" in said[0]) == (hardware != remembered)
    assert optim_wrapper._PRECISION in state  # load_state_dict did not take it away


def test_by_hand_wins_over_the_checkpoint_and_other_wrappers_read_it() -> None:
    state = build(nn.Linear(4, 3), enabled=True).state_dict()
    wrapper = build(nn.Linear(4, 3), enabled=False)
    wrapper.load_state_dict(state)
    assert wrapper.enabled is False
    plain = OptimWrapper(torch.optim.SGD(nn.Linear(4, 3).parameters(), lr=0.5))
    plain.load_state_dict(state)
    assert plain.optimizer.param_groups[0]["lr"] == 0.1
    auto = build(nn.Linear(4, 3))
    before = auto.enabled
    auto.load_state_dict(plain.state_dict())
    assert auto.enabled is before


def test_old_torch_without_the_checks_and_unknown_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert has_bfloat16("cpu") is False
    assert has_bfloat16("npu") is False


def test_gradient_clipping_and_accumulation_still_work() -> None:
    model = nn.Linear(4, 3)
    wrapper = build(model, enabled=True, clip_grad=dict(max_norm=1e-3), accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 2)
    before = model.weight.detach().clone()
    step(model, wrapper)
    assert torch.equal(before, model.weight)
    step(model, wrapper)
    moved = (before - model.weight).norm()
    assert 0 < moved <= 0.1 * 1e-3 * 1.01


def test_leaves_autocast_after_an_error() -> None:
    model = nn.Linear(4, 3)
    wrapper = build(model, enabled=True)
    with pytest.raises(RuntimeError, match="broken batch"), wrapper.optim_context(model):
        raise RuntimeError("broken batch")
    assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == torch.float32  # no autocast


@pytest.mark.parametrize("enabled", ["yes", None, 2])
def test_refuses_wrong_settings(enabled: Any) -> None:
    with pytest.raises(ValueError, match=f"enabled={enabled!r}: choose 'auto', True or False"):
        build(nn.Linear(4, 3), enabled=enabled)


def test_refuses_unknown_settings() -> None:
    with pytest.raises(TypeError, match="loss_scale"):
        build(nn.Linear(4, 3), loss_scale="dynamic")


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True)])
def test_a_gpu_with_an_old_torch(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: bool
) -> None:
    """Before 2.4 the question had no argument, and emulation counted in some versions."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert has_bfloat16("cuda") is expected
