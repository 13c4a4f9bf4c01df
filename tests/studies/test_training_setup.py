"""What a config trains on, and whether that was changed since."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook

from mmthermal.common.files import file_sha256
from mmthermal.studies.training_setup import (
    changed_file,
    check_same_labels,
    has_hook,
    run_record,
    trained_on,
    training_digests,
)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.json" for name in "abc"]
    for path in paths:
        path.write_text(path.stem)
    return paths


def part(path: Path, **more: object) -> dict:
    return dict(type="CocoDataset", data_root=str(path.parent), ann_file=path.name, **more)


def config(dataset: dict) -> Config:
    return Config(dict(train_dataloader=dict(dataset=dataset)))


def test_all_files_of_wrappers_each_once(files: list[Path]) -> None:
    one, two, three = files
    joined = dict(type="ConcatDataset", datasets=[part(two), part(one), part(two)])
    repeated = dict(type="RepeatDataset", dataset=dict(type="MultiImageMixDataset", dataset=joined))
    found = training_digests(config(repeated))
    assert found == tuple((str(path), file_sha256(path)) for path in (two, one))
    elsewhere = dict(type="CocoDataset", data_root="/nowhere", ann_file=str(three))
    assert [path for path, _ in training_digests(config(elsewhere))] == [str(three)]


@pytest.mark.parametrize("dataset", [{}, dict(ann_file=""), dict(ann_file="none.json"), None])
def test_nothing_to_read(dataset: dict) -> None:
    assert training_digests(config(dataset)) == ()
    assert training_digests(Config(dict(train_dataloader=None))) == ()


def test_a_change_is_seen_and_a_file_that_is_gone_is_not(files: list[Path]) -> None:
    before = training_digests(config(part(files[0])))
    assert changed_file(before) is None
    files[0].write_text("other")
    assert changed_file(before) == str(files[0])
    files[0].unlink()
    assert changed_file(before) is None


def test_labels_count_from_the_first_checkpoint_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    check_same_labels(run, (("a.json", "now"),))
    (run / "run.json").write_text(json.dumps(dict(train_files={"a.json": "before"})))
    # A training that failed at once, such as for these labels, has learnt nothing from them.
    assert trained_on(run, (("a.json", "now"),)) == {"a.json": "now"}
    check_same_labels(run, (("a.json", "now"),))
    (run / "epoch_1.pth").touch()
    assert trained_on(run, (("a.json", "now"),)) == {"a.json": "before"}
    with pytest.raises(ValueError, match=r"another version of a\.json .*before, now now.*--work"):
        check_same_labels(run, (("a.json", "now"),))
    check_same_labels(run, (("a.json", "before"), ("new.json", "now")))


def test_a_finished_run_counts_without_its_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(dict(train_files={"a.json": "x"})))
    (tmp_path / "done.json").write_text(json.dumps(dict(train_files={"a.json": "before"})))
    with pytest.raises(ValueError, match="another version"):
        check_same_labels(tmp_path, (("a.json", "now"),))


def test_older_records_have_no_hashes(tmp_path: Path) -> None:
    assert run_record(tmp_path) is None
    (tmp_path / "epoch_1.pth").touch()
    assert trained_on(tmp_path, (("a.json", "now"),)) == {}
    (tmp_path / "done.json").write_text("{}")
    assert trained_on(tmp_path, (("a.json", "now"),)) == {}
    check_same_labels(tmp_path, (("a.json", "now"),))


@pytest.mark.parametrize("kind", ["EarlyStoppingHook", "mmengine.EarlyStoppingHook"])
def test_hooks_by_name_with_and_without_scope(kind: str) -> None:
    assert has_hook(Config(dict(custom_hooks=[dict(type=kind)])), "EarlyStoppingHook")
    assert has_hook(Config(dict(default_hooks=dict(stop=dict(type=kind)))), "EarlyStoppingHook")


def test_hooks_by_class_and_none() -> None:
    assert has_hook(Config(dict(custom_hooks=[dict(type=EarlyStoppingHook)])), "EarlyStoppingHook")
    others = Config(dict(custom_hooks=[dict(type="MyEarlyStoppingHook")], default_hooks=None))
    assert not has_hook(others, "EarlyStoppingHook")
    assert not has_hook(Config({}), "EarlyStoppingHook")
