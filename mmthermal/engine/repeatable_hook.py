"""A training that can be taken up at any iteration, equal to one without a stop."""

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmthermal.datasets.numbered_batches import NumberedBatches, number_batches, seed_all

_FORWARD = 1  # as fourth number: a sample has three, which is as many and a zero


@HOOKS.register_module()
class RepeatableHook(Hook):
    """Makes all random numbers depend on their place in the training.

    The generators of Python, NumPy and torch are seeded before each iteration from the seed and
    its number, and before each training sample from the seed, the epoch and the sample's place in
    it. So their state needs no place in a checkpoint, which has seed, epoch and iteration: a
    resumed training draws what an uninterrupted one draws, whatever was validated, drawn or mined
    between, with any number of processes that load.

    A checkpoint from amid an epoch (``CheckpointHook`` with ``by_epoch=False``) is taken up
    behind its last batch; the log counts the batches of that epoch from there.

    The samples of an ``IterBasedTrainLoop`` are left as they are.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._batches: NumberedBatches | None = None

    def before_train(self, runner: Runner) -> None:
        """Number the batches; a sampler takes the seed that the checkpoint brought.

        Args:
            runner: the runner.
        """
        loader = runner.train_dataloader
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        sampler = getattr(loader, "sampler", None)
        if sampler is not None and isinstance(getattr(sampler, "seed", None), int):
            if runner.iter > 0 and not runner._randomness_cfg.get("diff_rank_seed"):
                sampler.seed = runner.seed
        self._batches = number_batches(loader, runner.seed)

    def before_train_epoch(self, runner: Runner) -> None:
        """Skip the batches of this epoch that are done.

        Args:
            runner: the runner.
        """
        if self._batches is None:
            return
        length = len(runner.train_dataloader)
        done = runner.iter - runner.epoch * length
        self._batches.epoch = runner.epoch
        self._batches.skip = done if 0 < done <= length else 0
        if self._batches.skip:
            runner.logger.info(
                f"Epoch {runner.epoch + 1} goes on behind its {done} of {length} batches"
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the forward pass.

        Args:
            runner: the runner.
            batch_idx: not used.
            data_batch: not used.
        """
        seed_all(runner.seed, runner.iter, 0, _FORWARD)
