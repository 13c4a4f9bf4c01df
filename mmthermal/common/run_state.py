"""What a run folder says about the training in it, beside its checkpoints."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mmthermal.common.files import read_json

NOT_FINITE = "not_finite.json"
"""Written by FiniteCheckHook when it stops a training."""


class NotFiniteRunError(RuntimeError):
    """A training whose figures are not those of a whole one."""


def check_ended_finite(folder: str | Path) -> None:
    """Raise if the training in a folder was stopped, or logged a loss that is not finite.

    Args:
        folder: work directory of a training.

    Raises:
        NotFiniteRunError: saying what was found, and where.
    """
    record = Path(folder) / NOT_FINITE
    if record.exists():
        found = read_json(record, what="record of a stopped training")
        raise NotFiniteRunError(
            f"{folder}: the training was stopped at iteration {found.get('iteration')}, because "
            f"{found.get('found')} ({record}): its figures would be those of a training cut "
            "short. Resume it with other settings, or train anew in another folder"
        )
    # The newest log may be that of a test, or of a start that came to nothing.
    for log in sorted(Path(folder).glob("*/vis_data/scalars.json"), reverse=True):
        loss = _last_loss(log)
        if loss is not None:
            if not math.isfinite(loss):
                raise NotFiniteRunError(
                    f"{folder}: the last logged loss is {loss} ({log}): this training did "
                    "not end with finite numbers. Train it anew with other settings"
                )
            return


def _last_loss(log: Path) -> float | None:
    """The last loss of a training's log; None if there is none."""
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            last = json.loads(line)
        except ValueError:
            continue  # a line that an interrupt cut off
        loss = last.get("loss") if isinstance(last, dict) else None
        if isinstance(loss, int | float):
            return float(loss)
    return None


class RunBusyError(RuntimeError):
    """A work directory that a training cannot have."""


@contextmanager
def run_lock(folder: str | Path, *, wait: float = 20.0) -> Iterator[None]:
    """Keep a second training out of a work directory.

    The system frees the lock when the process ends, however that happens. Processes that load
    data share it and notice within seconds that their training is gone, so it is waited for.

    Args:
        folder: the work directory; it is made if need be.
        wait: seconds to wait for another training's end, >= 0.

    Yields:
        nothing, while the lock is held.

    Raises:
        RunBusyError: if the folder cannot be written, or another training goes on in it.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        held = FileLock(place / ".run.lock").acquire(timeout=wait)
    except Timeout:
        raise RunBusyError(
            f"another training writes to {place}: wait for its end, or give another --work-dir"
        ) from None
    except OSError as error:
        raise RunBusyError(
            f"work directory {str(place)!r} cannot be written ({error.strerror or error}): give "
            "another --work-dir, or the right to write there"
        ) from error
    with held:
        yield


_DONE = ("ann_file", "config", "img_dir", "seed")


def read_done(folder: Path) -> dict[str, Any]:
    """The record of a finished run.

    Args:
        folder: of the run.

    Returns:
        its fields.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no such record.
    """
    path = folder / "done.json"
    done = read_json(path, what="run record")
    missing = [key for key in _DONE if key not in done] if isinstance(done, dict) else [*_DONE]
    if missing:
        raise ValueError(
            f"run record {str(path)!r} has no {', '.join(missing)}: delete it, and the same "
            "command finishes the run again"
        )
    return dict(done)
