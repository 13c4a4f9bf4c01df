"""tools/train.py and tools/test.py as a person runs them."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import mmdet
import numpy as np
import pytest
import torch
from helpers_data import (
    CONFIGS,
    as_arguments,
    data_options,
    run_tool,
    small_options,
    write_coco,
)

import mmthermal  # noqa: F401 (registers; lets torch.load read mmengine's checkpoints)
from mmthermal.common.safe_loading import load_file

CONFIG = CONFIGS / "thermal/retina_composite.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 16-bit data set with a train, a val and a test split."""
    folder = tmp_path_factory.mktemp("tools") / "data"
    return write_coco(folder, splits=dict(train=8, val=3, test=4))


def options(root: Path, **more: Any) -> list[str]:
    """Words that make the default config tiny: two iterations an epoch."""
    settings = {
        **data_options(root, test_split="test"),
        **small_options(3),
        "optim_wrapper.enabled": False,
        "train_cfg.max_epochs": 1,
        "default_hooks.logger.interval": 1,
        "model.test_cfg.score_thr": 0.0,
        "model.bbox_head.loss_composite.warmup_iters": 1,
    }
    settings.update({key.replace("__", "."): value for key, value in more.items()})
    return as_arguments(settings)


def scalars(work: Path) -> list[dict]:
    """All lines of the run's scalars, oldest run first."""
    lines = []
    for path in sorted(work.glob("*/vis_data/scalars.json")):
        lines += [json.loads(line) for line in path.read_text().splitlines()]
    return lines


