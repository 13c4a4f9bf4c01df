"""Child processes that end with their parent, on every system."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

_VARIABLE = "MMTHERMAL_END_WITH_PARENT"


def start_child(
    command: Sequence[str], *, output: Any, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a tool that ends when this process ends, however that happens.

    The child's input is a pipe that this process holds open. The system closes it when this
    process ends, also by SIGKILL, and the child, which calls :func:`end_with_parent`, ends then.

    Args:
        command: of the child.
        output: file that takes what it prints.
        environment: variables beside those of this process.

    Returns:
        the process.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {}), _VARIABLE: "1"},
    )


def end_with_parent() -> None:
    """End this process when the one that started it is gone; nothing if that did not ask for it.

    Called first thing by the tools that :func:`start_child` starts. The end is a SIGKILL, as the
    parent's own would be: whatever a tool writes must survive that anyway.
    """
    if os.environ.pop(_VARIABLE, None) is None:
        return  # and children of this process don't wait for its input
    threading.Thread(target=_wait_for_end, args=(sys.stdin.fileno(),), daemon=True).start()


def _wait_for_end(pipe: int) -> None:
    """Read until the other side is closed, then end this process."""
    while os.read(pipe, 1024):
        pass
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
