"""One self-contained HTML page from a comparison: no network, no other files."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mmthermal.common.files import read_json, write_text
from mmthermal.common.pages import templates
from mmthermal.evaluation.figures import SUBSET_WORDS, select_figures
from mmthermal.studies import charts
from mmthermal.studies.comparison import SCHEMA
from mmthermal.studies.gallery import picture_uri
from mmthermal.studies.report_charts import (
    ERROR_LABELS,
    error_charts,
    overlap_charts,
    pr_charts,
    training_charts,
)
from mmthermal.studies.verdict import points

KINDS = {"better": "better", "worse": "worse", "no difference shown": "none"}
MARKS = {"better": "▲", "worse": "▼", "no difference shown": "="}
REACHES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
MAX_PICTURE_BYTES = 12_000_000


def load_comparison(path: str | Path) -> dict[str, Any]:
    """Read a `comparison.json`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a comparison of this version.
    """
    content = read_json(path, what="comparison")
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(
            f"{str(path)!r} is not a comparison of schema {SCHEMA!r}: give the comparison.json "
            "that tools/compare.py wrote with this version"
        )
    return content


def write_report(
    comparison: Mapping[str, Any], path: str | Path, *, img_dir: str | Path | None = None
) -> Path:
    """Write the page.

    Args:
        comparison: as `mmthermal.studies.comparison.compare` returns it.
        path: of the HTML file; written whole or not at all.
        img_dir: folder of the images, where it is no longer the one in the comparison.

    Returns:
        The path.
    """
    return write_text(path, render(comparison, img_dir=img_dir))


def render(comparison: Mapping[str, Any], *, img_dir: str | Path | None = None) -> str:
    """The page as text; every name in it is escaped."""
    environment = templates("mmthermal.studies")
    environment.filters["points"] = points
    names = list(comparison["models"])
    folder = Path(img_dir if img_dir is not None else comparison["data"]["img_dir"])
    shown = comparison.get("gallery", [])  # a comparison that a page saved has none
    pictures, omitted = _pictures(shown, folder)
    return environment.get_template("report.html.j2").render(
        c=comparison,
        names=names,
        index={name: k for k, name in enumerate(names)},
        title=_title(names),
        pairs=[_pair(comparison, pair) for pair in comparison["comparisons"]],
        other_metrics=_other_metrics(comparison),
        overlap_chart=overlap_charts(comparison),
        pr_charts=pr_charts(comparison),
        training=training_charts(comparison),
        error_charts=error_charts(comparison),
        error_labels=list(ERROR_LABELS.values()),
        confusions=_confusions(comparison),
        per_class=_per_class(comparison),
        gallery=[item for item in shown if item["image_id"] in pictures],
        pictures=pictures,
        omitted=omitted,
        data=_script_json({k: v for k, v in comparison.items() if k != "gallery"}),
        kinds=KINDS,
        marks=MARKS,
        mean_sd=_mean_sd,
        attribution=_attribution(comparison),
    )


def _title(names: Sequence[str]) -> str:
    return f"{', '.join(names[1:])} against {names[0]}"


def _script_json(content: Any) -> Markup:
    """JSON that cannot end its script element, whatever names it holds."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # escaped for its place just above


def _mean_sd(record: Mapping[str, float | None] | None) -> Markup:
    if not record or record["mean"] is None:
        return Markup("–")
    text = Markup(points(record["mean"], sign=False))
    if record["sd"] is not None:
        text += Markup(' <span class="sd">± {}</span>').format(points(record["sd"], sign=False))
    return text


def _attribution(comparison: Mapping[str, Any]) -> str:
    return str(comparison["data"]["description"])


