"""Training runs of several configs over several seeds: plan, carry out, take up again, collect.

A run is a folder `WORK/<name>/seed<k>/`:
    run.json                while it is under way: config, hash, seed, stage
    train.log, test.log     output of the two sub-processes
    predictions.bbox.json   COCO results on the test set
    done.json               written last; with it the run is finished
"""

import fcntl
import hashlib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from mmthermal.common.files import read_json, write_json
from mmthermal.common.renamed_configs import config_from_file, new_place

PREDICTIONS = "predictions.bbox.json"
SEED_FOLDER = re.compile(r"seed_?(\d+)$")


@dataclass(frozen=True)
class TestSet:
    """Where the ground truth and the images of a config's test set lie.

    Attributes:
        ann_file: COCO annotations.
        img_dir: folder that the file names of the annotations start from.
    """

    ann_file: Path
    img_dir: Path


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
    """

    name: str
    seed: int
    folder: Path
    config: Path
    config_hash: str | None = None
    cfg_options: tuple[str, ...] = ()

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
        """Whether the run is finished."""
        return (self.folder / "done.json").exists() and self.predictions.exists()


@dataclass
class ConfigRuns:
    """All runs of one config, sorted by seed."""

    name: str
    runs: list[Run] = field(default_factory=list)

    @property
    def seeds(self) -> list[int]:
        """Seeds, ascending."""
        return [run.seed for run in self.runs]


class RunsFailed(RuntimeError):
    """Some runs ended with an error; the others are finished and stay."""


def parse_cfg_options(options: Sequence[str]) -> dict[str, Any]:
    """Parse `key=value` strings as mmengine's `--cfg-options` does."""
    if not options:
        return {}
    parser = ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=DictAction)
    parsed: dict[str, Any] = parser.parse_args(["--cfg-options", *options]).cfg_options
    return parsed


def load_config(path: str | Path, cfg_options: Sequence[str] = ()) -> Config:
    """Load a config with options merged.

    Raises:
        FileNotFoundError: there is no such file; it names the new file of a renamed one.
    """
    if not Path(path).is_file() and new_place(str(path)) is None:
        raise FileNotFoundError(f"config {str(path)!r} does not exist: give a .py config file")
    cfg = config_from_file(path)
    cfg.merge_from_dict(parse_cfg_options(cfg_options))
    return cfg


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


def test_set(cfg: Config) -> TestSet:
    """Find the test annotations and images of a config.

    Raises:
        ValueError: the config names no annotation file.
    """
    evaluators = cfg.get("test_evaluator") or {}
    evaluators = evaluators if isinstance(evaluators, list | tuple) else [evaluators]
    dataset = (cfg.get("test_dataloader") or {}).get("dataset") or {}
    root = Path(dataset.get("data_root") or "")
    ann_file = next((e["ann_file"] for e in evaluators if e.get("ann_file")), None)
    if ann_file is None and dataset.get("ann_file"):
        ann_file = root / dataset["ann_file"]
    if ann_file is None:
        raise ValueError(
            f"config {cfg.filename!r}: neither test_evaluator.ann_file nor "
            "test_dataloader.dataset.ann_file is set; set one to the COCO annotations of the "
            "test set"
        )
    prefix = dataset.get("data_prefix") or {}
    return TestSet(Path(ann_file), root / (prefix.get("img") or prefix.get("img_path") or ""))


test_set.__test__ = False  # type: ignore[attr-defined]  # not a pytest test
TestSet.__test__ = False  # type: ignore[attr-defined]


def shared_test_set(groups: Sequence[ConfigRuns]) -> TestSet:
    """The one test set of all runs.

    Raises:
        FileNotFoundError: an annotation file is missing.
        ValueError: the configs are tested on different annotations.
    """
    found: dict[str, tuple[str, TestSet]] = {}
    for group in groups:
        for run in group.runs:
            record = run.folder / "done.json"
            done = read_json(record, what="run record") if record.exists() else {}
            if "ann_file" in done:
                where = TestSet(Path(done["ann_file"]), Path(done["img_dir"]))
            else:
                where = test_set(load_config(run.config, run.cfg_options))
            if not where.ann_file.is_file():
                raise FileNotFoundError(
                    f"{run.label}: annotation file {str(where.ann_file)!r} does not exist; paths "
                    "in configs start from the folder in which the command is given"
                )
            digest = hashlib.sha256(where.ann_file.read_bytes()).hexdigest()
            found.setdefault(digest, (run.label, where))
    if len(found) > 1:
        listed = "; ".join(f"{label}: {where.ann_file}" for label, where in found.values())
        raise ValueError(f"the runs are tested on different annotations ({listed})")
    return next(iter(found.values()))[1]


