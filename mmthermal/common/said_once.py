"""Doubts that are said once in a process, however many pictures they concern."""

import logging
from collections.abc import Hashable

from mmengine.logging import print_log

_said: set[Hashable] = set()


def say_once(key: Hashable, line: str) -> None:
    """Log a warning, the first time that there is one of its key.

    Args:
        key: what it is about.
        line: the warning.
    """
    if key not in _said:
        _said.add(key)
        print_log(line, logger="current", level=logging.WARNING)


def warn_once(code: str, message: str) -> None:
    """Log a warning, the first time that there is one of its kind.

    Args:
        code: of the kind, such as ``several-pages``; it is put behind the message.
        message: what was found, and in which file first.
    """
    say_once(code, f"{message} (said once) [{code}]")
