"""The processes of a launcher: torchrun, SLURM or MPI, on GPUs and without them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed


def start_processes(cfg: Config) -> None:
    """Join the processes that the config's launcher started, if it has one.

    On GPUs they meet by the backend of ``env_cfg.dist_cfg``, without one by gloo; the other
    settings there, such as the timeout, hold for both. Without a GPU the config also gets a
    ``model_wrapper_cfg`` that names no device.

    Args:
        cfg: the config; it may be changed.

    Raises:
        ValueError: if the launcher is unknown.
        KeyError: if a variable of the environment that the launcher sets is missing.
    """
    launcher = cfg.get("launcher", "none")
    if launcher == "none":
        return
    on_gpus = torch.cuda.is_available()
    if not on_gpus:
        cfg.model_wrapper_cfg = _wrapper_on_the_cpu(cfg)
    if is_distributed():
        return
    settings = dict(cfg.get("env_cfg", {}).get("dist_cfg", {}))
    if on_gpus:
        init_dist(launcher, **settings)
    else:
        with _without_device_selection():
            init_dist(launcher, **{**settings, "backend": "gloo"})


def is_first_process() -> bool:
    """Whether this is the first process of a launcher, or the only one; before they join."""
    for name in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"):
        if name in os.environ:
            return os.environ[name] == "0"
    return True


@contextmanager
def _without_device_selection() -> Iterator[None]:
    """Leave out mmengine's call of ``torch.cuda.set_device``, which a torch without CUDA refuses.

    mmengine makes it for every launcher and backend.
    """
    before = torch.cuda.set_device
    torch.cuda.set_device = lambda device: None
    try:
        yield
    finally:
        torch.cuda.set_device = before


def _wrapper_on_the_cpu(cfg: Config) -> dict[str, Any]:
    """DistributedDataParallel as mmengine sets it up, but without the device that it would name."""
    given = cfg.get("model_wrapper_cfg")
    if given is None:
        unused = cfg.get("find_unused_parameters", False)
        given = dict(broadcast_buffers=False, find_unused_parameters=unused)
    return {"type": "MMDistributedDataParallel", **given, "device_ids": None}
