"""Runs without a training: tools that pretend, two configs, annotations."""

import textwrap
from pathlib import Path

from mmthermal.studies import run_folder, run_queue

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
prefix = next(a for a in args if "outfile_prefix=" in a).split("=", 1)[1].strip("'")
assert checkpoint.read_text() == "weights"
if not (checkpoint.parents[2] / "fail-test").exists():
    pathlib.Path(prefix + ".bbox.json").write_text("[]")
"""


def write_place(tmp_path: Path) -> Path:
    """Make a folder with tools that pretend, two configs and annotations."""
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


def plan(
    place: Path, seeds: tuple[int, ...] = (0, 1), **settings: object
) -> list[run_folder.ConfigRuns]:
    configs = [place / "focal.py", place / "composite.py"]
    return run_folder.plan_runs(configs, seeds, place / "work", **settings)


def carry_out(place: Path, planned: list[run_folder.ConfigRuns], **settings: object) -> list[str]:
    lines: list[str] = []
    every = [run for group in planned for run in group.runs]
    run_queue.carry_out(every, tools_dir=place / "tools", say=lines.append, **settings)
    return lines


def calls(place: Path, kind: str) -> list[str]:
    lines = (place / "work" / "calls.txt").read_text().splitlines()
    return [line for line in lines if line.startswith(kind)]
