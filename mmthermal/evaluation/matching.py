"""COCO's matching for many subsets of the ground truths at once, and what follows from it.

Shapes: I images, C classes, G ground truths, D detections, S subsets, T IoU thresholds, P pairs of
a detection and a ground truth. Subsets keep COCO's semantics: ground truths outside are ignored,
a detection takes an ignored one only if no other is left, and then it is neither hit nor error;
unmatched detections are errors in every subset.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools.coco import COCO

from mmthermal.common.boxes import Bools, Floats
from mmthermal.evaluation.coco_columns import (
    chosen_ids,
    ground_truth_columns,
    load_ground_truth,
    read_results,
)
from mmthermal.evaluation.greedy import MISSED, Ints, Pairs, find_pairs, match_greedily
from mmthermal.evaluation.overlap import DEFAULT_SUBSETS, Subset, check_subsets

IOU_THRS = np.linspace(0.5, 0.95, 10)
RECALL_GRID = np.linspace(0.0, 1.0, 101)
MISS_RATE_FPPI = np.logspace(-2.0, 0.0, 9)
"""False positives per image at which the log-average miss rate samples the curve."""


@dataclass(frozen=True)
class _Curve:
    """Where the hits and the ignored detections of a class stand in its list by falling score."""

    hits: Ints
    ignored: Ints
    ignored_before_hit: Ints


class MatchTable:
    """The matching of one set of detections with one ground truth, kept for cheap questions.

    Build it with :meth:`from_coco` or :meth:`from_arrays`. Averages over classes leave out the
    classes without ground truth in the subset, as in COCO; -1 stands for "nothing to measure".

    Args:
        gts: columns of the ground truths: ``id``, ``img``, ``cat`` (indices into the lists),
            ``box`` (G, 4), ``crowd``, ``area`` and the values of ``largest_overlap``.
        dets: columns of the detections: ``img``, ``cat``, ``box`` (D, 4), ``score``, in file
            order.
        img_ids: ids of the images, rising.
        cat_ids: ids of the classes, rising.
        class_names: their names.
        subsets: the subsets to match; 'all' is put in front if it is missing.
        iou_thrs: (T,) rising thresholds in (0, 1].
        max_dets: detections kept per image and class, the best-scored ones.

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
        self.iou_thrs = np.atleast_1d(np.asarray(iou_thrs, dtype=np.float64))
        if self.iou_thrs.ndim != 1 or not self.iou_thrs.size:
            raise ValueError(f"iou_thrs={iou_thrs!r}: a list of numbers in (0, 1] is needed")
        if not ((self.iou_thrs > 0) & (self.iou_thrs <= 1)).all():
            raise ValueError(f"iou_thrs={iou_thrs!r}: every threshold must lie in (0, 1]")
        if isinstance(max_dets, bool) or int(max_dets) != max_dets or max_dets < 1:
            raise ValueError(f"max_dets={max_dets!r}: an integer of at least 1 is needed")
        self.max_dets = int(max_dets)
        self._subset_inds = {subset.name: i for i, subset in enumerate(self.subsets)}

        self.gts = dict(gts)
        self.gt_ignore = np.stack(
            [
                self.gts["crowd"] | ~subset.select(self.gts[subset.key or "area"])
                for subset in self.subsets
            ]
        )
        self.dets = self._sort_detections(dets)
        # Detections of class k are rows bounds[k]:bounds[k + 1], best score first.
        self._bounds = np.searchsorted(self.dets["cat"], np.arange(len(self.cat_ids) + 1))
        self._by_score = np.argsort(-self.dets["score"], kind="stable")
        self._group = self.dets["img"] * len(self.cat_ids) + self.dets["cat"]
        self.pairs = find_pairs(
            self.dets["box"],
            self._group,
            self.gts["box"],
            self.gts["img"] * len(self.cat_ids) + self.gts["cat"],
            self.gts["crowd"],
            min_iou=float(min(self.iou_thrs.min(), 1 - 1e-10)),
        )
        self._paired, self._taken = match_greedily(
            self.pairs, self._group, self.gt_ignore, self.gts["crowd"], self.iou_thrs
        )
        self._curves: dict[tuple[int, int, int, int], _Curve] = {}
        self._gts_by_image: dict[tuple[int, int], Floats] = {}

    # ------------------------------------------------------------------ building

    @classmethod
    def from_coco(
        cls,
        coco_gt: COCO | str | PathLike[str],
        detections: Sequence[Mapping[str, Any]] | str | PathLike[str],
        *,
        subsets: Iterable[Subset] = DEFAULT_SUBSETS,
        iou_thrs: ArrayLike = IOU_THRS,
        max_dets: int = 100,
        cat_ids: Sequence[int] | None = None,
        img_ids: Sequence[int] | None = None,
    ) -> "MatchTable":
        """Match detections in COCO's results format.

        Args:
            coco_gt: the ground truth, loaded or as the path of a COCO annotation file.
            detections: dicts with ``image_id``, ``category_id``, ``bbox`` (x, y, width, height)
                and ``score``, or the path of a JSON file of them.
            subsets: the subsets to match.
            iou_thrs: (T,) thresholds in (0, 1].
            max_dets: detections kept per image and class.
            cat_ids: the classes to evaluate; all of the file if None.
            img_ids: the images to evaluate; all of the file if None.

        Returns:
            The table.

        Raises:
            ValueError: if a detection names an image or a category that the file lacks, a box or
                a score is not finite, or a requested id is unknown.
        """
        return cls.from_arrays(
            coco_gt,
            *read_results(detections),
            subsets=subsets,
            iou_thrs=iou_thrs,
            max_dets=max_dets,
            cat_ids=cat_ids,
            img_ids=img_ids,
        )

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
            ValueError: as in :meth:`from_coco`.
        """
        coco = load_ground_truth(coco_gt)
        imgs = chosen_ids("img_ids", img_ids, coco.getImgIds(), "image")
        cats = chosen_ids("cat_ids", cat_ids, coco.getCatIds(), "category")
        for name, ids, known in (
            ("image", image_ids, coco.getImgIds()),
            ("category", category_ids, coco.getCatIds()),
        ):
            strangers = np.setdiff1d(ids, known)
            if strangers.size:
                raise ValueError(
                    f"detections name {name} ids that the ground truth lacks: "
                    f"{strangers[:5].tolist()} ({strangers.size} in all). "
                    "Were they made for another annotation file?"
                )
        if not np.isfinite(boxes).all() or not np.isfinite(scores).all():
            raise ValueError("detections hold NaN or infinite boxes or scores")
        keep = np.isin(image_ids, imgs) & np.isin(category_ids, cats)
        dets = {
            "img": np.searchsorted(imgs, image_ids[keep]),
            "cat": np.searchsorted(cats, category_ids[keep]),
            "box": np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[keep],
            "score": np.asarray(scores, dtype=np.float64)[keep],
        }
        return cls(
            ground_truth_columns(coco, imgs, cats),
            dets,
            img_ids=imgs.tolist(),
            cat_ids=cats.tolist(),
            class_names=[coco.cats[cat]["name"] for cat in cats.tolist()],
            subsets=subsets,
            iou_thrs=iou_thrs,
            max_dets=max_dets,
        )

    def _sort_detections(self, dets: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Keep the best ``max_dets`` per image and class; sort by class, score, image, order.

        Stable, as pycocotools' mergesort is, so equal scores are broken as there.
        """
        img, cat, score = dets["img"], dets["cat"], dets["score"]
        order = np.lexsort((-score, img, cat))
        group = img[order] * len(self.cat_ids) + cat[order]
        _, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
        first = np.zeros(len(counts), dtype=np.int64)
        if len(group):
            change = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
            first[inverse.reshape(-1)[change]] = change
        rank = np.arange(len(order)) - first[inverse.reshape(-1)]
        kept, rank = order[rank < self.max_dets], rank[rank < self.max_dets]
        by_score = np.lexsort((-score[kept], cat[kept]))  # stable: image, then order in the file
        rows = kept[by_score]
        return {
            "img": img[rows],
            "cat": cat[rows],
            "box": dets["box"][rows],
            "score": score[rows],
            "rank": rank[by_score],
        }

    # ------------------------------------------------------------------ average precision

    def average_precision(
        self,
        subset: str = "all",
        *,
        iou_thr: float | None = None,
        cat_id: int | None = None,
        image_counts: ArrayLike | None = None,
        max_dets: int | None = None,
    ) -> float:
        """COCO's average precision of a subset, over all images or a resample of them.

        Args:
            subset: the subset's name.
            iou_thr: one of the thresholds; the mean over all of them if None.
            cat_id: one class; the mean over the classes if None.
            image_counts: (I,) how often each image of ``img_ids`` occurs in a resample; once
                each if None. An image that occurs n times counts n times; among equal scores its
                copies stand next to each other.
            max_dets: keep fewer detections per image and class than the table has.

        Returns:
            A value in [0, 1], or -1 without ground truth.
        """
        rows = self._interpolated(subset, iou_thr, cat_id, self._weights(image_counts), max_dets)
        return float(np.mean(rows)) if rows else -1.0

    def average_recall(
        self,
        subset: str = "all",
        *,
        iou_thr: float | None = None,
        cat_id: int | None = None,
        image_counts: ArrayLike | None = None,
        max_dets: int | None = None,
    ) -> float:
        """Recall at all detections, averaged over thresholds and classes (COCO's AR).

        Args:
            subset: the subset's name.
            iou_thr: one of the thresholds; the mean over all of them if None.
            cat_id: one class; the mean over the classes if None.
            image_counts: (I,) how often each image occurs; once each if None.
            max_dets: keep fewer detections per image and class than the table has.

        Returns:
            A value in [0, 1], or -1 without ground truth.
        """
        weights = self._weights(image_counts)
        values = []
        for s, k, t in self._cells(subset, iou_thr, cat_id):
            total = self._num_gts(s, k, weights)
            if total > 0:
                curve = self._curve(s, k, t, max_dets)
                values.append(self._class_weights(k, weights)[curve.hits].sum() / total)
        return float(np.mean(values)) if values else -1.0

    def precision_recall(
        self, subset: str = "all", *, iou_thr: float = 0.5, cat_id: int | None = None
    ) -> tuple[Floats, Floats]:
        """Interpolated precision on COCO's recall grid.

        Args:
            subset: the subset's name.
            iou_thr: one of the thresholds.
            cat_id: one class; the mean over the classes if None.

        Returns:
            Recall (101,) from 0 to 1 and precision (101,) in [0, 1], or all -1 without ground
            truth. Its mean is the average precision.
        """
        rows = self._interpolated(subset, iou_thr, cat_id, None, None)
        return RECALL_GRID.copy(), np.mean(rows, axis=0) if rows else np.full(101, -1.0)

    def num_gts(self, subset: str = "all", *, cat_id: int | None = None) -> int:
        """Count the ground truths of a subset, crowds left out."""
        mask = ~self.gt_ignore[self._subset_ind(subset)]
        if cat_id is not None:
            mask = mask & (self.gts["cat"] == self._cat_ind(cat_id))
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
        taken[self._paired] = self._taken[:, self._subset_ind(subset), self._thr_ind(iou_thr)]
        return taken

    # ------------------------------------------------------------------ operating points

    def best_f1(
        self,
        subset: str = "all",
        iou_thr: float = 0.5,
        *,
        cat_id: int | None = None,
        image_counts: ArrayLike | None = None,
    ) -> dict[str, float]:
        """Find the one score threshold at which F1 is largest.

        Hits, false positives and ground truths of all classes are pooled (micro average).

        Args:
            subset: the subset's name.
            iou_thr: one of the thresholds.
            cat_id: one class; all of them if None.
            image_counts: (I,) how often each image occurs; once each if None.

        Returns:
            ``f1``, ``threshold`` (detections of at least this score are kept), ``precision`` and
            ``recall``; all -1 without ground truth, F1 0 at threshold 1 without a hit.
        """
        scores, hits, kept, total = self._pooled(subset, iou_thr, cat_id, image_counts)
        if total <= 0:
            return dict.fromkeys(("f1", "threshold", "precision", "recall"), -1.0)
        if not len(scores) or hits[-1] == 0:
            return {"f1": 0.0, "threshold": 1.0, "precision": 0.0, "recall": 0.0}
        last = np.r_[scores[1:] != scores[:-1], True]  # a threshold takes equal scores together
        f1 = np.where(last, 2 * hits / (kept + total), -1.0)
        return _operating_point(int(np.argmax(f1)), scores, hits, kept, total)

    def f1_at(
        self,
        threshold: float,
        subset: str = "all",
        iou_thr: float = 0.5,
        *,
        cat_id: int | None = None,
        image_counts: ArrayLike | None = None,
    ) -> dict[str, float]:
        """F1, precision and recall of the detections with at least a given score.

        Args:
            threshold: the score.
            subset: the subset's name.
            iou_thr: one of the thresholds.
            cat_id: one class; all of them pooled if None.
            image_counts: (I,) how often each image occurs; once each if None.

        Returns:
            As :meth:`best_f1`, with the threshold that was given.
        """
        scores, hits, kept, total = self._pooled(subset, iou_thr, cat_id, image_counts)
        if total <= 0:
            return {"f1": -1.0, "threshold": threshold, "precision": -1.0, "recall": -1.0}
        at = int(np.searchsorted(-scores, -threshold, side="right")) - 1
        if at < 0:
            return {"f1": 0.0, "threshold": threshold, "precision": 0.0, "recall": 0.0}
        return {**_operating_point(at, scores, hits, kept, total), "threshold": threshold}

    def log_average_miss_rate(
        self, subset: str = "all", *, iou_thr: float = 0.5, cat_id: int | None = None
    ) -> float:
        """Geometric mean of the miss rate at nine rates of false positives (MR⁻²).

        Source: Dollár et al., Pedestrian Detection, PAMI 2012: 0.01 to 1 false positives per
        image, evenly spaced in the logarithm; where the curve starts later, the miss rate is 1.

        Args:
            subset: the subset's name.
            iou_thr: one of the thresholds.
            cat_id: one class; the mean over the classes if None.

        Returns:
            A value in [0, 1], smaller is better, or -1 without ground truth.
        """
        weights = self._weights(None)
        values = []
        for s, k, t in self._cells(subset, iou_thr, cat_id):
            total = self._num_gts(s, k, weights)
            if total <= 0:
                continue
            state = self._states(s, k, t)
            hits, errors = np.cumsum(state == 1), np.cumsum(state == 0)
            at = np.searchsorted(errors / len(self.img_ids), MISS_RATE_FPPI, side="right") - 1
            recall = np.r_[0.0, hits / total][at + 1]
            values.append(np.exp(np.log(np.maximum(1 - recall, 1e-10)).mean()))
        return float(np.mean(values)) if values else -1.0

    def duplicates_per_gt(
        self,
        score_thr: float,
        iou_thr: float = 0.5,
        *,
        subset: str = "all",
        cat_id: int | None = None,
    ) -> float:
        """Second and further detections of a ground truth, per ground truth of the subset.

        A duplicate is an unmatched detection whose box fits a ground truth of its class in the
        subset well enough, that was already taken by a better-scored one.

        Args:
            score_thr: detections of at least this score are looked at.
            iou_thr: one of the thresholds.
            subset: the subset's name.
            cat_id: one class; all of them if None.

        Returns:
            A ratio of 0 or more, or -1 without ground truth.
        """
        s, t = self._subset_ind(subset), self._thr_ind(iou_thr)
        total = self.num_gts(subset, cat_id=cat_id)
        if not total:
            return -1.0
        unmatched = self._taken[:, s, t] == MISSED
        unmatched &= self.dets["score"][self._paired] >= score_thr
        if cat_id is not None:
            unmatched &= self.dets["cat"][self._paired] == self._cat_ind(cat_id)
        fits = (self.pairs.iou >= self.iou_thrs[t]) & ~self.gt_ignore[s][self.pairs.gt]
        return len(np.intersect1d(self.pairs.det[fits], self._paired[unmatched])) / total

    # ------------------------------------------------------------------ across classes

    def confusion(
        self, subset: str = "overlapped", *, score_thr: float, iou_thr: float = 0.5
    ) -> Ints:
        """Count which classes ground truths are taken for.

        Detections are first matched within their class, as for the average precision; those left
        over then with ground truths of other classes that are left over. So an entry off the
        diagonal means that the object's place was found, but no detection of its class.

        Args:
            subset: the subset's name; detections of ground truths outside are left out.
            score_thr: detections of at least this score are looked at.
            iou_thr: smallest IoU of a match, in (0, 1].

        Returns:
            (C + 1, C + 1) counts. Row: the ground truth's class, the last one for background;
            column: the detection's class, the last one for missed.
        """
        s = self._subset_ind(subset)
        num = len(self.cat_ids)
        rows = self._rows_above(score_thr)
        inside, across = self._match_across_classes(rows, self.gt_ignore[s], iou_thr)
        taken = np.where(inside != MISSED, inside, across)
        matrix = np.zeros((num + 1, num + 1), dtype=np.int64)
        background = taken == MISSED
        np.add.at(matrix, (num, self.dets["cat"][rows[background]]), 1)
        hit = ~background
        hit[hit] = ~self.gt_ignore[s][taken[hit]]
        np.add.at(matrix, (self.gts["cat"][taken[hit]], self.dets["cat"][rows[hit]]), 1)
        missed = ~self.gt_ignore[s]
        missed[taken[hit]] = False
        np.add.at(matrix, (self.gts["cat"][missed], num), 1)
        return matrix

    def outcomes(
        self, subset: str = "overlapped", *, score_thr: float, iou_thr: float = 0.5
    ) -> dict[str, int]:
        """Count what becomes of the ground truths; each falls under the first that fits.

        - ``found``: by a detection of its class;
        - ``wrong_class``: its place is found, by a detection of another class alone;
        - ``merged``: one detection covers more than half of it and more than half of a ground
          truth with which it has an IoU above 0.1;
        - ``loose``: a detection that finds no object has an IoU of 0.1 or more with it;
        - ``missed``: none of these.

        Args:
            subset: the subset's name.
            score_thr: detections of at least this score are looked at.
            iou_thr: smallest IoU of a match, in (0, 1].

        Returns:
            the five counts; their sum is ``num_gts(subset)``.
        """
        mine = ~self.gt_ignore[self._subset_ind(subset)]
        rows = self._rows_above(score_thr)
        boxes, images = self.dets["box"][rows], self.dets["img"][rows]
        inside, across = self._match_across_classes(rows, ~mine, iou_thr)
        free = (inside == MISSED) & (across == MISSED)
        # the share of each ground truth that a detection covers: IoU with a crowd, turned round
        covers = find_pairs(
            self.gts["box"],
            self.gts["img"],
            boxes,
            images,
            np.ones(len(rows), dtype=bool),
            min_iou=float(np.nextafter(0.5, 1.0)),
        )
        covering = [set[int]() for _ in mine]
        for gt, row in zip(covers.det.tolist(), covers.gt.tolist(), strict=True):
            covering[gt].add(row)
        shared = [pair for pair in self._gt_pairs(0.1) if covering[pair[0]] & covering[pair[1]]]
        touched = find_pairs(
            boxes[free],
            images[free],
            self.gts["box"],
            self.gts["img"],
            self.gts["crowd"],
            min_iou=0.1,
        )
        counts = {}
        for name, gts in (
            ("found", inside[inside != MISSED]),
            ("wrong_class", across[across != MISSED]),
            ("merged", np.array(shared, dtype=np.int64)),
            ("loose", touched.gt),
        ):
            fits = np.zeros_like(mine)
            fits[gts] = True
            counts[name] = int((mine & fits).sum())
            mine &= ~fits
        return {**counts, "missed": int(mine.sum())}

    def pairs_found(
        self, score_thr: float, iou_thr: float = 0.5, *, min_overlap: float = 0.1
    ) -> dict[str, float]:
        """Of the pairs of overlapping ground truths, count those of which both are found.

        Args:
            score_thr: detections of at least this score are looked at.
            iou_thr: smallest IoU of a detection with its ground truth, in (0, 1].
            min_overlap: two ground truths whose IoU exceeds this are a pair.

        Returns:
            ``num_pairs``; ``both``, the share of pairs in which each object has a detection of
            its own, of whatever class; ``both_right``, the share in which both also have their
            class; ``one`` and ``none``, the shares with one and no object found. Shares are -1
            without pairs.
        """
        gt_pairs = self._gt_pairs(min_overlap)
        if not len(gt_pairs):
            return {"num_pairs": 0, **dict.fromkeys(("both", "both_right", "one", "none"), -1.0)}
        rows = self._rows_above(score_thr)
        inside, across = self._match_across_classes(rows, self.gts["crowd"], iou_thr)
        right = np.zeros(len(self.gts["cat"]), dtype=bool)
        right[inside[inside != MISSED]] = True
        found = right.copy()
        found[across[across != MISSED]] = True
        count = found[gt_pairs].sum(axis=1)
        return {
            "num_pairs": len(gt_pairs),
            "both": float((count == 2).mean()),
            "both_right": float(right[gt_pairs].all(axis=1).mean()),
            "one": float((count == 1).mean()),
            "none": float((count == 0).mean()),
        }

    def error_types(self, *, iou_thr: float = 0.5, background_iou: float = 0.1) -> dict[str, Any]:
        """Split the errors into TIDE's types; see ``mmthermal.evaluation.error_types``.

        Args:
            iou_thr: IoU of a true match.
            background_iou: detections that overlap less with every object are background.

        Returns:
            As :func:`mmthermal.evaluation.error_types.error_types`.
        """
        from mmthermal.evaluation.error_types import error_types

        return error_types(self, iou_thr=iou_thr, background_iou=background_iou)

    # ------------------------------------------------------------------ everything in one dict

    def summary(self, *, score_thr: float | None = None) -> dict[str, float]:
        """Collect the figures of all subsets in one flat dict.

        Args:
            score_thr: operating point of the counts over pairs, duplicates and F1; the best-F1
                threshold of all objects if None.

        Returns:
            ``AP``, ``AP50``, ``AP75``, ``AR`` and ``num_gt``, for subsets other than 'all'
            preceded by ``<name>_``; ``best_f1`` and ``best_f1_thr`` with ``best_precision`` and
            ``best_recall``; ``f1_at_0.5``; ``pairs_both``, ``pairs_both_right``, ``num_pairs``;
            ``duplicates_per_gt``. AP50 and AP75 are missing where the table lacks the threshold.
        """
        result: dict[str, float] = {}
        for subset in self.subsets:
            prefix = "" if subset.name == "all" else f"{subset.name}_"
            result[f"{prefix}AP"] = self.average_precision(subset.name)
            for thr in (0.5, 0.75):
                if np.isclose(self.iou_thrs, thr).any():
                    key = f"{prefix}AP{round(100 * thr)}"
                    result[key] = self.average_precision(subset.name, iou_thr=thr)
            result[f"{prefix}AR"] = self.average_recall(subset.name)
            result[f"num_gt_{subset.name}"] = self.num_gts(subset.name)
        if not np.isclose(self.iou_thrs, 0.5).any():
            return result
        for subset in self.subsets:
            prefix = "" if subset.name == "all" else f"{subset.name}_"
            best = self.best_f1(subset.name)
            result[f"{prefix}best_f1"] = best["f1"]
            result[f"{prefix}best_f1_thr"] = best["threshold"]
            if subset.name == "all":
                result["best_precision"], result["best_recall"] = best["precision"], best["recall"]
        result["f1_at_0.5"] = self.f1_at(0.5)["f1"]
        used = result["best_f1_thr"] if score_thr is None else score_thr
        result["score_thr"] = used
        found = self.pairs_found(used)
        result["num_pairs"] = found["num_pairs"]
        result["pairs_both"], result["pairs_both_right"] = found["both"], found["both_right"]
        for subset in self.subsets:
            if subset.name in ("all", "overlapped", "isolated"):
                prefix = "" if subset.name == "all" else f"{subset.name}_"
                result[f"{prefix}duplicates_per_gt"] = self.duplicates_per_gt(
                    used, subset=subset.name
                )
        return result

    def to_dict(
        self,
        *,
        score_thr: float | None = None,
        miss_rate: bool = False,
        error_types: bool = False,
    ) -> dict[str, Any]:
        """Everything the table knows, ready for JSON.

        Args:
            score_thr: operating point, see :meth:`summary`.
            miss_rate: also give the log-average miss rate of each subset.
            error_types: also give TIDE's error types and the calibration (needs hotcoco).

        Returns:
            ``num_images``, ``classes``, ``iou_thrs``, ``max_dets``, ``score_thr``; ``summary``,
            see :meth:`summary`; ``subsets``: per subset ``name``, ``rule``, ``num_gt``, ``AP``,
            ``AP50``, ``AP75``, ``AR``, ``best_f1``, ``miss_rate`` and ``per_class``; ``pairs``;
            ``confusion``: matrices of 'all' and 'overlapped'; ``error_types``; ``calibration``.
        """
        summary = self.summary(score_thr=score_thr)
        has_50 = "score_thr" in summary
        rows = []
        for subset in self.subsets:
            prefix = "" if subset.name == "all" else f"{subset.name}_"
            row: dict[str, Any] = {
                "name": subset.name,
                "rule": subset.rule,
                "num_gt": self.num_gts(subset.name),
                **{
                    key: summary[f"{prefix}{key}"]
                    for key in ("AP", "AP50", "AP75", "AR")
                    if f"{prefix}{key}" in summary
                },
            }
            if has_50:
                row["best_f1"] = self.best_f1(subset.name)
            if has_50 and miss_rate:
                row["miss_rate"] = self.log_average_miss_rate(subset.name)
            row["per_class"] = {
                name: self._class_row(subset.name, cat_id)
                for name, cat_id in zip(self.class_names, self.cat_ids, strict=True)
            }
            rows.append(row)
        table: dict[str, Any] = {
            "num_images": len(self.img_ids),
            "classes": self.class_names,
            "iou_thrs": self.iou_thrs.tolist(),
            "max_dets": self.max_dets,
            "summary": summary,
            "subsets": rows,
        }
        if has_50:
            used = summary["score_thr"]
            table["score_thr"] = used
            table["pairs"] = self.pairs_found(used)
            table["confusion"] = {
                name: self.confusion(name, score_thr=used).tolist()
                for name in ("all", "overlapped")
                if name in self._subset_inds
            }
        if error_types:
            from mmthermal.evaluation.error_types import calibration

            table["error_types"] = self.error_types()
            table["calibration"] = calibration(self)
        return table

    def _class_row(self, subset: str, cat_id: int) -> dict[str, float]:
        """AP, AP50, AP75, AR and the number of ground truths of one class."""
        row = {"AP": self.average_precision(subset, cat_id=cat_id)}
        for thr in (0.5, 0.75):
            if np.isclose(self.iou_thrs, thr).any():
                row[f"AP{round(100 * thr)}"] = self.average_precision(
                    subset, iou_thr=thr, cat_id=cat_id
                )
        row["AR"] = self.average_recall(subset, cat_id=cat_id)
        row["num_gt"] = self.num_gts(subset, cat_id=cat_id)
        return row

    # ------------------------------------------------------------------ inner parts

    def _subset_ind(self, name: str) -> int:
        if name not in self._subset_inds:
            raise ValueError(
                f"subset={name!r}: this table has {', '.join(map(repr, self._subset_inds))}"
            )
        return self._subset_inds[name]

    def _cat_ind(self, cat_id: int) -> int:
        if cat_id not in self.cat_ids:
            raise ValueError(f"cat_id={cat_id!r}: this table has {self.cat_ids}")
        return self.cat_ids.index(cat_id)

    def _thr_ind(self, iou_thr: float) -> int:
        near = np.flatnonzero(np.isclose(self.iou_thrs, iou_thr))
        if not near.size:
            raise ValueError(f"iou_thr={iou_thr!r}: this table has {self.iou_thrs.tolist()}")
        return int(near[0])

    def _cells(
        self, subset: str, iou_thr: float | None, cat_id: int | None
    ) -> list[tuple[int, int, int]]:
        """Subset, class and threshold indices that a question is about."""
        thrs = range(len(self.iou_thrs)) if iou_thr is None else [self._thr_ind(iou_thr)]
        cats = range(len(self.cat_ids)) if cat_id is None else [self._cat_ind(cat_id)]
        s = self._subset_ind(subset)
        return [(s, k, t) for k in cats for t in thrs]

    def _weights(self, image_counts: ArrayLike | None) -> Floats | None:
        if image_counts is None:
            return None
        weights = np.asarray(image_counts, dtype=np.float64)
        if weights.shape != (len(self.img_ids),) or not (weights >= 0).all():
            raise ValueError(
                f"image_counts has shape {weights.shape}: {len(self.img_ids)} counts of at least "
                "0 are needed, one for each of img_ids"
            )
        return weights

    def _class_weights(self, k: int, weights: Floats | None) -> Floats:
        rows = slice(self._bounds[k], self._bounds[k + 1])
        images = self.dets["img"][rows]
        return np.ones(len(images)) if weights is None else weights[images]

    def _num_gts(self, s: int, k: int, weights: Floats | None) -> float:
        if (s, k) not in self._gts_by_image:
            mask = ~self.gt_ignore[s] & (self.gts["cat"] == k)
            self._gts_by_image[s, k] = np.bincount(
                self.gts["img"][mask], minlength=len(self.img_ids)
            ).astype(np.float64)
        counts = self._gts_by_image[s, k]
        return float(counts.sum() if weights is None else counts @ weights)

    def _states(self, s: int, k: int, t: int) -> NDArray[np.int8]:
        """(detections of the class,) 0 error, 1 hit, 2 ignored, by falling score."""
        low, high = self._bounds[k], self._bounds[k + 1]
        begin, end = np.searchsorted(self._paired, (low, high))
        taken = self._taken[begin:end, s, t]
        state = np.zeros(high - low, dtype=np.int8)
        subset = self.subsets[s]
        if subset.key == "area":
            box = self.dets["box"][low:high]
            state[~subset.select(box[:, 2] * box[:, 3])] = 2
        matched = np.flatnonzero(taken != MISSED)
        ignored = self.gt_ignore[s][taken[matched]]
        state[self._paired[begin:end][matched] - low] = np.where(ignored, 2, 1)
        return state

    def _curve(self, s: int, k: int, t: int, max_dets: int | None) -> _Curve:
        limit = self.max_dets if max_dets is None else min(max_dets, self.max_dets)
        key = (s, k, t, limit)
        if key not in self._curves:
            state = self._states(s, k, t)
            if limit < self.max_dets:
                low, high = self._bounds[k], self._bounds[k + 1]
                state[self.dets["rank"][low:high] >= limit] = 2  # as if they were not there
            hits, ignored = np.flatnonzero(state == 1), np.flatnonzero(state == 2)
            self._curves[key] = _Curve(hits, ignored, np.searchsorted(ignored, hits))
        return self._curves[key]

    def _interpolated(
        self,
        subset: str,
        iou_thr: float | None,
        cat_id: int | None,
        weights: Floats | None,
        max_dets: int | None,
    ) -> list[Floats]:
        """(101,) interpolated precision for each class with ground truth and each threshold.

        Precision falls between hits, so only the hits are looked at. An image that occurs n times
        puts n equal detections in a row, whose precision rises: its end is what counts.
        """
        rows = []
        running: dict[int, tuple[Floats, Floats]] = {}  # counts of a class, and their running sum
        for s, k, t in self._cells(subset, iou_thr, cat_id):
            total = self._num_gts(s, k, weights)
            if total <= 0:
                continue
            precision = np.zeros(len(RECALL_GRID))
            rows.append(precision)
            curve = self._curve(s, k, t, max_dets)
            if not curve.hits.size:
                continue
            if weights is None:
                hits = np.arange(1.0, len(curve.hits) + 1)
                kept = curve.hits + 1.0 - curve.ignored_before_hit
            else:
                if k not in running:
                    counts = self._class_weights(k, weights)
                    running[k] = counts, np.cumsum(counts)
                counts, sums = running[k]
                hits, kept = np.cumsum(counts[curve.hits]), sums[curve.hits]
                if curve.ignored.size:
                    ignored = np.r_[0.0, np.cumsum(counts[curve.ignored])]
                    kept = kept - ignored[curve.ignored_before_hit]
            envelope = np.maximum.accumulate((hits / (kept + np.spacing(1)))[::-1])[::-1]
            at = np.searchsorted(hits / total, RECALL_GRID, side="left")
            reached = at < len(envelope)
            precision[reached] = envelope[at[reached]]
        return rows

    def _pooled(
        self, subset: str, iou_thr: float, cat_id: int | None, image_counts: ArrayLike | None
    ) -> tuple[Floats, Floats, Floats, float]:
        """Scores of the classes together, falling, with running counts of hits and kept ones."""
        weights = self._weights(image_counts)
        cells = self._cells(subset, iou_thr, cat_id)
        states = [np.zeros(0, np.int8), *(self._states(*cell) for cell in cells)]
        total = sum(self._num_gts(s, k, weights) for s, k, _ in cells)
        if cat_id is None:
            rows = self._by_score
        else:
            k = self._cat_ind(cat_id)
            rows = np.arange(self._bounds[k], self._bounds[k + 1])
        state = np.concatenate(states)[rows - rows.min(initial=len(self.dets["score"]))]
        scores = self.dets["score"][rows]
        if weights is None:
            return scores, np.cumsum(state == 1), np.cumsum(state != 2), total
        count = weights[self.dets["img"][rows]]
        return scores, np.cumsum(count * (state == 1)), np.cumsum(count * (state != 2)), total

    def _rows_above(self, score_thr: float) -> Ints:
        """Detections of at least this score, best first over all classes."""
        return self._by_score[self.dets["score"][self._by_score] >= score_thr]

    def _match_across_classes(self, rows: Ints, ignore: Bools, iou_thr: float) -> tuple[Ints, Ints]:
        """Match within classes, then what is left over across classes.

        Args:
            rows: (R,) detections, best first.
            ignore: (G,) ignored ground truths.
            iou_thr: smallest IoU of a match, in (0, 1].

        Returns:
            Two (R,) arrays: the ground truth taken within the class, and the one taken in the
            second step, ``MISSED`` for none.
        """
        if not 0 < iou_thr <= 1:
            raise ValueError(f"iou_thr={iou_thr!r}: must lie in (0, 1]")
        crowd, thrs = self.gts["crowd"], np.array([iou_thr])
        found = find_pairs(
            self.dets["box"][rows],
            self.dets["img"][rows],
            self.gts["box"],
            self.gts["img"],
            crowd,
            min_iou=min(iou_thr, 1 - 1e-10),
        )
        groups = self._group[rows]
        within = self.dets["cat"][rows][found.det] == self.gts["cat"][found.gt]
        own = Pairs(found.det[within], found.gt[within], found.iou[within])
        inds, taken = match_greedily(own, groups, ignore[None], crowd, thrs)
        inside = np.full(len(rows), MISSED, dtype=np.int64)
        inside[inds] = taken[:, 0, 0]
        open_gts = np.ones(len(crowd), dtype=bool)
        open_gts[inside[inside != MISSED]] = False
        open_gts |= crowd
        left = (inside[found.det] == MISSED) & open_gts[found.gt] & ~within
        other = Pairs(found.det[left], found.gt[left], found.iou[left])
        inds, taken = match_greedily(other, self.dets["img"][rows], ignore[None], crowd, thrs)
        across = np.full(len(rows), MISSED, dtype=np.int64)
        across[inds] = taken[:, 0, 0]
        return inside, across

    def _gt_pairs(self, min_overlap: float) -> Ints:
        """(N, 2) pairs of non-crowd ground truths of one image whose IoU exceeds the limit."""
        objects = np.flatnonzero(~self.gts["crowd"])
        boxes, images = self.gts["box"][objects], self.gts["img"][objects]
        pairs = find_pairs(
            boxes,
            images,
            boxes,
            images,
            np.zeros(len(objects), dtype=bool),
            min_iou=float(np.nextafter(min_overlap, 1.0)),
        )
        once = pairs.det < pairs.gt
        return np.stack([objects[pairs.det[once]], objects[pairs.gt[once]]], axis=1)


def _operating_point(
    at: int, scores: Floats, hits: NDArray[Any], kept: NDArray[Any], total: float
) -> dict[str, float]:
    """F1, threshold, precision and recall with the detections up to ``at`` kept."""
    return {
        "f1": float(2 * hits[at] / (kept[at] + total)),
        "threshold": float(scores[at]),
        "precision": float(hits[at] / kept[at]) if kept[at] else 0.0,
        "recall": float(hits[at] / total),
    }
