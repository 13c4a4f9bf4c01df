"""The queue of the accuracy study: a line per finished run, none lost, none twice."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers_runs import detect, write_data

from mmthermal.studies.run_queue import RunsFailed

FOLDER = Path(__file__).parents[2] / "benchmarks" / "accuracy"
CONFIG = "configs/thermal/retina_composite.py"
TRAIN = """
import pathlib, sys
work = pathlib.Path(sys.argv[sys.argv.index("--work-dir") + 1])
with open(work.parents[1] / "order.txt", "a") as file:
    print(work.parent.name, work.name, file=file)
if (work.parents[1] / "fail").exists() and work.name == "seed1":
    sys.exit("no memory")
(work / "epoch_1.pth").write_text("")
(work / "last_checkpoint").write_text(str(work / "epoch_1.pth"))
"""
TEST = """
import pathlib, shutil, sys
prefix = next(a for a in sys.argv if "outfile_prefix=" in a).split("=", 1)[1]
found = pathlib.Path(sys.argv[2]).parents[2] / f"{pathlib.Path(sys.argv[1]).stem}.json"
shutil.copy(found, prefix + ".bbox.json")
"""


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ...]:
    """The scripts as modules: queue, table, errors."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("run_queue", "print_table", "print_errors")
    for name in names:
        sys.modules.pop(name, None)
    return tuple(importlib.import_module(name) for name in names)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Tools that pretend, annotations, and what each variant finds."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "train.py").write_text(TRAIN)
    (tmp_path / "tools" / "test.py").write_text(TEST)
    (tmp_path / "work").mkdir()
    ann_file = write_data(tmp_path / "data")
    for name, skill in (("good", 0.9), ("bad", 0.2)):
        found = detect(ann_file, seed=0, find_overlapped=skill)
        (tmp_path / "work" / f"{name}.json").write_text(json.dumps(found))
    return tmp_path


def study(place: Path) -> dict[str, dict[str, Any]]:
    options = {"test_evaluator.ann_file": str(place / "data" / "annotations.json")}
    loss = "model.bbox_head.loss_composite.f1_share"
    return {
        "bad": {"config": CONFIG, "options": options},
        "good": {"config": CONFIG, "options": {**options, loss: 0.2}},
    }


def work_off(
    queue: ModuleType,
    place: Path,
    seeds: tuple[int, ...] = (0, 1),
    *,
    variants: dict[str, dict[str, Any]] | None = None,
    work: str = "work",
) -> list[dict]:
    queue.carry_on(
        study(place) if variants is None else variants,
        seeds=seeds,
        work_dir=place / work,
        results=place / "results.jsonl",
        tools_dir=place / "tools",
    )
    lines: list[dict] = queue.read_results(place / "results.jsonl")
    return lines


def test_a_line_per_run_and_seeds_first(place: Path, scripts: tuple[ModuleType, ...]) -> None:
    lines = work_off(scripts[0], place)
    order = (place / "work" / "order.txt").read_text().split("\n")
    assert order[:4] == ["bad seed0", "good seed0", "bad seed1", "good seed1"]
    assert [(line["name"], line["seed"]) for line in lines] == [
        ("bad", 0), ("good", 0), ("bad", 1), ("good", 1)
    ]  # fmt: skip
    metrics = [line["metrics"]["overlapped_AP50"] for line in lines]
    assert metrics[1] > metrics[0] + 0.2
    assert lines[1]["options"]["model.bbox_head.loss_composite.f1_share"] == 0.2


def test_the_same_call_adds_what_is_missing(place: Path, scripts: tuple[ModuleType, ...]) -> None:
    (place / "work" / "fail").write_text("")
    with pytest.raises(RunsFailed, match="no memory"):
        work_off(scripts[0], place)
    results = place / "results.jsonl"
    assert len(results.read_text().splitlines()) == 2
    # killed while it wrote: the last line is cut, its run is finished
    results.write_text(results.read_text()[:-20])
    (place / "work" / "fail").unlink()
    lines = work_off(scripts[0], place)
    assert sorted((line["name"], line["seed"]) for line in lines) == [
        ("bad", 0), ("bad", 1), ("good", 0), ("good", 1)
    ]  # fmt: skip
    trained = (place / "work" / "order.txt").read_text().splitlines()
    assert trained.count("good seed0") == 1
    assert len(work_off(scripts[0], place)) == 4


