"""What ``tools/train.py`` and ``tools/test.py`` do with their arguments."""

import argparse
import logging
import os
import os.path as osp
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmthermal.checking.config_settings import (
    MMENGINE_HOOKS,
    check_settings,
    unmatched_keys,
)
from mmthermal.common.building import building
from mmthermal.common.checkpoints import newest_checkpoint, why_not_resumable
from mmthermal.common.checks import InputError
from mmthermal.common.config import OptionAction, read_config
from mmthermal.common.launchers import is_first_process, start_processes
from mmthermal.common.run_state import run_lock
from mmthermal.common.safe_loading import CheckpointError
from mmthermal.datasets.one_channel import check_datasets
from mmthermal.engine.optim_wrapper import has_bfloat16

# Hooks that every tool adds where a config, such as one of mmdet's, lacks them.
GUARDS = ("AgreementHook", "CheckpointCheckHook", "FiniteCheckHook")
# Lines of mmengine that say nothing to a person: one for each bias, and its own old names.
_NOISE = ("paramwise_options --", '"FileClient" will be', '"HardDiskBackend" is the alias')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that mmdet's train and test tools share.

    Args:
        parser: the tool's parser.
    """
    parser.add_argument("--work-dir", help="folder of logs, checkpoints and results")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OptionAction,
        metavar="KEY=VALUE",
        help="override settings of the config, such as train_dataloader.batch_size=8 or "
        'key="[a,b]" (quoted, without blanks)',
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="job launcher",
    )
    # torch.distributed.launch passes --local-rank, older versions --local_rank
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config file and apply the common arguments.

    The work directory is, in this order, ``--work-dir``, the config's ``work_dir``, or
    ``work_dirs/<config name>``.

    Args:
        args: parsed arguments, with ``config`` and those of :func:`add_common_arguments`.

    Returns:
        the config.

    Raises:
        FileNotFoundError: if there is no such config file.
        ValueError: if ``--cfg-options`` names a section that doesn't exist or another launcher
            than ``--launcher``, or a setting is not read or out of range.
        ImportError: if a module of ``custom_imports`` can't be imported.
    """
    launcher = str((args.cfg_options or {}).get("launcher", args.launcher)).lower()
    if launcher != args.launcher:
        raise InputError(
            f"--cfg-options launcher={launcher} changes nothing: --launcher, which is "
            f"{args.launcher}, goes before it. Give --launcher {launcher}"
        )
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    setup_cache_size_limit_of_dynamo()
    cfg = read_config(args.config, args.cfg_options or {})
    check_settings(cfg)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get("work_dir") is None:
        cfg.work_dir = osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    return cfg


def use_amp(cfg: Config) -> None:
    """Switch a config to mixed precision on the device at hand.

    float16 with a loss scale by mmengine's ``AmpOptimWrapper`` on a GPU, as mmdet's ``--amp``;
    bfloat16 by :class:`~mmthermal.engine.Bfloat16OptimWrapper` on the CPU, which mmengine's
    refuses. A config that asks for bfloat16 by itself keeps it where the GPU computes it.

    Args:
        cfg: the config; it is changed.

    Raises:
        InputError: if the config has no ``optim_wrapper``.
    """
    wrapper = cfg.get("optim_wrapper")
    if wrapper is None:
        raise InputError("--amp sets optim_wrapper.type, but the config has no optim_wrapper")
    if wrapper.get("type", "OptimWrapper") == "Bfloat16OptimWrapper":
        if not torch.cuda.is_available() or has_bfloat16("cuda"):
            wrapper.enabled = True
            return
        wrapper.pop("enabled", None)  # a GPU that computes float16 only
    if torch.cuda.is_available():
        wrapper.type = "AmpOptimWrapper"
        wrapper.loss_scale = "dynamic"
    else:
        wrapper.type = "Bfloat16OptimWrapper"


def scale_lr(cfg: Config) -> None:
    """Turn on mmengine's scaling of the learning rate with the batch size.

    Args:
        cfg: the config; it is changed.

    Raises:
        InputError: if the config doesn't say for which batch size its rate is meant.
    """
    if not (cfg.get("auto_scale_lr") or {}).get("base_batch_size"):
        raise InputError(
            "--auto-scale-lr needs auto_scale_lr=dict(enable=False, base_batch_size=…) in the "
            "config: the batch size that its learning rate is meant for"
        )
    cfg.auto_scale_lr.enable = True


def add_guards(cfg: Config) -> None:
    """Add the hooks that check a run, its numbers and checkpoints to a config that lacks them.

    Args:
        cfg: the config; it is changed: default hooks that are None are left out, which mmengine
            takes for its own ones only.
    """
    default = cfg.get("default_hooks") or {}
    for name in [key for key, hook in default.items() if hook is None]:
        if name not in MMENGINE_HOOKS:
            del default[name]
        if f"{name.title().replace('_', '')}Hook" in GUARDS and is_first_process():
            print(f"warning: default_hooks.{name}=None: this hook stays, it guards every run")
    hooks = list(default.values()) + list(cfg.get("custom_hooks") or [])
    there = {str(hook.get("type")).rpartition(".")[2] for hook in hooks if isinstance(hook, dict)}
    missing = [dict(type=f"mmdet.{name}") for name in GUARDS if name not in there]
    if missing:
        cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), *missing]


