"""A runner takes a checkpoint only if it fits."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import CONFIGS
from helpers_trust import tiny, train, weights
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmthermal.common.checkpoints import fit_of
from mmthermal.common.safe_loading import CheckpointError, load_file
from mmthermal.engine import CheckpointCheckHook
from mmthermal.engine.checkpoint_check_hook import restart_warm_ups
from mmthermal.engine.launch import add_guards, choose_checkpoint


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


def steps(*milestones: int, end: int, **changes: Any) -> dict[str, Any]:
    """Options of `train` with a schedule by epochs."""
    return dict(
        param_scheduler=[dict(type="MultiStepLR", milestones=milestones, end=end, **changes)],
    )


def run(root: Path, work: Path, **options: Any) -> Runner:
    """Train as `train` does, with warnings in the log."""
    cfg = tiny(root, work, **copy.deepcopy(options))
    cfg.log_level = "WARNING"
    choose_checkpoint(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def resumed(root: Path, work: Path, first: dict, then: dict) -> tuple[Runner, list[str]]:
    """Train two epochs, resume for a third, and give what is logged of unused settings."""
    run(root, work, epochs=2, **first)
    before = {path: len(path.read_text()) for path in work.rglob("*.log")}
    runner = run(root, work, epochs=3, resume=True, **then)
    logs = [path.read_text()[before.get(path, 0) :] for path in work.rglob("*.log")]
    lines = "".join(logs).splitlines()
    return runner, [line for line in lines if "resumed: the config's" in line]


SGD: dict[str, Any] = dict(
    optim_wrapper=dict(
        type="OptimWrapper", optimizer=dict(type="SGD", lr=0.01, momentum=0.9), _delete_=True
    )
)


def sgd(**changes: Any) -> dict[str, Any]:
    optimizer = dict(SGD["optim_wrapper"]["optimizer"], **changes)
    return dict(optim_wrapper=dict(SGD["optim_wrapper"], optimizer=optimizer))


PAIRS: dict[str, tuple[dict, dict, tuple[str, ...]]] = {
    "the same": (SGD | steps(1, end=9), SGD | steps(1, end=9), ()),
    "the recipe's own, whose end is the training's": (
        {}, {}, (r"param_scheduler\.1\.end \(iterations\) = 6 .* the checkpoint's 4 goes on",)),
    "another rate": (
        sgd() | dict(param_scheduler=[]),
        sgd(lr=0.001) | dict(param_scheduler=[]),
        (r"config's optim_wrapper\.optimizer\.lr = 0\.001 is not used, the checkpoint's 0\.01 goe",
         r"load_from='\S*epoch_2\.pth'"),
    ),
    "another rate, with steps": (
        sgd() | steps(1, end=9), sgd(lr=0.001) | steps(1, end=9),
        (r"optimizer\.lr = 0\.001 is not used, the checkpoint's 0\.01",)),
    "another decay": (
        sgd() | steps(1, end=9), sgd(weight_decay=0.1) | steps(1, end=9),
        (r"optim_wrapper\.optimizer\.weight_decay = 0\.1 .* the checkpoint's 0 goes on",)),
    "other steps": (
        SGD | steps(1, end=2), SGD | steps(2, end=3, gamma=0.5),
        (r"param_scheduler\.0\.end = 3 is not used, the checkpoint's 2 goes on",
         r"param_scheduler\.0\.gamma = 0\.5 is not used, the checkpoint's 0\.1 goes on",
         r"param_scheduler\.0\.milestones = \[2\] is not used, the checkpoint's \[1\] goes on"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PAIRS)
def test_settings_that_a_resumed_training_does_not_take_are_said(
    root: Path, tmp_path: Path, case: str
) -> None:
    first, then, messages = PAIRS[case]
    runner, lines = resumed(root, tmp_path, first, then)
    assert len(lines) == bool(messages), lines
    for message in messages:
        assert re.search(message, lines[0]), lines[0]
    if "optim_wrapper" not in first:
        return
    # and so it is: mmengine goes on with the checkpoint's
    group = runner.optim_wrapper.optimizer.param_groups[0]
    assert group.get("initial_lr", group["lr"]) == 0.01
    assert group["weight_decay"] == 0
    if case == "other steps":
        (scheduler,) = runner.param_schedulers
        assert (dict(scheduler.milestones), scheduler.end, scheduler.gamma) == ({1: 1}, 2, 0.1)


RECIPES: dict[str, dict[str, Any]] = {
    "epochs and a warm-up": {},
    "averages, AdamW": dict(name="retinanet/retina_composite_24e_hituav160.py"),
    "a scaled rate": dict(auto_scale_lr=dict(enable=True, base_batch_size=64)),
}


@pytest.mark.parametrize("case", RECIPES)
def test_nothing_is_said_of_a_training_that_goes_on_unchanged(
    root: Path, tmp_path: Path, case: str
) -> None:
    run(root, tmp_path / "a", epochs=2, **RECIPES[case])
    path, work = tmp_path / "a" / "epoch_1.pth", tmp_path / "b"
    run(root, work, epochs=2, load_from=str(path), resume=True, **RECIPES[case])
    log = "".join(path.read_text() for path in work.rglob("*.log"))
    assert log and "resumed: the config's" not in log


def test_settings_of_some_parameters_are_said_with_their_number(root: Path, tmp_path: Path) -> None:
    def wrapper(mult: float) -> dict[str, Any]:
        keys = dict(backbone=dict(lr_mult=mult))
        return dict(optim_wrapper=dict(SGD["optim_wrapper"], paramwise_cfg=dict(custom_keys=keys)))

    steady = steps(9, end=99)
    runner, (line,) = resumed(root, tmp_path, wrapper(0.1) | steady, wrapper(0.5) | steady)
    groups = runner.optim_wrapper.optimizer.param_groups
    number = sum(group["initial_lr"] == 0.001 for group in groups)
    assert 0 < number < len(groups)
    of = f"in {number} of {len(groups)} groups of parameters"
    assert f"lr = 0.005 is not used, the checkpoint's 0.001 goes on {of}" in line


def test_a_new_training_from_the_weights_takes_its_own_settings(root: Path, tmp_path: Path) -> None:
    run(root, tmp_path / "a", epochs=1, **sgd(), **steps(1, end=9))
    path, work = tmp_path / "a" / "epoch_1.pth", tmp_path / "b"
    runner = run(root, work, epochs=1, load_from=str(path), **sgd(lr=0.001), **steps(3, end=9))
    assert "resumed" not in "".join(path.read_text() for path in work.rglob("*.log"))
    assert runner.optim_wrapper.optimizer.param_groups[0]["initial_lr"] == 0.001


STEPS = "loss_composite.num_iters"


def counted(state: dict[str, torch.Tensor]) -> dict[str, int]:
    """The step numbers of the composite losses, by head."""
    return {k.removesuffix(f".{STEPS}"): int(v) for k, v in state.items() if k.endswith(STEPS)}


NO_RAMP = dict(model__bbox_head__loss_composite__ramp_iters=0)


@pytest.mark.parametrize(
    ("kind", "options", "steps", "said"),
    [
        ("fits", {}, 2, False),
        ("other classes", {}, 0, True),
        ("other classes", NO_RAMP, 0, False),
        ("other classes, only weights", {}, 0, True),
        ("other classes, averages", RECIPES["averages, AdamW"], 0, True),
        ("other classes, of several processes", {}, 0, True),
        ("other classes, not begun", {}, 0, False),
        ("another head's scores", {}, 0, True),
        ("other boxes", {}, 2, False),
    ],
)
def test_a_head_whose_scores_start_at_random_warms_up(
    root: Path,
    trained: Path,
    tmp_path: Path,
    kind: str,
    options: dict[str, Any],
    steps: int,
    said: bool,
) -> None:
    content = load_file(trained)
    state = content["state_dict"]
    assert counted(state) == {"bbox_head": 2}
    layer = "bbox_head.retina_reg" if kind == "other boxes" else "bbox_head.retina_cls"
    for name in ("weight", "bias"):
        value = state.pop(f"{layer}.{name}")
        if kind == "another head's scores":
            state[f"bbox_head.atss_cls.{name}"] = value
        else:
            state[f"{layer}.{name}"] = value if kind == "fits" else torch.cat([value, value])
    if kind.endswith("not begun"):
        state[f"bbox_head.{STEPS}"].zero_()
    if kind.endswith("several processes"):
        content["state_dict"] = {f"module.{key}": value for key, value in state.items()}
    path, work = tmp_path / "first.pth", tmp_path / "work"
    torch.save(state if kind.endswith("only weights") else content, path)
    cfg = tiny(root, work, load_from=str(path), **options)
    cfg.log_level = "WARNING"
    runner = Runner.from_cfg(cfg)
    assert runner.train_loop  # so that it is a training
    runner.call_hook("before_run")  # builds averages
    runner.load_or_resume()
    averages = [hook.ema_model.module for hook in runner.hooks if hasattr(hook, "ema_model")]
    assert len(averages) == kind.endswith("averages")
    for model in (runner.model, *averages):
        assert counted(model.state_dict()) == {"bbox_head": steps}
    log = "".join(path.read_text() for path in work.rglob("*.log"))
    assert ("; the warm-up of bbox_head.loss_composite begins anew\n" in log) == said
    assert ("weights are in it; " in log) == (kind != "fits")


def test_each_head_of_a_cascade_has_its_own_step_number() -> None:
    init_default_scope("mmdet")
    cfg = Config.fromfile(CONFIGS / "cascade_rcnn/cascade_rcnn_composite_hituav160.py")
    model = MODELS.build(cfg.model)
    state = model.state_dict()
    heads = [f"roi_head.bbox_head.{stage}" for stage in range(3)]
    assert list(counted(state)) == heads
    state.update({f"{head}.{STEPS}": torch.tensor(7) for head in heads})
    bias = f"{heads[1]}.fc_cls.bias"
    state[bias] = state[bias].repeat(2)
    found = restart_warm_ups(model, dict(state_dict=state), fit_of(model, state))
    assert found == [f"{heads[1]}.loss_composite"]
    assert list(counted(state).values()) == [7, 0, 7]