def test_a_changed_variant_is_not_taken_for_the_old_one(
    place: Path, scripts: tuple[ModuleType, ...]
) -> None:
    work_off(scripts[0], place, seeds=(0,))
    changed = study(place)
    changed["good"]["options"]["model.bbox_head.loss_composite.f1_share"] = 0.3
    with pytest.raises(ValueError, match="another version"):
        work_off(scripts[0], place, seeds=(0,), variants=changed, work="work2")


def test_a_misspelt_setting_is_told_before_anything_trains(
    place: Path, scripts: tuple[ModuleType, ...]
) -> None:
    wrong = study(place)
    wrong["good"]["options"]["model.bbox_head.loss_composite.f1_shar"] = 0.2
    with pytest.raises(TypeError, match="f1_shar"):
        work_off(scripts[0], place, seeds=(0,), variants=wrong)
    assert not (place / "work" / "order.txt").exists()


def test_the_studys_own_file_holds(scripts: tuple[ModuleType, ...], tmp_path: Path) -> None:
    """Every variant names a config that exists and settings that its parts know."""
    variants = scripts[0].read_study(FOLDER / "study.py")
    assert len(scripts[0].write_configs(variants, tmp_path)) == len(variants) > 10
    with pytest.raises(ValueError, match="no variant nonsense in .*there are"):
        scripts[0].read_study(FOLDER / "study.py", ["nonsense"])


def line(name: str, seed: int, value: float) -> dict[str, Any]:
    metrics = dict.fromkeys(
        ("AP", "AP50", "overlapped_AP", "overlapped_AP50", "isolated_AP50", "best_f1",
         "best_f1_thr", "f1_at_0.5", "overlapped_best_f1"), value
    )  # fmt: skip
    return {"name": name, "seed": seed, "metrics": metrics}


def test_the_table_pairs_by_seed(scripts: tuple[ModuleType, ...]) -> None:
    """Two seeds that both rise by two points: a difference of 2 without any spread."""
    lines = [line("a", 0, 0.5), line("a", 1, 0.6), line("b", 0, 0.52), line("b", 1, 0.62)]
    rows = scripts[1].table([*lines, line("b", 2, 0.9)]).splitlines()
    assert rows[2].startswith("| a | 2 | 55.0 ± 7.1 |")
    assert "+2.0 (+2.0 to +2.0)" in rows[3]
    with pytest.raises(ValueError, match="no run of the baseline 'c'"):
        scripts[1].table(lines, baseline="c")
    rows = scripts[1].table(lines, only=["b", "a"]).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:4]] == ["| b", "| a"]
    with pytest.raises(ValueError, match="no variant c among the results"):
        scripts[1].table(lines, only=["a", "c"])


def test_errors_of_the_overlapped_objects(place: Path, scripts: tuple[ModuleType, ...]) -> None:
    work_off(scripts[0], place)
    rows = scripts[2].table([place / "work" / "bad", place / "work" / "good"]).splitlines()
    head, bad, good = (
        [cell.strip() for cell in row.split("|")[1:-1]] for row in (rows[0], *rows[2:])
    )
    assert head[1:4] == ["seeds", "found", "wrong class"]
    assert bad[1] == good[1] == "0, 1"
    found, missed = head.index("found"), head.index("missed")
    assert int(good[found]) > int(bad[found]) and int(good[missed]) < int(bad[missed])
    objects = [sum(map(int, row[found : missed + 1])) for row in (bad, good)]
    assert objects[0] == pytest.approx(objects[1], abs=3) and objects[0] > 10  # rounded means