def choose_checkpoint(cfg: Config) -> None:
    """Take the newest checkpoint that loads, where a training is to go on from its last one.

    Args:
        cfg: the config; its ``load_from`` and ``resume`` are set. With ``resume='auto'``, or True
            without a ``load_from``, a work directory without checkpoints lets the training begin,
            from ``load_from`` if there is one.

    Raises:
        CheckpointError: if the work directory has checkpoints, none of which can be resumed, or
            the one that was given can't be.
    """
    say = print if is_first_process() else (lambda text: None)
    if not cfg.get("resume"):
        there = sorted(path.name for path in Path(cfg.work_dir).glob("*.pth"))
        if there:
            say(
                f"warning: {cfg.work_dir} holds checkpoints of an earlier training "
                f"({', '.join(there)}): this one begins anew and replaces those of the same name. "
                "--resume goes on with it, another --work-dir keeps both"
            )
        return
    if cfg.resume != "auto" and cfg.get("load_from"):
        given = Path(cfg.load_from).expanduser()
        if given.exists() and (problem := why_not_resumable(given)):
            raise CheckpointError(f"{given} can't be resumed: {problem}")
        return
    found = newest_checkpoint(cfg.work_dir, say)
    cfg.resume = found is not None
    if found is not None:
        cfg.load_from = str(found)
    else:
        cfg.load_from = cfg.get("load_from")
        weights = f", with the weights of {cfg.load_from}" if cfg.load_from else ""
        say(f"nothing to resume in {cfg.work_dir}: the training begins anew{weights}")


def agree_on_checkpoint(cfg: Config) -> None:
    """Let all processes take the checkpoint that the first one chooses.

    One that appears meanwhile, or a disk that only some of them see, would leave them with
    different weights.

    Args:
        cfg: as for :func:`choose_checkpoint`.

    Raises:
        CheckpointError: as :func:`choose_checkpoint`, in all processes.
    """
    chosen: list[Any] = [None, False, None]
    if is_main_process():
        try:
            choose_checkpoint(cfg)
        except CheckpointError as error:
            chosen[2] = error
        chosen[:2] = cfg.get("load_from"), cfg.get("resume")
    broadcast_object_list(chosen)
    cfg.load_from, cfg.resume, problem = chosen
    if problem is not None:
        raise problem


def train(cfg: Config) -> None:
    """Train, as the only training in the work directory.

    Args:
        cfg: the config; its ``load_from`` is set where a training is resumed.

    Raises:
        FloatingPointError: if a loss, a gradient or a weight is not finite.
        InputError: if the config, or what it names, can't be trained.
        RunBusyError: if the work directory cannot be written, or another training goes on in it.
        CheckpointError: if no checkpoint can be resumed, or the one that was given does not fit.
    """
    with run_lock(cfg.work_dir) if is_first_process() else nullcontext():
        start_processes(cfg)
        agree_on_checkpoint(cfg)
        runner = build_runner(cfg)
        build_loops(runner, "train", "val")
        runner.train()


def quieten_terminal(logger: logging.Logger) -> None:
    """Keep what mmengine says of itself out of the terminal; the log file has all of it.

    Args:
        logger: a runner's.
    """
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(lambda record: not record.getMessage().startswith(_NOISE))


def build_runner(cfg: Config) -> Runner:
    """Build the runner that a config asks for, after joining the processes of its launcher.

    Args:
        cfg: the config; without a GPU its ``model_wrapper_cfg`` is changed.

    Returns:
        mmengine's ``Runner``, or the one that ``runner_type`` names.

    Raises:
        InputError: if a pipeline has a transform that images of one channel can't go through, the
            optimizer has options for parameters that the model lacks, or a class refuses its
            arguments.
    """
    check_datasets(cfg.to_dict())
    start_processes(cfg)
    add_guards(cfg)
    with building("the config"):
        runner: Runner = RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)
    quieten_terminal(runner.logger)
    for line in unmatched_keys(cfg, (name for name, _ in runner.model.named_parameters())):
        raise InputError(line)
    return runner


def build_loops(runner: Runner, *names: str) -> None:
    """Build loops with their data sets and evaluators, as mmengine does in a run, but before it.

    Args:
        runner: the runner; those of its loops that have no config are passed over.
        *names: such as ``train``.

    Raises:
        InputError: if a class refuses its arguments, or a data set what it reads.
    """
    with building("the config"):
        for name in names:
            getattr(runner, f"{name}_loop", None)
