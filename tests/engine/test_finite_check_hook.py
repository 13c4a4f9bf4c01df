"""A training stops at the first number that is not finite; its checkpoints stay good."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import tiny_config, write_coco
from mmdet.registry import HOOKS
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from mmthermal.common.run_state import NOT_FINITE
from mmthermal.common.safe_loading import load_file
from mmthermal.engine.finite_check_hook import _step_check, check_tensors, image_files

DETECTORS = ("retinanet/retina_focal_synthetic.py", "retinanet/retina_composite_synthetic.py")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coco(tmp_path_factory.mktemp("finite") / "data", splits={"train": 8, "val": 2})


def train(root: Path, work: Path, name: str = DETECTORS[0], **options: Any) -> Runner:
    """Train without validation; returns the runner, or raises what the training raises."""
    cfg = tiny_config(
        name,
        root,
        work_dir=str(work),
        experiment_name=str(work).replace("/", "_"),
        log_level="ERROR",
        **options,
    )
    for key in ("val_dataloader", "val_cfg", "val_evaluator"):
        cfg[key] = None
    cfg.default_hooks.checkpoint.save_best = None
    del cfg.default_hooks["visualization"]
    if cfg.default_hooks.finite_check is None:
        del cfg.default_hooks["finite_check"]
    return Runner.from_cfg(cfg)


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_file(path)["state_dict"]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_learning_rate_of_a_million_keeps_the_last_good_checkpoint(
    root: Path, tmp_path: Path, name: str
) -> None:
    """Steps are finite and the weights overflow, which no part of the loss told so far."""
    options = dict(
        optim_wrapper__optimizer=dict(type="SGD", lr=1e-4, weight_decay=0.0, _delete_=True),
        optim_wrapper__clip_grad=None,
        param_scheduler=[dict(type="MultiStepLR", milestones=[1], gamma=1e36)],
        default_hooks__checkpoint__max_keep_ckpts=1,
        train_cfg__max_epochs=3,
    )
    with pytest.raises(FloatingPointError, match=r"stopped at epoch 2, iteration [345]"):
        train(root, tmp_path, name, **options).train()
    assert [path.name for path in tmp_path.glob("*.pth")] == ["epoch_1.pth"]
    assert all(bool(torch.isfinite(v).all()) for v in weights(tmp_path / "epoch_1.pth").values())
    record = json.loads((tmp_path / NOT_FINITE).read_text())
    assert record["epoch"] == 2 and len(record["images"]) == 4
    again = train(root, tmp_path, name, **options, resume=True)
    with pytest.raises(FloatingPointError, match="epoch 2"):
        again.train()
    assert again.epoch == 1  # it was resumed


class ScaledOptimWrapper(OptimWrapper):
    """What ``AmpOptimWrapper`` does, on a CPU, too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss_scaler = torch.amp.GradScaler("cpu", init_scale=65536.0)

    def backward(self, loss: torch.Tensor, **kwargs: Any) -> None:
        self.loss_scaler.scale(loss).backward()
        self._inner_count += 1

    def step(self, **kwargs: Any) -> None:
        if self.clip_grad_kwargs:
            self.loss_scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.loss_scaler.step(self.optimizer)
        self.loss_scaler.update()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("clip_grad", [None, dict(max_norm=10)])
def test_an_overflow_of_the_loss_scale_is_left_to_the_scaler(
    fused: bool, clip_grad: dict[str, Any] | None
) -> None:
    """A fused optimizer is stepped then, too, and skips the step itself."""
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=fused)
    wrapper = ScaledOptimWrapper(optimizer=optimizer, clip_grad=clip_grad)
    optimizer.register_step_pre_hook(_step_check(wrapper, model))
    before = model.weight.detach().clone()
    wrapper.update_params((model(torch.ones(2, 4)) * 3e36).sum())
    assert torch.equal(model.weight, before)
    assert wrapper.loss_scaler.get_scale() == 32768.0
    wrapper.update_params((model(torch.ones(2, 4)) * 3e-3).sum())
    assert not torch.equal(model.weight, before)


def test_a_good_end_removes_the_record(root: Path, tmp_path: Path) -> None:
    (tmp_path / NOT_FINITE).write_text("{}")
    train(root, tmp_path, train_cfg__max_epochs=1).train()
    assert not (tmp_path / NOT_FINITE).exists()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("key", ["loss_cls", "loss_bbox"])
