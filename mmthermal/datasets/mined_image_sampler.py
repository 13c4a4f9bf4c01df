"""Training images that hold mined hard negatives: draw them more often, follow the transforms."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmdet.registry import DATA_SAMPLERS
from mmengine.dataset import DefaultSampler
from torch import Tensor
from torch.utils.data import Dataset

from mmthermal.common.checks import check_range
from mmthermal.datasets.wrapped import wrapped

_BLIND = (
    "Albu",
    "CachedMixUp",
    "CachedMosaic",
    "CopyPaste",
    "Expand",
    "MinIoURandomCrop",
    "MixUp",
    "Mosaic",
    "RandomCenterCropPad",
    "RandomShift",
    "RandomAffine",
    "YOLOv5RandomAffine",
)
"""mmdet's transforms that move or mix pixels and don't record how."""

META_KEYS = ("img_id", "img_shape", "homography_matrix")


def systematic_draw(weights: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """Draw indices in proportion to weights, with the least variance.

    Index i comes either the floor or the ceiling of its expected count
    ``number * weights[i] / sum``; equal weights give each index once where ``number`` is their
    count.

    Args:
        weights: (M,), >= 0, not all 0.
        number: how many to draw.
        generator: of the random numbers.

    Returns:
        (number,), long, in random order.
    """
    ends = weights.double().cumsum(0)
    points = torch.arange(number, dtype=torch.float64)
    points = (points + torch.rand((), generator=generator, dtype=torch.float64)) / number
    inds = torch.searchsorted(ends, points * ends[-1], right=True).clamp_(max=len(weights) - 1)
    return inds[torch.randperm(number, generator=generator)]


@DATA_SAMPLERS.register_module()
class MinedImageSampler(DefaultSampler):
    r"""``DefaultSampler`` that draws images with many mined regions more often.

    The weight of an image is :math:`1 + b \min(s, c)`, with s the sum of the weights of its
    regions. An epoch has as many images as before; those without regions make room. It needs
    ``HardNegativeMiningHook``, which tells it the sums; before that, and without any regions, it
    is ``DefaultSampler``, bit by bit.

    Args:
        dataset: given by mmengine.
        boost: b, >= 0; 0 switches this off.
        cap: c, > 0.
        shuffle: must stay True.
        seed: given by mmengine.
        round_up: as ``DefaultSampler``.

    Raises:
        TypeError: for a setting of the wrong type, or one that does not exist.
        ValueError: for a setting out of range.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        boost: float = 0.5,
        cap: float = 4.0,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        check_range("boost", boost, 0)
        check_range("cap", cap, 0, open_low=True)
        if not shuffle:
            raise ValueError("shuffle=False: images drawn several times must be shuffled")
        super().__init__(dataset, shuffle=shuffle, seed=seed, round_up=round_up)
        self.boost = boost
        self.cap = cap
        self._weights: Tensor | None = None

    def set_regions(self, sums: Sequence[float]) -> None:
        """Take the sums of the regions' weights of the images.

        Args:
            sums: one number, >= 0, per image of the data set.

        Raises:
            ValueError: for another number of images.
        """
        if len(sums) != len(self.dataset):
            raise ValueError(f"{len(sums)} sums for {len(self.dataset)} images")
        weights = 1 + self.boost * torch.as_tensor(sums, dtype=torch.float64).clamp(max=self.cap)
        self._weights = None if bool((weights == weights[0]).all()) else weights

    def __iter__(self) -> Iterator[int]:
        """Indices of this process for one epoch."""
        if self._weights is None:
            return super().__iter__()
        generator = torch.Generator()
        generator.manual_seed(self.seed + self.epoch)
        number = self.total_size if self.round_up else len(self.dataset)
        indices = systematic_draw(self._weights, number, generator).tolist()
        return iter(indices[self.rank : self.total_size : self.world_size])


def pack_geometry(dataset: Any) -> None:
    """Make a training data set tell, with each sample, how its pixels have moved.

    The geometric transforms of mmdet record a ``homography_matrix``; here it enters the meta
    information that ``PackDetInputs`` keeps. Call it before the data loader's workers start.

    Args:
        dataset: mmdet data set or wrapper with a pipeline; it is changed.

    Raises:
        ValueError: if a transform moves pixels without a record, or nothing packs the samples.
    """
    for transforms in _pipelines(dataset):
        packers = 0
        for transform in _flat(transforms):
            name = type(transform).__name__
            if name in _BLIND:
                raise ValueError(
                    f"the training pipeline has {name}, which doesn't record where pixels go, so "
                    "that mined regions can't follow. Use Resize, RandomFlip, RandomCrop, or "
                    "ShearX, Rotate, TranslateX and the like"
                )
            if name == "PackDetInputs":
                packers += 1
                missing = [key for key in META_KEYS if key not in transform.meta_keys]
                transform.meta_keys = (*transform.meta_keys, *missing)
        if not packers:
            raise ValueError("the training pipeline has no PackDetInputs: mined regions need it")


def region_sums(dataset: Any, weights: Mapping[int | str, float]) -> list[float]:
    """Sum of the weights of the regions of each sample of a data set.

    Args:
        dataset: mmdet data set or wrapper with ``get_data_info``.
        weights: sums by image id; images that it lacks have none.

    Returns:
        one number per sample.
    """
    return [
        float(weights.get(dataset.get_data_info(i)["img_id"], 0.0)) for i in range(len(dataset))
    ]


def _pipelines(dataset: Any) -> Iterator[list[Any]]:
    """Pipelines of a data set and of those that it wraps."""
    if isinstance(getattr(dataset, "pipeline", None), (list, tuple)):  # MultiImageMixDataset
        raise ValueError(
            f"{type(dataset).__name__} mixes images, so that mined regions can't follow"
        )
    inner = wrapped(dataset)
    if not inner:
        yield list(dataset.pipeline.transforms)
        return
    for part in inner:
        yield from _pipelines(part)


def _flat(transforms: Sequence[Any]) -> Iterator[Any]:
    """Transforms, and those within RandomApply, RandomChoice and other wrappers."""
    for transform in transforms:
        yield transform
        inner = getattr(transform, "transforms", None)
        if inner is not None:
            for part in inner:
                yield from _flat(getattr(part, "transforms", None) or [part])
