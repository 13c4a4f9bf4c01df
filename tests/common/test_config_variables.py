"""Variables of config files that nothing reads are refused, with the settings that do it."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmthermal.common.config import read_config
from mmthermal.common.config_variables import keys_of_variable, unread_variables

ROOT = Path(__file__).parents[2]
BASE = """
data_root = 'data/a/'
dataset_type = 'CocoDataset'
num_classes = 3
batch_size = 4
note = 'free'
pipeline = [dict(type='LoadImageFromFile'), dict(type='PackDetInputs')]
train_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(type=dataset_type, data_root=data_root, pipeline=pipeline))
val_evaluator = dict(type='CocoMetric', ann_file=data_root + 'val.json')
model = dict(type='RetinaNet', bbox_head=dict(num_classes=num_classes))
train_cfg = dict(max_epochs=12)
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.py"
    path.write_text(BASE)
    return path


def over(base: Path, lines: str) -> Path:
    path = base.with_name("mine.py")
    path.write_text(f"_base_ = './base.py'\n{lines}\n")
    return path


DATA_ROOT = r"train_dataloader\.dataset\.data_root, val_evaluator\.ann_file"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("data_root = '/mine/'", f"data_root='/mine/' changes nothing.*Set {DATA_ROOT}"),
        ("num_classes = 2", r"num_classes=2 .*Set model\.bbox_head\.num_classes"),
        ("batch_size = 8", r"Set train_dataloader\.batch_size"),
        ("dataset_type = 'VOCDataset'", r"Set train_dataloader\.dataset\.type"),
        ("pipeline = []", r"Set train_dataloader\.dataset\.pipeline"),
        ("max_epochs = 3", r"max_epochs=3 .*Set train_cfg\.max_epochs"),
        ("train_dataloder = dict(batch_size=2)", "nothing reads 'train_dataloder': did you mean"),
        ("data = dict(samples_per_gpu=1)", "nothing reads 'data'.*train_dataloader"),
        ("lr_config = dict(policy='step')", "nothing reads 'lr_config'. Set param_scheduler"),
        ("metainfo = dict(classes=('a', 'b'))", "Set train_dataloader.dataset.metainfo"),
        ("classes = ('a', 'b')", r"dataset\.metainfo=dict\(classes"),
        ("num_classes: int = 2", r"Set model\.bbox_head\.num_classes"),
        ("note = 'mine'", "note='mine' changes nothing"),
    ],
)
def test_what_changes_nothing_is_refused(base: Path, line: str, message: str) -> None:
    path = over(base, line)
    with pytest.raises(ValueError, match=message) as error:
        read_config(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "lines",
    [
        "data_root = '/mine/'\ntrain_dataloader = dict(dataset=dict(data_root=data_root))",
        "num_classes = 1\nmodel = dict(bbox_head=dict(num_classes=num_classes))",
        "data_root = 'data/a/'",  # as it was
        "max_epochs = 12",
        "my_own_word = 3",
        "metainfo = dict(classes=('a',))\nval_dataloader = dict(dataset=dict(metainfo=metainfo))",
        "_batch_size = 8",
        "work_dir = 'x'\nresume = True",
        "batch_size = 8\nval_dataloader = dict(**{'batch_size': batch_size})",
    ],
)
def test_what_is_read_or_changes_nothing_anyway_passes(base: Path, lines: str) -> None:
    assert unread_variables(Config.fromfile(over(base, lines))) == []
    read_config(base.with_name("mine.py"))


@pytest.mark.parametrize(
    "use", ["_base_.num_classes", "_base_['num_classes']", "_base_.pop('num_classes')"]
)
def test_a_file_above_may_read_it(base: Path, use: str) -> None:
    over(base, "num_classes = 2")
    top = base.with_name("top.py")
    top.write_text(f"_base_ = './mine.py'\nmodel = dict(bbox_head=dict(num_classes={use}))\n")
    assert unread_variables(Config.fromfile(top)) == []
    top.write_text("_base_ = './mine.py'\n")
    (found,) = unread_variables(Config.fromfile(top))
    assert found[0] == str(base.with_name("mine.py"))
    read_config(top)  # in a base it is only said


def test_a_written_config_passes_with_overrides_in_it(base: Path, tmp_path: Path) -> None:
    cfg = read_config(base, {"model.bbox_head.num_classes": 2, "train_dataloader.batch_size": 1})
    cfg.dump(tmp_path / "dumped.py")
    assert read_config(tmp_path / "dumped.py").num_classes == 3


def test_options_of_the_command_line_that_change_nothing(base: Path) -> None:
    with pytest.raises(ValueError, match=rf"--cfg-options data_root='/m/' .*Set {DATA_ROOT}"):
        read_config(base, ["data_root=/m/"])
    with pytest.raises(ValueError, match=r"pipeline\.0\.type.*Set train_dataloader\.dataset\.pipe"):
        read_config(base, ["pipeline.0.type=X"])
    assert read_config(base, ["train_dataloader.dataset.data_root=/m/"]).data_root == "data/a/"


def test_the_settings_of_a_variable() -> None:
    cfg = dict(a=dict(lr=1, deep=[dict(lr=2), dict(path="x/y")]), b="x/y/z", lr=3, path="x/")
    assert keys_of_variable(cfg, "lr") == ["a.lr", "a.deep.0.lr"]
    assert keys_of_variable(cfg, "root", "x/") == ["a.deep.1.path"]
    assert keys_of_variable(cfg, "number", 3) == []


def test_a_base_in_yaml_has_no_variables(base: Path) -> None:
    (base.parent / "more.yaml").write_text("more:\n  depth: 18\n")
    path = base.parent / "two.py"
    path.write_text(f"_base_ = [{base.name!r}, 'more.yaml']\n")
    assert read_config(path).more.depth == 18


def test_our_own_configs_have_none() -> None:
    for name in ("retinanet/retina_composite_hituav160", "cascade_rcnn/cascade_rcnn_ce_synthetic"):
        assert unread_variables(Config.fromfile(ROOT / f"configs/{name}.py")) == []


def test_public_configs_with_such_variables_still_run(base: Path) -> None:
    import mmdet

    configs = Path(mmdet.__file__).parent / ".mim/configs/simple_copy_paste"
    public = configs / "mask-rcnn_r50_fpn_rpn-2conv_4conv1fc_syncbn-all_32xb2-ssj-90k_coco.py"
    found = unread_variables(Config.fromfile(public))
    assert [message.split(": ")[1].split("=")[0] for _, message in found] == ["max_iters"]
    read_config(public)