def _pair(comparison: Mapping[str, Any], pair: Mapping[str, Any]) -> dict[str, Any]:
    labels = comparison["metric_labels"]
    reach = 0.0
    for record in pair["metrics"].values():
        interval = record.get("interval") or {}
        for value in (record["difference"], interval.get("low"), interval.get("high")):
            reach = max(reach, abs(value or 0.0))
    reach = next((r for r in REACHES if r >= 100 * reach), REACHES[-1]) / 100
    rows = []
    for name, record in pair["metrics"].items():
        interval = record.get("interval") or {"low": None, "high": None}
        difference = record["difference"]
        text = (
            "no such objects"
            if difference is None
            else _interval_text(difference, interval["low"], interval["high"])
        )
        rows.append(
            {
                "name": name,
                "label": labels[name],
                "primary": name == comparison["settings"]["primary"],
                "base": comparison["models"][pair["baseline"]]["metrics"][name],
                "cand": comparison["models"][pair["candidate"]]["metrics"][name],
                "record": record,
                "text": text,
                "bar": Markup("")
                if difference is None
                else charts.interval_bar(
                    interval["low"],
                    difference,
                    interval["high"],
                    reach=reach,
                    kind=KINDS[record["verdict"]],
                    label=f"Difference {text}",
                ),
            }
        )
    rows.sort(key=lambda row: not row["primary"])
    return {**pair, "rows": rows, "reach": f"{100 * reach:g}"}


def _interval_text(middle: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return points(middle)
    return f"{points(middle)} ({points(low)} to {points(high)})"


OTHER_METRICS = select_figures(
    "AP75",
    "AR",
    "overlapped_AP75",
    "overlapped_AR",
    "overlapped@0.3_AP50",
    "overlapped@0.5_AP50",
    "overlapped_same_AP50",
    "overlapped_cross_AP50",
    "pairs_both",
    "pairs_both_right",
    "duplicates_per_gt",
    "overlapped_duplicates_per_gt",
    "best_f1",
    "best_f1_thr",
    "best_precision",
    "best_recall",
    "f1_at_0.5",
    "overlapped_best_f1",
)
"""Figures that are not resampled, in the order of the page."""


def _other_metrics(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    models = [model["metrics"] for model in comparison["models"].values()]
    return [
        {
            "name": figure.label,
            "models": [metrics.get(figure.key) for metrics in models],
            "differences": [pair["others"].get(figure.key) for pair in comparison["comparisons"]],
        }
        for figure in OTHER_METRICS
        if any(metrics.get(figure.key, {"mean": None})["mean"] is not None for metrics in models)
    ]


def _confusions(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    classes = comparison["data"]["class_names"]
    out = []
    for subset, models in comparison["confusion"].items():
        for name, matrix in models.items():
            rows = []
            for r, row in enumerate(matrix):
                total = sum(row)
                label = classes[r] if r < len(classes) else "no object"
                cells = [
                    {
                        "count": value,
                        "share": value / total if total and math.isfinite(total) else 0.0,
                        "hit": r == k and r < len(classes),
                        "void": r == k == len(classes),
                    }
                    for k, value in enumerate(row)
                ]
                rows.append({"label": label, "cells": cells, "background": r == len(classes)})
            out.append(
                {
                    "title": f"{name}: {SUBSET_WORDS.get(subset, subset)}",
                    "columns": [*classes, "not found"],
                    "rows": rows,
                }
            )
    return out


def _per_class(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    models = comparison["models"]
    first = next(iter(models.values()))["per_class"]
    return [
        {
            "class": name,
            "cells": [
                [model["per_class"][subset][name] for model in models.values()] for subset in first
            ],
        }
        for name in next(iter(first.values()))
    ]


def _pictures(gallery: Sequence[Mapping[str, Any]], folder: Path) -> tuple[dict[int, str], int]:
    """Data URIs by image id, as many as the page may hold, and how many are left out."""
    pictures: dict[int, str] = {}
    size = 0
    for item in gallery:
        uri = picture_uri(folder / item["file_name"])
        if uri is not None and size + len(uri) <= MAX_PICTURE_BYTES:
            pictures[item["image_id"]] = uri
            size += len(uri)
    return pictures, len(gallery) - len(pictures)