def test_a_loss_that_is_not_finite_touches_no_weight(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: float
) -> None:
    runner = train(root, tmp_path)
    head = runner.model.bbox_head
    inner, calls = head.loss, []

    def loss(*args: Any, **kwargs: Any) -> dict:
        calls.append({k: v.clone() for k, v in runner.model.state_dict().items()})
        losses = inner(*args, **kwargs)
        if len(calls) == 2:  # a constant: its gradient is finite
            losses[key] = [part.detach() * 0 + value for part in losses[key]]
        return losses

    monkeypatch.setattr(head, "loss", loss)
    with pytest.raises(FloatingPointError) as caught:
        runner.train()
    text = str(caught.value)
    assert "epoch 1, iteration 2" in text and re.search(rf"{key}=-?(nan|inf)", text)
    assert "loss_cls=" in text and "loss_bbox=" in text
    assert text.count(".png") == 4
    now = runner.model.state_dict()
    assert all(torch.equal(calls[-1][name], now[name]) for name in now)


@pytest.mark.parametrize(
    "clip",
    [None, dict(max_norm=10), dict(type="value", clip_value=1e9, _delete_=True)],
    ids=["none", "norm", "value"],
)
def test_a_gradient_that_is_not_finite_touches_no_weight(
    root: Path, tmp_path: Path, clip: dict | None
) -> None:
    runner = train(root, tmp_path, optim_wrapper__clip_grad=clip)
    weight = runner.model.bbox_head.retina_cls.weight
    weight.register_hook(lambda grad: grad * math.nan)
    with pytest.raises(FloatingPointError, match="epoch 1, iteration 1") as caught:
        runner.train()
    named = "grad_norm=nan" if clip and "max_norm" in clip else "retina_cls.weight"
    assert named in str(caught.value)
    assert bool(torch.isfinite(weight).all())
    assert not list(tmp_path.glob("*.pth"))


def test_a_pixel_that_is_not_finite(root: Path, tmp_path: Path) -> None:
    runner = train(root, tmp_path)
    runner.model.data_preprocessor.register_forward_hook(
        lambda module, args, out: {**out, "inputs": out["inputs"] * math.nan}
    )
    with pytest.raises(FloatingPointError, match=r"(?s)iteration 1.*\.png"):
        runner.train()


def test_optimizer_state_is_not_saved_when_it_overflows(root: Path, tmp_path: Path) -> None:
    runner = train(root, tmp_path, optim_wrapper__clip_grad=None)
    weight = runner.model.bbox_head.retina_cls.weight
    weight.register_hook(lambda grad: grad * 0 + 1e30)  # finite; its square is not
    with pytest.raises(FloatingPointError, match="optimizer state are not finite"):
        runner.train()
    assert not list(tmp_path.glob("*.pth"))


def test_it_leaves_the_numbers_alone_and_takes_itself_off(root: Path, tmp_path: Path) -> None:
    found = []
    for hook in (dict(type="FiniteCheckHook"), None):
        work = tmp_path / str(bool(hook))
        runner = train(root, work, default_hooks__finite_check=hook, train_cfg__max_epochs=1)
        runner.train()
        assert "train_step" not in vars(runner.model)
        assert not runner.model._forward_hooks
        found.append(weights(work / "epoch_1.pth"))
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])


def test_check_tensors_names_what_it_found() -> None:
    good, bad = torch.ones(2), torch.tensor([1.0, math.inf])
    check_tensors("weights", [("a", good), ("n", torch.tensor(3)), ("text", "x")])
    check_tensors("weights", [])
    with pytest.raises(FloatingPointError, match=r"weights are not finite: b, c$"):
        check_tensors("weights", [("a", good), ("b", bad), ("c", bad * math.nan)])
    with pytest.raises(FloatingPointError, match="and 2 more"):
        check_tensors("weights", [(str(i), bad) for i in range(7)])


def test_image_files_of_any_nesting() -> None:
    class Sample:
        def __init__(self, **metainfo: Any) -> None:
            self.metainfo = metainfo

    batch = {
        "inputs": [torch.ones(1)],
        "data_samples": {"sup": [Sample(img_path="a.png")], "unsup": (Sample(img_id=7), Sample())},
    }
    assert list(image_files(batch)) == ["a.png", "7"]
    assert list(image_files(None)) == []


def test_nothing_is_checked_in_evaluation() -> None:
    hook = HOOKS.build(dict(type="FiniteCheckHook"))
    model = nn.Linear(1, 1)
    broken = {"loss": torch.tensor(math.nan)}
    hook._after_forward(model.eval(), (), broken)
    with torch.no_grad():
        hook._after_forward(model.train(), (), broken)
    with pytest.raises(FloatingPointError):
        hook._after_forward(model, (), broken)
