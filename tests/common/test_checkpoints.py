"""The newest checkpoint that loads, and weights that fit."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mmthermal.common.checkpoints import (
    check_fit,
    fit_of,
    last_checkpoint,
    newest_checkpoint,
    read_checkpoint,
    why_not_resumable,
)
from mmthermal.common.safe_loading import CheckpointError


def model(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width), nn.Linear(width, 1))


def content(**changes: Any) -> dict[str, Any]:
    whole = dict(
        state_dict=model().state_dict(),
        optimizer={},
        message_hub={},
        meta=dict(epoch=1, iter=2),
    )
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def save(path: Path, *, age: int = 0, **changes: Any) -> Path:
    torch.save(content(**changes), path)
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three checkpoints and a best one; the third is the last."""
    for epoch in (1, 2, 3):
        save(tmp_path / f"epoch_{epoch}.pth", age=10 - epoch)
    save(tmp_path / "best_AP_epoch_3.pth", optimizer=None)
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_3.pth"))
    return tmp_path


def newest(folder: Path) -> tuple[str | None, str]:
    said: list[str] = []
    found = newest_checkpoint(folder, said.append)
    return found and found.name, "\n".join(said)


def test_the_one_that_is_named_goes_without_a_word(folder: Path) -> None:
    assert newest(folder) == ("epoch_3.pth", "")
    assert newest(folder / "nowhere") == (None, "")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_one_that_is_cut_short_is_passed_over(folder: Path, share: float) -> None:
    cut(folder / "epoch_3.pth", share)
    name, said = newest(folder)
    assert name == "epoch_2.pth"
    assert "passed over" in said and "epoch_3.pth" in said and "going on from" in said


@pytest.mark.parametrize(
    "changes",
    [
        dict(optimizer=None),
        dict(message_hub=None),
        dict(meta={}),
        dict(meta=dict(epoch=-1, iter=2)),
        dict(state_dict=dict(a=torch.tensor(float("nan")))),
        dict(optimizer=dict(state={0: dict(exp_avg=torch.tensor([0.0, float("inf")]))})),
    ],
    ids=str,
)
def test_one_without_all_its_parts_is_passed_over(folder: Path, changes: dict) -> None:
    save(folder / "epoch_3.pth", **changes)
    assert newest(folder)[0] == "epoch_2.pth"


@pytest.mark.parametrize("text", [None, "", "/gone/epoch_9.pth", "\0", "\n"])
def test_without_a_last_checkpoint_those_beside_it_are_taken(
    folder: Path, text: str | None
) -> None:
    (folder / "last_checkpoint").unlink()
    if text is not None:
        (folder / "last_checkpoint").write_text(text)
    name, said = newest(folder)
    assert name == "epoch_3.pth"
    assert "there are checkpoints beside it" in said


def test_what_is_no_file_is_passed_over(folder: Path) -> None:
    (folder / "epoch_4.pth").mkdir()
    (folder / "epoch_5.pth").symlink_to(folder / "gone.pth")
    (folder / "last_checkpoint").unlink()
    (folder / "last_checkpoint").mkdir()
    assert newest(folder)[0] == "epoch_3.pth"


def test_none_that_loads_is_an_error(folder: Path) -> None:
    for path in folder.glob("epoch*.pth"):
        cut(path, 0.5)
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* can be resumed .*epoch_1"):
        newest(folder)


def test_a_moved_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    there = tmp_path_factory.mktemp("moved") / "work"
    folder.rename(there)
    assert last_checkpoint(there) == there / "epoch_3.pth"
    assert newest(there) == ("epoch_3.pth", "")


def test_best_ones_are_not_resumed(tmp_path: Path) -> None:
    save(tmp_path / "best_AP_epoch_3.pth")
    assert newest(tmp_path) == (None, "")


def test_a_whole_one_can_be_resumed(tmp_path: Path) -> None:
    assert why_not_resumable(save(tmp_path / "a.pth")) == ""
    assert "does not exist" in why_not_resumable(tmp_path / "b.pth")


def test_read_refuses_what_is_no_dict(tmp_path: Path) -> None:
    torch.save([1], tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="holds a list, not a dict"):
        read_checkpoint(tmp_path / "a.pth")


def test_all_weights_fit() -> None:
    for state in (content(), model().state_dict(), dict(state_dict={"module." + k: v
                  for k, v in model().state_dict().items()})):  # fmt: skip
        fit = check_fit(model(), state, name="x")
        assert fit.whole and fit.share == 1
        assert str(fit) == "100.0% of the model's weights are in it"


@pytest.mark.parametrize(
    "checkpoint",
    [dict(state_dict={}), dict(a=1), content(state_dict=model(8).state_dict()), {}],
    ids=["empty", "no weights", "another width", "nothing"],
)
def test_others_are_refused(checkpoint: dict) -> None:
    with pytest.raises(CheckpointError, match=r"'x.pth' does not fit Sequential: \d+\.\d%"):
        check_fit(model(), checkpoint, name="x.pth")
    assert check_fit(model(), checkpoint, name="x.pth", min_fit=0).share < 0.2


def test_a_part_is_counted_by_numbers() -> None:
    state = model().state_dict()
    del state["0.weight"]  # 8 of 8 + 4 + 4 + 4 + 4 + 4 + 4 + 1 numbers
    state["extra"] = torch.ones(1)
    fit = fit_of(model(), dict(state_dict=state))
    assert fit.share == pytest.approx(25 / 33)
    assert fit.missing == ["0.weight"] and fit.unexpected == ["extra"]
    assert "missing: 0.weight; not in the model: extra" in str(fit)
    check_fit(model(), state, name="x", min_fit=0.75)
    with pytest.raises(CheckpointError, match="At least 76%"):
        check_fit(model(), state, name="x", min_fit=0.76)


def test_counters_do_not_count() -> None:
    state = model().state_dict()
    del state["1.num_batches_tracked"]
    assert fit_of(model(), state).whole


def test_numbers_that_are_not_finite_are_refused_always() -> None:
    state = model().state_dict()
    state["0.bias"][1] = float("inf")
    with pytest.raises(CheckpointError, match=r"not finite: 0\.bias"):
        check_fit(model(), state, name="x", min_fit=0)
