"""Refuse a checkpoint that does not fit the model, wherever a runner loads one."""

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from mmthermal.common.checkpoints import check_fit
from mmthermal.common.checks import check_range
from mmthermal.common.processes import without_wrapper


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Compares a checkpoint with the model before its weights are taken.

    mmengine loads what fits and goes on with random weights for the rest. Here a test and a
    resumed training need all weights, and a training from ``load_from`` a share of them. What
    does not fit is logged. Numbers that are not finite are refused always.

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
            checkpoint: its content.

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
        if not fit.whole:
            runner.logger.warning(f"checkpoint {runner._load_from}: {fit}")
