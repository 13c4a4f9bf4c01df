"""The queue of a study: a line per finished run, none lost, none twice; and its comparison."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers_data import ROOT, as_arguments, data_options, run_tool, small_options, write_coco
from helpers_runs import detect, write_data

import mmthermal.studies.study_command as module
from mmthermal.studies.run_queue import RunsFailed
from mmthermal.studies.run_record import read_results
from mmthermal.studies.study_command import compare_study, train_study
from mmthermal.studies.variants import Study, Variant, read_study

ABLATION = ROOT / "configs" / "studies" / "retina_ablation.py"
CONFIG = ROOT / "configs" / "thermal" / "retina_composite.py"
SHARE = "model.bbox_head.loss_composite.f1_share"
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
prefix = next(a for a in sys.argv if "outfile_prefix=" in a).split("=", 1)[1].strip("'")
found = pathlib.Path(sys.argv[2]).parents[2] / f"{pathlib.Path(sys.argv[1]).stem}.json"
shutil.copy(found, prefix + ".bbox.json")
"""


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


def study(place: Path, **changes: float) -> Study:
    """Two variants; changes are settings of the better one."""
    options: dict[str, Any] = {"test_evaluator.ann_file": str(place / "data" / "annotations.json")}
    better = {**options, SHARE: 0.2, **changes}
    variants = {"bad": Variant("bad", CONFIG, options), "good": Variant("good", CONFIG, better)}
    return Study("mine", variants, baseline="bad")


def work_off(
    place: Path, seeds: tuple[int, ...] = (0, 1), *, given: Study | None = None, work: str = "work"
) -> list[dict]:
    train_study(
        given or study(place),
        seeds=seeds,
        work_dir=place / work,
        results=place / "results.jsonl",
        tools_dir=place / "tools",
    )
    return read_results(place / "results.jsonl")


def test_a_line_per_run_and_seeds_first(place: Path) -> None:
    lines = work_off(place)
    order = (place / "work" / "order.txt").read_text().split("\n")
    assert order[:4] == ["bad seed0", "good seed0", "bad seed1", "good seed1"]
    assert [(line["name"], line["seed"]) for line in lines] == [
        ("bad", 0), ("good", 0), ("bad", 1), ("good", 1)
    ]  # fmt: skip
    metrics = [line["metrics"]["overlapped_AP50"] for line in lines]
    assert metrics[1] > metrics[0] + 0.2
    assert lines[1]["options"][SHARE] == 0.2


def test_the_same_call_adds_what_is_missing(place: Path) -> None:
    (place / "work" / "fail").write_text("")
    with pytest.raises(RunsFailed, match="no memory"):
        work_off(place)
    results = place / "results.jsonl"
    assert len(results.read_text().splitlines()) == 2
    # killed while it wrote: the last line is cut, its run is finished
    results.write_text(results.read_text()[:-20])
    (place / "work" / "fail").unlink()
    lines = work_off(place)
    assert sorted((line["name"], line["seed"]) for line in lines) == [
        ("bad", 0), ("bad", 1), ("good", 0), ("good", 1)
    ]  # fmt: skip
    trained = (place / "work" / "order.txt").read_text().splitlines()
    assert trained.count("good seed0") == 1
    assert len(work_off(place)) == 4


def test_a_changed_variant_is_not_taken_for_the_old_one(place: Path) -> None:
    work_off(place, seeds=(0,))
    with pytest.raises(ValueError, match="another version"):
        work_off(place, seeds=(0,), given=study(place, **{SHARE: 0.3}), work="work2")


def test_lines_of_other_studies_and_of_pages_do_not_count(place: Path) -> None:
    other = dict(study="other", name="bad", seed=0, config_hash="x", metrics={})
    copied = dict(study="mine", name="good", seed=0, config_hash=None, metrics={})
    (place / "results.jsonl").write_text("".join(json.dumps(x) + "\n" for x in (other, copied)))
    assert len(work_off(place, seeds=(0,))) == 4


def test_a_misspelt_setting_is_reported_before_any_training(place: Path) -> None:
    with pytest.raises(TypeError, match="f1_shar"):
        work_off(place, seeds=(0,), given=study(place, **{SHARE[:-1]: 0.2}))
    assert not (place / "work" / "order.txt").exists()


def test_the_comparison_gets_the_baseline_first_and_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict = {}
    monkeypatch.setattr(module, "compare_command", lambda **kwargs: seen.update(kwargs))
    settings: dict[str, Any] = dict(
        seeds=[4, 5],
        work_dir=tmp_path,
        tools_dir=ROOT / "tools",
        cfg_options=["train_cfg.max_epochs=1"],
        jobs=2,
        gpus=["0"],
    )
    given = read_study(ABLATION).select(["composite", "beta_2"])
    compare_study(replace(given, baseline="beta_2"), **settings)
    assert [path.stem for path in seen.pop("configs")] == ["beta_2", "composite"]
    assert seen == settings


def test_what_was_trained_for_the_lines_is_compared(place: Path) -> None:
    work_off(place)
    trained = (place / "work" / "order.txt").read_text()
    settings = dict(seeds=[0, 1], work_dir=place / "work", tools_dir=place / "tools")
    comparison = compare_study(study(place), **settings)
    assert (place / "work" / "order.txt").read_text() == trained
    assert comparison["baseline"] == "bad"
    assert comparison["comparisons"][0]["metrics"]["overlapped_AP50"]["difference"] > 0.2


@pytest.mark.slow
def test_commands_train_compare_and_list(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "data", splits={"train": 8, "val": 4})
    options = {**data_options(root), **small_options(3), "train_cfg.max_epochs": 1}
    common = [ABLATION, "--only", "without_f1"]
    more = ["--work-dir", tmp_path / "out", "--seeds", "0", *as_arguments(options)]
    run_tool("study.py", "train", *common, *more, cwd=ROOT)
    (line,) = read_results(tmp_path / "out" / "results.jsonl")
    assert (line["study"], line["name"], line["seed"]) == ("retina_ablation", "without_f1", 0)
    assert (line["detector"], line["schedule"]) == ("RetinaNet", "1e")
    assert line["config"] == "configs/thermal/retina_composite.py"
    run_tool("study.py", "compare", *common, *more, cwd=ROOT)
    comparison = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert list(comparison["models"]) == ["composite", "without_f1"]
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    listed = run_tool("study.py", "list", *common, cwd=ROOT)
    assert listed.stdout.startswith("without_f1: ")
    done = run_tool("study.py", "list", tmp_path / "none.py", cwd=tmp_path, ok=False)
    assert done.stderr.strip().splitlines()[-1].startswith("error: there is no study")
    done = run_tool("ablate.py", cwd=tmp_path, ok=False)
    assert "tools/study.py compare" in done.stderr
