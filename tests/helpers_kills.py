"""Tools in processes that have their imports already, so that starting one takes no seconds."""

import contextlib
import io
import multiprocessing
import os
import resource
import runpy
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest
from helpers_data import CONFIGS, ROOT, as_arguments, data_options, small_options

CONFIG = CONFIGS / "thermal/retina_composite.py"


def words(root: Path, work: Path, *, epochs: int = 1, **options: Any) -> list[str]:
    """A command of 8 iterations an epoch, a checkpoint at each, two processes that load."""
    settings = {
        **data_options(root, batch_size=2, test_split="test"),
        **small_options(3),
        "train_dataloader.num_workers": 2,
        "train_dataloader.persistent_workers": True,
        "train_cfg.max_epochs": epochs,
        "train_cfg.val_interval": 100,
        "default_hooks.checkpoint.by_epoch": False,
        "default_hooks.checkpoint.save_best": None,
        "log_level": "ERROR",
        **{key.replace("__", "."): value for key, value in options.items()},
    }
    train = [str(ROOT / "tools" / "train.py"), str(CONFIG), "--work-dir", str(work)]
    return [sys.executable, *train, "--resume", *as_arguments(settings)]


@contextmanager
def fork_server() -> Iterator[BaseContext]:
    """Starts processes without the seconds of their imports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(Path(__file__).parent)]))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["mmthermal.engine.launch"])
        yield context


def run_tool_here(command: list[str], log: Path) -> None:
    """Run a tool in this process, which a fork server started.

    Args:
        command: path of the tool, and its arguments.
        log: takes what it prints.
    """
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")


def run_tool_on_full_disk(command: list[str], space: int, answer: Connection) -> None:
    """Run a tool that can write no file of more than a few bytes, as if the disk were full.

    Args:
        command: path of the tool, and its arguments.
        space: bytes of a file.
        answer: takes the exit status and what the tool said.
    """
    sys.argv = command
    said, status = io.StringIO(), 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (space, space))
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_path(command[0], run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            print("" if isinstance(end.code, int) else end.code)
        except BaseException:
            status = 1
            traceback.print_exc()
    answer.send((status, said.getvalue()[-20_000:]))
