"""Mined regions in training: which anchors of a batch lie on them.

Shape shorthand: N images, S anchors per image, R regions of an image.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures.bbox import HorizontalBoxes, bbox_overlaps
from torch import Tensor

from mmthermal.common.checks import check_range
from mmthermal.mining.region_file import Region

MIN_VISIBLE = 0.5
"""Share of a region that must be left after cropping; with less it isn't the same thing."""


class MinedRegions:
    """The regions by image, and what they do to the loss.

    A head with an attribute ``mined_regions`` asks this object in its loss, in the main process:
    data-loader workers know nothing of regions, so that they may change between epochs.

    Args:
        weight: factor on the classification loss of a background anchor on a region of weight 1,
            >= 1; 1 switches this off. For a region of weight u it is 1 + (weight - 1) u.
        mine_first: whether background anchors on regions are mined before all others.
        iou_thr: an anchor lies on a region from this IoU on, in (0, 1].

    Raises:
        TypeError: for a setting of the wrong type.
        ValueError: for a setting out of range.

    Source: paper, section on hard-negative mining, step 4.
    """

    def __init__(
        self, *, weight: float = 2.0, mine_first: bool = False, iou_thr: float = 0.5
    ) -> None:
        check_range("weight", weight, 1)
        check_range("iou_thr", iou_thr, 0, 1, open_low=True)
        if not isinstance(mine_first, bool):
            raise TypeError(f"mine_first={mine_first!r}: True or False is needed")
        self.weight = weight
        self.mine_first = mine_first
        self.iou_thr = iou_thr
        self._boxes: dict[int | str, Tensor] = {}  # (R, 4) corners, in the file's pixels
        self._weights: dict[int | str, Tensor] = {}  # (R,)
        self._batch: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return sum(len(weights) for weights in self._weights.values())

    def replace(self, regions: Iterable[Region]) -> None:
        """Take other regions.

        Args:
            regions: the regions.
        """
        by_image: dict[int | str, list[Region]] = {}
        for region in regions:
            by_image.setdefault(region.image_id, []).append(region)
        self._boxes = {
            image: torch.tensor(
                [[x, y, x + w, y + h] for x, y, w, h in (region.bbox for region in group)],
                dtype=torch.float32,
            )
            for image, group in by_image.items()
        }
        self._weights = {
            image: torch.tensor([region.weight for region in group], dtype=torch.float32)
            for image, group in by_image.items()
        }

    def begin_batch(self, metas: Sequence[Mapping[str, Any]]) -> None:
        """Announce the images of the next batch; the heads themselves do not get them.

        Args:
            metas: meta information of each image of the batch.
        """
        self._batch = tuple(metas)

    def in_image(self, meta: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """The regions of an image as the transforms left it.

        Args:
            meta: meta information with ``img_id``, ``img_shape`` and, where the pipeline moves
                pixels, ``homography_matrix``.

        Returns:
            (R, 4) corners in pixels of the network's input and (R,) weights; regions that were
            cropped away by more than half are left out.
        """
        image = meta["img_id"]
        if image not in self._boxes:
            return torch.zeros(0, 4), torch.zeros(0)
        boxes = HorizontalBoxes(self._boxes[image].clone())
        moved = np.asarray(meta.get("homography_matrix", np.eye(3)), dtype=np.float32)
        with torch.autocast("cpu", enabled=False):  # a product of matrices; bfloat16 has 8 bits
            boxes.project_(moved)
        area = boxes.areas
        boxes.clip_(meta["img_shape"][:2])
        keep = boxes.areas >= MIN_VISIBLE * area
        return boxes.tensor[keep], self._weights[image][keep]

    def strengths(self, priors: Tensor, num_images: int) -> Tensor | None:
        """How strongly each anchor of the announced batch lies on a region.

        Args:
            priors: (S, 4) corners of anchors, the same for every image, or (S, 2) points, which
                lie on a region if they are inside it.
            num_images: images of the batch.

        Returns:
            (N, S), float32: the largest weight of the regions that the anchor lies on, 0 for
            none; None where no image of the batch has a region.

        Raises:
            RuntimeError: if another number of images was announced by :meth:`begin_batch`.
        """
        if not self._boxes:
            return None
        if num_images != len(self._batch):
            raise RuntimeError(
                f"a batch of {num_images} images, but {len(self._batch)} were announced: "
                "HardNegativeMiningHook must be among custom_hooks"
            )
        parts = self._parts([priors] * num_images)
        return None if parts is None else torch.stack(parts)

    def roi_strengths(self, rois: Tensor) -> Tensor | None:
        """How strongly each RoI of the announced batch lies on a region.

        Args:
            rois: (K, 5), image index and corners.

        Returns:
            (K,), float32, as :meth:`strengths`; None where no image has a region.

        Raises:
            RuntimeError: if the RoIs are of more images than were announced.
        """
        if not self._boxes:
            return None
        image_inds = rois[:, 0].long()
        if len(rois) and int(image_inds.max()) >= len(self._batch):
            raise RuntimeError(
                f"RoIs of image {int(image_inds.max())}, but {len(self._batch)} images were "
                "announced: HardNegativeMiningHook must be among custom_hooks"
            )
        masks = [image_inds == image for image in range(len(self._batch))]
        parts = self._parts([rois[mask, 1:] for mask in masks])
        if parts is None:
            return None
        strength = rois.new_zeros(len(rois), dtype=torch.float32)
        for mask, part in zip(masks, parts, strict=True):
            strength[mask] = part
        return strength

    def loss_weights(self, strength: Tensor) -> Tensor:
        """Factors on the classification loss.

        Args:
            strength: any shape, in [0, 1].

        Returns:
            same shape, in [1, ``weight``].
        """
        return 1 + (self.weight - 1) * strength

    def _parts(self, priors: Sequence[Tensor]) -> list[Tensor] | None:
        """Strengths of the priors of each image of the batch; None without any region."""
        found = [self.in_image(meta) for meta in self._batch]
        if not any(len(weights) for _, weights in found):
            return None
        return [
            self._strength(prior, boxes.to(prior.device), weights.to(prior.device))
            for prior, (boxes, weights) in zip(priors, found, strict=True)
        ]

    def _strength(self, priors: Tensor, boxes: Tensor, weights: Tensor) -> Tensor:
        """(S,) largest weight of the regions that each prior lies on."""
        if not len(weights):
            return priors.new_zeros(len(priors), dtype=torch.float32)
        if priors.size(1) == 2:
            inside = (priors[:, None] >= boxes[:, :2]) & (priors[:, None] < boxes[:, 2:])
            on_region = inside.all(2)
        else:
            on_region = bbox_overlaps(priors.float(), boxes) >= self.iou_thr
        return (on_region * weights).amax(1)
