"""Trainings that are killed at any moment and resumed; two in one folder; memory.

A part of the slow tests: each start of a tool takes seconds.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from helpers_data import write_coco
from helpers_kills import fork_server, run_tool_here, words
from helpers_trust import differing

from mmthermal.common.safe_loading import load_file

pytestmark = pytest.mark.slow
KILLS = 30


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = {"train": 16, "val": 2, "test": 2}
    return write_coco(tmp_path_factory.mktemp("kills") / "data", splits=splits)


def final(work: Path, name: str) -> dict[str, Any]:
    content = load_file(work / name)
    return {key: content[key] for key in ("state_dict", "optimizer", "param_schedulers")}


@pytest.fixture(scope="module")
def starter() -> Iterator[BaseContext]:
    with fork_server() as context:
        yield context


def wait_for(condition: Callable[[], bool], process: BaseProcess) -> None:
    """Wait until a condition holds, or the process has ended."""
    until = time.monotonic() + 120
    while process.is_alive() and not condition():
        assert time.monotonic() < until
        time.sleep(0.0005)


def wait_for_moment(kind: int, rng: random.Random, work: Path, process: BaseProcess) -> None:
    """Wait for a moment of a kind: while it starts, while it saves, while it trains."""
    if kind == 0:
        time.sleep(rng.uniform(0, 2))
    elif kind == 1:  # a temporary file is there while a checkpoint is written
        wait_for(lambda: any(work.glob(".iter_*.pth.*")), process)
    else:
        before = set(work.glob("iter_*.pth"))
        wait_for(lambda: bool(set(work.glob("iter_*.pth")) - before), process)
        time.sleep(rng.uniform(0, 0.2))


def test_thirty_kills_change_no_bit(root: Path, tmp_path: Path, starter: BaseContext) -> None:
    """Ten while a training starts, ten while it writes a checkpoint, ten in between."""
    epochs, name, log = 8, "iter_64.pth", tmp_path / "log"

    def start(work: Path) -> BaseProcess:
        process = starter.Process(
            target=run_tool_here, args=(words(root, work, epochs=epochs)[1:], log)
        )
        process.start()
        return process

    whole, work = tmp_path / "whole", tmp_path / "killed"
    start(whole).join()
    rng, reached = random.Random(0), []
    for number in range(KILLS):
        process = start(work)
        wait_for_moment(number % 3, rng, work, process)
        assert process.is_alive(), log.read_text()[-3000:]
        process.kill()
        process.join()
        reached.append(max([0, *(int(path.stem[5:]) for path in work.glob("iter_*.pth"))]))
    assert 4 < reached[-1] < 64, reached
    last = start(work)
    last.join()
    assert last.exitcode == 0, log.read_text()[-3000:]
    assert differing(final(whole, name), final(work, name)) == []


def test_a_second_training_waits_for_the_first(root: Path, tmp_path: Path) -> None:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(words(root, tmp_path, epochs=50), env=env, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not (tmp_path / "last_checkpoint").exists():
            assert time.monotonic() < until
            time.sleep(0.1)
        second = subprocess.run(words(root, tmp_path, epochs=50), env=env, capture_output=True)
        assert second.returncode == 1
        assert b"error: another training writes to" in second.stderr
    finally:
        first.kill()
        first.wait()


def test_memory_does_not_grow(root: Path, tmp_path: Path) -> None:
    """2,000 iterations; the second half may add 3 % to what the first half needs."""
    code = """
import json, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from helpers_trust import tiny
from mmengine.hooks import Hook
from mmengine.runner import Runner

class Memory(Hook):
    found = []
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if (runner.iter + 1) % 100 == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.found.append(pages * resource.getpagesize())

cfg = tiny(Path(sys.argv[2]), Path(sys.argv[3]), epochs=500)
cfg.default_hooks.checkpoint.interval = 50
runner = Runner.from_cfg(cfg)
runner.register_hook(Memory())
runner.train()
print("MEMORY", json.dumps(Memory.found))
"""
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, folder, str(root), str(tmp_path / "work")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(text for text in done.stdout.splitlines() if text.startswith("MEMORY"))
    found = json.loads(line.removeprefix("MEMORY"))
    assert len(found) >= 20
    middle, end = max(found[: len(found) // 2]), max(found[len(found) // 2 :])
    assert end < 1.03 * middle, found
