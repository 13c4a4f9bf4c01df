"""One image of the validation before the first iteration, so that its errors don't come late."""

import logging
import traceback
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.runner import Runner, ValLoop, autocast

from mmthermal.common.random_numbers import same_random_numbers


def rehearse_validation(runner: Runner) -> None:
    """Take the first image through pipeline, network and metrics, as a validation would.

    Nothing of it stays: no result, no random number, no mode of the network. Loops of the user's
    own are left alone, and so are metrics that fail to begin anew.

    Args:
        runner: the runner, whose training is about to begin.

    Raises:
        ValueError: with the error that the first validation would end in.
    """
    loop = runner.val_loop
    if type(loop) is not ValLoop or not len(loop.dataloader.dataset):
        return
    training = runner.model.training
    with same_random_numbers():
        try:
            batch: Any = loop.dataloader.collate_fn([loop.dataloader.dataset[0]])
            runner.model.eval()
            with torch.no_grad(), autocast(enabled=loop.fp16):
                outputs = runner.model.val_step(batch)
            loop.evaluator.process(data_samples=outputs, data_batch=batch)
            _check_masks(loop.evaluator.metrics)
        except Exception as error:
            # an assertion often has no words
            why = str(error) or traceback.extract_tb(error.__traceback__)[-1].line
            raise ValueError(
                "the validation would end with an error after its epoch of training, as it does "
                f"on its first image: {type(error).__name__}: {why}. Look at val_dataloader's "
                "pipeline and val_evaluator"
            ) from error
        finally:
            runner.model.train(training)
            for metric in loop.evaluator.metrics:
                metric.results.clear()
    print_log("the validation works on its first image", logger="current", level=logging.DEBUG)


def _check_masks(metrics: Any) -> None:
    """COCO's metrics of masks, where the network gives none."""
    for metric in metrics:
        if "segm" not in (getattr(metric, "metrics", None) or ()) or not metric.results:
            continue
        found = metric.results[0][-1]
        if isinstance(found, dict) and "masks" not in found:
            raise ValueError("metric 'segm' needs masks, and the network predicts boxes only")
