"""Stop a training at the first number that is not finite, before the weights take it up."""

import math
import os.path as osp
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.dist import get_rank, is_main_process
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mmthermal.common.checkpoints import named_tensors
from mmthermal.common.files import write_json
from mmthermal.common.run_state import NOT_FINITE
from mmthermal.common.safe_loading import not_finite

_SHOWN_IMAGES = 32


@HOOKS.register_module()
class FiniteCheckHook(Hook):
    """Stops at a loss, gradient, weight or optimizer state that is NaN or infinite.

    Losses are looked at after the forward pass, gradients before the optimizer's step, weights
    and the optimizer's state before they are saved, so that neither the weights nor a checkpoint
    take up such a number. The error names the iteration, the parts of the loss and the image
    files of the batch; ``not_finite.json`` in the work directory holds them, too, until the
    training was resumed and has come to its end. Comparisons refuse the run as long as it is
    there.

    Under a float16 loss scale, gradients may overflow: the scaler skips such a step itself, and
    only the losses are looked at there. Where ``clip_grad`` gives the norm of the gradients, it
    stands for them.
    """

    priority = "NORMAL"  # after_train_epoch comes before that of CheckpointHook, VERY_LOW

    def __init__(self) -> None:
        self._batch: Any = None
        self._losses: dict[str, float] = {}
        self._step: Callable[..., Any] | None = None
        self._handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Look on at the forward passes and the steps from now on.

        Args:
            runner: the runner.
        """
        model, wrapper = runner.model, runner.optim_wrapper
        self._handles = [model.register_forward_hook(self._after_forward)]
        wrappers = [wrapper] if isinstance(wrapper, OptimWrapper) else list(wrapper.values())
        for part in wrappers:
            check = _step_check(part, model)
            self._handles.append(part.optimizer.register_step_pre_hook(check))
        self._step = model.train_step
        model.train_step = self._checked_step(runner, self._step)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Remember the batch, for the error.

        Args:
            runner: not used.
            batch_idx: not used.
            data_batch: the batch.
        """
        self._batch, self._losses = data_batch, {}

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the weights, before an older checkpoint makes room for them.

        Args:
            runner: the runner.

        Raises:
            FloatingPointError: if a weight is not finite.
        """
        with self._placed(runner):
            check_tensors("weights", runner.model.state_dict().items())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look at all that would be saved.

        Args:
            runner: the runner.
            checkpoint: what would be saved.

        Raises:
            FloatingPointError: if a weight or the optimizer's state is not finite.
        """
        with self._placed(runner):
            check_tensors("weights", checkpoint["state_dict"].items())
            check_tensors("optimizer state", named_tensors(checkpoint.get("optimizer", {})))

    def after_train(self, runner: Runner) -> None:
        """Stop looking on; the run has come to its end with finite numbers.

        Args:
            runner: the runner.
        """
        for handle in self._handles:
            handle.remove()
        runner.model.__dict__.pop("train_step", None)
        if is_main_process():
            Path(runner.work_dir, NOT_FINITE).unlink(missing_ok=True)

    def _after_forward(self, model: nn.Module, args: Any, output: Any) -> None:
        """Check the losses of a forward pass of the training."""
        if not (model.training and torch.is_grad_enabled() and isinstance(output, Mapping)):
            return
        names, values = [], []
        for name, value in output.items():
            parts = value if isinstance(value, list | tuple) else [value]
            if parts and all(isinstance(part, Tensor) for part in parts):
                names.append(name)
                values.append(sum(part.detach().float().mean() for part in parts))
        if values:  # one transfer from the device
            self._losses = dict(zip(names, torch.stack(values).tolist(), strict=True))
            _check_losses(self._losses)

    def _checked_step(self, runner: Runner, step: Callable[..., Any]) -> Callable[..., Any]:
        """``train_step`` whose errors tell where they happened."""

        def train_step(*args: Any, **kwargs: Any) -> Any:
            with self._placed(runner):
                outputs = step(*args, **kwargs)
                if not self._losses:  # a detector whose train_step goes other ways
                    scalars = outputs.items() if isinstance(outputs, Mapping) else ()
                    _check_losses({name: float(value) for name, value in scalars})
            return outputs

        return train_step

    @contextmanager
    def _placed(self, runner: Runner) -> Iterator[None]:
        """Add the place to a FloatingPointError that passes through."""
        try:
            yield
        except FloatingPointError as error:
            raise self.report(runner, error) from error

    def report(self, runner: Runner, error: FloatingPointError) -> FloatingPointError:
        """Write what happened beside the checkpoints.

        Args:
            runner: the runner.
            error: what was found.

        Returns:
            the error with its place.
        """
        images = list(image_files(self._batch))
        record = dict(
            epoch=runner.epoch + 1,
            iteration=runner.iter + 1,
            found=str(error),
            losses={name: repr(value) for name, value in self._losses.items()},
            images=images,
        )
        if is_main_process():
            write_json(osp.join(runner.work_dir, NOT_FINITE), record)
        parts = ", ".join(f"{name}={value:.6g}" for name, value in self._losses.items())
        shown = ", ".join(images[:_SHOWN_IMAGES]) or "unknown"
        more = f" and {len(images) - _SHOWN_IMAGES} more" if len(images) > _SHOWN_IMAGES else ""
        return FloatingPointError(
            f"training stopped at epoch {runner.epoch + 1}, iteration {runner.iter + 1}, process "
            f"{get_rank()}: {error}\nLosses: {parts or 'not computed'}\nImages: {shown}{more}\n"
            "Nothing of this iteration was saved; checkpoints of before are in "
            f"{runner.work_dir}. Lower the learning rate, clip the gradients, or repair the "
            "images and boxes of the batch (tools/check_data.py), then go on with --resume"
        )


