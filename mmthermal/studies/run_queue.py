"""Work off runs: train and test what isn't finished, several at a time, one queue per folder."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mmthermal.common.checkpoints import last_checkpoint
from mmthermal.common.checks import check_count
from mmthermal.common.child_processes import start_child
from mmthermal.common.config import read_config
from mmthermal.common.files import file_sha256, read_json, write_json
from mmthermal.common.run_state import NotFiniteRunError, check_ended_finite
from mmthermal.studies.ground_truth import test_set
from mmthermal.studies.run_folder import PREDICTIONS, Run
from mmthermal.studies.training_setup import changed_file, trained_on


def say_line(line: str) -> None:
    """Print a line by one write, so that those of several threads don't run into each other."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class RunsFailed(RuntimeError):
    """Some runs ended with an error; the others are finished and stay."""


@contextmanager
def work_dir_lock(work_dir: str | Path) -> Iterator[None]:
    """Keep a second comparison from training into the same folders.

    Raises:
        RuntimeError: another process holds the lock.
    """
    folder = Path(work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(folder / ".lock").acquire(timeout=0)
    except Timeout:
        raise RuntimeError(
            f"another comparison works in {folder}: wait for it or give another --work-dir"
        ) from None
    with held:
        yield


def carry_out(
    runs: Sequence[Run],
    *,
    tools_dir: str | Path,
    jobs: int = 1,
    gpus: Sequence[str] = (),
    say: Callable[[str], None] = say_line,
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
    check_count("jobs", jobs, 1)
    waiting = [run for run in runs if not run.done]
    if len(waiting) < len(runs):
        say(f"{len(runs) - len(waiting)} of {len(runs)} runs are finished already")
    if not waiting:
        return
    slots: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
    environments = _environments(jobs, gpus)
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
                except (_StageFailed, OSError, ValueError) as error:
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


def _environments(jobs: int, gpus: Sequence[str]) -> list[dict[str, str]]:
    """Environment variables of each place for a run: a device, or a share of the cores.

    ``OMP_NUM_THREADS`` of the caller stays: threads that wait for each other on cores that others
    use, too, are many times slower than one.
    """
    if gpus:
        return [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus]
    share = os.environ.get("OMP_NUM_THREADS") or str(max(1, _cores() // jobs))
    return [{"OMP_NUM_THREADS": share, "MKL_NUM_THREADS": share}] * jobs


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
                process = start_child(command, output=output, environment=environment)
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
        "train_files": trained_on(run.folder, run.train_files),
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
        if read_json(record, what="run record").get("stage") == "trained":
            return
        command.append("--resume")
    command += ["--cfg-options", f"randomness.seed={run.seed}", *run.cfg_options]
    changed = changed_file(run.train_files)
    if changed:
        raise _StageFailed(
            f"{changed} was changed since this command was started: put the old file back, or "
            "train all runs on the new one in another --work-dir"
        )
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
    try:
        check_ended_finite(run.folder)
    except NotFiniteRunError as error:
        raise _StageFailed(str(error)) from None
    checkpoint = last_checkpoint(run.folder)
    if checkpoint is None:
        raise _StageFailed(f"{run.folder} has no checkpoint (no last_checkpoint file)")
    cfg = read_config(run.config, run.cfg_options)
    is_list = isinstance(cfg.get("test_evaluator"), list | tuple)
    evaluator = "test_evaluator.0" if is_list else "test_evaluator"
    prefix = run.folder / f".predicting-{os.getpid()}"
    command = [sys.executable, str(tools_dir / "test.py"), str(run.config), str(checkpoint)]
    command += ["--work-dir", str(run.folder / "test"), "--cfg-options"]
    command += [f"randomness.seed={run.seed}", *run.cfg_options]
    command += [f"{evaluator}.outfile_prefix={str(prefix)!r}"]
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
            "ann_digest": file_sha256(where.ann_file),
            "classes": where.classes,
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
