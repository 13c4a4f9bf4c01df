"""Runs are carried out, several at a time, and taken up again."""

import json
import re
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from helpers_queue import calls, carry_out, config_text, plan, write_place

from mmthermal.common.config import parse_options
from mmthermal.common.run_state import NOT_FINITE
from mmthermal.studies import run_queue


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write_place(tmp_path)


def test_every_config_is_trained_and_tested_with_every_seed(place: Path) -> None:
    planned = plan(place, cfg_options=["lr=1"])
    carry_out(place, planned)
    assert len(calls(place, "train")) == len(calls(place, "test")) == 4
    run = planned[1].runs[1]
    assert run.folder == place / "work" / "composite" / "seed1"
    assert run.done
    done = json.loads((run.folder / "done.json").read_text())
    assert (done["seed"], done["name"], done["checkpoint"]) == (1, "composite", "epoch_6.pth")
    train = next(line for line in calls(place, "train") if "composite/seed1" in line)
    assert '"--cfg-options", "randomness.seed=1", "lr=1"' in train
    assert "--resume" not in train
    assert not list(run.folder.glob(".predicting*"))


def test_finished_runs_are_skipped(place: Path) -> None:
    carry_out(place, plan(place))
    lines = carry_out(place, plan(place, seeds=(0, 1, 2)))
    assert lines[0] == "4 of 6 runs are finished already"
    assert len(calls(place, "train")) == 6


def test_an_interrupted_run_is_resumed_and_the_others_go_on(place: Path) -> None:
    trap = place / "work" / "fail-focal-seed1"
    trap.write_text("")
    with pytest.raises(
        run_queue.RunsFailed, match=r"1 of 4 runs failed(.|\n)*focal seed 1.*out of memory"
    ):
        carry_out(place, plan(place))
    assert [r.done for g in plan(place) for r in g.runs] == [True, False, True, True]
    trap.unlink()
    carry_out(place, plan(place))
    again = calls(place, "train")[-1]
    assert "focal/seed1" in again and '"--resume"' in again
    assert all(r.done for g in plan(place) for r in g.runs)


def test_a_broken_record_stops_its_own_run_alone(place: Path) -> None:
    (planned, _) = plan(place, seeds=(0, 1))
    planned.runs[0].folder.mkdir(parents=True)
    (planned.runs[0].folder / "run.json").write_text('{"config_hash": ')
    with pytest.raises(run_queue.RunsFailed, match=r"1 of 2 runs failed(.|\n)*focal seed 0"):
        carry_out(place, [planned])
    assert [run.done for run in planned.runs] == [False, True]


def test_a_trained_run_whose_test_failed_is_not_trained_again(place: Path) -> None:
    trap = place / "work" / "fail-test"
    trap.write_text("")
    with pytest.raises(run_queue.RunsFailed, match="must be a CocoMetric"):
        carry_out(place, plan(place, seeds=(0,)))
    trap.unlink()
    carry_out(place, plan(place, seeds=(0,)))
    assert len(calls(place, "train")) == 2
    assert len(calls(place, "test")) == 4


def test_gpus_and_jobs_share_the_machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    carry_out(place, plan(place, seeds=(0,)), gpus=["3", "5"])
    assert {line.split()[-1] for line in calls(place, "train")} <= {"3", "5"}
    carry_out(place, plan(place, seeds=(0, 7)), jobs=10_000)
    assert calls(place, "train")[-1].split()[-2] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # the caller knows better
    carry_out(place, plan(place, seeds=(8,)), jobs=10_000)
    assert calls(place, "train")[-1].split()[-2] == "3"


