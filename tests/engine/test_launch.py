"""What the tools do with their arguments."""

import argparse
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from helpers_data import run_tool
from helpers_trust import tiny
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmthermal.common.checks import InputError
from mmthermal.common.run_state import RunBusyError, run_lock
from mmthermal.common.safe_loading import CheckpointError
from mmthermal.engine import launch
from mmthermal.engine.launch import (
    GUARDS,
    add_common_arguments,
    add_guards,
    agree_on_checkpoint,
    build_runner,
    choose_checkpoint,
    load_config,
    quieten_terminal,
    scale_lr,
    train,
    use_amp,
)

CONFIG = """
model = dict(type='RetinaNet', bbox_head=dict(num_classes=3))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
auto_scale_lr = dict(enable=False, base_batch_size=16)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CONFIG)
    return tmp_path / "mine.py"


def parse(*argv: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_common_arguments(parser)
    return parser.parse_args([str(a) for a in argv])


def test_options_override_and_may_add_keys_below_a_section(path: Path) -> None:
    cfg = load_config(
        parse(
            path,
            "--cfg-options",
            "model.bbox_head.num_classes=2",
            "optim_wrapper.clip_grad.max_norm=3",
        )
    )
    assert cfg.model.bbox_head.num_classes == 2
    assert cfg.optim_wrapper.clip_grad.max_norm == 3
    assert cfg.model.type == "RetinaNet"


def test_work_dir_comes_from_the_argument_the_config_or_the_name(path: Path) -> None:
    assert load_config(parse(path)).work_dir == "work_dirs/mine"
    path.write_text(CONFIG + "work_dir = 'from_config'\n")
    assert load_config(parse(path)).work_dir == "from_config"
    assert load_config(parse(path, "--work-dir", "arg")).work_dir == "arg"


def test_launcher_and_both_spellings_of_local_rank(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert load_config(parse(path)).launcher == "none"
    assert parse(path, "--local_rank", 1).local_rank == 1
    assert parse(path, "--local-rank=2").local_rank == 2
    cfg = load_config(parse(path, "--launcher", "pytorch"))
    assert cfg.launcher == "pytorch"
    with pytest.raises(SystemExit):
        parse(path, "--launcher", "pbs")


def test_a_launcher_among_the_options_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"launcher=pytorch changes .* Give --launcher pytorch"):
        load_config(parse(path, "--cfg-options", "launcher=pytorch"))
    for same in ("none", "slurm"):
        args = parse(path, "--launcher", same, "--cfg-options", f"launcher={same}")
        assert load_config(args).launcher == same


def test_missing_config(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        load_config(parse(tmp_path / "nothing.py"))


@pytest.mark.parametrize(
    ("cuda", "before", "after"),
    [
        (False, "OptimWrapper", "Bfloat16OptimWrapper"),
        (True, "OptimWrapper", "AmpOptimWrapper"),
        (True, "Bfloat16OptimWrapper", "Bfloat16OptimWrapper"),
        (False, "Bfloat16OptimWrapper", "Bfloat16OptimWrapper"),
        (False, None, "Bfloat16OptimWrapper"),
    ],
)
def test_amp_by_device(
    path: Path, monkeypatch: pytest.MonkeyPatch, cuda: bool, before: str | None, after: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(launch, "has_bfloat16", lambda device: True)
    cfg = Config.fromfile(path)
    if before is None:
        del cfg.optim_wrapper["type"]
    else:
        cfg.optim_wrapper.type = before
    use_amp(cfg)
    assert cfg.optim_wrapper.type == after
    assert cfg.optim_wrapper.get("loss_scale") == (
        "dynamic" if after == "AmpOptimWrapper" else None
    )


@pytest.mark.parametrize("has", [True, False])
def test_amp_on_a_gpu_without_bfloat16_is_float16(
    path: Path, monkeypatch: pytest.MonkeyPatch, has: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(launch, "has_bfloat16", lambda device: has)
    cfg = Config.fromfile(path)
    cfg.optim_wrapper.update(type="Bfloat16OptimWrapper", enabled="auto")
    use_amp(cfg)
    expected = ("Bfloat16OptimWrapper", None) if has else ("AmpOptimWrapper", "dynamic")
    assert (cfg.optim_wrapper.type, cfg.optim_wrapper.get("loss_scale")) == expected
    assert cfg.optim_wrapper.get("enabled") == (True if has else None)


def test_amp_switches_bfloat16_on_where_the_config_has_it_off(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = Config.fromfile(path)
    cfg.optim_wrapper.update(type="Bfloat16OptimWrapper", enabled=False)
    use_amp(cfg)
    assert cfg.optim_wrapper.enabled is True


def test_scale_lr(path: Path) -> None:
    cfg = Config.fromfile(path)
    scale_lr(cfg)
    assert cfg.auto_scale_lr.enable is True


@pytest.mark.parametrize("given", [{}, None, dict(enable=False), dict(base_batch_size=None)])
def test_scale_lr_without_the_batch_size_of_the_rate(given: dict | None) -> None:
    for cfg in (Config(dict(auto_scale_lr=given)), Config({})):
        with pytest.raises(InputError, match=r"--auto-scale-lr needs auto_scale_lr=dict\("):
            scale_lr(cfg)


@pytest.mark.parametrize("given", [{}, dict(optim_wrapper=None)])
def test_amp_without_an_optim_wrapper(given: dict) -> None:
    with pytest.raises(InputError, match="--amp sets optim_wrapper"):
        use_amp(Config(given))


@pytest.mark.parametrize("lines", ["auto_scale_lr = None", "optim_wrapper = None"])
def test_train_refuses_arguments_that_the_config_has_nothing_for(path: Path, lines: str) -> None:
    path.write_text(f"{CONFIG}{lines}\n")
    argument = "--amp" if "optim" in lines else "--auto-scale-lr"
    done = run_tool("train.py", path, argument, cwd=path.parent, ok=False)
    assert done.stderr.splitlines()[-1].startswith(f"error: {argument} ")
    assert done.returncode == 1 and "Traceback" not in done.stderr


def test_default_hooks_that_are_none_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """mmengine takes None for its own hooks only; the guards stay."""
    names = ("timer", "channels_last", "agreement", "finite_check", "my_own")
    hooks = dict.fromkeys(names) | dict(checkpoint_check=dict(type="CheckpointCheckHook"))
    cfg = Config(dict(default_hooks=hooks))
    add_guards(cfg)
    assert cfg.default_hooks == dict(timer=None, checkpoint_check=dict(type="CheckpointCheckHook"))
    types = [hook["type"] for hook in cfg.custom_hooks]
    assert types == ["mmdet.AgreementHook", "mmdet.FiniteCheckHook"]
    assert capsys.readouterr().out.splitlines() == [
        f"warning: default_hooks.{name}=None: this hook stays, it guards every run"
        for name in ("agreement", "finite_check")
    ]


def test_a_run_without_hooks_that_are_switched_off(root: Path, tmp_path: Path) -> None:
    cfg = tiny(root, tmp_path / "work")
    cfg.default_hooks.update(
        dict.fromkeys(("visualization", "channels_last", "timer", "agreement"))
    )
    there = {type(hook).__name__ for hook in build_runner(cfg).hooks}
    assert not {"ThermalVisualizationHook", "ChannelsLastHook", "IterTimerHook"} & there
    assert {*GUARDS, "LoggerHook"} <= there


def test_a_setting_that_nobody_reads_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.test_cfg\.score_th is not read"):
        load_config(parse(path, "--cfg-options", "model.test_cfg.score_th=0.1"))


def test_the_checkpoint_to_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), resume=False, load_from=None))
    choose_checkpoint(cfg)
    assert cfg.load_from is None and capsys.readouterr().out == ""
    cfg.resume = True
    choose_checkpoint(cfg)
    assert (cfg.load_from, cfg.resume) == (None, False)
    assert "nothing to resume" in capsys.readouterr().out
    cfg.resume = True
    content = dict(state_dict={}, optimizer={}, message_hub={}, meta=dict(epoch=1, iter=2))
    torch.save(content, tmp_path / "epoch_1.pth")
    monkeypatch.setenv("RANK", "1")
    choose_checkpoint(cfg)
    assert cfg.load_from == str(tmp_path / "epoch_1.pth")
    assert capsys.readouterr().out == ""
    (tmp_path / "epoch_1.pth").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"epoch_1\.pth can't be resumed: .* cannot be read"):
        choose_checkpoint(cfg)  # one that was given
    monkeypatch.delenv("RANK")
    choose_checkpoint(Config(dict(work_dir=str(tmp_path), resume=False, load_from=None)))
    assert "(epoch_1.pth): this one begins anew" in capsys.readouterr().out
    cfg.load_from = None
    with pytest.raises(CheckpointError, match="no checkpoint in"):
        choose_checkpoint(cfg)


def test_weights_to_begin_with_stay_where_there_is_nothing_to_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fine-tuning that was killed before its first checkpoint."""
    cfg = Config(dict(work_dir=str(tmp_path), resume="auto", load_from="coco.pth"))
    choose_checkpoint(cfg)
    assert (cfg.resume, cfg.load_from) == (False, "coco.pth")
    assert "begins anew, with the weights of coco.pth" in capsys.readouterr().out
    content = dict(state_dict={}, optimizer={}, message_hub={}, meta=dict(epoch=1, iter=2))
    torch.save(content, tmp_path / "epoch_1.pth")
    cfg.resume = "auto"
    choose_checkpoint(cfg)
    assert (cfg.resume, cfg.load_from) == (True, str(tmp_path / "epoch_1.pth"))


