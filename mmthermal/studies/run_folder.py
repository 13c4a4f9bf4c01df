"""Runs and their folders: plan them, or collect those that exist.

A run is a folder `WORK/<name>/seed<k>/`:
    run.json                while it is under way: config, hash, seed, stage, labels' hashes
    train.log, test.log     output of the two sub-processes
    predictions.bbox.json   COCO results on the test set
    done.json               written last; with it the run is finished
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmthermal.common.checkpoints import last_checkpoint
from mmthermal.common.config import parse_options, read_config
from mmthermal.common.files import file_sha256
from mmthermal.common.run_state import read_done
from mmthermal.studies.training_setup import (
    check_same_labels,
    run_record,
    training_digests,
)

PREDICTIONS = "predictions.bbox.json"
SEED_FOLDER = re.compile(r"seed_?(\d+)$")


@dataclass(frozen=True)
class Run:
    """One config trained with one seed.

    Attributes:
        name: of the config, as the report shows it.
        seed: of the training.
        folder: its work directory.
        config: file it is trained from.
        config_hash: of the resolved config; None where nobody checks it (finished runs).
        cfg_options: raw `key=value` strings for `--cfg-options`.
        train_files: path and hash of each annotation file to train on, as it is now.
    """

    name: str
    seed: int
    folder: Path
    config: Path
    config_hash: str | None = None
    cfg_options: tuple[str, ...] = ()
    train_files: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"{self.name} seed {self.seed}"

    @property
    def predictions(self) -> Path:
        """COCO results on the test set."""
        return self.folder / PREDICTIONS

    @property
    def done(self) -> bool:
        """Whether the run is finished and tested: its last weights, on the file as it is now."""
        if not ((self.folder / "done.json").exists() and self.predictions.exists()):
            return False
        done = read_done(self.folder)
        ann_file, digest = Path(done["ann_file"]), done.get("ann_digest")
        if digest is not None and ann_file.is_file() and file_sha256(ann_file) != digest:
            return False
        last = last_checkpoint(self.folder)  # None where somebody has made room
        tested = done.get("checkpoint")
        return last is None or tested is None or last.name == tested


@dataclass
class ConfigRuns:
    """All runs of one config, sorted by seed."""

    name: str
    runs: list[Run] = field(default_factory=list)

    @property
    def seeds(self) -> list[int]:
        """Seeds, ascending."""
        return [run.seed for run in self.runs]


def config_hash(cfg: Config) -> str:
    """Hash of what a config trains; its place on disk, work_dir and seed do not enter."""
    content = cfg.to_dict()
    for key in ("work_dir", "resume", "load_from", "launcher"):
        if key != "load_from" or content.get(key) is None:
            content.pop(key, None)
    content.get("randomness", {}).pop("seed", None)
    return hashlib.sha256(_canonical(content).encode()).hexdigest()[:16]


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        items = sorted((str(key), _canonical(item)) for key, item in value.items())
        return "{" + ",".join(f"{key!r}:{item}" for key, item in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_canonical(item) for item in value) + "]"
    if isinstance(value, type) or callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def _unique_names(names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise ValueError(
            f"several configs are called {repeated}: give each its own name with --names"
        )


def gives_seed(cfg_options: Sequence[str]) -> bool:
    """Whether raw `key=value` strings give the seed, for which the tools have an argument."""
    given = parse_options(cfg_options)
    whole = given.get("randomness")
    return "randomness.seed" in given or (isinstance(whole, dict) and "seed" in whole)


def plan_runs(
    configs: Sequence[str | Path],
    seeds: Sequence[int],
    work_dir: str | Path,
    *,
    names: Sequence[str] | None = None,
    cfg_options: Sequence[str] = (),
) -> list[ConfigRuns]:
    """Lay out one run per config and seed.

    Args:
        configs: config files, the baseline first.
        seeds: all configs get the same ones.
        work_dir: folder of the whole comparison.
        names: one per config, for folders and the report. None takes the file names.
        cfg_options: raw `key=value` strings for every run.

    Returns:
        One entry per config, in order.

    Raises:
        ValueError: names or seeds repeat, the options give the seed, or a folder holds a run of
            another config, or one trained on other annotations.
    """
    labels = list(names) if names else [Path(config).stem for config in configs]
    if len(labels) != len(configs):
        raise ValueError(f"{len(labels)} names for {len(configs)} configs: give one per config")
    _unique_names(labels)
    if gives_seed(cfg_options):
        raise ValueError("--cfg-options randomness.seed would give all runs one seed: use --seeds")
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError(f"seeds={list(seeds)}: give at least one seed, each once")
    planned = []
    for label, config in zip(labels, configs, strict=True):
        if Path(label).name != label or label in ("", ".", ".."):
            raise ValueError(f"name {label!r} cannot be a folder name: leave out slashes")
        cfg = read_config(config, cfg_options)
        fingerprint, files = config_hash(cfg), training_digests(cfg)
        place, options = Path(work_dir) / label, tuple(cfg_options)
        runs = [
            Run(label, seed, place / f"seed{seed}", Path(config), fingerprint, options, files)
            for seed in sorted(seeds)
        ]
        for run in runs:
            _check_same_config(run)
            check_same_labels(run.folder, run.train_files)
        planned.append(ConfigRuns(label, runs))
    return planned


def _check_same_config(run: Run) -> None:
    found = run_record(run.folder)
    if found is not None and found.get("config_hash") != run.config_hash:
        raise ValueError(
            f"{run.folder} holds a run of another version of config {run.name!r} "
            f"(hash {found.get('config_hash')}, now {run.config_hash}): give another --work-dir or "
            "--names, or move that folder away"
        )


def collect_runs(
    groups: Sequence[Sequence[str | Path]], *, names: Sequence[str] | None = None
) -> list[ConfigRuns]:
    """Take runs that exist, from `compare` or from mmdet's `tools/train.py`.

    Args:
        groups: per config its run folders, or one folder that holds `seed<k>` folders.
        names: one per group. None takes the name of the folder above the seeds.

    Returns:
        One entry per group; a run may still lack its predictions (`carry_out` makes them).

    Raises:
        FileNotFoundError: a folder or its config is missing.
        ValueError: a seed is unknown or occurs twice.
    """
    collected = []
    for number, group in enumerate(groups):
        folders: list[Path] = []
        for entry in map(Path, group):
            if not entry.is_dir():
                raise FileNotFoundError(f"run folder {str(entry)!r} does not exist")
            inside = [p for p in entry.iterdir() if p.is_dir() and SEED_FOLDER.match(p.name)]
            folders += inside or [entry]
        name = names[number] if names else folders[0].resolve().parent.name
        runs = sorted((_existing_run(name, folder) for folder in folders), key=lambda r: r.seed)
        if len({run.seed for run in runs}) != len(runs):
            raise ValueError(f"{name}: seeds {[r.seed for r in runs]} repeat; give each run once")
        collected.append(ConfigRuns(name, runs))
    _unique_names([group.name for group in collected])
    return collected


def mixed_versions(groups: Sequence[ConfigRuns]) -> list[str]:
    """A line for each group whose finished runs were trained from several versions of a config.

    And one for each annotation file that was changed between the trainings of any of them.
    """
    lines = []
    files: dict[str, dict[str, list[str]]] = {}
    for group in groups:
        seeds: dict[str, list[int]] = {}
        for run in group.runs:
            if (run.folder / "done.json").exists():
                done = read_done(run.folder)
                version = done.get("config_hash")
                if version is not None:
                    seeds.setdefault(version, []).append(run.seed)
                for path, digest in (done.get("train_files") or {}).items():
                    files.setdefault(path, {}).setdefault(digest[:16], []).append(run.label)
        if len(seeds) > 1:
            listed = "; ".join(f"seeds {own} {version}" for version, own in seeds.items())
            lines.append(
                f"{group.name}: its runs are of {len(seeds)} versions of the config, and are taken "
                f"for one ({listed})"
            )
    for path, versions in files.items():
        if len(versions) > 1:
            listed = "; ".join(f"{', '.join(own)}: {digest}" for digest, own in versions.items())
            lines.append(
                f"{path} was changed between the trainings, so that differences may come from the "
                f"annotations (hashes: {listed})"
            )
    return lines


def _existing_run(name: str, folder: Path) -> Run:
    record = folder / "done.json"
    if record.exists():
        done = read_done(folder)
        config = Path(done["config"])
        own = sorted(folder.glob("*.py"))
        return Run(name, int(done["seed"]), folder, own[0] if own else config)
    configs = sorted(folder.glob("*.py"))
    if len(configs) != 1:
        raise FileNotFoundError(
            f"{folder} holds {len(configs)} config files (*.py), not one: give a work directory "
            "that tools/train.py wrote"
        )
    match = SEED_FOLDER.search(folder.name)
    from_config = {} if match else read_config(configs[0]).get("randomness") or {}
    seed = match.group(1) if match else from_config.get("seed")
    if seed is None:
        raise ValueError(
            f"{folder}: its seed is unknown; call the folder seed<k> or set randomness.seed"
        )
    return Run(name, int(seed), folder, configs[0])
