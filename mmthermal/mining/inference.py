"""A detector on its own training set: false regions of every image, on any number of processes."""

import copy
import os.path as osp
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.model import is_model_wrapper
from mmengine.registry import init_default_scope
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmthermal.mining.finding import (
    MiningSettings,
    find_false_regions,
    keep_hardest,
    negative_loss,
)
from mmthermal.mining.partial import Row
from mmthermal.mining.region_file import Region
from mmthermal.mining.rounds import GroundTruth


@dataclass(frozen=True)
class TrainingSet:
    """The images that are mined, without augmentation, and what is annotated in them.

    Attributes:
        dataset: mmdet data set with the pipeline of the tests.
        image_ids: id of each image, in the order of the data set.
        records: COCO image record of each image.
        truths: what is annotated, by image id.
        paths: image file, by image id.
        categories: COCO category records; the position is the label.
    """

    dataset: Dataset
    image_ids: list[int | str]
    records: list[dict[str, Any]]
    truths: dict[int | str, GroundTruth]
    paths: dict[int | str, str]
    categories: list[dict[str, Any]]

    @property
    def num_objects(self) -> int:
        """Ground truths without the crowd regions."""
        return sum(int((~truth.crowd).sum()) for truth in self.truths.values())

    @property
    def num_images(self) -> int:
        """Images with at least one object."""
        return sum(bool((~truth.crowd).any()) for truth in self.truths.values())


def training_set(cfg: Config) -> TrainingSet:
    """Open the training images of a config as its tests would.

    Args:
        cfg: config with ``train_dataloader`` and ``test_dataloader``.

    Returns:
        every image of the training set once, without those that training filters out.

    Raises:
        ValueError: if two images have one id, or the config lacks a data set.
    """
    init_default_scope(cfg.get("default_scope", "mmdet"))
    try:
        train = copy.deepcopy(cfg.train_dataloader.dataset)
        test = cfg.test_dataloader.dataset
        while "pipeline" not in test:
            test = test["dataset"] if "dataset" in test else test["datasets"][0]
        pipeline = copy.deepcopy(test["pipeline"])
    except (AttributeError, KeyError) as error:
        raise ValueError(f"the config lacks a training or a test data set: {error}") from None
    return describe(DATASETS.build(as_in_test(train, pipeline)))


def as_in_test(dataset: ConfigDict, pipeline: Sequence[Mapping[str, Any]]) -> ConfigDict:
    """A data set's config with the pipeline of the tests and without wrappers that repeat images.

    Args:
        dataset: config of a data set; wrappers of one data set are taken off.
        pipeline: the pipeline.

    Returns:
        the config.
    """
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    if "datasets" in dataset:
        inner = [as_in_test(part, pipeline) for part in dataset["datasets"]]
        return ConfigDict(dict(dataset, datasets=inner))
    return ConfigDict(dict(dataset, pipeline=pipeline))


def describe(dataset: Any) -> TrainingSet:
    """Collect ids, sizes and annotations of an mmdet data set.

    Args:
        dataset: the data set, or mmengine's wrapper of several.

    Returns:
        the same with its contents listed.

    Raises:
        ValueError: if two images have one id.
    """
    image_ids: list[int | str] = []
    records: list[dict[str, Any]] = []
    truths: dict[int | str, GroundTruth] = {}
    paths: dict[int | str, str] = {}
    base = dataset
    while not hasattr(base, "cat_ids") and (hasattr(base, "dataset") or hasattr(base, "datasets")):
        base = base.dataset if hasattr(base, "dataset") else base.datasets[0]
    folder = getattr(base, "data_prefix", {}).get("img") or ""
    for ind in range(len(dataset)):
        info = dataset.get_data_info(ind)
        image = info["img_id"]
        if image in truths:
            raise ValueError(
                f"two images of the training set have the id {image!r} ({paths[image]} and "
                f"{info['img_path']}): regions are kept by id, number the images through"
            )
        image_ids.append(image)
        name = osp.relpath(info["img_path"], folder) if folder else info["img_path"]
        records.append(dict(id=image, file_name=name, width=info["width"], height=info["height"]))
        paths[image] = info["img_path"]
        truths[image] = ground_truth(info)
    names = dataset.metainfo["classes"]
    cat_ids = getattr(base, "cat_ids", None) or range(1, len(names) + 1)
    categories = [dict(id=i, name=name) for i, name in zip(cat_ids, names, strict=True)]
    return TrainingSet(dataset, image_ids, records, truths, paths, categories)


def truths_of(dataset: Any) -> dict[int | str, GroundTruth]:
    """What is annotated in the images of an mmdet data set, whose samples may come repeatedly.

    Args:
        dataset: the data set or a wrapper.

    Returns:
        the annotations by image id.

    Raises:
        ValueError: if two different images have one id.
    """
    truths: dict[int | str, GroundTruth] = {}
    paths: dict[int | str, str] = {}
    for ind in range(len(dataset)):
        info = dataset.get_data_info(ind)
        image, path = info["img_id"], info["img_path"]
        if paths.setdefault(image, path) != path:
            raise ValueError(
                f"{paths[image]} and {path} of the training set have one id, {image!r}: mined "
                "regions are kept by id, number the images through"
            )
        truths[image] = ground_truth(info)
    return truths


def ground_truth(info: Mapping[str, Any]) -> GroundTruth:
    """The annotated boxes of an image.

    Args:
        info: what mmdet's ``get_data_info`` gives, with corners in ``instances``.

    Returns:
        the boxes.
    """
    instances = info.get("instances", [])
    corners = np.array([instance["bbox"] for instance in instances], dtype=np.float64)
    corners = corners.reshape(-1, 4)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    crowd = np.array([bool(i.get("ignore_flag", 0)) for i in instances], dtype=bool)
    return GroundTruth(boxes, crowd)


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


def rank_rows(
    rows: Mapping[int, Sequence[Row]],
    images: TrainingSet,
    settings: MiningSettings,
    *,
    round_number: int,
) -> list[Region]:
    """The k hardest regions of the data set.

    Args:
        rows: false regions by index of the image.
        images: the training set.
        settings: how many are kept, and the loss.
        round_number: goes into the regions.

    Returns:
        the regions, hardest first.
    """
    flat = [(index, row) for index in sorted(rows) for row in rows[index]]
    scores = np.array([row[5] for _, row in flat], dtype=np.float64)
    losses = negative_loss(scores, alpha=settings.alpha, gamma=settings.gamma)
    regions = [
        Region(
            image_id=images.image_ids[index],
            bbox=(row[0], row[1], row[2], row[3]),
            category_id=row[4],
            score=row[5],
            loss=float(f"{loss:.6g}"),
            round=round_number,
            first_round=round_number,
        )
        for (index, row), loss in zip(flat, losses.tolist(), strict=True)
    ]
    return keep_hardest(
        regions,
        num_objects=images.num_objects,
        num_images=images.num_images,
        settings=settings,
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
    bare: Any = model.module if is_model_wrapper(model) else model
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
