"""The end of a tool by Ctrl-C."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mmthermal.common.launchers import is_first_process

STATUS = 130
"""128 and the number of SIGINT, as shells have it."""


@contextmanager
def says_how_to_go_on(text: str) -> Iterator[None]:
    """End the process on Ctrl-C with one line and status 130, without a traceback.

    Args:
        text: how the work can be taken up, which follows "interrupted: "; the first process of a
            launcher says it.

    Raises:
        SystemExit: in place of a KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt:
        if is_first_process():
            print(f"\ninterrupted: {text}", file=sys.stderr, flush=True)
        raise SystemExit(STATUS) from None