def test_jobs_must_be_positive(place: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        carry_out(place, plan(place), jobs=0)


def test_the_first_evaluator_of_a_list_writes_the_predictions(place: Path) -> None:
    text = config_text(place, 0.1).replace("test_evaluator = dict(", "test_evaluator = [dict(")
    (place / "focal.py").write_text(text.replace("json')", "json')]"))
    carry_out(place, plan(place, seeds=(0,)))
    assert any("test_evaluator.0.outfile_prefix=" in line for line in calls(place, "test"))


def test_blanks_and_commas_in_a_folder(place: Path) -> None:
    planned = plan(place, seeds=(0,), names=["focal loss", "a, b"])
    carry_out(place, planned)
    assert all(run.done for group in planned for run in group.runs)
    line = next(line for line in calls(place, "test") if "focal loss" in line)
    (option,) = re.findall(r'"(test_evaluator\.outfile_prefix=[^"]*)"', line)
    (value,) = parse_options([option]).values()
    assert Path(value).parent == place / "work" / "focal loss" / "seed0"


def test_only_one_comparison_at_a_time_in_a_folder(place: Path) -> None:
    with run_queue.work_dir_lock(place / "work"):
        with pytest.raises(RuntimeError, match="another comparison works"):
            with run_queue.work_dir_lock(place / "work"):
                pass
    with run_queue.work_dir_lock(place / "work"):
        pass


def test_an_interrupt_ends_the_sub_processes(place: Path) -> None:
    (place / "tools" / "train.py").write_text(
        "import sys, time\nsys.exit(1) if 'focal' in sys.argv[1] else time.sleep(60)\n"
    )

    def say(line: str) -> None:
        if "FAILED" in line:  # focal fails at once: the moment of the interrupt
            raise KeyboardInterrupt

    every = [run for group in plan(place) for run in group.runs]
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_queue.carry_out(every, tools_dir=place / "tools", jobs=4, say=say)
    assert time.monotonic() - start < 30
    assert not any(run.done for run in every)


def labelled(place: Path) -> Path:
    """A training file of the config `focal`."""
    labels = place / "train.json"
    labels.write_text("before")
    with open(place / "focal.py", "a") as file:
        file.write(f"train_dataloader = dict(dataset=dict(ann_file={str(labels)!r}))\n")
    return labels


def test_labels_that_change_while_runs_wait_are_not_trained_on(place: Path) -> None:
    labels = labelled(place)
    every = [run for group in plan(place, (0,)) for run in group.runs]
    labels.write_text("after")
    with pytest.raises(run_queue.RunsFailed, match=r"train\.json was changed since this command"):
        run_queue.carry_out(every, tools_dir=place / "tools", say=lambda line: None)
    assert not every[0].done and every[1].done
    assert not any("focal" in line for line in calls(place, "train"))


def test_labels_are_mended_after_a_training_that_failed_at_once(place: Path) -> None:
    labels = labelled(place)
    (place / "work" / "fail-focal-seed0").write_text("")
    with pytest.raises(run_queue.RunsFailed):
        carry_out(place, plan(place, (0,)))
    (place / "work" / "fail-focal-seed0").unlink()
    labels.write_text("after")
    (run,) = plan(place, (0,))[0].runs
    carry_out(place, plan(place, (0,)))
    assert json.loads((run.folder / "done.json").read_text())["train_files"] == dict(
        run.train_files
    )


def test_a_line_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(run_queue.sys, "stdout", Mock(write=written.append))
    run_queue.say_line("a line")
    assert written == ["a line\n"]


def test_a_run_that_did_not_end_with_finite_numbers_is_not_tested(place: Path) -> None:
    every = [run for group in plan(place, (0,)) for run in group.runs]
    every[0].folder.mkdir(parents=True)
    (every[0].folder / NOT_FINITE).write_text('{"iteration": 7, "found": "loss_bbox=inf"}')
    with pytest.raises(run_queue.RunsFailed, match="at iteration 7, because loss_bbox=inf"):
        carry_out(place, plan(place, (0,)))
    assert not every[0].done and every[1].done


def test_a_training_that_is_killed_is_not_finished_though_it_has_a_checkpoint(place: Path) -> None:
    tool = place / "tools" / "train.py"
    tool.write_text(f"{tool.read_text()}\nimport signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    with pytest.raises(run_queue.RunsFailed, match=r"2 of 2 runs failed(.|\n)*exit code -9"):
        carry_out(place, plan(place, (0,)))
    assert not any(run.done for group in plan(place, (0,)) for run in group.runs)
