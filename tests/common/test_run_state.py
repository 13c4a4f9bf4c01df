"""A run that did not end with finite numbers is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmthermal.common.run_state import (
    NOT_FINITE,
    NotFiniteRunError,
    RunBusyError,
    check_ended_finite,
    read_done,
    run_lock,
)


def log(folder: Path, *losses: str, start: str = "20260101_000000") -> None:
    path = folder / start / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f'{{"loss": {loss}, "iter": {i}}}\n' for i, loss in enumerate(losses)))


def test_a_finite_run_passes(tmp_path: Path) -> None:
    check_ended_finite(tmp_path)  # no log at all
    log(tmp_path, "3.0", "2.0")
    check_ended_finite(tmp_path)


@pytest.mark.parametrize("loss", ["NaN", "Infinity", "-Infinity"])
def test_the_newest_log_decides_by_its_last_loss(tmp_path: Path, loss: str) -> None:
    log(tmp_path, "3.0", loss)
    with pytest.raises(NotFiniteRunError, match=r"last logged loss is .*scalars\.json"):
        check_ended_finite(tmp_path)
    later = tmp_path / "20260102_000000" / "vis_data" / "scalars.json"
    later.parent.mkdir(parents=True)
    later.write_text('{"loss": 1.0}\n{"coco/bbox_mAP": NaN}\n[1]\n{"loss": 2')
    check_ended_finite(tmp_path)


def test_the_log_of_a_test_hides_nothing(tmp_path: Path) -> None:
    log(tmp_path, "3.0", "NaN")
    for start, text in (("20260102", '{"coco/bbox_mAP": 0.1}\n'), ("20260103", "")):
        path = tmp_path / start / "vis_data" / "scalars.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    with pytest.raises(NotFiniteRunError, match="20260101"):
        check_ended_finite(tmp_path)


def test_the_record_of_a_stop_is_quoted(tmp_path: Path) -> None:
    (tmp_path / NOT_FINITE).write_text(json.dumps(dict(iteration=7, found="loss_bbox=inf")))
    with pytest.raises(NotFiniteRunError, match="at iteration 7, because loss_bbox=inf"):
        check_ended_finite(tmp_path)


HOLD = """
import pathlib, sys, time
from filelock import FileLock
pathlib.Path(sys.argv[1]).mkdir(parents=True)
with FileLock(sys.argv[1] + "/.run.lock"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_training_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLD, str(tmp_path / "new" / "work")]
    holder = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    with pytest.raises(RunBusyError, match="another training writes to"):
        with run_lock(tmp_path / "new" / "work", wait=0.2):
            pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with run_lock(tmp_path / "new" / "work", wait=5):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunBusyError, match=r"cannot be written \(.*give another --work-dir"):
        with run_lock(tmp_path / "file" / "work"):
            pass


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"config": "a.py", "seed": 0}'])
def test_a_record_of_something_else_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "done.json").write_text(text)
    with pytest.raises(ValueError, match=r"done\.json' has no ann_file.*delete it"):
        read_done(tmp_path)
