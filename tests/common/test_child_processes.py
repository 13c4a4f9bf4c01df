"""Children end with their parent, however it ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmthermal.common import child_processes
from mmthermal.common.child_processes import start_child

# Without the package, whose import takes seconds.
ALONE = f"import sys; sys.path.insert(0, {str(Path(child_processes.__file__).parent)!r})\n"
CHILD = (
    ALONE
    + """
import pathlib, sys, time
from child_processes import end_with_parent
end_with_parent()
place = pathlib.Path(sys.argv[-1])
import os
place.with_suffix(".pid").write_text(str(os.getpid()))
while True:
    place.write_text(str(time.time()))
    time.sleep(0.02)
"""
)
PARENT = (
    ALONE
    + """
import time
from child_processes import start_child
children = [
    start_child([sys.executable, *sys.argv[1:], f"{sys.argv[-1]}{i}"], output=None)
    for i in range(2)
]
time.sleep(60)
"""
)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_of_a_killed_parent_end(tmp_path: Path, kind: signal.Signals) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    place = tmp_path / "mark"
    words = [sys.executable, "-c", PARENT, str(tmp_path / "child.py"), str(place)]
    parent = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    pids = [tmp_path / f"mark{i}.pid" for i in range(2)]
    places = [tmp_path / f"mark{i}" for i in range(2)]
    until = time.monotonic() + 60
    while not all(p.exists() and p.with_suffix(".pid").exists() for p in places):
        assert time.monotonic() < until
        time.sleep(0.05)
    numbers = [int(p.read_text()) for p in pids]
    assert all(map(alive, numbers))
    parent.send_signal(kind)
    parent.wait()
    until = time.monotonic() + 10
    while any(map(alive, numbers)):
        assert time.monotonic() < until, "a child lives on"
        time.sleep(0.05)


def test_a_child_that_ends_by_itself_has_its_own_status(tmp_path: Path) -> None:
    code = ALONE + "from child_processes import end_with_parent as e; e(); raise SystemExit(3)"
    assert start_child([sys.executable, "-c", code], output=subprocess.DEVNULL).wait() == 3


def test_without_such_a_parent_nothing_waits_for_the_input() -> None:
    code = (
        f"{ALONE}import threading; from child_processes import end_with_parent as e; e(); "
        "print(threading.active_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1"


def test_grandchildren_do_not_inherit_the_wish(tmp_path: Path) -> None:
    code = (
        f"{ALONE}import os; from child_processes import end_with_parent as e; e(); "
        "print('MMTHERMAL_END_WITH_PARENT' in os.environ, flush=True)"
    )
    with open(tmp_path / "out", "wb") as output:
        assert start_child([sys.executable, "-c", code], output=output).wait() == 0
    assert (tmp_path / "out").read_text().strip() == "False"
