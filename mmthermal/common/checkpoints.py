"""Checkpoints: the newest that can be resumed, and whether weights fit a model."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mmthermal.common.safe_loading import (
    CheckpointError,
    not_finite,
    read_checkpoint,
)

_NEEDED = ("state_dict", "optimizer", "message_hub", "meta")


def last_checkpoint(folder: str | Path) -> Path | None:
    """Newest checkpoint of a work directory as mmengine's `last_checkpoint` file names it.

    Args:
        folder: the work directory; it may have been moved since.

    Returns:
        the checkpoint; None if the file is missing, or what it names.
    """
    record = Path(folder) / "last_checkpoint"
    if not record.is_file():
        return None
    text = record.read_text(encoding="utf-8", errors="replace").strip()
    if not text or "\0" in text:
        return None
    path = Path(text)
    moved = Path(folder) / path.name
    return moved if moved.is_file() else path if path.is_file() else None


def newest_checkpoint(folder: str | Path, say: Callable[[str], None] = print) -> Path | None:
    """Newest checkpoint of a work directory that a training can go on from.

    The one that `last_checkpoint` names comes first, then the others that are no `best_*`, the
    newest first. What is passed over is said.

    Args:
        folder: the work directory.
        say: takes what should be known.

    Returns:
        the checkpoint; None if the folder has none.

    Raises:
        CheckpointError: if there are checkpoints, none of which can be resumed.
    """
    place = Path(folder)
    named = last_checkpoint(place)
    others = [p for p in place.glob("*.pth") if p.is_file() and p.name[:1] != "."]
    others = [p for p in others if not p.name.startswith("best_")]
    others.sort(key=lambda p: (p.stat().st_mtime_ns, _number(p)), reverse=True)
    candidates = ([named] if named else []) + [p for p in others if p != named]
    if others and named is None:
        exists = (place / "last_checkpoint").exists()
        why = "names no file that is there" if exists else "does not exist"
        say(f"{place / 'last_checkpoint'} {why}, but there are checkpoints beside it")
    broken: list[str] = []
    for path in candidates:
        problem = why_not_resumable(path)
        if not problem:
            if broken or named is None:
                say(f"going on from {path}, the newest checkpoint that can be resumed")
            return path
        broken.append(f"{path}: {problem}")
        say(f"passed over {broken[-1]}")
    if broken:
        raise CheckpointError(
            f"no checkpoint in {place} can be resumed ({'; '.join(broken)}): give another one "
            "with --resume FILE, or move them away to begin anew"
        )
    return None


def _number(path: Path) -> int:
    """The number at the end of a checkpoint's name."""
    found = re.search(r"(\d+)$", path.stem)
    return int(found.group(1)) if found else -1


def why_not_resumable(path: str | Path) -> str:
    """What keeps a training from going on from a checkpoint.

    Args:
        path: the file.

    Returns:
        the reason; empty if there is none.
    """
    try:
        content = read_checkpoint(path)
    except (OSError, ValueError) as error:
        return str(error).split("\n")[0]
    missing = [key for key in _NEEDED if not isinstance(content.get(key), Mapping)]
    if missing:
        return f"no {', '.join(missing)} in it"
    done = [content["meta"].get(key) for key in ("epoch", "iter")]
    if not all(isinstance(number, int) and number >= 0 for number in done):
        return "meta has no epoch and iter"
    bad = not_finite(content["state_dict"].items())
    if bad:
        return f"weights that are not finite: {', '.join(bad[:5])}"
    bad = not_finite(named_tensors(content["optimizer"], "optimizer"))
    return f"numbers that are not finite: {', '.join(bad[:5])}" if bad else ""


def named_tensors(node: Any, place: str = "") -> Iterator[tuple[str, Tensor]]:
    """All tensors of nested dicts and lists.

    Args:
        node: what holds them.
        place: its own name.

    Yields:
        names, with dots, and tensors.
    """
    if isinstance(node, Tensor):
        yield place, node
    elif isinstance(node, Mapping | list | tuple):
        for key, value in node.items() if isinstance(node, Mapping) else enumerate(node):
            yield from named_tensors(value, f"{place}.{key}" if place else str(key))


@dataclass
class Fit:
    """How the weights of a checkpoint fit a model.

    Attributes:
        share: of the model's weights, counted by number, that the checkpoint has; in [0, 1].
        missing: names that only the model has.
        unexpected: names that only the checkpoint has.
        other_shape: names with both shapes, the checkpoint's first.
        not_finite: names of the checkpoint with NaN or infinities.
    """

    share: float = 1.0
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    other_shape: list[str] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.share:.1%} of the model's weights are in it"]
        for words, names in (
            ("missing", self.missing),
            ("of another shape", self.other_shape),
            ("not in the model", self.unexpected),
            ("not finite", self.not_finite),
        ):
            if names:
                more = f" and {len(names) - 4} more" if len(names) > 4 else ""
                parts.append(f"{words}: {', '.join(names[:4])}{more}")
        return "; ".join(parts)

    @property
    def whole(self) -> bool:
        """Whether all fits, and nothing is left over."""
        return not (self.missing or self.unexpected or self.other_shape or self.not_finite)


def fit_of(model: nn.Module, checkpoint: Mapping[str, Any]) -> Fit:
    """Compare a checkpoint with a model.

    Args:
        model: the model, not wrapped.
        checkpoint: content of a file: a `state_dict`, or a dict that holds one.

    Returns:
        how it fits. Counters of normalisation layers and of losses don't count.
    """
    inner = checkpoint.get("state_dict", checkpoint)
    given = {re.sub(r"^module\.", "", str(k)): v for k, v in dict(inner).items()}
    given = {key: value for key, value in given.items() if isinstance(value, Tensor)}
    trained = dict(model.named_parameters())
    wanted = {k: v for k, v in model.state_dict().items() if k in trained or "running_" in k}
    rest = model.state_dict().keys() - wanted.keys()
    fit = Fit(
        unexpected=sorted(given.keys() - wanted.keys() - rest), not_finite=not_finite(given.items())
    )
    fitting = total = 0
    for name, value in wanted.items():
        size = max(1, math.prod(value.shape))
        total += size
        if name not in given:
            fit.missing.append(name)
        elif given[name].shape != value.shape:
            shapes = f"{tuple(given[name].shape)} for {tuple(value.shape)}"
            fit.other_shape.append(f"{name} {shapes}")
        else:
            fitting += size
    fit.share = fitting / total if total else 1.0
    return fit


def check_fit(
    model: nn.Module, checkpoint: Mapping[str, Any], *, name: str, min_fit: float = 1.0
) -> Fit:
    """Raise if a checkpoint has too little of a model, or numbers that are not finite.

    Args:
        model: the model, not wrapped.
        checkpoint: content of a file.
        name: of the file, for the message.
        min_fit: share of the model's weights that must be there, in [0, 1].

    Returns:
        how it fits.

    Raises:
        CheckpointError: saying what is missing, unexpected, of another shape or not finite.
    """
    fit = fit_of(model, checkpoint)
    if fit.not_finite or fit.share < min_fit:
        raise CheckpointError(
            f"checkpoint {name!r} does not fit {type(model).__name__}: {fit}. "
            f"At least {min_fit:.0%} must be there, and finite: give the checkpoint of this "
            "config. To fine-tune from a part of the weights, set "
            "default_hooks.checkpoint_check.min_fit to less"
        )
    return fit
