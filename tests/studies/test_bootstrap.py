"""Bootstrapping: rounds, restarts and the table."""

import csv
import json
from pathlib import Path

import pytest
from mmengine.config import Config

from mmthermal.studies.bootstrap import bootstrap, format_table
from mmthermal.studies.run_queue import RunsFailed

# Each stand-in notes its call and does what the tool would leave behind; `fail` makes one fail.
COMMON = """
import json, sys
from pathlib import Path
args = sys.argv[1:]
log = Path(__file__).parent / "calls"
with open(log, "a") as file:
    file.write(json.dumps([Path(__file__).stem, *args]) + "\\n")
fail = Path(__file__).parent / "fail"
if fail.exists() and fail.read_text() == f"{Path(__file__).stem} {Path(args[0]).parent.name}":
    sys.exit(3)
def value(flag):
    return args[args.index(flag) + 1]
"""
TRAIN = """
folder = Path(value("--work-dir"))
(folder / "epoch_1.pth").write_text("weights")
(folder / "last_checkpoint").write_text(str(folder / "epoch_1.pth"))
"""
TEST = """
number = int(Path(args[0]).parent.name[-1])
(prefix,) = [a.split("=")[1].strip("'") for a in args if "outfile_prefix" in a]
# two objects are found; false positives at scores between theirs: 3 - number
dets = [dict(image_id=1, category_id=1, bbox=[0, 0, 10, 10], score=0.9)]
for i in range(3 - number):
    dets.append(dict(image_id=2, category_id=1, bbox=[40, 5 * i, 4, 4], score=0.5))
dets += [dict(image_id=2, category_id=1, bbox=[0, 0, 10, 10], score=0.3)]
Path(f"{prefix}.bbox.json").write_text(json.dumps(dets))
"""
MINE = """
number = int(Path(args[0]).parent.name[-1])
ann = dict(id=1, image_id=1, category_id=1, bbox=[5, 5, 4, 4], score=0.5, loss=0.1, rank=1,
           round=number, first_round=0, weight=1.0)
info = dict(format="mmthermal hard negatives", round=number, num_found=1, mean_loss=0.1)
Path(value("--out")).write_text(json.dumps(dict(info=info, images=[dict(id=1)],
    annotations=[ann], categories=[dict(id=1, name="a")])))
"""