def test_all_processes_take_the_checkpoint_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = dict(state_dict={}, optimizer={}, message_hub={}, meta=dict(epoch=1, iter=2))
    torch.save(content, tmp_path / "epoch_1.pth")
    cfg = Config(dict(work_dir=str(tmp_path), resume=True, load_from=None))
    sent: list[list] = []
    monkeypatch.setattr(launch, "broadcast_object_list", lambda data: sent.append([*data]))
    agree_on_checkpoint(cfg)
    assert sent == [[str(tmp_path / "epoch_1.pth"), True, None]]

    other = Config(dict(work_dir=str(tmp_path), resume=True, load_from=None))
    torch.save(content, tmp_path / "epoch_2.pth")  # came meanwhile

    def receive(data: list) -> None:
        data[:] = sent[-1]

    monkeypatch.setattr(launch, "is_main_process", lambda: False)
    monkeypatch.setattr(launch, "broadcast_object_list", receive)
    agree_on_checkpoint(other)
    assert other.load_from == str(tmp_path / "epoch_1.pth")
    sent.append([None, False, CheckpointError("none of them loads")])
    with pytest.raises(CheckpointError, match="none of them loads"):
        agree_on_checkpoint(other)


def test_the_terminal_is_spared_what_the_log_file_keeps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = MMLogger("quiet", logger_name="quiet", log_file=str(tmp_path / "a.log"))
    quieten_terminal(logger)
    logger.info("paramwise_options -- backbone.bn1.bias:weight_decay=0.0")
    logger.warning('"FileClient" will be deprecated in future.')
    logger.info("loss: 1.0")
    shown, kept = capsys.readouterr().out, (tmp_path / "a.log").read_text()
    assert "loss" in shown and "paramwise" not in shown and "FileClient" not in shown
    assert "loss" in kept and "paramwise" in kept and "FileClient" in kept


def test_one_training_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg, built = Config(dict(work_dir=str(tmp_path))), []

    class Runner:
        def train(self) -> None:
            built.append(FileLock(tmp_path / ".run.lock"))

    monkeypatch.setattr(launch, "build_runner", lambda cfg: Runner())
    monkeypatch.setattr(launch, "run_lock", lambda folder: run_lock(folder, wait=0.1))
    train(cfg)
    with FileLock(tmp_path / ".run.lock"):
        with pytest.raises(RunBusyError):
            train(cfg)
        monkeypatch.setenv("RANK", "1")  # the first process has the lock for all
        train(cfg)
    assert len(built) == 2
