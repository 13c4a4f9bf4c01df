"""mmdet's COCO metric, with figures for overlapped objects."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.evaluation.metrics import CocoMetric
from mmdet.registry import METRICS
from mmengine.logging import MMLogger
from terminaltables import AsciiTable

from mmthermal.common.checks import check_range
from mmthermal.common.files import without_mark, write_json
from mmthermal.evaluation.coco_columns import is_crowd
from mmthermal.evaluation.error_types import import_hotcoco
from mmthermal.evaluation.figures import logged_figures, logged_names, to_dict
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.numbered_ids import number_ids
from mmthermal.evaluation.precision import average_precision, average_recall
from mmthermal.evaluation.readable_table import readable_table
from mmthermal.evaluation.subsets import (
    AREA_SUBSETS,
    DEFAULT_SUBSETS,
    Subset,
    check_subsets,
    to_subset,
)

# mmdet's names, as (which figure, subset, IoU threshold, which of the sorted proposal_nums; None
# stands for 100 detections). pycocotools takes AP at 100 detections and the others at the most.
_STANDARD: dict[str, tuple[str, str, float | None, int | None]] = {
    "mAP": ("AP", "all", None, None),
    "mAP_50": ("AP", "all", 0.5, -1),
    "mAP_75": ("AP", "all", 0.75, -1),
    "mAP_s": ("AP", "small", None, -1),
    "mAP_m": ("AP", "medium", None, -1),
    "mAP_l": ("AP", "large", None, -1),
    "AR@100": ("AR", "all", None, 0),
    "AR@300": ("AR", "all", None, 1),
    "AR@1000": ("AR", "all", None, -1),
    "AR_s@1000": ("AR", "small", None, -1),
    "AR_m@1000": ("AR", "medium", None, -1),
    "AR_l@1000": ("AR", "large", None, -1),
}
_DEFAULT_ITEMS = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")


@METRICS.register_module()
class OverlapCocoMetric(CocoMetric):
    """``CocoMetric`` that also says how well overlapped objects are found.

    A drop-in: it takes ``CocoMetric``'s arguments and gives its keys and values, three decimals
    as there. Besides these, unrounded: for each subset of ``key_subsets`` ``bbox_mAP_<subset>``,
    ``bbox_mAP_50_<subset>``, ``bbox_mAP_75_<subset>`` and ``bbox_AR_<subset>``; ``bbox_AR``;
    ``best_f1`` with ``best_f1_thr``, ``best_precision``, ``best_recall``, and for the subsets
    ``best_f1_<subset>``, ``best_f1_thr_<subset>``; ``f1_at_0.5``; ``pairs_both``,
    ``pairs_both_right``; ``duplicates_per_gt``; with ``miss_rate``, ``miss_rate`` and
    ``miss_rate_<subset>``; with ``classwise``, ``<class>_precision_<subset>``. -1 where a subset
    has no ground truth. The log shows a table of all subsets with their numbers of ground truths.

    Masks and proposals are evaluated by ``CocoMetric`` itself. Without any detection the figures
    are 0, where ``CocoMetric`` gives none. Objects with ``"ignore": 1`` are as crowd regions, for
    masks and proposals, too; ``CocoMetric`` alone takes them for objects.

    Args:
        ann_file: as ``CocoMetric``; the file may begin with a byte order mark.
        *args: as ``CocoMetric``.
        subsets: the subsets, as :class:`~mmthermal.evaluation.Subset` or dicts of its arguments;
            ``DEFAULT_SUBSETS`` if None. The names small, medium and large are taken by COCO's
            area ranges.
        key_subsets: names of the subsets that get keys of their own; the others stand in the log's
            table and in the file only. If None, 'overlapped' and 'isolated', where they exist.
        score_thr: operating point of the figures on pairs, duplicates and confusion; the best-F1
            threshold if None.
        miss_rate: also compute the log-average miss rate.
        error_types: also write TIDE's error types and the calibration into the table's file;
            needs hotcoco.
        table_file: JSON file for the full table, replaced at every evaluation. If None, it is
            ``<outfile_prefix>.overlap.json``, or not written without a prefix.
        **kwargs: as ``CocoMetric``.

    Raises:
        KeyError: for an unknown ``metric`` or ``metric_items``.
        ValueError: if ``metric`` lacks 'bbox', or for bad subsets, ``key_subsets`` or
            ``score_thr``.
    """

    metrics: list[str]
    cat_ids: list[int | str]
    img_ids: list[int | str]

    def __init__(
        self,
        ann_file: str | None = None,
        *args: Any,
        subsets: Sequence[Subset | Mapping[str, Any]] | None = None,
        key_subsets: Sequence[str] | None = None,
        score_thr: float | None = None,
        miss_rate: bool = False,
        error_types: bool = False,
        table_file: str | None = None,
        **kwargs: Any,
    ) -> None:
        with without_mark(ann_file) as path:
            super().__init__(path, *args, **kwargs)
        annotations = self._coco_api.dataset.get("annotations", ()) if self._coco_api else ()
        for annotation in annotations:
            if is_crowd(annotation):  # in a field that pycocotools, evaluating masks, keeps
                annotation["iscrowd"] = 1
        if "bbox" not in self.metrics:
            raise ValueError(
                f"metric={self.metrics!r}: overlap is measured on boxes, add 'bbox' or use "
                "CocoMetric"
            )
        if score_thr is not None:
            check_range("score_thr", score_thr, 0, 1)
        for item in self.metric_items or ():
            if item not in _STANDARD:
                raise KeyError(
                    f'metric item "{item}" is not supported: choose from ' + ", ".join(_STANDARD)
                )
        chosen = DEFAULT_SUBSETS if subsets is None else tuple(map(to_subset, subsets))
        self.subsets = check_subsets(chosen)
        names = [subset.name for subset in self.subsets]
        if key_subsets is None:
            key_subsets = [name for name in ("overlapped", "isolated") if name in names]
        strangers = [name for name in key_subsets if name not in names]
        if strangers:
            raise ValueError(f"key_subsets={list(key_subsets)!r}: choose from {names}")
        self.key_subsets = list(key_subsets)
        self._matched_subsets = check_subsets((*self.subsets, *AREA_SUBSETS))
        self.score_thr = score_thr
        self.miss_rate = miss_rate
        if error_types:
            import_hotcoco()
        self.error_types = error_types
        self.table_file = table_file
        if table_file is None and self.outfile_prefix is not None:
            self.table_file = f"{self.outfile_prefix}.overlap.json"

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute all figures from the collected results.

        Args:
            results: pairs of ground truth and predictions, as ``CocoMetric.process`` makes them.

        Returns:
            The figures by name.
        """
        logger: MMLogger = MMLogger.get_current_instance()
        others = [metric for metric in self.metrics if metric != "bbox"]
        figures: dict[str, float] = OrderedDict()
        if others or self._coco_api is None or self.outfile_prefix is not None:
            rest = self._compute_others(results, others)
        else:
            rest = {}
        if self.format_only:
            return rest
        if self.cat_ids is None:
            self.cat_ids = self._coco_api.get_cat_ids(cat_names=self.dataset_meta["classes"])
        if self.img_ids is None:
            self.img_ids = self._coco_api.get_img_ids()

        logger.info("Evaluating bbox...")
        table = self.match([prediction for _, prediction in results])
        if not len(table.dets["score"]):
            logger.warning("No detection in the whole dataset: every figure is 0.")
        figures.update(self._standard_figures(table, logger))
        full = to_dict(
            table,
            score_thr=self.score_thr,
            miss_rate=self.miss_rate,
            with_error_types=self.error_types,
        )
        figures.update(logged_figures(full, self.key_subsets, classwise=self.classwise))
        logger.info("\n%s", readable_table(full))
        if self.table_file is not None:
            write_json(self.table_file, full)
        figures.update(rest)
        return figures

    def figure_names(self, classes: Sequence[str]) -> list[str]:
        """Names of the figures of boxes that it can give, so that a hook can check its own.

        Args:
            classes: names of the classes.

        Returns:
            the names, without the prefix.
        """
        if self.format_only:
            return []
        names = [f"bbox_{item}" for item in self.metric_items or _DEFAULT_ITEMS]
        each = list(classes) if self.classwise else []
        names += [f"{name}_precision" for name in each]
        return names + logged_names(self.key_subsets, miss_rate=self.miss_rate, classes=each)

    def match(self, predictions: Sequence[Mapping[str, Any]]) -> MatchTable:
        """Match predictions with the ground truth.

        Args:
            predictions: per image ``img_id``, ``bboxes`` (N, 4) as x1, y1, x2, y2, ``scores``
                (N,) and ``labels`` (N,).

        Returns:
            The table, with COCO's area ranges behind the subsets.
        """
        counts = [len(prediction["labels"]) for prediction in predictions]
        numbered = number_ids(self._coco_api)
        cat_ids = numbered.category_numbers(self.cat_ids)
        image_ids = np.array(
            numbered.image_numbers(p.get("img_id", i) for i, p in enumerate(predictions)),
            dtype=np.int64,
        )
        corners = _joined([p["bboxes"] for p in predictions]).astype(np.float64).reshape(-1, 4)
        labels = _joined([p["labels"] for p in predictions]).astype(np.int64)
        if labels.size and labels.max() >= len(self.cat_ids):
            raise ValueError(
                f"a detection has label {labels.max()}, but the ground truth only "
                f"{len(self.cat_ids)} of the classes {list(self.dataset_meta['classes'])}: do the "
                "class names in metainfo and in the annotation file agree?"
            )
        return MatchTable.from_arrays(
            numbered.coco,
            np.repeat(image_ids, counts),
            np.asarray(cat_ids, dtype=np.int64)[labels],
            np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1),
            _joined([p["scores"] for p in predictions]).astype(np.float64),
            subsets=self._matched_subsets,
            iou_thrs=self.iou_thrs,
            max_dets=max(100, *self.proposal_nums),
            cat_ids=cat_ids,
            img_ids=numbered.image_numbers(self.img_ids),
        )

    def _compute_others(self, results: list, others: list[str]) -> dict[str, float]:
        """Let ``CocoMetric`` write its files and evaluate everything but boxes."""
        chosen = self.metrics
        self.metrics = others
        try:
            return super().compute_metrics(results)
        finally:
            self.metrics = chosen

    def _standard_figures(self, table: MatchTable, logger: MMLogger) -> dict[str, float]:
        """``CocoMetric``'s own figures, rounded as there."""
        values = {item: self._figure(table, *rule) for item, rule in _STANDARD.items()}
        figures: dict[str, float] = OrderedDict()
        if self.classwise:
            figures.update(self._classwise_figures(table, logger))
        for item in self.metric_items or _DEFAULT_ITEMS:
            figures[f"bbox_{item}"] = float(f"{round(values[item], 3)}")
        logger.info(
            "bbox_mAP_copypaste: %s", " ".join(f"{values[item]:.3f}" for item in _DEFAULT_ITEMS)
        )
        return figures

    def _figure(
        self,
        table: MatchTable,
        what: str,
        subset: str,
        iou_thr: float | None,
        limit: int | None,
        cat_id: int | None = None,
    ) -> float:
        """One figure by pycocotools' rules; -1 if the threshold is not evaluated."""
        if iou_thr is not None and not table.has_thr(iou_thr):
            return -1.0
        limits = sorted(self.proposal_nums)
        most = 100 if limit is None else limits[min(limit, len(limits) - 1)]
        ask = average_precision if what == "AP" else average_recall
        return ask(table, subset, iou_thr=iou_thr, cat_id=cat_id, max_dets=most)

    def _classwise_figures(self, table: MatchTable, logger: MMLogger) -> dict[str, float]:
        """AP of each class, with ``CocoMetric``'s table in the log."""
        figures: dict[str, float] = {}
        rows = [["category", *_DEFAULT_ITEMS]]
        for name, cat_id in zip(table.class_names, table.cat_ids, strict=True):
            values = []
            for item in _DEFAULT_ITEMS:
                what, subset, iou_thr, _ = _STANDARD[item]
                value = self._figure(table, what, subset, iou_thr, -1, cat_id)
                values.append(float("nan") if value < 0 else value)
            figures[f"{name}_precision"] = round(values[0], 3)
            rows.append([name, *(f"{round(value, 3)}" for value in values)])
        logger.info("\n%s", AsciiTable(rows).table)
        return figures


def _joined(arrays: Sequence[Any]) -> np.ndarray:
    """Concatenate the arrays of all images, of which there may be none."""
    return np.concatenate([np.asarray(a) for a in arrays]) if arrays else np.zeros(0)
