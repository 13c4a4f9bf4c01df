"""A published checkpoint predicts, and holds nothing else."""

import hashlib
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmthermal.common.safe_loading import load_file
from mmthermal.engine.publishing import publish


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """As mmengine writes it: with a history that torch's safe loading refuses by itself."""
    buffer = HistoryBuffer()
    buffer.update(1.5)
    path = tmp_path / "epoch_1.pth"
    content = dict(
        meta=dict(dataset_meta=dict(classes=("deer",))),
        state_dict=dict(weight=torch.arange(3.0)),
        optimizer=dict(state=torch.zeros(1000)),
        message_hub=dict(log_scalars={"train/loss": buffer}),
    )
    torch.save(content, path)
    return path


def test_weights_and_classes_stay(checkpoint: Path, tmp_path: Path) -> None:
    done = publish(checkpoint, tmp_path / "out" / "model.pth")
    digest = hashlib.sha256(done.read_bytes()).hexdigest()
    assert done == tmp_path / "out" / f"model-{digest[:8]}.pth"
    assert done.stat().st_size < checkpoint.stat().st_size
    content = torch.load(done, weights_only=True)
    assert set(content) == {"meta", "state_dict"}
    assert content["meta"]["dataset_meta"]["classes"] == ("deer",)
    assert content["state_dict"]["weight"].tolist() == [0, 1, 2]


def test_other_parts_and_what_is_missing(checkpoint: Path, tmp_path: Path) -> None:
    assert set(torch.load(publish(checkpoint, tmp_path / "a", keys=["meta"]))) == {"meta"}
    with pytest.raises(ValueError, match="no ema_state_dict: it has meta, state_dict"):
        publish(checkpoint, tmp_path / "b.pth", keys=["ema_state_dict"])
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        publish(tmp_path / "none.pth", tmp_path / "b.pth")


def test_weights_that_are_not_finite_are_not_published(checkpoint: Path, tmp_path: Path) -> None:
    content = load_file(checkpoint)
    content["state_dict"]["weight"][1] = float("nan")
    torch.save(content, checkpoint)
    with pytest.raises(ValueError, match="not finite: weight"):
        publish(checkpoint, tmp_path / "b.pth")
    assert list(tmp_path.glob("b*")) == []