@pytest.fixture(scope="module")
def trained(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work directory of one epoch, with TensorBoard by a config line."""
    work = tmp_path_factory.mktemp("work")
    backends = "[{'type':'LocalVisBackend'},{'type':'TensorboardVisBackend'}]"
    more = options(root, visualizer__vis_backends=backends, train_cfg__val_interval=1)
    run_tool("train.py", CONFIG, "--work-dir", work, *more, cwd=root)
    return work


@pytest.mark.slow
def test_train_writes_checkpoint_config_and_healthy_parts(trained: Path) -> None:
    assert (trained / "epoch_1.pth").is_file()
    assert (trained / "retina_composite.py").is_file()
    assert (trained / "last_checkpoint").read_text().endswith("epoch_1.pth")
    lines = scalars(trained)
    train = [line for line in lines if "loss" in line]
    assert len(train) == 2
    for line in train:
        assert line["loss"] == pytest.approx(line["loss_cls"] + line["loss_bbox"], rel=1e-5)
        assert line["num_neg"] == 3 * line["num_pos"] > 0
        for part in ("cls_pos", "cls_neg"):
            assert line[part] > 0
        for part in ("rank", "combined"):
            assert 0 < line[part] < 1
    assert any("coco/bbox_mAP" in line for line in lines)


@pytest.mark.slow
def test_tensorboard_by_a_config_line(trained: Path) -> None:
    pytest.importorskip("tensorboard", reason="pip install mmthermal[tensorboard]")
    events = list(trained.glob("*/vis_data/events.out.tfevents.*"))
    assert len(events) == 1
    assert b"combined" in events[0].read_bytes()


@pytest.mark.slow
def test_resume_goes_on_from_the_latest_checkpoint(root: Path, trained: Path) -> None:
    more = options(root, train_cfg__max_epochs=2)
    done = run_tool("train.py", CONFIG, "--work-dir", trained, "--resume", *more, cwd=root)
    assert "resumed epoch: 1, iter: 2" in done.stdout + done.stderr
    state = load_file(trained / "epoch_2.pth")
    assert state["meta"]["iter"] == 4
    assert int(state["state_dict"]["bbox_head.loss_composite.num_iters"]) == 4


@pytest.mark.slow
def test_test_evaluates_draws_and_dumps(root: Path, trained: Path, tmp_path: Path) -> None:
    more = options(root)
    checkpoint = trained / "epoch_1.pth"
    args = [CONFIG, checkpoint, "--work-dir", tmp_path, "--out", tmp_path / "pred.pkl", *more]
    done = run_tool("test.py", *args, cwd=root)
    assert "coco/bbox_mAP_50" in done.stdout + done.stderr
    pictures = sorted(tmp_path.glob("*/pictures/*.png"))
    assert [path.name for path in pictures] == ["000.png", "001.png", "002.png", "003.png"]
    for path in pictures[:3]:
        picture = cv2.imread(str(path))
        assert picture.shape == (448, 1344, 3)  # ground truth | detections, enlarged by 7
        left = cv2.cvtColor(picture[:, :672], cv2.COLOR_BGR2GRAY)
        assert left.std() > 25  # 16-bit counts are not one flat grey
        assert np.percentile(left, 99) - np.percentile(left, 50) > 60  # warm objects stand out
    with open(tmp_path / "pred.pkl", "rb") as file:
        assert len(pickle.load(file)) == 4


@pytest.mark.slow
def test_amp_trains_on_the_cpu(root: Path, tmp_path: Path) -> None:
    more = options(root, optim_wrapper__enabled=True, optim_wrapper__type="OptimWrapper")
    more.remove("optim_wrapper.enabled=True")
    done = run_tool("train.py", CONFIG, "--work-dir", tmp_path, "--amp", *more, cwd=root)
    log = done.stdout + done.stderr
    if not torch.cuda.is_available():
        assert "Training on cpu in bfloat16" in log or "Training on cpu in float32" in log
    losses = [line["loss"] for line in scalars(tmp_path) if "loss" in line]
    assert len(losses) == 2 and all(np.isfinite(losses))


@pytest.mark.slow
def test_mmdets_own_train_tool_runs_our_config(root: Path, tmp_path: Path) -> None:
    tool = Path(mmdet.__file__).parent / ".mim" / "tools" / "train.py"
    run_tool(tool, CONFIG, "--work-dir", tmp_path, *options(root), cwd=tmp_path)
    assert len([line for line in scalars(tmp_path) if "combined" in line]) == 2
    assert (tmp_path / "epoch_1.pth").is_file()


@pytest.mark.slow
def test_bad_input_ends_in_one_clear_line(root: Path, tmp_path: Path) -> None:
    """The last line of each failure names what was given and what is allowed."""

    def last_line(*args: str | Path) -> str:
        done = run_tool("train.py", *args, "--work-dir", tmp_path / "w", cwd=tmp_path, ok=False)
        return done.stderr.strip().splitlines()[-1]

    line = last_line(CONFIG, "--cfg-options", "trian_dataloader.batch_size=2")
    assert "trian_dataloader" in line and "did you mean 'train_dataloader'" in line
    line = last_line(CONFIG, *options(root, train_dataloader__dataset__data_root="nowhere/"))
    assert "nowhere/annotations/train.json doesn't exist" in line
    (tmp_path / "bad").mkdir()
    for kind in ("val", "train"):
        for path in (root / kind).iterdir():
            (tmp_path / "bad" / path.name).write_bytes(path.read_bytes()[:30])
    folder = str(tmp_path / "bad")
    line = last_line(CONFIG, *options(root, train_dataloader__dataset__data_prefix__img=folder))
    assert "can't be read" in line and ".png" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (dict(model__bbox_head__num_clases=3), "did you mean 'num_classes'"),
        (dict(model__bbox_head__num_classes=5), "[num-classes-differ]"),
        (dict(train_dataloader__dataset__ann_fil="x"), "did you mean 'ann_file'"),
        (dict(val_evaluator__metric="segm"), "segm"),
        (dict(val_evaluator__overlap_thr=2), "'overlap_thr'"),
    ],
)
def test_a_mistake_in_a_config_ends_without_a_traceback(
    root: Path, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    command = [CONFIG, *options(root, **settings), "--work-dir", tmp_path]
    done = run_tool("train.py", *command, cwd=tmp_path, ok=False)
    assert words in done.stderr and "Traceback" not in done.stderr, done.stderr
