"""Somebody else's MMDetection config takes the loss with a few lines."""

from pathlib import Path

import pytest
from helpers_data import run_tool, write_coco

import mmthermal  # noqa: F401 (registers; lets torch.load read mmengine's checkpoints)
from mmthermal.common.safe_loading import load_file

FIVE_LINES = """
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
model = dict(
    bbox_head=dict(type='CompositeRetinaHead', loss_composite=dict(warmup_iters=1, ramp_iters=1)),
    train_cfg=dict(sampler=dict(_delete_=True, type='HardNegativeMiner', ratio=3.0)))
"""

# What a test needs to be quick, and nothing of this project in it: mmdet's own data set,
# pipelines, hooks and optimizer stay as the config of mmdet has them.
TINY = """
model['backbone'] = dict(init_cfg=None, depth=50, base_channels=8)
model['neck'] = dict(in_channels=[32, 64, 128, 256], out_channels=16)
model['bbox_head'].update(num_classes=3, in_channels=16, feat_channels=16, stacked_convs=1)
metainfo = dict(classes=('person', 'vehicle', 'bicycle'))
train_pipeline = [
    dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(96, 64), keep_ratio=True), dict(type='PackDetInputs')]
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(
        data_root={root!r}, ann_file='annotations/train.json', data_prefix=dict(img='train/'),
        metainfo=metainfo, filter_cfg=dict(filter_empty_gt=False), pipeline=train_pipeline))
val_dataloader = None
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
train_cfg = dict(max_epochs=1, _delete_=True, type='EpochBasedTrainLoop')
default_hooks = dict(logger=dict(interval=1))
"""


def test_config_outside_the_project_trains_two_iterations(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "data", splits={"train": 8}, bits=8)
    config = tmp_path / "mine.py"
    config.write_text(
        "_base_ = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'\n"
        + FIVE_LINES
        + TINY.format(root=f"{root}/")
    )
    done = run_tool("train.py", config, "--work-dir", tmp_path / "work", cwd=tmp_path)
    log = done.stdout + done.stderr
    assert "Epoch(train) [1][2/2]" in log
    for part in ("dense", "cls_pos", "cls_neg", "rank", "combined", "num_pos", "num_neg"):
        assert f"{part}: " in log
    state = load_file(tmp_path / "work" / "epoch_1.pth")["state_dict"]
    assert int(state["bbox_head.loss_composite.num_iters"]) == 2


@pytest.mark.parametrize("lines", [FIVE_LINES.strip().splitlines()])
def test_five_lines_are_five(lines: list[str]) -> None:
    assert len(lines) + 1 == 5  # and _base_, which a config over mmdet's has anyway
