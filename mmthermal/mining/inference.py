"""A detector on its own training set: false regions of every image, on any number of processes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from torch import nn
from torch.utils.data import DataLoader

from mmthermal.common.processes import without_wrapper
from mmthermal.common.said_once import warn_once
from mmthermal.mining.finding import MiningSettings, find_false_regions
from mmthermal.mining.partial import Row
from mmthermal.mining.training_set import TrainingSet


def batches_left(num_images: int, batch_size: int, done: set[int]) -> list[list[int]]:
    """Batches of neighbouring images that aren't wholly finished.

    The division depends on nothing else, because the scores of an image may differ in their last
    digits with the images beside it: so any number of processes, and any number of kills, gives
    the same result.

    Args:
        num_images: of the data set.
        batch_size: images per batch.
        done: indices of finished images.

    Returns:
        indices of each batch.
    """
    starts = range(0, num_images, batch_size)
    batches = [list(range(i, min(i + batch_size, num_images))) for i in starts]
    return [batch for batch in batches if not done.issuperset(batch)]


def false_regions(
    model: Any,
    images: TrainingSet,
    batches: Sequence[list[int]],
    settings: MiningSettings,
    *,
    num_workers: int = 0,
) -> Iterator[list[tuple[int, list[Row]]]]:
    """Run the detector on some batches.

    It is run as in a test: where its own ``score_thr`` is above that of the settings, so that it
    gives fewer detections than these ask for, a warning says so.

    Args:
        model: detector in evaluation mode.
        images: the training set.
        batches: indices of the images of each batch.
        settings: what counts as a false region.
        num_workers: processes that load images.

    Yields:
        per batch, pairs of an image's index and its false regions, hardest first, boxes rounded
        to 1/1000 pixel and scores to 1e-6.
    """
    warn_of_score_thr(model, settings)
    loader = DataLoader(
        images.dataset,
        batch_sampler=batches,
        num_workers=num_workers,
        collate_fn=pseudo_collate,
    )
    cat_ids = [category["id"] for category in images.categories]
    for batch, data in zip(batches, loader, strict=True):
        with torch.no_grad():
            samples = model.test_step(data)
        results = []
        for index, sample in zip(batch, samples, strict=True):
            found = sample.pred_instances
            corners = found.bboxes.detach().cpu().double().numpy().round(3)
            boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1).round(3)
            scores = found.scores.detach().cpu().double().numpy().round(6)
            labels = found.labels.cpu().tolist()
            truth = images.truths[images.image_ids[index]]
            kept = find_false_regions(boxes, scores, truth.boxes, truth.crowd, settings)
            rows: list[Row] = [
                (*boxes[i].tolist(), cat_ids[labels[i]], float(scores[i])) for i in kept
            ]
            results.append((index, rows))
        yield results


def warn_of_score_thr(model: Any, settings: MiningSettings) -> None:
    """Warn, once, where a detector gives no detections of scores that are to be mined.

    Args:
        model: detector, not wrapped, of one stage or two.
        settings: what counts as a false region.
    """
    test_cfg = getattr(model, "test_cfg", None) or {}
    key = "model.test_cfg.score_thr"
    if test_cfg.get("rcnn"):
        test_cfg, key = test_cfg["rcnn"], "model.test_cfg.rcnn.score_thr"
    least = test_cfg.get("score_thr")
    if least is not None and settings.score_thr < least:
        warn_once(
            "mining-score-thr",
            f"mining with score_thr={settings.score_thr:g} finds no region of a score below "
            f"{least:g}, because {key}={least:g} drops these detections. Set {key}="
            f"{settings.score_thr:g}, or score_thr={least:g}",
        )


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[nn.Module]:
    """Use a model for inference amid its training, leaving no trace.

    Args:
        model: the model, maybe wrapped for several processes.

    Yields:
        the bare model in evaluation mode. Afterwards its mode and the random state of torch are
        what they were.
    """
    bare = without_wrapper(model)
    modes = {module: module.training for module in bare.modules()}
    cuda = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=cuda):
        bare.eval()
        try:
            yield bare
        finally:
            for module, training in modes.items():
                module.training = training


def find_in_all(
    model: nn.Module,
    images: TrainingSet,
    settings: MiningSettings,
    *,
    batch_size: int,
    progress: Callable[[int], None] = lambda number: None,
) -> dict[int, list[Row]]:
    """False regions of the whole set, by all processes together.

    Args:
        model: the detector, maybe wrapped for several processes.
        images: the training set.
        settings: what counts as a false region.
        batch_size: images per batch.
        progress: told the number of images of every finished batch.

    Returns:
        false regions by index of the image; the same on every process.
    """
    rank, world_size = get_dist_info()
    mine = batches_left(len(images.image_ids), batch_size, set())[rank::world_size]
    rows: dict[int, list[Row]] = {}
    with undisturbed(model) as bare:
        for results in false_regions(bare, images, mine, settings):
            rows.update(results)
            progress(len(results))
    gathered: list[dict[int, list[Row]]] = all_gather_object(rows)
    return {index: found for part in gathered for index, found in part.items()}
