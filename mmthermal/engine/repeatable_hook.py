"""A training that can be taken up at any iteration, equal to one without a stop."""

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmthermal.datasets.numbered_batches import NumberedBatches, number_batches, seed_all

_PROGRESS = "epoch_progress"  # key in a checkpoint
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
    behind its last batch; the log counts the batches of that epoch from there. Where an epoch has
    another number of batches than before (more GPUs, larger batches), it is taken up behind the
    same share of them.

    The samples of an ``IterBasedTrainLoop`` are left as they are.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._batches: NumberedBatches | None = None
        self._progress: dict[str, int] | None = None  # of the checkpoint
        self._start = 0  # iteration at which this epoch began, or would have

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remember how far the checkpoint's epoch was.

        Args:
            runner: not used.
            checkpoint: its content.
        """
        self._progress = checkpoint.get(_PROGRESS)

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
        if runner.iter > 0:
            self._batches.skip = self._done(runner)

    def _done(self, runner: Runner) -> int:
        """Batches of the epoch that a resumed training has behind it."""
        length = len(runner.train_dataloader)
        default = dict(done=runner.iter - runner.epoch * length, length=length)
        done, before = ((self._progress or default)[key] for key in ("done", "length"))
        if before != length:
            runner.logger.warning(
                f"An epoch has {length} batches, and had {before} in the training that is "
                "resumed: what goes by iterations, such as a warm-up, goes by the new ones"
            )
            done = done * length // before
        if not 0 < done <= length:
            return 0
        runner.logger.info(
            f"Epoch {runner.epoch + 1} goes on behind its {done} of {length} batches"
        )
        return done

    def before_train_epoch(self, runner: Runner) -> None:
        """Note where the epoch begins.

        Args:
            runner: the runner.
        """
        if self._batches is not None:
            self._batches.epoch = runner.epoch
            self._start = runner.iter - self._batches.skip

    def after_train_epoch(self, runner: Runner) -> None:
        """Note that the next epoch begins here, for the checkpoints between.

        Args:
            runner: the runner.
        """
        self._start = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put into the checkpoint how far the epoch is.

        Args:
            runner: the runner.
            checkpoint: what will be saved.
        """
        if self._batches is not None:
            done = checkpoint["meta"]["iter"] - self._start
            checkpoint[_PROGRESS] = dict(done=done, length=len(runner.train_dataloader))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the forward pass.

        Args:
            runner: the runner.
            batch_idx: not used.
            data_batch: not used.
        """
        seed_all(runner.seed, runner.iter, 0, _FORWARD)
