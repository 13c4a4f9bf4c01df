"""Train on your own images: other classes, another size, 8 or 16 bits, no change of the project."""

from pathlib import Path

import pytest
from helpers_data import CONFIGS, as_arguments, data_options, run_tool, write_coco

from mmthermal.common.safe_loading import load_file

DELTA = """
_base_ = '{base}'
data_root = '{root}/'
model = dict(bbox_head=dict(num_classes=2))
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cfg_options", "delta"])
@pytest.mark.parametrize(
    ("bits", "size", "suffix"), [(8, (112, 80), ".png"), (16, (72, 60), ".tiff")]
)
def test_two_classes_and_another_size(
    tmp_path: Path, how: str, bits: int, size: tuple[int, int], suffix: str
) -> None:
    root = write_coco(
        tmp_path / "farm", splits={"train": 8, "val": 3}, classes=("deer", "drone"), size=size,
        bits=bits, suffix=suffix,
    )  # fmt: skip
    work = tmp_path / "work"
    base = CONFIGS / "thermal/retina_composite.py"
    if how == "delta":
        config = tmp_path / "mine.py"
        config.write_text(DELTA.format(base=base, root=root))
        args: list[object] = [config]
    else:
        settings = {
            **data_options(root),
            "model.bbox_head.num_classes": 2,
            "train_cfg.max_epochs": 1,
        }
        args = [base, *as_arguments(settings)]
    run_tool("train.py", *args, "--work-dir", work, cwd=tmp_path)
    checkpoint = load_file(work / "epoch_1.pth")
    assert checkpoint["meta"]["dataset_meta"]["classes"] == ("deer", "drone")
    assert checkpoint["state_dict"]["bbox_head.retina_cls.weight"].shape[0] == 9 * 2
    done = run_tool("test.py", args[0], work / "epoch_1.pth", *args[1:], cwd=tmp_path)
    assert "coco/bbox_mAP" in done.stdout + done.stderr


@pytest.mark.slow
def test_wrong_number_of_classes_is_named(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "farm", splits={"train": 4, "val": 2}, classes=("deer", "drone"))
    settings = {**data_options(root), "train_cfg.max_epochs": 1}
    args = [CONFIGS / "thermal/retina_composite.py", *as_arguments(settings)]
    done = run_tool("train.py", *args, "--work-dir", tmp_path / "w", cwd=tmp_path, ok=False)
    assert "bbox_head.num_classes=4; train has 2 classes (deer, drone)" in done.stderr
