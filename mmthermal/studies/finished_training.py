"""Whether runs that somebody trained were trained to their end."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.config import Config

from mmthermal.common.checkpoints import last_checkpoint
from mmthermal.common.config import read_config
from mmthermal.common.files import read_json
from mmthermal.common.installed import tool_command
from mmthermal.common.run_state import read_done
from mmthermal.common.safe_loading import read_checkpoint
from mmthermal.studies.run_folder import Run
from mmthermal.studies.training_setup import has_hook


def check_trained(runs: Iterable[Run]) -> None:
    """Raise if a run's last checkpoint is not the one that its config's training ends with.

    A training that an ``EarlyStoppingHook`` may have ended counts as whole; so does one whose
    checkpoint or config does not say how far it went.

    Args:
        runs: from :func:`~mmthermal.studies.run_folder.collect_runs`. Those that `compare` or a
            study trained and tested are passed over: they did end.

    Raises:
        CheckpointError: a checkpoint cannot be read.
        ValueError: some were cut short; each is named, with its epoch and what to do.
    """
    lines = [line for line in map(_cut_short, runs) if line]
    if lines:
        raise ValueError("\n  ".join(lines))


def _cut_short(run: Run) -> str:
    """What a training lacks, and what to do; empty if it is whole."""
    if (run.folder / "done.json").exists() and read_done(run.folder).get("config_hash"):
        return ""
    checkpoint = last_checkpoint(run.folder)
    if checkpoint is None or not run.config.is_file():
        return ""
    cfg = read_config(run.config, run.cfg_options)
    counts = _counts(read_checkpoint(checkpoint), cfg)
    record = run.folder / "run.json"
    stage = read_json(record, what="run record").get("stage") if record.exists() else None
    if stage != "training" and (not counts or has_hook(cfg, "EarlyStoppingHook")):
        return ""
    begun = f"{run.folder}: the training did not end"
    words = [str(run.config), "--work-dir", str(run.folder), "--resume"]
    resume = f"{tool_command('train')} {shlex.join(words)}"
    if not counts:
        return f"{begun}, as {record} says: take it up by {resume}"
    spared = _spared(cfg)
    if any(done + spared.get(unit, 0) >= wanted for done, wanted, unit in counts):
        return ""
    done, wanted, unit = counts[0]
    word = "iteration" if unit == "iter" else unit
    text = f"{begun}: {checkpoint.name} is of {word} {done} of {wanted}. Resume it by {resume}"
    if done:
        text += (
            f"; or, if it was to end there, write train_cfg.max_{unit}s={done} into {run.config}"
        )
    return text


def _counts(checkpoint: Mapping[str, Any], cfg: Config) -> list[tuple[int, int, str]]:
    """How far a training went, as (done, wanted, unit); one of them reached means the end."""
    meta, train = checkpoint.get("meta") or {}, cfg.get("train_cfg") or {}
    epochs, iters = train.get("max_epochs"), train.get("max_iters")
    told = (checkpoint.get("message_hub") or {}).get("runtime_info") or {}
    by_iter = not _saving(cfg).get("by_epoch", True)
    if epochs and by_iter and told.get("max_epochs") and told.get("max_iters"):
        # mmengine saves by epoch with that epoch counted, but by iteration without it: there the
        # last checkpoint lacks one epoch, and no iteration.
        iters = told["max_iters"] // told["max_epochs"] * epochs
    counts = [(meta.get("epoch"), epochs, "epoch"), (meta.get("iter"), iters, "iter")]
    return [
        (done, wanted, unit)
        for done, wanted, unit in counts
        if isinstance(done, int) and isinstance(wanted, int)
    ]


def _spared(cfg: Config) -> dict[str, int]:
    """Epochs or iterations at the end that a config without ``save_last`` saves nothing of."""
    hook = _saving(cfg)
    if hook.get("save_last", True):
        return {}
    return {"epoch" if hook.get("by_epoch", True) else "iter": max(0, hook.get("interval", 1) - 1)}


def _saving(cfg: Config) -> Mapping[str, Any]:
    """Settings of the hook that saves checkpoints."""
    return (cfg.get("default_hooks") or {}).get("checkpoint") or {}
