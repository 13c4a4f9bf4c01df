"""What a config trains on, by which hooks, and whether that is still as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmthermal.common.dataset_configs import innermost
from mmthermal.common.files import file_sha256, read_json

Digests = tuple[tuple[str, str], ...]
"""Path and SHA-256 of each of some files."""


def training_digests(cfg: Config) -> Digests:
    """Hashes of the annotation files that a config trains on.

    Args:
        cfg: a config; wrappers such as ``ConcatDataset`` and ``RepeatDataset`` are looked into.

    Returns:
        path and hash of each, in the config's order; files that are not there are left out.
    """
    parts = innermost((cfg.get("train_dataloader") or {}).get("dataset"))
    named = [part for part in parts if isinstance(part.get("ann_file"), str) and part["ann_file"]]
    # joined as mmengine joins them
    paths = dict.fromkeys(Path(part.get("data_root") or "", part["ann_file"]) for part in named)
    return tuple((str(path), file_sha256(path)) for path in paths if path.is_file())


def changed_file(before: Digests) -> str | None:
    """The path of the first file that is no longer as it was; one that is gone does not count."""
    for name, digest in before:
        path = Path(name)
        if path.is_file() and file_sha256(path) != digest:
            return name
    return None


def run_record(folder: Path) -> dict[str, Any] | None:
    """What a run's folder says of it; None where nothing was begun."""
    for name in ("done.json", "run.json"):
        path = folder / name
        if path.exists():
            return dict(read_json(path, what="run record"))
    return None


def trained_on(folder: Path, now: Digests) -> dict[str, str]:
    """Hashes, by path, of the annotation files that a run has been trained on so far.

    Args:
        folder: of the run.
        now: the files that it is to be trained on.

    Returns:
        those of its record, which an older one lacks; ``now`` where it has no checkpoint yet.
    """
    if any(folder.glob("*.pth")) or (folder / "done.json").exists():
        return dict((run_record(folder) or {}).get("train_files") or {})
    return dict(now)


def check_same_labels(folder: Path, now: Digests) -> None:
    """Refuse to count a run, or to go on with it, whose training annotations were changed since.

    Args:
        folder: of the run.
        now: the files that it is to be trained on.

    Raises:
        ValueError: naming the file and what to do.
    """
    before = trained_on(folder, now)
    for path, digest in now:
        if before.get(path, digest) != digest:
            raise ValueError(
                f"{folder} holds a run that was trained on another version of {path} "
                f"(hash {before[path][:16]}, now {digest[:16]}): give another --work-dir, move "
                "that folder away to train it anew, or put the old file back"
            )


def has_hook(cfg: Config, name: str) -> bool:
    """Whether a config asks for a hook.

    Args:
        cfg: a config.
        name: of the hook's class, without a scope such as ``mmdet.``.
    """
    hooks = [*(cfg.get("default_hooks") or {}).values(), *(cfg.get("custom_hooks") or [])]
    kinds = [hook.get("type") for hook in hooks if isinstance(hook, Mapping)]
    return any(getattr(k, "__name__", str(k)).rpartition(".")[2] == name for k in kinds)
