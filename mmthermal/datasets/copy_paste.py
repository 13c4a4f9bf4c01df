"""Overlap copy-paste: copies of an image's own objects before or behind others."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes, autocast_box_type, bbox_overlaps
from numpy.typing import NDArray

from mmthermal.common.checks import check_choice, check_count, check_range
from mmthermal.datasets.object_masks import Mask, object_mask, visible_box

_TRIES = 20
Boxes = NDArray[np.float32]


@dataclass
class _Object:
    """An object of the image while copies are added.

    Attributes:
        box: (4,) corners, of the whole object.
        label: class.
        ignored: whether it is left out of training.
        whole: (H, W), its pixels; those of its box where no mask was found.
        visible: (H, W), those that no copy hides.
        has_mask: whether ``whole`` is its shape.
    """

    box: Boxes
    label: int
    ignored: bool
    whole: Mask
    visible: Mask
    has_mask: bool


@TRANSFORMS.register_module()
class OverlapCopyPaste(BaseTransform):
    """Copy objects of the image over others of it, so that they overlap as real ones do.

    Level, gain, blur and noise of copy and scene agree, since both are of one image. A copy is
    cut out by a mask (:func:`~mmthermal.datasets.object_masks.object_mask`), may be mirrored and
    scaled, and covers another object at an IoU of the boxes within ``iou``, in front of it or, if
    that one's mask is known, behind it. Objects that overlap others, touch the border, are ignored
    or whose mask does not fill their box are not copied.

    Afterwards the box of a partly hidden object is that of what is visible of it; an object of
    which more than ``max_covered`` is hidden becomes ignored, or is left out.

    Required keys: ``img``, ``gt_bboxes``, ``gt_bboxes_labels``, ``gt_ignore_flags``, which change.
    It belongs behind ``LoadAnnotations`` and before what changes scale or place.

    Args:
        prob: share of the images, in [0, 1].
        max_copies: of an image, >= 1; their number is uniform between 1 and this.
        iou: smallest and largest IoU of a copy with the object that it is put to, in (0, 1); with
            no object is it larger.
        scale: smallest and largest factor of a copy's size, > 0.
        max_covered: share of an object's pixels, in (0, 1), that may be hidden.
        covered: ``'ignore'`` or ``'drop'``: what becomes of objects beyond it.
        min_fill: as :func:`~mmthermal.datasets.object_masks.object_mask`.

    Raises:
        TypeError: if a setting is of the wrong type.
        ValueError: if one is out of range.
    """

    def __init__(
        self,
        *,
        prob: float = 0.3,
        max_copies: int = 1,
        iou: tuple[float, float] = (0.05, 0.4),
        scale: tuple[float, float] = (0.85, 1.15),
        max_covered: float = 0.7,
        covered: str = "ignore",
        min_fill: float = 0.7,
    ) -> None:
        check_range("prob", prob, 0, 1)
        check_count("max_copies", max_copies, 1)
        check_range("iou", iou[0], 0, 1, open_low=True)
        check_range("iou", iou[1], iou[0], 1, open_high=True)
        check_range("scale", scale[0], 0, open_low=True)
        check_range("scale", scale[1], scale[0])
        check_range("max_covered", max_covered, 0, 1, open_low=True, open_high=True)
        check_choice("covered", covered, ("ignore", "drop"))
        check_range("min_fill", min_fill, 0, 1)
        self.prob, self.max_copies, self.iou, self.scale = prob, max_copies, iou, scale
        self.max_covered, self.covered, self.min_fill = max_covered, covered, min_fill

    @autocast_box_type()
    def transform(self, results: dict) -> dict:
        """Add copies to ``results``.

        Args:
            results: the sample.

        Returns:
            the sample.

        Raises:
            ValueError: if the sample has masks, which this does not keep right.
        """
        if "gt_masks" in results:
            raise ValueError("OverlapCopyPaste keeps boxes right, no masks: load with_mask=False")
        if np.random.uniform() >= self.prob or not len(results["gt_bboxes"]):
            return results
        image = np.array(results["img"], np.float32)  # a copy
        objects = self._objects(image, results)
        sources = [item for item in objects if self._can_be_copied(item, objects)]
        targets = [item for item in objects if not item.ignored]
        if not sources:
            return results
        for _ in range(np.random.randint(1, self.max_copies + 1)):
            source = sources[np.random.randint(len(sources))]
            target = targets[np.random.randint(len(targets))]
            self._copy(image, objects, source, target, np.asarray(results["img"], np.float32))
        results["img"] = image
        self._write(objects, results)
        return results

    def _objects(self, image: NDArray[np.float32], results: dict) -> list[_Object]:
        """The image's objects, with masks where they can be found."""
        plane = image if image.ndim == 2 else image[..., 0]
        objects = []
        boxes = results["gt_bboxes"].tensor.numpy().astype(np.float32)
        flags = results["gt_ignore_flags"]
        for box, label, ignored in zip(boxes, results["gt_bboxes_labels"], flags, strict=True):
            mask = None if ignored else object_mask(plane, box, min_fill=self.min_fill)
            whole = _box_mask(plane.shape, box) if mask is None else mask
            objects.append(
                _Object(box, int(label), bool(ignored), whole, whole.copy(), mask is not None)
            )
        return objects

    def _can_be_copied(self, item: _Object, objects: list[_Object]) -> bool:
        """Whether an object is whole: alone in its box and away from the border."""
        height, width = item.whole.shape
        x0, y0, x1, y1 = item.box
        if not item.has_mask or min(x0, y0) <= 0 or x1 >= width or y1 >= height:
            return False
        others = np.array([other.box for other in objects if other is not item])
        return not len(others) or float(_iou(item.box, others).max()) == 0

    def _copy(
        self,
        image: NDArray[np.float32],
        objects: list[_Object],
        source: _Object,
        target: _Object,
        original: NDArray[np.float32],
    ) -> None:
        """Put a copy of one object before or behind another; image and objects are changed."""
        x0, y0, x1, y1 = (*np.floor(source.box[:2]), *np.ceil(source.box[2:]))
        cut = np.s_[int(y0) : int(y1), int(x0) : int(x1)]
        factor = np.random.uniform(*self.scale)
        size = max(round((x1 - x0) * factor), 1), max(round((y1 - y0) * factor), 1)
        patch = cv2.resize(original[cut], size, interpolation=cv2.INTER_LINEAR)
        shape = cv2.resize(source.whole[cut].astype(np.float32), size) > 0.5
        box = (source.box - (x0, y0, x0, y0)) * np.tile(size / np.array([x1 - x0, y1 - y0]), 2)
        if np.random.uniform() < 0.5:
            patch, shape = patch[:, ::-1], shape[:, ::-1]
            box[[0, 2]] = size[0] - box[[2, 0]]
        place = self._place(size, target, objects, image.shape[:2])
        behind = target.has_mask and np.random.uniform() < 0.5
        if place is None or not shape.any():
            return
        area = np.s_[place[1] : place[1] + size[1], place[0] : place[0] + size[0]]
        whole = np.zeros(image.shape[:2], bool)
        whole[area] = shape
        visible = whole & ~target.whole if behind else whole.copy()
        # the optics mix the outermost pixels of an object with what is behind it
        alpha = cv2.GaussianBlur(visible.astype(np.float32), (3, 3), 0) * visible
        share = alpha[area] if image.ndim == 2 else alpha[area][..., None]
        image[area] += share * (patch.reshape(image[area].shape) - image[area])
        for item in objects:
            if not (behind and item is target):
                item.visible &= ~visible
        box = (box + np.tile(place, 2)).astype(np.float32)
        objects.append(_Object(box, source.label, False, whole, visible, True))

    def _place(
        self, size: tuple[int, int], target: _Object, objects: list[_Object], shape: tuple[int, ...]
    ) -> tuple[int, int] | None:
        """Left upper corner of a copy at a wanted IoU; None if none of several tries has it."""
        low = np.ceil(target.box[:2] - size).astype(int)
        high = np.floor(target.box[2:]).astype(int)
        boxes = np.array([item.box for item in objects if not item.ignored])
        to_target = next(
            i for i, item in enumerate(o for o in objects if not o.ignored) if item is target
        )
        for _ in range(_TRIES):
            x, y = np.random.randint(low[0], high[0] + 1), np.random.randint(low[1], high[1] + 1)
            if x < 0 or y < 0 or x + size[0] > shape[1] or y + size[1] > shape[0]:
                continue
            overlap = _iou(np.array([x, y, x + size[0], y + size[1]], np.float32), boxes)
            if overlap[to_target] >= self.iou[0] and overlap.max() <= self.iou[1]:
                return int(x), int(y)
        return None

    def _write(self, objects: list[_Object], results: dict) -> None:
        """Boxes, labels and flags of the objects, of what is visible of them."""
        kept, boxes = [], []
        for item in objects:
            total = item.whole.sum()
            share = item.visible.sum() / total if total else 1.0
            hidden = 1 - share > self.max_covered
            if hidden and not item.ignored and self.covered == "drop":
                continue
            changed = share < 1 and not hidden and not item.ignored
            boxes.append(visible_box(item.box, item.whole, item.visible) if changed else item.box)
            kept.append((item.label, item.ignored or hidden))
        tensor = torch.from_numpy(np.array(boxes, np.float32).reshape(-1, 4))
        results["gt_bboxes"] = HorizontalBoxes(tensor)
        results["gt_bboxes_labels"] = np.array([label for label, _ in kept], np.int64)
        results["gt_ignore_flags"] = np.array([flag for _, flag in kept], bool)

    def __repr__(self) -> str:
        """Name and settings."""
        settings = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


def _box_mask(shape: tuple[int, ...], box: Boxes) -> Mask:
    """The pixels of a box; at least one where it reaches into the image."""
    mask = np.zeros(shape, bool)
    x0, y0 = np.floor(box[:2]).astype(int).clip(0)
    x1, y1 = np.ceil(box[2:]).astype(int).clip(0)
    mask[y0:y1, x0:x1] = True
    return mask


def _iou(box: Boxes, boxes: Boxes) -> NDArray[np.float32]:
    """IoU of one box with others, by mmdet's own."""
    overlaps = bbox_overlaps(torch.from_numpy(box[None]), torch.from_numpy(boxes))
    return overlaps[0].numpy()