def _unique_names(names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise ValueError(
            f"several configs are called {repeated}: give each its own name with --names"
        )


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
        ValueError: names or seeds repeat, or a folder holds a run of another config.
    """
    labels = list(names) if names else [Path(config).stem for config in configs]
    if len(labels) != len(configs):
        raise ValueError(f"{len(labels)} names for {len(configs)} configs: give one per config")
    _unique_names(labels)
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError(f"seeds={list(seeds)}: give at least one seed, each once")
    planned = []
    for label, config in zip(labels, configs, strict=True):
        if Path(label).name != label or label in ("", ".", ".."):
            raise ValueError(f"name {label!r} cannot be a folder name: leave out slashes")
        fingerprint = config_hash(load_config(config, cfg_options))
        runs = [
            Run(
                name=label,
                seed=seed,
                folder=Path(work_dir) / label / f"seed{seed}",
                config=Path(config),
                config_hash=fingerprint,
                cfg_options=tuple(cfg_options),
            )
            for seed in sorted(seeds)
        ]
        for run in runs:
            _check_same_config(run)
        planned.append(ConfigRuns(label, runs))
    return planned


def _check_same_config(run: Run) -> None:
    for name in ("done.json", "run.json"):
        path = run.folder / name
        if path.exists():
            found = read_json(path, what="run record").get("config_hash")
            if found != run.config_hash:
                raise ValueError(
                    f"{run.folder} holds a run of another version of config {run.name!r} "
                    f"(hash {found}, now {run.config_hash}): give another --work-dir or --names, "
                    "or move that folder away"
                )
            return


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


def _existing_run(name: str, folder: Path) -> Run:
    record = folder / "done.json"
    if record.exists():
        done = read_json(record, what="run record")
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
    seed: int | None = None
    if match:
        seed = int(match.group(1))
    else:
        seed = (load_config(configs[0]).get("randomness") or {}).get("seed")
    if seed is None:
        raise ValueError(
            f"{folder}: its seed is unknown; call the folder seed<k> or set randomness.seed"
        )
    return Run(name, int(seed), folder, configs[0])


def last_checkpoint(folder: str | Path) -> Path | None:
    """Newest checkpoint of a work directory as mmengine's `last_checkpoint` file names it."""
    record = Path(folder) / "last_checkpoint"
    if not record.exists():
        return None
    path = Path(record.read_text(encoding="utf-8").strip())
    moved = Path(folder) / path.name
    return moved if moved.exists() else path if path.exists() else None


@contextmanager
def work_dir_lock(work_dir: str | Path) -> Iterator[None]:
    """Keep a second comparison from training into the same folders.

    Raises:
        RuntimeError: another process holds the lock.
    """
    folder = Path(work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(
                f"another comparison works in {folder}: wait for it or give another --work-dir"
            ) from None
        yield


def carry_out(
    runs: Sequence[Run],
    *,
    tools_dir: str | Path,
    jobs: int = 1,
    gpus: Sequence[str] = (),
    say: Callable[[str], None] = print,
    finished: Callable[[Run], None] = lambda run: None,
) -> None:
    """Train and test every run that isn't finished, several at a time.

    Args:
        runs: all runs; finished ones are skipped, interrupted ones resumed.
        tools_dir: folder of `train.py` and `test.py`.
        jobs: runs at a time without GPUs; each gets its share of the cores.
        gpus: one run at a time on each of these devices (CUDA_VISIBLE_DEVICES).
        say: takes progress lines.
        finished: called with each run that is done, as soon as it is.

    Raises:
        RunsFailed: some runs failed; the message names their logs. The others were carried on.
        ValueError: jobs is below 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs={jobs}: give at least 1")
    waiting = [run for run in runs if not run.done]
    if len(waiting) < len(runs):
        say(f"{len(runs) - len(waiting)} of {len(runs)} runs are finished already")
    if not waiting:
        return
    slots: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
    environments = [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus]
    if not environments:
        share = str(max(1, _cores() // jobs))
        environments = [{"OMP_NUM_THREADS": share, "MKL_NUM_THREADS": share}] * jobs
    for environment in environments:
        slots.put(environment)
    processes = _Processes()
    failures: list[str] = []
    start = time.monotonic()
    with ThreadPoolExecutor(len(environments)) as pool:
        futures = {
            pool.submit(_carry_out_one, run, Path(tools_dir), slots, processes, say): run
            for run in waiting
        }
        try:
            for number, future in enumerate(as_completed(futures), 1):
                run = futures[future]
                try:
                    future.result()
                    finished(run)
                except _StageFailed as error:
                    failures.append(f"{run.label}: {error}")
                    say(f"{run.label} FAILED: {error}")
                passed = time.monotonic() - start
                left = passed / number * (len(waiting) - number)
                say(f"[{number}/{len(waiting)}] {run.label}; {_minutes(left)} left at this pace")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise
    if failures:
        raise RunsFailed(
            f"{len(failures)} of {len(waiting)} runs failed; start the same command again to take "
            "them up:\n  " + "\n  ".join(failures)
        )


def _cores() -> int:
    """Cores that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class _StageFailed(RuntimeError):
    pass


class _Processes:
    """The sub-processes under way, so that an interrupt can end them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, command: list[str], *, environment: dict[str, str], log: Path) -> int:
        with open(log, "ab") as output:
            output.write(f"$ {' '.join(command)}\n".encode())
            output.flush()
            with self._lock:
                if self._stopped:
                    raise _StageFailed("stopped")
                process = subprocess.Popen(
                    command,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **environment},
                )
                self._running.add(process)
            try:
                return process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()


def _carry_out_one(
    run: Run,
    tools_dir: Path,
    slots: "queue.SimpleQueue[dict[str, str]]",
    processes: _Processes,
    say: Callable[[str], None],
) -> None:
    environment = slots.get()
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        if run.config_hash is not None:
            _train(run, tools_dir, environment, processes, say)
        _predict(run, tools_dir, environment, processes, say)
    finally:
        slots.put(environment)


def _record(run: Run, stage: str) -> dict[str, Any]:
    return {
        "name": run.name,
        "seed": run.seed,
        "config": str(run.config),
        "config_hash": run.config_hash,
        "cfg_options": list(run.cfg_options),
        "stage": stage,
    }


def _train(
    run: Run,
    tools_dir: Path,
    environment: dict[str, str],
    processes: _Processes,
    say: Callable[[str], None],
) -> None:
    record = run.folder / "run.json"
    command = [sys.executable, str(tools_dir / "train.py"), str(run.config)]
    command += ["--work-dir", str(run.folder)]
    if record.exists():
        if read_json(record, what="run record")["stage"] == "trained":
            return
        command.append("--resume")
    command += ["--cfg-options", f"randomness.seed={run.seed}", *run.cfg_options]
    write_json(record, _record(run, "training"))
    log = run.folder / "train.log"
    verb = "resuming" if "--resume" in command else "training"
    say(f"{run.label}: {verb} (log: {log})")
    _call(processes, command, environment, log)
    write_json(record, _record(run, "trained"))


def _predict(
    run: Run,
    tools_dir: Path,
    environment: dict[str, str],
    processes: _Processes,
    say: Callable[[str], None],
) -> None:
    checkpoint = last_checkpoint(run.folder)
    if checkpoint is None:
        raise _StageFailed(f"{run.folder} has no checkpoint (no last_checkpoint file)")
    cfg = load_config(run.config, run.cfg_options)
    is_list = isinstance(cfg.get("test_evaluator"), list | tuple)
    evaluator = "test_evaluator.0" if is_list else "test_evaluator"
    prefix = run.folder / f".predicting-{os.getpid()}"
    command = [sys.executable, str(tools_dir / "test.py"), str(run.config), str(checkpoint)]
    command += ["--work-dir", str(run.folder / "test"), "--cfg-options"]
    command += [f"randomness.seed={run.seed}", *run.cfg_options]
    command += [f"{evaluator}.outfile_prefix={prefix}"]
    say(f"{run.label}: predicting")
    _call(processes, command, environment, run.folder / "test.log")
    written = Path(f"{prefix}.bbox.json")
    if not written.exists():
        raise _StageFailed(
            f"tools/test.py wrote no {written.name}: the first test_evaluator of {run.config} must "
            "be a CocoMetric or OverlapCocoMetric with bbox"
        )
    os.replace(written, run.predictions)
    for leftover in run.folder.glob(f"{prefix.name}*"):
        leftover.unlink()
    where = test_set(cfg)
    write_json(
        run.folder / "done.json",
        {
            **_record(run, "done"),
            "checkpoint": checkpoint.name,
            "predictions": PREDICTIONS,
            "ann_file": str(where.ann_file),
            "img_dir": str(where.img_dir),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        },
    )


def _call(
    processes: _Processes, command: list[str], environment: dict[str, str], log: Path
) -> None:
    code = processes.run(command, environment=environment, log=log)
    if code != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1][:300] if lines else "no output"
        raise _StageFailed(f"exit code {code}, see {log} ({last})")