@pytest.fixture
def place(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, body in (("train", TRAIN), ("test", TEST), ("mine_hard_negatives", MINE)):
        (tools / f"{name}.py").write_text(COMMON + body)
    truth = dict(
        images=[dict(id=i, file_name=f"{i}.png", width=64, height=48) for i in (1, 2)],
        annotations=[
            dict(id=i, image_id=i, category_id=1, bbox=[0, 0, 10, 10], area=100, iscrowd=0)
            for i in (1, 2)
        ],
        categories=[dict(id=1, name="a")],
    )
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    config = dict(
        model=dict(type="Any"),
        custom_hooks=[dict(type="NumClassCheckHook")],
        train_dataloader=dict(sampler=dict(type="DefaultSampler", shuffle=True)),
        test_dataloader=dict(dataset=dict(data_root=str(tmp_path))),
        test_evaluator=dict(type="CocoMetric", ann_file=str(tmp_path / "truth.json")),
        randomness=dict(seed=0),
    )
    Config(config).dump(tmp_path / "config.py")
    return tmp_path


def run(place, **settings):
    return bootstrap(
        place / "config.py",
        place / "work",
        tools_dir=place / "tools",
        say=lambda line: None,
        **settings,
    )


def calls(place):
    lines = (place / "tools" / "calls").read_text().splitlines()
    return [(words[0], Path(words[1]).parent.name, words[2:]) for words in map(json.loads, lines)]


def test_rounds_in_order_and_what_they_are_given(place):
    rows = run(place, rounds=3, seed=5, hook=dict(weight=3.0), mining=["--ratio", "2"])
    tools = ("train", "test", "mine_hard_negatives")
    assert [(c[0], c[1]) for c in calls(place)] == [
        (tool, f"round_{i}") for i in range(3) for tool in tools
    ]
    seeds = [next(a for a in c[2] if "randomness" in a) for c in calls(place) if c[0] == "train"]
    assert seeds == [f"randomness.seed={s}" for s in (5, 6, 7)]
    first, second = (Config.fromfile(place / "work" / f"round_{i}" / "config.py") for i in (0, 1))
    assert [hook["type"] for hook in first.custom_hooks] == ["NumClassCheckHook"]
    assert "init_cfg" not in first.model
    work = place / "work" / "round_0"
    assert second.custom_hooks[1] == dict(
        type="HardNegativeMiningHook", weight=3.0, file=str(work / "hard_negatives.json")
    )
    assert second.train_dataloader.sampler.type == "DefaultSampler"
    assert second.model.init_cfg.checkpoint == str(work / "epoch_1.pth")
    mined = [c[2] for c in calls(place) if c[0] == "mine_hard_negatives"]
    assert "--previous" not in mined[0]
    assert mined[1][mined[1].index("--previous") + 1] == str(work / "hard_negatives.json")
    assert all(words[-2:] == ["--ratio", "2"] for words in mined)
    assert [row["fppi"] for row in rows] == [3 / 2, 2 / 2, 1 / 2]  # at 80 %: both objects


def test_images_with_regions_are_drawn_more_often_if_asked(place):
    run(place, rounds=2, draw_more=dict(boost=2.0, cap=10.0))
    first, second = (Config.fromfile(place / "work" / f"round_{i}" / "config.py") for i in (0, 1))
    assert first.train_dataloader.sampler.type == "DefaultSampler"
    assert second.train_dataloader.sampler == dict(
        type="MinedImageSampler", shuffle=True, boost=2.0, cap=10.0
    )
    with pytest.raises(ValueError, match="draw_more"):
        run(place, rounds=2)


@pytest.mark.parametrize(
    ("setting", "error"), [(dict(bost=2), TypeError), (dict(boost=-1), ValueError)]
)
def test_wrong_settings_of_drawing_are_told_before_training(place, setting, error):
    with pytest.raises(error, match="boo?st"):
        run(place, draw_more=setting)
    assert not (place / "work").exists()


@pytest.mark.parametrize(
    ("setting", "error"), [(dict(wieght=2), TypeError), (dict(weight=0.5), ValueError)]
)
def test_wrong_settings_of_the_hook_are_told_before_training(place, setting, error):
    with pytest.raises(error, match="w(ie|ei)ght"):
        run(place, hook=setting)
    assert not (place / "work").exists()


def test_scratch_and_plain(place):
    run(place, rounds=2, start="scratch", plain=True)
    second = Config.fromfile(place / "work" / "round_1" / "config.py")
    assert "init_cfg" not in second.model
    assert len(second.custom_hooks) == 1
    assert second.train_dataloader.sampler.type == "DefaultSampler"


@pytest.mark.parametrize("tool", ["train", "test", "mine_hard_negatives"])
def test_restarts_at_the_round_that_failed(place, tool):
    fail = place / "tools" / "fail"
    fail.write_text(f"{tool} round_1")
    with pytest.raises((RunsFailed, RuntimeError), match="round_1"):
        run(place, rounds=2)
    rows = json.loads((place / "work" / "rounds.json").read_text())["rounds"]
    assert [row["round"] for row in rows] == [0]
    fail.unlink()
    before = len(calls(place))
    assert len(run(place, rounds=2)) == 2
    again = [(c[0], c[1]) for c in calls(place)[before:]]
    order = ("train", "test", "mine_hard_negatives")
    assert again == [(t, "round_1") for t in order[order.index(tool) :]]


def test_finished_rounds_are_not_repeated_and_more_can_be_added(place):
    run(place, rounds=1)
    before = len(calls(place))
    run(place, rounds=2)
    assert {c[1] for c in calls(place)[before:]} == {"round_1"}


def test_other_settings_in_the_folder_are_refused(place):
    run(place, rounds=1)
    with pytest.raises(ValueError, match="another hook"):
        run(place, rounds=1, hook=dict(weight=9.0))


def test_misspelt_arguments_of_the_mining_can_be_mended(place):
    (place / "tools" / "fail").write_text("mine_hard_negatives round_0")
    with pytest.raises(RuntimeError, match="mining ended with 3"):
        run(place, rounds=1, mining=["--score-tr", "0.3"])
    (place / "tools" / "fail").unlink()
    run(place, rounds=1, mining=["--score-thr", "0.3"])
    assert [c[0] for c in calls(place)].count("train") == 1
    with pytest.raises(ValueError, match="another mining"):
        run(place, rounds=2, mining=["--score-thr", "0.4"])


def test_a_round_goes_on_from_the_one_before_also_where_the_config_loads_weights(place):
    cfg = Config.fromfile(place / "config.py")
    cfg.load_from = "coco.pth"
    cfg.dump(place / "config.py")
    run(place, rounds=2)
    first, second = (Config.fromfile(place / f"work/round_{i}/config.py") for i in (0, 1))
    assert (first.load_from, second.load_from) == ("coco.pth", None)
    assert second.model.init_cfg.checkpoint.endswith("round_0/epoch_1.pth")


@pytest.mark.parametrize("option", ["randomness.seed=5", "randomness={'seed':5}"])
def test_the_seed_is_not_taken_from_the_options(place, option):
    with pytest.raises(ValueError, match="use --seed"):
        run(place, cfg_options=[option])
    assert not (place / "work").exists()


def test_a_config_that_mines_by_itself_is_refused(place):
    cfg = Config.fromfile(place / "config.py")
    cfg.custom_hooks.append(dict(type="mmdet.HardNegativeMiningHook", begin=2))
    cfg.dump(place / "config.py")
    for plain in (True, False):
        with pytest.raises(ValueError, match=r"config\.py has a HardNegativeMiningHook"):
            run(place, plain=plain)
    assert not (place / "work").exists()


def test_rounds_are_not_trained_on_changed_labels(place):
    cfg = Config.fromfile(place / "config.py")
    labels = place / "train.json"
    labels.write_text("before")
    cfg.train_dataloader.dataset = dict(ann_file=str(labels))
    cfg.dump(place / "config.py")
    run(place, rounds=1)
    labels.write_text("after")
    with pytest.raises(ValueError, match="round_0 holds a run that was trained on another version"):
        run(place, rounds=2)
    labels.write_text("before")
    assert len(run(place, rounds=2)) == 2


def test_table(place):
    rows = run(place, rounds=2)
    text = (place / "work" / "rounds.txt").read_text()
    assert text == format_table(rows, 0.8) + "\n"
    assert "80% recall" in text
    assert len(text.splitlines()) == 4
    with open(place / "work" / "rounds.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["fppi"]) for row in table] == [row["fppi"] for row in rows]
    assert table[0]["num_hard_negatives"] == "1"


@pytest.mark.parametrize("setting", [dict(rounds=0), dict(start="middle"), dict(recall=80)])
def test_bad_settings(place, setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        run(place, **setting)
