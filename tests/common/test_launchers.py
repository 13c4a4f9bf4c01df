"""Joining the processes of a launcher; tests/test_processes.py starts several."""

import socket
from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config

from mmthermal.common.launchers import is_first_process, start_processes

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="what is done without a GPU")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that torchrun gives to a single process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    for name, value in dict(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", **place).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


def test_without_a_launcher_nothing_happens() -> None:
    for cfg in (Config(dict()), Config(dict(launcher="none"))):
        before = cfg.to_dict()
        start_processes(cfg)
        assert cfg.to_dict() == before
        assert not dist.is_initialized()


def test_without_a_gpu_processes_meet_by_gloo(alone: None) -> None:
    select = torch.cuda.set_device
    cfg = Config(dict(launcher="pytorch", env_cfg=dict(dist_cfg=dict(backend="nccl"))))
    start_processes(cfg)
    assert dist.get_backend() == "gloo" and dist.get_world_size() == 1
    assert torch.cuda.set_device is select  # put back
    assert cfg.model_wrapper_cfg.device_ids is None
    assert cfg.model_wrapper_cfg.type == "MMDistributedDataParallel"
    start_processes(cfg)  # a second call finds them joined


def test_own_wrapper_settings_are_kept(alone: None) -> None:
    given = dict(type="MMDistributedDataParallel", find_unused_parameters=True)
    cfg = Config(dict(launcher="pytorch", model_wrapper_cfg=given))
    start_processes(cfg)
    assert cfg.model_wrapper_cfg.find_unused_parameters
    assert cfg.model_wrapper_cfg.device_ids is None


def test_an_unknown_launcher_is_refused(alone: None) -> None:
    with pytest.raises(ValueError, match="carrier_pigeon"):
        start_processes(Config(dict(launcher="carrier_pigeon")))


@pytest.mark.parametrize("name", ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"])
def test_the_first_of_a_launchers_processes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(other, raising=False)
    assert is_first_process()
    for rank in ("0", "1"):
        monkeypatch.setenv(name, rank)
        assert is_first_process() is (rank == "0")
