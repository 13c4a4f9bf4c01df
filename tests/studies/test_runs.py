"""Runs are planned, carried out, taken up again and collected."""

import json
import textwrap
import time
from pathlib import Path

import pytest
from mmengine.config import Config

from mmthermal.studies import runs

TRAIN = """
import json, pathlib, sys, os
args = sys.argv[1:]
work = pathlib.Path(args[args.index("--work-dir") + 1])
with open(work.parents[1] / "calls.txt", "a") as file:
    print("train", json.dumps(args), os.environ.get("OMP_NUM_THREADS"),
          os.environ.get("CUDA_VISIBLE_DEVICES"), file=file)
if (work.parents[1] / f"fail-{work.parent.name}-{work.name}").exists():
    (work / "half").write_text("")
    sys.exit("out of memory")
(work / "epoch_6.pth").write_text("weights")
(work / "last_checkpoint").write_text(str(work / "epoch_6.pth"))
"""
TEST = """
import json, pathlib, sys
args = sys.argv[1:]
checkpoint = pathlib.Path(args[1])
with open(checkpoint.parents[2] / "calls.txt", "a") as file:
    print("test", json.dumps(args), file=file)
prefix = next(a for a in args if "outfile_prefix=" in a).split("=", 1)[1]
assert checkpoint.read_text() == "weights"
if not (checkpoint.parents[2] / "fail-test").exists():
    pathlib.Path(prefix + ".bbox.json").write_text("[]")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with tools that pretend, two configs and annotations."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "train.py").write_text(textwrap.dedent(TRAIN))
    (tmp_path / "tools" / "test.py").write_text(textwrap.dedent(TEST))
    (tmp_path / "ann.json").write_text("{}")
    for name, lr in (("focal", 0.1), ("composite", 0.2)):
        (tmp_path / f"{name}.py").write_text(config_text(tmp_path, lr))
    (tmp_path / "work").mkdir()
    return tmp_path


def config_text(place: Path, lr: float) -> str:
    return (
        f"lr = {lr}\n"
        f"test_evaluator = dict(type='CocoMetric', ann_file={str(place / 'ann.json')!r})\n"
        "test_dataloader = dict(dataset=dict(data_root='data', data_prefix=dict(img='val/')))\n"
    )


def plan(place: Path, seeds: tuple[int, ...] = (0, 1), **settings: object) -> list[runs.ConfigRuns]:
    configs = [place / "focal.py", place / "composite.py"]
    return runs.plan_runs(configs, seeds, place / "work", **settings)


def carry_out(place: Path, planned: list[runs.ConfigRuns], **settings: object) -> list[str]:
    lines: list[str] = []
    every = [run for group in planned for run in group.runs]
    runs.carry_out(every, tools_dir=place / "tools", say=lines.append, **settings)
    return lines


def calls(place: Path, kind: str) -> list[str]:
    lines = (place / "work" / "calls.txt").read_text().splitlines()
    return [line for line in lines if line.startswith(kind)]


def test_every_config_is_trained_and_tested_with_every_seed(place: Path) -> None:
    planned = plan(place, cfg_options=["a.b=1"])
    carry_out(place, planned)
    assert len(calls(place, "train")) == len(calls(place, "test")) == 4
    run = planned[1].runs[1]
    assert run.folder == place / "work" / "composite" / "seed1"
    assert run.done
    done = json.loads((run.folder / "done.json").read_text())
    assert (done["seed"], done["name"], done["checkpoint"]) == (1, "composite", "epoch_6.pth")
    train = next(line for line in calls(place, "train") if "composite/seed1" in line)
    assert '"--cfg-options", "randomness.seed=1", "a.b=1"' in train
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
        runs.RunsFailed, match=r"1 of 4 runs failed(.|\n)*focal seed 1.*out of memory"
    ):
        carry_out(place, plan(place))
    assert [r.done for g in plan(place) for r in g.runs] == [True, False, True, True]
    trap.unlink()
    carry_out(place, plan(place))
    again = calls(place, "train")[-1]
    assert "focal/seed1" in again and '"--resume"' in again
    assert all(r.done for g in plan(place) for r in g.runs)


def test_a_trained_run_whose_test_failed_is_not_trained_again(place: Path) -> None:
    trap = place / "work" / "fail-test"
    trap.write_text("")
    with pytest.raises(runs.RunsFailed, match="must be a CocoMetric"):
        carry_out(place, plan(place, seeds=(0,)))
    trap.unlink()
    carry_out(place, plan(place, seeds=(0,)))
    assert len(calls(place, "train")) == 2
    assert len(calls(place, "test")) == 4


def test_a_changed_config_is_not_mixed_with_old_runs(place: Path) -> None:
    carry_out(place, plan(place))
    (place / "focal.py").write_text(config_text(place, 0.3))
    with pytest.raises(ValueError, match=r"another version of config 'focal'.*--work-dir"):
        plan(place)
    with pytest.raises(ValueError, match="another version"):
        plan(place, cfg_options=["lr=0.5"])


def test_gpus_and_jobs_share_the_machine(place: Path) -> None:
    carry_out(place, plan(place, seeds=(0,)), gpus=["3", "5"])
    assert {line.split()[-1] for line in calls(place, "train")} <= {"3", "5"}
    carry_out(place, plan(place, seeds=(0, 7)), jobs=10_000)
    assert calls(place, "train")[-1].split()[-2] == "1"


def test_jobs_must_be_positive(place: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        carry_out(place, plan(place), jobs=0)


def test_the_first_evaluator_of_a_list_writes_the_predictions(place: Path) -> None:
    text = config_text(place, 0.1).replace("test_evaluator = dict(", "test_evaluator = [dict(")
    (place / "focal.py").write_text(text.replace("json')", "json')]"))
    carry_out(place, plan(place, seeds=(0,)))
    assert any("test_evaluator.0.outfile_prefix=" in line for line in calls(place, "test"))


def test_only_one_comparison_at_a_time_in_a_folder(place: Path) -> None:
    with runs.work_dir_lock(place / "work"):
        with pytest.raises(RuntimeError, match="another comparison works"):
            with runs.work_dir_lock(place / "work"):
                pass
    with runs.work_dir_lock(place / "work"):
        pass


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ["one"]}, "1 names for 2 configs"),
        ({"names": ["same", "same"]}, "give each its own name"),
        ({"names": ["a/b", "c"]}, "leave out slashes"),
        ({"names": ["..", "c"]}, "leave out slashes"),
        ({"seeds": (1, 1)}, "each once"),
        ({"seeds": ()}, "at least one seed"),
    ],
)
def test_plans_that_cannot_be(place: Path, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(place, **settings)


def test_a_config_that_is_missing(place: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.py' does not exist"):
        runs.plan_runs([place / "none.py"], [0], place)


def test_hash_is_of_what_is_trained() -> None:
    base = {"a": 1, "work_dir": "x", "randomness": {"seed": 1, "deterministic": True}}
    same = {"randomness": {"deterministic": True, "seed": 2}, "a": 1, "work_dir": "y"}
    assert runs.config_hash(Config(base)) == runs.config_hash(Config(same))
    for other in ({**base, "a": 2}, {**base, "load_from": "weights.pth"}, {**base, "b": None}):
        assert runs.config_hash(Config(base)) != runs.config_hash(Config(other))


def test_finished_runs_are_collected_by_folder_or_one_by_one(place: Path) -> None:
    carry_out(place, plan(place, seeds=(10, 9)))
    work = place / "work"
    groups = runs.collect_runs(
        [[work / "focal"], [work / "composite" / "seed10", work / "composite" / "seed9"]]
    )
    assert [group.name for group in groups] == ["focal", "composite"]
    assert [group.seeds for group in groups] == [[9, 10], [9, 10]]
    assert all(run.done for group in groups for run in group.runs)
    assert runs.shared_test_set(groups).img_dir == Path("data/val")


def test_runs_of_mmdets_own_training_are_tested_not_trained(place: Path) -> None:
    folder = place / "work" / "theirs" / "seed4"
    folder.mkdir(parents=True)
    (folder / "focal.py").write_text(config_text(place, 0.1))
    (folder / "epoch_6.pth").write_text("weights")
    (folder / "last_checkpoint").write_text("/elsewhere/epoch_6.pth")  # the folder was moved
    groups = runs.collect_runs([[folder]])
    assert groups[0].seeds == [4]
    carry_out(place, groups)
    assert groups[0].runs[0].done
    assert not calls(place, "train")


def test_the_seed_comes_from_the_config_where_the_folder_does_not_say(place: Path) -> None:
    folder = place / "a_run"
    folder.mkdir()
    (folder / "c.py").write_text(config_text(place, 0.1) + "randomness = dict(seed=6)\n")
    assert runs.collect_runs([[folder]])[0].seeds == [6]
    (folder / "c.py").write_text(config_text(place, 0.1))
    with pytest.raises(ValueError, match="its seed is unknown"):
        runs.collect_runs([[folder]])


def test_folders_that_are_no_runs(place: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        runs.collect_runs([[place / "none"]])
    with pytest.raises(FileNotFoundError, match="0 config files"):
        runs.collect_runs([[place / "tools" / ".." / "work"]])


def test_a_seed_given_twice(place: Path) -> None:
    carry_out(place, plan(place, seeds=(0,)))
    folder = place / "work" / "focal" / "seed0"
    with pytest.raises(ValueError, match="repeat"):
        runs.collect_runs([[folder, folder]])


def test_runs_must_share_their_test_set(place: Path) -> None:
    (place / "other.json").write_text("{ }")
    text = config_text(place, 0.2).replace("ann.json", "other.json")
    (place / "composite.py").write_text(text)
    with pytest.raises(ValueError, match="different annotations"):
        runs.shared_test_set(plan(place))
    (place / "other.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"other\.json' does not exist"):
        runs.shared_test_set(plan(place))


def test_test_set_from_the_data_set_where_the_evaluator_says_nothing() -> None:
    dataset = {"data_root": "root", "ann_file": "a.json", "data_prefix": {"img": "val"}}
    found = runs.test_set(Config({"test_dataloader": {"dataset": dataset}}))
    assert found == runs.TestSet(Path("root/a.json"), Path("root/val"))
    with pytest.raises(ValueError, match="set one to the COCO annotations"):
        runs.test_set(Config({}))


def test_options_are_parsed_as_mmengine_does() -> None:
    parsed = runs.parse_cfg_options(["a.b=1", "c=[1,2]", "d=x"])
    assert parsed == {"a.b": 1, "c": [1, 2], "d": "x"}
    assert runs.parse_cfg_options([]) == {}


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
        runs.carry_out(every, tools_dir=place / "tools", jobs=4, say=say)
    assert time.monotonic() - start < 30
    assert not any(run.done for run in every)
