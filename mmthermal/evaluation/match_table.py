"""COCO's matching for many subsets of the ground truths at once.

Shapes: I images, C classes, G ground truths, D detections, S subsets, T IoU thresholds, P pairs of
a detection and a ground truth. Subsets keep COCO's semantics: ground truths outside are ignored,
a detection takes an ignored one only if no other is left, and then it is neither hit nor error;
unmatched detections are errors in every subset.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools.coco import COCO

from mmthermal.common.boxes import Floats
from mmthermal.common.checks import check_count
from mmthermal.evaluation.coco_columns import (
    chosen_ids,
    detection_columns,
    ground_truth_columns,
    keep_best,
    load_ground_truth,
    load_results,
    read_results,
)
from mmthermal.evaluation.greedy import LARGEST_THR, MISSED, Ints, find_pairs, match_greedily
from mmthermal.evaluation.numbered_ids import number_ids
from mmthermal.evaluation.subsets import DEFAULT_SUBSETS, Subset, check_subsets

IOU_THRS = np.linspace(0.5, 0.95, 10)
ERROR, HIT, IGNORED = 0, 1, 2
"""States of a detection."""
Cell: TypeAlias = tuple[int, int, int]
"""Indices of a subset, a class and a threshold."""


@dataclass(frozen=True)
class ClassCurve:
    """Where the hits and the ignored detections of a class stand in its list by falling score.

    Args:
        hits: places of the hits, rising.
        ignored: places of the ignored detections, rising.
        ignored_before_hit: for each hit, how many ignored ones stand before it.
    """

    hits: Ints
    ignored: Ints
    ignored_before_hit: Ints


class MatchTable:
    """The matching of one set of detections with one ground truth, kept for cheap questions.

    Build it with :meth:`from_coco` or :meth:`from_arrays` and pass it to the functions of this
    package, such as ``average_precision(table, 'overlapped')``. Averages over classes leave out
    the classes without ground truth in the subset, as in COCO; -1 stands for "nothing to measure".

    Args:
        gts: columns of the ground truths, as ``coco_columns.ground_truth_columns`` gives them.
        dets: columns of the detections: ``img``, ``cat``, ``box`` (D, 4), ``score``, in file
            order.
        img_ids: ids of the images, rising.
        cat_ids: ids of the classes, rising.
        class_names: their names.
        subsets: the subsets to match; 'all' is put in front if it is missing.
        iou_thrs: (T,) rising thresholds in (0, 1].
        max_dets: detections kept per image and class, the best-scored ones.

    Attributes:
        gts: the columns of the ground truths.
        gt_ignore: (S, G) which ground truths a subset ignores.
        dets: the columns of the detections kept, by class, then by falling score, with ``rank``,
            the place within image and class.
        det_groups: (D,) number of the image and class of each detection.
        pairs: the pairs of a row of ``dets`` (first) and a row of ``gts`` (second) that overlap
            enough at the smallest threshold.
        paired: (M,) the rows of ``dets`` that have a pair, rising.
        taken: (M, S, T) the row of ``gts`` that each of them took, or ``MISSED``.

    Raises:
        ValueError: for bad subsets, thresholds or ``max_dets``.
    """

    def __init__(
        self,
        gts: Mapping[str, NDArray[Any]],
        dets: Mapping[str, NDArray[Any]],
        *,
        img_ids: Sequence[int],
        cat_ids: Sequence[int],
        class_names: Sequence[str],
        subsets: Iterable[Subset] = DEFAULT_SUBSETS,
        iou_thrs: ArrayLike = IOU_THRS,
        max_dets: int = 100,
    ) -> None:
        self.img_ids, self.cat_ids = list(img_ids), list(cat_ids)
        self.class_names = list(class_names)
        self.subsets = check_subsets(subsets)
        self.iou_thrs = _check_thrs(iou_thrs)
        check_count("max_dets", max_dets, 1)
        self.max_dets = max_dets
        self._subset_inds = {subset.name: i for i, subset in enumerate(self.subsets)}

        num_classes = len(self.cat_ids)
        self.gts = dict(gts)
        outside = [~subset.select(self.gts[subset.key or "area"]) for subset in self.subsets]
        self.gt_ignore = np.stack([self.gts["crowd"] | mask for mask in outside])
        self.dets = keep_best(dets, num_classes=num_classes, max_dets=self.max_dets)
        # Detections of class k are rows bounds[k]:bounds[k + 1], best score first.
        self._bounds = np.searchsorted(self.dets["cat"], np.arange(num_classes + 1))
        self._by_score = np.argsort(-self.dets["score"], kind="stable")
        self.det_groups = self.dets["img"] * num_classes + self.dets["cat"]
        self.pairs = find_pairs(
            self.dets["box"],
            self.det_groups,
            self.gts["box"],
            self.gts["img"] * num_classes + self.gts["cat"],
            self.gts["crowd"],
            min_iou=float(min(self.iou_thrs.min(), LARGEST_THR)),
        )
        self.paired, self.taken = match_greedily(
            self.pairs, self.det_groups, self.gt_ignore, self.gts["crowd"], self.iou_thrs
        )
        self._curves: dict[tuple[Cell, int], ClassCurve] = {}
        self._gts_by_image: dict[tuple[int, int], Floats] = {}

    @classmethod
    def from_coco(
        cls,
        coco_gt: COCO | str | PathLike[str],
        detections: Sequence[Mapping[str, Any]] | str | PathLike[str],
        **settings: Any,
    ) -> "MatchTable":
        """Match detections in COCO's results format.

        Args:
            coco_gt: the ground truth, loaded or as the path of a COCO annotation file. Ids of it
                that are texts stand as numbers in the table, see
                :func:`~mmthermal.evaluation.numbered_ids.number_ids`.
            detections: dicts with ``image_id``, ``category_id``, ``bbox`` (x, y, width, height)
                and ``score``, or the path of a JSON file of them.
            **settings: ``subsets``, ``iou_thrs``, ``max_dets``, ``cat_ids`` and ``img_ids``, see
                :meth:`from_arrays`.

        Returns:
            The table.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if a file is not in COCO's format, and as in :meth:`from_arrays`.
        """
        numbered = number_ids(load_ground_truth(coco_gt))
        for key, numbers in (
            ("img_ids", numbered.image_numbers),
            ("cat_ids", numbered.category_numbers),
        ):
            if settings.get(key) is not None:
                settings[key] = numbers(settings[key])
        found = numbered.results(load_results(detections))
        return cls.from_arrays(numbered.coco, *read_results(found), **settings)

    @classmethod
    def from_arrays(
        cls,
        coco_gt: COCO | str | PathLike[str],
        image_ids: Ints,
        category_ids: Ints,
        boxes: Floats,
        scores: Floats,
        *,
        subsets: Iterable[Subset] = DEFAULT_SUBSETS,
        iou_thrs: ArrayLike = IOU_THRS,
        max_dets: int = 100,
        cat_ids: Sequence[int] | None = None,
        img_ids: Sequence[int] | None = None,
    ) -> "MatchTable":
        """Match detections that come as columns.

        Args:
            coco_gt: the ground truth, loaded or as the path of a COCO annotation file.
            image_ids: (D,) image id of each detection.
            category_ids: (D,) category id.
            boxes: (D, 4) x, y, width, height.
            scores: (D,) scores.
            subsets: the subsets to match.
            iou_thrs: (T,) thresholds in (0, 1].
            max_dets: detections kept per image and class.
            cat_ids: the classes to evaluate; all of the file if None.
            img_ids: the images to evaluate; all of the file if None.

        Returns:
            The table.

        Raises:
            ValueError: if a detection names an image or a category that the file lacks, a box or
                a score is not finite, a requested id is unknown, or for bad settings.
        """
        coco = load_ground_truth(coco_gt)
        imgs = chosen_ids("img_ids", img_ids, coco.getImgIds(), "image")
        cats = chosen_ids("cat_ids", cat_ids, coco.getCatIds(), "category")
        return cls(
            ground_truth_columns(coco, imgs, cats),
            detection_columns(
                coco, image_ids, category_ids, boxes, scores, img_ids=imgs, cat_ids=cats
            ),
            img_ids=imgs.tolist(),
            cat_ids=cats.tolist(),
            class_names=[coco.cats[cat]["name"] for cat in cats.tolist()],
            subsets=subsets,
            iou_thrs=iou_thrs,
            max_dets=max_dets,
        )

    def num_gts(self, subset: str = "all", *, cat_id: int | None = None) -> int:
        """Count the ground truths of a subset, crowds left out."""
        mask = ~self.gt_ignore[self.subset_ind(subset)]
        if cat_id is not None:
            mask = mask & (self.gts["cat"] == self.cat_ind(cat_id))
        return int(mask.sum())

    def taken_gts(self, subset: str = "all", *, iou_thr: float = 0.5) -> Ints:
        """Say which ground truth each detection is matched with.

        Args:
            subset: the subset's name; ``gt_ignore`` tells which ground truths it ignores.
            iou_thr: one of the thresholds.

        Returns:
            (D,) row of ``gts`` for each row of ``dets``, or ``MISSED`` (-1).
        """
        taken = np.full(len(self.dets["score"]), MISSED, dtype=np.int64)
        taken[self.paired] = self.taken[:, self.subset_ind(subset), self.thr_ind(iou_thr)]
        return taken

    # ------------------------------------------------------------------ indices

    def subset_ind(self, name: str) -> int:
        """Index of a subset by its name."""
        if name not in self._subset_inds:
            raise ValueError(
                f"subset={name!r}: this table has {', '.join(map(repr, self._subset_inds))}"
            )
        return self._subset_inds[name]

    def cat_ind(self, cat_id: int) -> int:
        """Index of a class by its id."""
        if cat_id not in self.cat_ids:
            raise ValueError(f"cat_id={cat_id!r}: this table has {self.cat_ids}")
        return self.cat_ids.index(cat_id)

    def has_thr(self, iou_thr: float) -> bool:
        """Whether a threshold is one of the table's."""
        return bool(np.isclose(self.iou_thrs, iou_thr).any())

    def thr_ind(self, iou_thr: float) -> int:
        """Index of a threshold."""
        if not self.has_thr(iou_thr):
            raise ValueError(f"iou_thr={iou_thr!r}: this table has {self.iou_thrs.tolist()}")
        return int(np.flatnonzero(np.isclose(self.iou_thrs, iou_thr))[0])

    def cells(self, subset: str, iou_thr: float | None, cat_id: int | None) -> list[Cell]:
        """Cells that a question is about: all thresholds, all classes where they are None."""
        thrs = range(len(self.iou_thrs)) if iou_thr is None else [self.thr_ind(iou_thr)]
        cats = range(len(self.cat_ids)) if cat_id is None else [self.cat_ind(cat_id)]
        s = self.subset_ind(subset)
        return [(s, k, t) for k in cats for t in thrs]

    def rows_by_score(self, *, cat_id: int | None = None, score_thr: float | None = None) -> Ints:
        """Rows of ``dets`` of one class or all, of at least a score, best score first."""
        if cat_id is None:
            rows = self._by_score
        else:
            rows = np.arange(*self._bounds[self.cat_ind(cat_id) :][:2])
        return rows if score_thr is None else rows[self.dets["score"][rows] >= score_thr]

    # ------------------------------------------------------------------ resamples of the images

    def image_weights(self, image_counts: ArrayLike | None) -> Floats | None:
        """Check how often each image of a resample occurs: (I,) counts of at least 0, or None."""
        if image_counts is None:
            return None
        weights = np.asarray(image_counts, dtype=np.float64)
        if weights.shape != (len(self.img_ids),) or not (weights >= 0).all():
            raise ValueError(
                f"image_counts has shape {weights.shape}: {len(self.img_ids)} counts of at least "
                "0 are needed, one for each of img_ids"
            )
        return weights

    def class_weights(self, k: int, weights: Floats | None) -> Floats:
        """(detections of class k,) how often each occurs in a resample, by falling score."""
        images = self.dets["img"][self._bounds[k] : self._bounds[k + 1]]
        return np.ones(len(images)) if weights is None else weights[images]

    def weighted_gts(self, cell: Cell, weights: Floats | None) -> float:
        """Number of ground truths of a cell's subset and class in a resample; kept by image."""
        s, k, _ = cell
        if (s, k) not in self._gts_by_image:
            mask = ~self.gt_ignore[s] & (self.gts["cat"] == k)
            self._gts_by_image[s, k] = np.bincount(
                self.gts["img"][mask], minlength=len(self.img_ids)
            ).astype(np.float64)
        counts = self._gts_by_image[s, k]
        return float(counts.sum() if weights is None else counts @ weights)

    # ------------------------------------------------------------------ states of the detections

    def states(self, cell: Cell) -> NDArray[np.int8]:
        """(detections of the class,) ``ERROR``, ``HIT`` or ``IGNORED``, by falling score."""
        s, k, t = cell
        low, high = self._bounds[k], self._bounds[k + 1]
        begin, end = np.searchsorted(self.paired, (low, high))
        taken = self.taken[begin:end, s, t]
        state = np.full(high - low, ERROR, dtype=np.int8)
        subset = self.subsets[s]
        if subset.key == "area":
            box = self.dets["box"][low:high]
            state[~subset.select(box[:, 2] * box[:, 3])] = IGNORED
        matched = np.flatnonzero(taken != MISSED)
        ignored = self.gt_ignore[s][taken[matched]]
        state[self.paired[begin:end][matched] - low] = np.where(ignored, IGNORED, HIT)
        return state

    def class_curve(self, cell: Cell, max_dets: int | None = None) -> ClassCurve:
        """Places of hits and ignored detections in a cell; computed once and kept.

        Args:
            cell: subset, class and threshold.
            max_dets: look at fewer detections per image and class than the table has.
        """
        limit = self.max_dets if max_dets is None else min(max_dets, self.max_dets)
        if (cell, limit) not in self._curves:
            state = self.states(cell)
            if limit < self.max_dets:
                rows = slice(self._bounds[cell[1]], self._bounds[cell[1] + 1])
                state[self.dets["rank"][rows] >= limit] = IGNORED  # as if they were not there
            hits, ignored = np.flatnonzero(state == HIT), np.flatnonzero(state == IGNORED)
            curve = ClassCurve(hits, ignored, np.searchsorted(ignored, hits))
            self._curves[cell, limit] = curve
        return self._curves[cell, limit]


def _check_thrs(iou_thrs: ArrayLike) -> Floats:
    """Return the thresholds as an array (T,), or a number as one of one element."""
    thrs: Floats = np.atleast_1d(np.asarray(iou_thrs, dtype=np.float64))
    if thrs.ndim != 1 or not thrs.size:
        raise ValueError(f"iou_thrs={iou_thrs!r}: a list of numbers in (0, 1] is needed")
    if not ((thrs > 0) & (thrs <= 1)).all():
        raise ValueError(f"iou_thrs={iou_thrs!r}: every threshold must lie in (0, 1]")
    return thrs
