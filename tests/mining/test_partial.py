"""Finished images outlive a kill; half a line does not count."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmthermal.mining.partial import PartialResults

ROW = (1.0, 2.0, 3.0, 4.0, 1, 0.5)


def test_reads_what_all_processes_wrote(tmp_path):
    partial = PartialResults(tmp_path / "p", dict(a=1))
    with partial.writer(0) as first, partial.writer(1) as second:
        first.append([(0, [ROW]), (1, [])])
        second.append([(2, [ROW, ROW])])
        assert partial.read() == {0: [ROW], 1: [], 2: [ROW, ROW]}


def test_half_a_line_is_no_result_and_is_cut_off(tmp_path):
    partial = PartialResults(tmp_path / "p", dict(a=1))
    with partial.writer(0) as writer:
        writer.append([(0, [ROW]), (1, [ROW])])
    (path,) = (tmp_path / "p").glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-9])
    assert partial.read() == {0: [ROW]}
    with partial.writer(0) as writer:
        writer.append([(5, [])])
    assert partial.read() == {0: [ROW], 5: []}


def test_other_settings_are_another_file(tmp_path):
    with PartialResults(tmp_path, dict(a=1)).writer(0) as writer:
        writer.append([(0, [])])
    assert PartialResults(tmp_path, dict(a=2)).read() == {}
    assert PartialResults(tmp_path, dict(a=1)).read() == {0: []}


def test_two_writers_of_one_file_are_refused(tmp_path):
    partial = PartialResults(tmp_path, {})
    with partial.writer(0), pytest.raises(RuntimeError, match="another process"):
        partial.writer(0)


def test_remove(tmp_path):
    partial = PartialResults(tmp_path / "p", {})
    with partial.writer(0) as writer:
        writer.append([(0, [])])
    partial.remove()
    assert not (tmp_path / "p").exists()
    partial.remove()  # nothing there is fine


def test_killed_writer_loses_no_appended_image(tmp_path):
    code = (
        "import sys\n"
        "from mmthermal.mining.partial import PartialResults\n"
        "writer = PartialResults(sys.argv[1], {}).writer(0)\n"
        "for i in range(10**9):\n"
        "    writer.append([(i, [(1.0, 2.0, 3.0, 4.0, 1, 0.5)] * 50)])\n"
        "    print(i, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(5):
        last = int(process.stdout.readline())
    time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().splitlines()
    process.wait()
    told = int(rest[-1]) if rest else last
    found = PartialResults(tmp_path, {}).read()
    assert set(range(told + 1)) <= set(found)
    assert all(rows == [ROW] * 50 for rows in found.values())


@pytest.mark.parametrize(
    "line", ["garbage", "[]", "{}", '{"index": "x", "regions": []}', '{"index": 1, "regions": 3}']
)
def test_a_line_of_something_else_is_named(tmp_path: Path, line: str) -> None:
    partial = PartialResults(tmp_path, {})
    path = tmp_path / f"{partial.name}.0.jsonl"
    path.write_text('{"index": 0, "regions": []}\n' + line + "\n")
    with pytest.raises(ValueError) as caught:
        partial.read()
    assert f"{path}, line 2 is no result" in str(caught.value)
