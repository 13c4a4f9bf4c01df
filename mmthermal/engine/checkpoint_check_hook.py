"""Refuse a checkpoint that does not fit the model, wherever a runner loads one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from inspect import signature
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn

from mmthermal.common.checkpoints import Fit, check_fit
from mmthermal.common.checks import check_range
from mmthermal.common.processes import without_wrapper

# Settings of an optimizer that paramwise_cfg, or a default, may give besides the config's own.
_USUAL = ("betas", "lr", "momentum", "weight_decay")
_TIMES = ("T_max", "begin", "end", "milestones")  # in epochs or iterations
_PROGRESS = ("last_step", "optimizer", "verbose")  # arguments of a scheduler that set nothing


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Compares a checkpoint with the model before its weights are taken.

    mmengine loads what fits and goes on with random weights for the rest. Here a test and a
    resumed training need all weights, and a training from ``load_from`` a share of them. What
    does not fit is logged. Numbers that are not finite are refused always. A composite loss whose
    head scores at random after ``load_from`` does not take the checkpoint's step number, so that
    it warms up.

    A resumed training goes on with the optimizer's and the schedulers' settings of the checkpoint,
    whatever its config says: where the two differ, this is logged.

    Args:
        min_fit: share of the model's weights that ``load_from`` must bring in a training, in
            [0, 1]; 0 takes any checkpoint with weights.

    Raises:
        TypeError: if ``min_fit`` is no number.
        ValueError: if it is out of range.
    """

    priority = "VERY_HIGH"  # before hooks that take their own state from the checkpoint

    def __init__(self, *, min_fit: float = 0.5) -> None:
        check_range("min_fit", min_fit, 0, 1)
        self.min_fit = min_fit

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Look at a checkpoint that was read, before the model takes it.

        Args:
            runner: the runner.
            checkpoint: its content; step numbers in it may be set to 0.

        Raises:
            ValueError: if too little fits, or a number is not finite.
        """
        model = without_wrapper(runner.model)
        fine_tunes = isinstance(runner._train_loop, BaseLoop) and not runner._resume
        fit = check_fit(
            model,
            checkpoint,
            name=str(runner._load_from),
            min_fit=self.min_fit if fine_tunes else 1.0,
        )
        anew = restart_warm_ups(model, checkpoint, fit) if fine_tunes else []
        if not fit.whole:
            words = f"; the warm-up of {', '.join(anew)} begins anew" if anew else ""
            runner.logger.warning(f"checkpoint {runner._load_from}: {fit}{words}")
        if runner._resume and (unused := list(unused_settings(runner, checkpoint))):
            runner.logger.warning(
                f"resumed: the config's {'; '.join(unused)}. To change them, begin a new training "
                f"from these weights, without --resume: load_from={str(runner._load_from)!r}"
            )


def restart_warm_ups(model: nn.Module, checkpoint: Mapping[str, Any], fit: Fit) -> list[str]:
    """Set the step number of composite losses to 0 where their head's scores start at random.

    Args:
        model: the model, not wrapped.
        checkpoint: content of a file; its step numbers are changed.
        fit: how it fits the model.

    Returns:
        names of the losses with a warm-up or a ramp for which this changed something.
    """
    weights = checkpoint.get("state_dict", checkpoint)
    unfit = [text.split(" ")[0] for text in (*fit.missing, *fit.other_shape)]
    found = []
    for name, loss in model.named_modules():
        if name.rpartition(".")[2] != "loss_composite":
            continue
        head = name.removesuffix("loss_composite")
        if not any(key.startswith(head) and "cls" in key.removeprefix(head) for key in unfit):
            continue
        for key in (f"{name}.num_iters", f"module.{name}.num_iters"):
            if isinstance(steps := weights.get(key), Tensor) and steps.any():
                weights[key] = torch.zeros_like(steps)
                found += [name] if loss.warmup_iters or loss.ramp_iters else []
    return found


def unused_settings(runner: Runner, checkpoint: Mapping[str, Any]) -> Iterator[str]:
    """Settings of a resumed training for which mmengine takes the checkpoint's.

    Args:
        runner: the runner, with its optimizer and schedulers built, not yet resumed.
        checkpoint: its content.

    Yields:
        key, value, and the checkpoint's value, of each; nothing for several optimizers.
    """
    wrapper, schedulers = runner.optim_wrapper, runner.param_schedulers
    before = checkpoint.get("optimizer") or {}
    if isinstance(wrapper, OptimWrapper) and "param_groups" in before:
        yield from _of_groups(runner, wrapper.optimizer.param_groups, before["param_groups"])
    states = checkpoint.get("param_schedulers")
    if isinstance(schedulers, list) and isinstance(states, list):
        for i, (scheduler, state) in enumerate(zip(schedulers, states, strict=False)):
            kinds = (kind for kind in type(scheduler).__mro__ if "__init__" in vars(kind))
            names = {name for kind in kinds for name in signature(kind).parameters}
            now = scheduler.state_dict()
            names = (names & now.keys() & state.keys()) - {*_PROGRESS}
            if now.get("end") != state.get("end"):
                names -= {"T_max"}  # which follows from it
            for name in sorted(names):
                unit = " (iterations)" if name in _TIMES and not scheduler.by_epoch else ""
                key = f"param_scheduler.{i}.{name}{unit}"
                yield from _differing(key, now[name], state[name])


def _of_groups(
    runner: Runner, groups: list[dict[str, Any]], before: list[dict[str, Any]]
) -> Iterator[str]:
    """Settings of the optimizer, in all its groups of parameters or in some."""
    asked = (runner.cfg.get("optim_wrapper") or {}).get("optimizer") or {}
    for name in sorted({*_USUAL, *asked}):
        pairs = [
            (_first(now, name), _first(then, name))
            for now, then in zip(groups, before, strict=False)
            if name in now and name in then
        ]
        found = [text for pair in pairs for text in _differing(name, *pair)]
        if found and len(found) == len(pairs):
            yield f"optim_wrapper.optimizer.{found[0]}"
        elif found:
            yield f"{found[0]} in {len(found)} of {len(pairs)} groups of parameters (paramwise_cfg)"


def _first(group: Mapping[str, Any], name: str) -> Any:
    """A setting of a group as it was before a scheduler changed it."""
    return group.get(f"initial_{name}", group[name])


def _differing(name: str, now: Any, then: Any) -> Iterable[str]:
    """Words for two values that differ."""
    now, then = (
        sorted(value.elements()) if isinstance(value, Counter) else value for value in (now, then)
    )
    if isinstance(now, (list, tuple)) and isinstance(then, (list, tuple)):
        now, then = list(now), list(then)
    plain = (bool, int, float, str, list)
    if isinstance(now, plain) and isinstance(then, plain) and now != then:
        yield f"{name} = {now!r} is not used, the checkpoint's {then!r} goes on"
