"""What ``tools/train.py`` and ``tools/test.py`` do with their arguments."""

import argparse
import ast
import os
import os.path as osp
from collections.abc import Iterable

import torch
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmthermal.common.checks import did_you_mean
from mmthermal.common.renamed_configs import config_from_file

# Keys that mmengine's runner reads though a config need not have them.
_RUNNER_KEYS = (
    "auto_scale_lr",
    "cfg",
    "compile",
    "custom_hooks",
    "custom_imports",
    "data_preprocessor",
    "experiment_name",
    "find_unused_parameters",
    "launcher",
    "load_from",
    "model_wrapper_cfg",
    "param_scheduler",
    "randomness",
    "resume",
    "runner_type",
    "sync_bn",
    "tta_model",
    "tta_pipeline",
    "work_dir",
)


class OptionAction(DictAction):
    """mmengine's ``DictAction`` that takes values with dicts, too, written as in Python.

    ``"visualizer.vis_backends=[{'type':'LocalVisBackend'}]"`` comes out of mmengine's own as a
    list of strings.
    """

    @staticmethod
    def _parse_iterable(val: str) -> object:
        if "{" in val:
            try:
                return ast.literal_eval(val)
            except (SyntaxError, ValueError):
                pass  # such as a template, '{{fileDirname}}/x': mmengine's business
        return DictAction._parse_iterable(val)


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
        FileNotFoundError: if there is no such config file; it names the new file of a renamed one.
        KeyError: if ``--cfg-options`` names a section that doesn't exist.
    """
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    setup_cache_size_limit_of_dynamo()
    cfg = config_from_file(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options:
        check_option_keys(args.cfg_options, cfg)
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get("work_dir") is None:
        cfg.work_dir = osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    return cfg


def check_option_keys(options: Iterable[str], cfg: Config) -> None:
    """Raise if an override names a section that neither the config nor the runner has.

    mmengine adds unknown keys without a word, so that a misspelt override does nothing.

    Args:
        options: dotted keys, as given to ``--cfg-options``.
        cfg: the config that they override.

    Raises:
        KeyError: naming the key and the nearest section that exists.
    """
    known = sorted({*cfg.keys(), *_RUNNER_KEYS})
    for option in options:
        section = option.split(".")[0]
        if section not in known:
            hint = did_you_mean(section, known) or f"it has {', '.join(known)}"
            raise KeyError(f"--cfg-options {option}: the config has no {section!r}: {hint}")


def use_amp(cfg: Config) -> None:
    """Switch a config to mixed precision on the device at hand.

    float16 with a loss scale by mmengine's ``AmpOptimWrapper`` on a GPU, as mmdet's ``--amp``;
    bfloat16 by :class:`~mmthermal.engine.Bfloat16OptimWrapper` on the CPU, which mmengine's
    refuses.

    Args:
        cfg: the config; it is changed.
    """
    wrapper = cfg.optim_wrapper
    if wrapper.get("type", "OptimWrapper") == "Bfloat16OptimWrapper":
        return  # mixed precision already
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
        KeyError: if the config doesn't say for which batch size its rate is meant.
    """
    if "base_batch_size" not in cfg.get("auto_scale_lr", {}):
        raise KeyError(
            "--auto-scale-lr needs auto_scale_lr=dict(enable=False, base_batch_size=…) in the "
            "config: the batch size that its learning rate is meant for"
        )
    cfg.auto_scale_lr.enable = True


def build_runner(cfg: Config) -> Runner:
    """Build the runner that a config asks for.

    Args:
        cfg: the config.

    Returns:
        mmengine's ``Runner``, or the one that ``runner_type`` names.
    """
    return RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)
