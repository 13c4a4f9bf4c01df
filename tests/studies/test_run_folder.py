"""Runs are planned and collected."""

import json
from pathlib import Path

import pytest
from helpers_queue import calls, carry_out, config_text, plan, write_place
from mmengine.config import Config

from mmthermal.studies import run_folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write_place(tmp_path)


def test_a_changed_config_is_not_mixed_with_old_runs(place: Path) -> None:
    carry_out(place, plan(place))
    (place / "focal.py").write_text(config_text(place, 0.3))
    with pytest.raises(ValueError, match=r"another version of config 'focal'.*--work-dir"):
        plan(place)
    with pytest.raises(ValueError, match="another version"):
        plan(place, cfg_options=["lr=0.5"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ["one"]}, "1 names for 2 configs"),
        ({"names": ["same", "same"]}, "give each its own name"),
        ({"names": ["a/b", "c"]}, "leave out slashes"),
        ({"names": ["..", "c"]}, "leave out slashes"),
        ({"seeds": (1, 1)}, "each once"),
        ({"seeds": ()}, "at least one seed"),
        ({"cfg_options": ["randomness.seed=3"]}, "use --seeds"),
        ({"cfg_options": ["randomness={'seed':3}"]}, "use --seeds"),
    ],
)
def test_plans_that_cannot_be(place: Path, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(place, **settings)


def test_a_config_that_is_missing(place: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.py' does not exist"):
        run_folder.plan_runs([place / "none.py"], [0], place)


def test_hash_is_of_what_is_trained() -> None:
    base = {"a": 1, "work_dir": "x", "randomness": {"seed": 1, "deterministic": True}}
    same = {"randomness": {"deterministic": True, "seed": 2}, "a": 1, "work_dir": "y"}
    assert run_folder.config_hash(Config(base)) == run_folder.config_hash(Config(same))
    for other in ({**base, "a": 2}, {**base, "load_from": "weights.pth"}, {**base, "b": None}):
        assert run_folder.config_hash(Config(base)) != run_folder.config_hash(Config(other))


def test_a_run_that_was_trained_further_is_tested_again(place: Path) -> None:
    carry_out(place, plan(place, seeds=(0,)))
    (run,) = plan(place, seeds=(0,))[0].runs
    assert run.done
    (run.folder / "epoch_7.pth").write_text("weights")
    (run.folder / "last_checkpoint").write_text(str(run.folder / "epoch_7.pth"))
    assert not run.done
    for name in ("epoch_7.pth", "last_checkpoint"):
        (run.folder / name).unlink()
    assert run.done  # somebody has made room


def test_a_run_whose_annotations_were_replaced_is_tested_again(place: Path) -> None:
    carry_out(place, plan(place, seeds=(0,)))
    (place / "ann.json").write_text('{"images": []}')
    assert not any(run.done for group in plan(place, seeds=(0,)) for run in group.runs)
    carry_out(place, plan(place, seeds=(0,)))
    assert (len(calls(place, "train")), len(calls(place, "test"))) == (2, 4)
    (place / "ann.json").unlink()  # the data lie elsewhere now
    assert plan(place, seeds=(0,))[0].runs[0].done


def test_runs_of_two_versions_of_a_config_are_named(place: Path) -> None:
    carry_out(place, plan(place))
    groups = run_folder.collect_runs([[place / "work" / "focal"], [place / "work" / "composite"]])
    assert run_folder.mixed_versions(groups) == []
    record = place / "work" / "focal" / "seed1" / "done.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "config_hash": "other"}))
    (line,) = run_folder.mixed_versions(groups)
    assert line.startswith("focal: its runs are of 2 versions") and "[1] other" in line


def trained_on_labels(place: Path) -> Path:
    """Finished runs of two configs on one training file."""
    labels = place / "train.json"
    labels.write_text("before")
    for name in ("focal", "composite"):
        dataset = dict(type="CocoDataset", ann_file=str(labels))
        repeated = dict(dataset=dict(type="RepeatDataset", times=2, dataset=dataset))
        with open(place / f"{name}.py", "a") as file:
            file.write(f"train_dataloader = {repeated!r}\n")
    carry_out(place, plan(place, seeds=(0,)))
    return labels


def test_runs_on_changed_labels_are_not_mixed(place: Path) -> None:
    labels = trained_on_labels(place)
    done = json.loads((place / "work" / "focal" / "seed0" / "done.json").read_text())
    assert list(done["train_files"]) == [str(labels)]
    labels.write_text("after")
    with pytest.raises(ValueError, match=r"focal/seed0 holds a run that was trained on another"):
        plan(place, seeds=(0, 1))
    labels.write_text("before")
    assert plan(place, seeds=(0,))[0].runs[0].done
    labels.unlink()  # the data lie elsewhere now
    assert plan(place, seeds=(0,))[0].runs[0].done


def test_runs_of_older_records_stay_valid(place: Path) -> None:
    labels = trained_on_labels(place)
    records = [*place.glob("work/*/seed0/done.json"), *place.glob("work/*/seed0/run.json")]
    assert len(records) == 4
    for record in records:
        content = json.loads(record.read_text())
        del content["train_files"]
        record.write_text(json.dumps(content))
    labels.write_text("after")
    assert all(run.done for group in plan(place, seeds=(0,)) for run in group.runs)


def test_a_half_trained_run_is_not_resumed_on_other_labels(place: Path) -> None:
    labels = trained_on_labels(place)
    folder = place / "work" / "focal" / "seed0"
    (folder / "done.json").unlink()
    record = folder / "run.json"
    record.write_text(record.read_text().replace('"trained"', '"training"'))
    labels.write_text("after")
    with pytest.raises(ValueError, match="focal/seed0 holds a run that was trained on another"):
        plan(place, seeds=(0,))


def test_runs_on_two_versions_of_the_labels_are_named(place: Path) -> None:
    labels = trained_on_labels(place)
    groups = run_folder.collect_runs([[place / "work" / "focal"], [place / "work" / "composite"]])
    assert run_folder.mixed_versions(groups) == []
    record = place / "work" / "composite" / "seed0" / "done.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "train_files": {str(labels): "other"}}))
    (line,) = run_folder.mixed_versions(groups)
    assert line.startswith(f"{labels} was changed between the trainings")
    assert "composite seed 0: other" in line


def test_finished_runs_are_collected_by_folder_or_one_by_one(place: Path) -> None:
    carry_out(place, plan(place, seeds=(10, 9)))
    work = place / "work"
    groups = run_folder.collect_runs(
        [[work / "focal"], [work / "composite" / "seed10", work / "composite" / "seed9"]]
    )
    assert [group.name for group in groups] == ["focal", "composite"]
    assert [group.seeds for group in groups] == [[9, 10], [9, 10]]
    assert all(run.done for group in groups for run in group.runs)


def test_runs_of_mmdets_own_training_are_tested_not_trained(place: Path) -> None:
    folder = place / "work" / "theirs" / "seed4"
    folder.mkdir(parents=True)
    (folder / "focal.py").write_text(config_text(place, 0.1))
    (folder / "epoch_6.pth").write_text("weights")
    (folder / "last_checkpoint").write_text("/elsewhere/epoch_6.pth")  # the folder was moved
    groups = run_folder.collect_runs([[folder]])
    assert groups[0].seeds == [4]
    carry_out(place, groups)
    assert groups[0].runs[0].done
    assert not calls(place, "train")


def test_the_seed_comes_from_the_config_where_the_folder_does_not_say(place: Path) -> None:
    folder = place / "a_run"
    folder.mkdir()
    (folder / "c.py").write_text(config_text(place, 0.1) + "randomness = dict(seed=6)\n")
    assert run_folder.collect_runs([[folder]])[0].seeds == [6]
    (folder / "c.py").write_text(config_text(place, 0.1))
    with pytest.raises(ValueError, match="its seed is unknown"):
        run_folder.collect_runs([[folder]])


def test_folders_that_are_no_runs(place: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        run_folder.collect_runs([[place / "none"]])
    with pytest.raises(FileNotFoundError, match="0 config files"):
        run_folder.collect_runs([[place / "tools" / ".." / "work"]])


def test_a_seed_given_twice(place: Path) -> None:
    carry_out(place, plan(place, seeds=(0,)))
    folder = place / "work" / "focal" / "seed0"
    with pytest.raises(ValueError, match="repeat"):
        run_folder.collect_runs([[folder, folder]])
