"""The results file: what a line must have, which lines a row takes, how runs are added."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers_results import result_line, write_lines

from mmthermal.studies.result_lines import add_lines, complete, read_lines, select

QUEUE_LINE = {
    "name": "composite", "seed": 3, "config": "configs/retinanet/retina_composite_hituav160.py",
    "options": {}, "cfg_options": [], "metrics": {"AP50": 0.5}, "finished": "today",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": None}, "line 2: no seed"),
        ({"metrics": {"AP50": 58.5}}, "not percent"),
        ({"schedule": ...}, "line 2: no schedule: a line has"),
    ],
)
def test_a_line_that_misses_something(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    line = {**result_line("a", 0), **change}
    line = {key: value for key, value in line.items() if value is not ...}
    path = write_lines(tmp_path / "runs.jsonl", [result_line("a", 0), line])
    with pytest.raises(ValueError, match=message):
        read_lines(path)


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text("{oops\n")
    with pytest.raises(ValueError, match=r"runs.jsonl, line 1: not JSON"):
        read_lines(path)


def test_the_last_run_of_a_seed_counts_and_seeds_are_in_order() -> None:
    lines = [result_line("a", 1, 0.1), result_line("a", 0, 0.2), result_line("a", 1, 0.3)]
    found = select([*lines, result_line("b", 2)], "a")
    assert [(line["seed"], line["metrics"]["AP50"]) for line in found] == [(0, 0.2), (1, 0.3)]
    assert select(lines, "a", seeds=[1, 7]) == [lines[2]]
    assert select(lines, "nobody") == []


def test_single_runs_come_before_their_mean() -> None:
    mean = result_line("a", None, seeds=[0, 1, 2])
    assert select([mean], "a") == [mean]
    assert [line["seed"] for line in select([mean, result_line("a", 4)], "a")] == [4]


def test_unlike_runs_are_not_mixed_silently() -> None:
    lines = [result_line("a", 0), result_line("a", 1, schedule="24e")]
    with pytest.raises(ValueError, match=r"differ in schedule: '24e', '6e'; choose one"):
        select(lines, "a")
    assert select(lines, "a", schedule="24e") == [lines[1]]


def test_precision_may_differ_within_a_row() -> None:
    lines = [result_line("a", 0), result_line("a", 1, precision="float32")]
    assert select(lines, "a") == lines
    assert select(lines, "a", precision="float32") == lines[1:]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("configs/retinanet/retina_composite_hituav160.py", ("hituav160", "RetinaNet", "6e")),
        ("configs/retinanet/retina_focal_24e_hituav160.py", ("hituav160", "RetinaNet", "24e")),
        # as lines of the first layout have it
        ("configs/thermal/hituav160_retina_composite.py", ("hituav160", "RetinaNet", "6e")),
        ("configs/retinanet/retina_focal_synthetic.py", ("synthetic", "RetinaNet", "12e")),
        ("configs/faster_rcnn/faster_rcnn_ce_hituav160.py", ("hituav160", "Faster R-CNN", "6e")),
    ],
)
def test_a_queues_line_is_completed_from_its_config(
    config: str, expected: tuple[str, str, str]
) -> None:
    line = complete({**QUEUE_LINE, "config": config}, precision="bfloat16")
    assert (line["data"], line["detector"], line["schedule"]) == expected
    assert line["precision"] == "bfloat16"


def test_what_a_line_says_wins_and_an_unknown_precision_is_asked_for() -> None:
    line = {**QUEUE_LINE, "data": "mine", "precision": "float16"}
    assert complete(line, precision="float32") == {**complete(line), "precision": "float16"}
    assert complete(line)["data"] == "mine"
    off = {**QUEUE_LINE, "cfg_options": ["optim_wrapper.enabled=False"]}
    assert complete(off, precision="bfloat16")["precision"] == "float32"
    on = {**QUEUE_LINE, "cfg_options": ["optim_wrapper.enabled=True"]}
    assert complete(on, precision="float32")["precision"] == "bfloat16"
    with pytest.raises(ValueError, match=r"composite seed 3: precision unknown; give --precision"):
        complete(QUEUE_LINE)


def test_a_run_that_is_given_twice_is_added_once(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "runs.jsonl", [])
    new = complete(QUEUE_LINE, precision="bfloat16")
    assert add_lines(path, [new, {**new, "seed": 4}, dict(new)]) == 2
    assert read_lines(path) == [new, {**new, "seed": 4}]


def test_a_run_is_added_once_and_the_others_stay(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "runs.jsonl", [result_line("a", 0, note="old")])
    new = complete(QUEUE_LINE, precision="bfloat16")
    assert add_lines(path, [new]) == 1
    assert add_lines(path, [new]) == 0
    again = {**new, "finished": "tomorrow"}
    assert add_lines(path, [again]) == 1
    lines = read_lines(path)
    assert [line["name"] for line in lines] == ["a", "composite", "composite"]
    assert lines[0]["note"] == "old" and lines[1] == new
    assert list(json.loads(path.read_text().splitlines()[1]))[:3] == ["study", "name", "seed"]
