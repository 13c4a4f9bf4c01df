"""The images that are mined, and what is annotated in them."""

import copy
import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch.utils.data import Dataset

from mmthermal.mining.finding import GroundTruth
from mmthermal.mining.region_file import Region, RegionFile


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

    def region_file(self, regions: Sequence[Region], info: Mapping[str, Any]) -> RegionFile:
        """Regions of these images with the records of the images that they lie in.

        Args:
            regions: hardest first.
            info: where they come from.

        Returns:
            what can be written to a file.
        """
        used = {region.image_id for region in regions}
        return RegionFile(
            regions=tuple(regions),
            images=tuple(record for record in self.records if record["id"] in used),
            categories=tuple(self.categories),
            info=info,
        )


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
