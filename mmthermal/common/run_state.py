"""What a run folder says about the training in it, beside its checkpoints."""

import json
from pathlib import Path

from mmthermal.common.files import read_json

NOT_FINITE = "not_finite.json"
"""Written by FiniteCheckHook when it stops a training."""


def check_ended_finite(folder: str | Path) -> None:
    """Raise if the training in a folder was stopped, or logged a loss that is not finite.

    Args:
        folder: work directory of a training.

    Raises:
        FloatingPointError: saying what was found, and where.
    """
    record = Path(folder) / NOT_FINITE
    if record.exists():
        found = read_json(record, what="record of a stopped training")
        raise FloatingPointError(
            f"{folder}: the training was stopped at iteration {found.get('iteration')}, because "
            f"{found.get('found')} ({record}): its figures would be those of a training cut "
            "short. Resume it with other settings, or train anew in another folder"
        )
    for log in sorted(Path(folder).glob("*/vis_data/scalars.json"))[-1:]:
        for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
            try:
                last = json.loads(line)
            except ValueError:
                continue  # a line that an interrupt cut off
            loss = last.get("loss") if isinstance(last, dict) else None
            if isinstance(loss, int | float):
                if loss != loss or loss in (float("inf"), float("-inf")):
                    raise FloatingPointError(
                        f"{folder}: the last logged loss is {loss} ({log}): this training did "
                        "not end with finite numbers. Train it anew with other settings"
                    )
                break
