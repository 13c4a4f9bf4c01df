"""A runner takes a checkpoint only if it fits."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_trust import tiny, train, weights
from mmengine.runner import Runner

from mmthermal.common.safe_loading import CheckpointError, load_file
from mmthermal.engine import CheckpointCheckHook
from mmthermal.engine.launch import add_guards


@pytest.fixture(scope="module")
def trained(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("trained") / "work"
    train(root, work, epochs=1)
    return work / "epoch_1.pth"


def changed(trained: Path, path: Path, kind: str) -> Path:
    """A checkpoint with other weights."""
    content = load_file(trained)
    state = content["state_dict"]
    if kind == "empty":
        content["state_dict"] = {}
    elif kind == "no weights":
        content = {"a": 1}
    elif kind == "not finite":
        state["bbox_head.retina_cls.bias"][0] = float("nan")
    elif kind == "another head":
        content["state_dict"] = {k: v for k, v in state.items() if not k.startswith("bbox_head")}
    elif kind == "another width":
        content["state_dict"] = {k: torch.cat([v, v]) if v.dim() else v for k, v in state.items()}
    torch.save(content, path)
    return path


KINDS = ("empty", "no weights", "not finite", "another head", "another width")


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_needs_all_weights(root: Path, trained: Path, tmp_path: Path, kind: str) -> None:
    path = changed(trained, tmp_path / "changed.pth", kind)
    cfg = tiny(root, tmp_path, load_from=str(path))
    with pytest.raises(CheckpointError, match=r"changed\.pth' (does not fit RetinaNet|h)"):
        Runner.from_cfg(cfg).test()


@pytest.mark.parametrize("kind", KINDS)
def test_fine_tuning_needs_a_share(root: Path, trained: Path, tmp_path: Path, kind: str) -> None:
    path = changed(trained, tmp_path / "changed.pth", kind)
    options: dict[str, Any] = dict(epochs=1, load_from=str(path))
    if kind == "another head":
        before = weights(path)
        train(root, tmp_path / "a", **options, optim_wrapper__optimizer__lr=1e-12)
        after = weights(tmp_path / "a" / "epoch_1.pth")
        torch.testing.assert_close(after["neck.fpn_convs.0.conv.weight"],
                                   before["neck.fpn_convs.0.conv.weight"])  # fmt: skip
        strict = dict(default_hooks__checkpoint_check__min_fit=0.99)
        with pytest.raises(CheckpointError, match="At least 99%"):
            train(root, tmp_path / "b", **options, **strict)
        return
    with pytest.raises(CheckpointError):
        train(root, tmp_path / "a", **options)
    if kind == "another width":
        train(root, tmp_path / "b", **options, default_hooks__checkpoint_check__min_fit=0)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_the_share_lies_in_its_range(value: float) -> None:
    with pytest.raises(ValueError, match="min_fit"):
        CheckpointCheckHook(min_fit=value)


def test_the_tools_guard_configs_that_lack_the_hooks() -> None:
    from mmengine.config import Config

    cfg = Config(dict(default_hooks=dict(timer=dict(type="IterTimerHook"))))
    add_guards(cfg)
    add_guards(cfg)
    names = ["mmdet.AgreementHook", "mmdet.CheckpointCheckHook", "mmdet.FiniteCheckHook"]
    assert [hook["type"] for hook in cfg.custom_hooks] == names


def test_a_resumed_training_needs_all_weights(root: Path, trained: Path, tmp_path: Path) -> None:
    path = changed(trained, tmp_path / "changed.pth", "another head")
    cfg = tiny(root, tmp_path / "work", load_from=str(path), resume=True)
    with pytest.raises(CheckpointError, match="At least 100%"):
        Runner.from_cfg(cfg).train()
