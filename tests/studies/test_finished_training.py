"""Trainings that were cut short are told from whole ones."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mmthermal.studies.finished_training import check_trained
from mmthermal.studies.run_folder import Run

EPOCHS = "train_cfg = dict(max_epochs=12)\n"
ITERS = "train_cfg = dict(type='IterBasedTrainLoop', max_iters=600)\n"
BY_ITER = "default_hooks = dict(checkpoint=dict(by_epoch=False, interval=50{}))\n"
BY_EPOCH = "default_hooks = dict(checkpoint=dict(interval=5, save_last=False))\n"
EARLY = "custom_hooks = [dict(type='EarlyStoppingHook', monitor='x')]\n"


def write_run(
    folder: Path, text: str, *, max_epochs: int = 12, max_iters: int = 600, **meta: int
) -> Run:
    folder.mkdir(exist_ok=True)
    (folder / "config.py").write_text(text)
    told = dict(max_epochs=max_epochs, max_iters=max_iters)
    content = dict(meta=meta, state_dict={}, message_hub=dict(runtime_info=told))
    torch.save(content, folder / "last.pth")
    (folder / "last_checkpoint").write_text(str(folder / "last.pth"))
    return Run("a", 0, folder, folder / "config.py")


def write_record(run: Run, name: str, **content: Any) -> None:
    base = dict(ann_file="a.json", config="config.py", img_dir="images", seed=0)
    (run.folder / name).write_text(json.dumps({**base, **content}))


@pytest.mark.parametrize(
    ("text", "meta", "said"),
    [
        (EPOCHS, dict(epoch=5, iter=250), "of epoch 5 of 12"),
        (ITERS, dict(epoch=0, iter=599), "of iteration 599 of 600"),
        # saved by iteration in a training by epochs: 50 iterations an epoch
        (EPOCHS + BY_ITER.format(""), dict(epoch=11, iter=599), "of epoch 11 of 12"),
        # the config was made longer and not trained on
        ("train_cfg = dict(max_epochs=24)\n", dict(epoch=12, iter=600), "of epoch 12 of 24"),
        # resumed with larger batches: more iterations so far than a whole training has now
        (EPOCHS, dict(epoch=7, iter=650), "of epoch 7 of 12"),
        (EPOCHS + BY_EPOCH, dict(epoch=7, iter=350), "of epoch 7 of 12"),
        (EPOCHS + BY_ITER.format(", save_last=False"), dict(epoch=10, iter=550), "of epoch 10"),
    ],
)
def test_a_training_cut_short(tmp_path: Path, text: str, meta: dict, said: str) -> None:
    run = write_run(tmp_path / "my run", text, **meta)
    with pytest.raises(ValueError, match=f"my run: the training did not end: last.pth is {said}"):
        check_trained([run])


@pytest.mark.parametrize(
    ("text", "meta"),
    [
        (EPOCHS, dict(epoch=12, iter=600)),
        (ITERS, dict(epoch=0, iter=600)),
        (EPOCHS + BY_ITER.format(""), dict(epoch=11, iter=600)),
        ("train_cfg = dict(max_epochs=6)\n" + BY_ITER.format(""), dict(epoch=5, iter=300)),
        # the last that these save, though the training goes further
        (EPOCHS + BY_EPOCH, dict(epoch=10, iter=500)),
        (EPOCHS + BY_ITER.format(", save_last=False"), dict(epoch=11, iter=551)),
        (EPOCHS + EARLY, dict(epoch=5, iter=250)),
        ("x = 1\n", dict(epoch=5, iter=250)),  # nothing tells
        (EPOCHS, {}),
    ],
)
def test_a_training_that_ended(tmp_path: Path, text: str, meta: dict) -> None:
    check_trained([write_run(tmp_path / "run", text, **meta)])


def test_each_is_named_with_what_to_do(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, EPOCHS, epoch=3, iter=150) for name in ("a run", "b")]
    with pytest.raises(ValueError, match="the training did not end") as caught:
        check_trained(runs)
    first, second = str(caught.value).split("\n")
    assert f"'{tmp_path}/a run/config.py' --work-dir '{tmp_path}/a run' --resume" in first
    assert f"write train_cfg.max_epochs=3 into {tmp_path}/a run/config.py" in first
    assert str(tmp_path / "b") in second


def test_no_training_is_to_end_before_its_first_epoch(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", EPOCHS + BY_ITER.format(""), epoch=0, iter=50)
    with pytest.raises(ValueError, match="of epoch 0 of 12.*--resume$"):
        check_trained([run])


def test_a_training_under_way_did_not_end(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", EPOCHS + EARLY, epoch=5, iter=250)
    write_record(run, "run.json", stage="trained")
    check_trained([run])
    write_record(run, "run.json", stage="training")
    with pytest.raises(ValueError, match="of epoch 5 of 12"):
        check_trained([run])
    unknown = write_run(tmp_path / "run", "x = 1\n")
    with pytest.raises(ValueError, match=r"did not end, as .*run\.json says"):
        check_trained([unknown])
    # taken up by hand, to the end
    check_trained([write_run(tmp_path / "run", EPOCHS, epoch=12, iter=600)])


def test_what_compare_trained_and_tested_did_end_and_what_it_only_tested_may_not(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path / "run", EPOCHS, epoch=5, iter=250)
    write_record(run, "done.json", config_hash="abc")
    check_trained([run])
    write_record(run, "done.json", config_hash=None)
    with pytest.raises(ValueError, match="of epoch 5 of 12"):
        check_trained([run])
    (run.folder / "last.pth").unlink()  # somebody has made room
    check_trained([run])