def _check_losses(losses: Mapping[str, float]) -> None:
    """Raise if a part of the loss is not finite; other logged numbers may be."""
    bad = [f"{k}={v}" for k, v in losses.items() if "loss" in k and not math.isfinite(v)]
    if bad:
        raise FloatingPointError(f"{', '.join(bad)} is not finite")


def _step_check(wrapper: OptimWrapper, model: nn.Module) -> Callable[..., None]:
    """Make the function that looks at the gradients before a step of an optimizer."""
    clips_norm = wrapper.clip_grad_kwargs and getattr(wrapper, "grad_name", "") == "grad_norm"

    def check(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if getattr(optimizer, "found_inf", None) is not None:
            return  # fused: the scaler steps always, and tells the optimizer to do nothing
        if clips_norm:  # it was computed and brought to the host a moment ago
            norm = wrapper.message_hub.get_scalar("train/grad_norm").current()
            if not math.isfinite(norm):
                raise FloatingPointError(f"grad_norm={norm} is not finite")
            return
        named = ((name, p.grad) for name, p in model.named_parameters())
        check_tensors("gradients", named)

    return check


def check_tensors(what: str, tensors: Iterable[tuple[str, Any]]) -> None:
    """Raise if a floating tensor holds a number that is not finite.

    Args:
        what: the tensors, for the message.
        tensors: pairs of a name and a value; values that are no floating tensors are left out.

    Raises:
        FloatingPointError: naming up to five tensors.
    """
    bad = not_finite(tensors)
    if bad:
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise FloatingPointError(f"{what} are not finite: {', '.join(bad[:5])}{more}")


def image_files(batch: Any) -> Iterator[str]:
    """Image files of a batch as the data loader gives it, however it is nested.

    Args:
        batch: dicts and lists with data samples somewhere inside.

    Yields:
        paths, or the images' ids where a sample has no path.
    """
    if hasattr(batch, "metainfo"):
        name = batch.metainfo.get("img_path", batch.metainfo.get("img_id"))
        if name is not None:
            yield str(name)
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from image_files(value)
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from image_files(value)
