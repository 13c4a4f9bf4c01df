"""Figures that hooks wait for, compared with those that the metrics give."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mmdet.evaluation import CocoMetric
from mmengine.hooks import CheckpointHook, EarlyStoppingHook

from mmthermal.checking.agreement import UNKNOWN_FIGURE, WORST
from mmthermal.checking.finding import Finding
from mmthermal.common.checks import did_you_mean

# Figures of which less is better.
_LESS = ("duplicates_per_gt", "miss_rate")
_ITEMS = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")
_RECALLS = ("AR@100", "AR@300", "AR@1000", "AR_s@1000", "AR_m@1000", "AR_l@1000")


def check_watched(
    hooks: Iterable[Any], metrics: Sequence[Any], classes: Sequence[str]
) -> list[Finding]:
    """Check ``save_best`` and ``monitor`` of a run's hooks, which are read after an epoch only.

    Args:
        hooks: of the run.
        metrics: of its validation.
        classes: of the validation set.

    Returns:
        an error for a figure that no metric gives, and for a rule by which the worst is kept as
        the best. Nothing where a metric's figures are not known beforehand.
    """
    listed = [_figures(metric, classes) for metric in metrics]
    if not metrics or any(names is None for names in listed):
        return []
    known = sorted(set().union(*(names or () for names in listed)))
    findings = []
    for setting, name, rule in _watched(hooks):
        wanted = "less" if name.rpartition("/")[2].startswith(_LESS) else "greater"
        if name not in known:
            hint = did_you_mean(name, known) or f"it gives {', '.join(known[:12])}, …"
            findings.append(
                _finding(UNKNOWN_FIGURE, f"{setting}={name!r}: no metric gives it", hint)
            )
        elif rule not in (None, wanted) and not name.endswith("_thr"):
            words = f"{setting}={name!r} with the rule {rule!r} takes the worst for the best"
            findings.append(_finding(WORST, words, f"set rule={wanted!r}"))
    return findings


def _finding(code: str, message: str, remedy: str) -> Finding:
    return Finding("error", code, message, remedy, where="val_evaluator")


def _watched(hooks: Iterable[Any]) -> Iterator[tuple[str, str, str | None]]:
    """Setting, name and rule of each figure that a hook waits for."""
    for hook in hooks:
        if isinstance(hook, CheckpointHook):
            names = hook.save_best or []
            for name, rule in zip(names, getattr(hook, "rules", [None] * len(names)), strict=True):
                if name != "auto":
                    yield "save_best", name, rule
        elif isinstance(hook, EarlyStoppingHook) and hook.monitor is not None:
            yield "monitor", hook.monitor, hook.rule


def _figures(metric: Any, classes: Sequence[str]) -> set[str] | None:
    """Names of the figures that a metric gives; None if they are not known."""
    if not isinstance(metric, CocoMetric):
        return None
    names = set(coco_figures(metric, classes))
    if hasattr(metric, "figure_names"):  # OverlapCocoMetric
        names |= set(metric.figure_names(classes))
    elif type(metric) is not CocoMetric:
        return None
    return {f"{metric.prefix}/{name}" if metric.prefix else name for name in names}


def coco_figures(metric: CocoMetric, classes: Sequence[str]) -> Iterator[str]:
    """Names of the figures of mmdet's ``CocoMetric``.

    Args:
        metric: the metric.
        classes: names of the classes.

    Yields:
        the names, without the prefix.

    Source: ``mmdet.evaluation.CocoMetric.compute_metrics``, 3.3.0.
    """
    for kind in [] if metric.format_only else metric.metrics:
        if kind == "proposal_fast":
            yield from (f"AR@{number}" for number in metric.proposal_nums)
        elif kind == "proposal":
            yield from metric.metric_items or _RECALLS
        else:
            yield from (f"{kind}_{item}" for item in metric.metric_items or _ITEMS)
            if metric.classwise:
                yield from (f"{name}_precision" for name in classes)
