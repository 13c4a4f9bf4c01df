"""Doubts that are said once in a process, however many pictures they concern."""

import logging

from mmengine.logging import print_log

_said: set[str] = set()


def warn_once(code: str, message: str) -> None:
    """Log a warning, the first time that there is one of its kind.

    Args:
        code: of the kind, such as ``several-pages``; it is put behind the message.
        message: what was found, and in which file first.
    """
    if code not in _said:
        _said.add(code)
        print_log(f"{message} (said once) [{code}]", logger="current", level=logging.WARNING)
