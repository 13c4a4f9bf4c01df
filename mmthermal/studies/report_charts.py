"""The charts of a report, from a comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from mmthermal.evaluation.figures import SUBSET_WORDS
from mmthermal.studies import charts

ERROR_LABELS = {
    "cls": "wrong class",
    "loc": "box off",
    "both": "class and box",
    "duplicate": "duplicate",
    "background": "background",
    "missed": "missed",
}


def pr_charts(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Precision against recall: a title and a chart for each subset that has curves."""
    names = list(comparison["models"])
    out = []
    for subset, models in comparison["pr_curves"].items():
        series = [
            charts.Series(
                name, names.index(name), curve["recall"], curve["mean"], curve["low"], curve["high"]
            )
            for name, curve in models.items()
        ]
        title = SUBSET_WORDS.get(subset, subset).capitalize()
        if series:
            svg = charts.line_chart(
                series,
                label=f"Precision against recall at IoU 0.5: {title}",
                x_label="recall",
                y_label="precision",
                x_range=(0, 1),
                y_range=(0, 1),
            )
            out.append({"title": title, "svg": svg})
    return out


def overlap_charts(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """AP50 by largest IoU with another object, and by covered share."""
    names = list(comparison["models"])
    bins = {
        subset: record
        for subset, record in comparison["ap_by_overlap"].items()
        if record["num_gts"] > 0
    }
    by_iou = {
        "isolated": "isolated",
        "overlapped": "> 0.1",
        "overlapped@0.3": "> 0.3",
        "overlapped@0.5": "> 0.5",
    }
    covered = {name: name.removeprefix("covered_") + " %" for name in bins if "covered_" in name}
    return {
        "iou": _bars(bins, by_iou, names, "AP50 by largest IoU with another object", "largest IoU"),
        "covered": _bars(
            bins, covered, names, "AP50 by covered share of the object", "covered share"
        ),
    }


def _bars(
    bins: Mapping[str, Any],
    labels: Mapping[str, str],
    names: Sequence[str],
    title: str,
    x_label: str,
) -> Markup:
    used = [subset for subset in labels if subset in bins]
    series = []
    for k, name in enumerate(names):
        values = [bins[subset]["models"][name] for subset in used]
        series.append(
            charts.Bars(
                name, k, _percent([v["mean"] for v in values]), _percent([v["sd"] for v in values])
            )
        )
    return charts.bar_chart(
        [labels[subset] for subset in used],
        [f"n = {bins[subset]['num_gts']}" for subset in used],
        series,
        label=title,
        x_label="",
        y_label="AP50",
    )


def training_charts(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A title, a chart and the models of each logged scalar."""
    names = list(comparison["models"])
    out = []
    for key, models in comparison["training_curves"].items():
        series = [
            charts.Series(name, names.index(name), c["x"], c["mean"], c["low"], c["high"])
            for name, c in models.items()
        ]
        svg = charts.line_chart(
            series,
            label=f"{key} during training, mean and standard deviation over seeds",
            x_label="epoch" if "/" in key else "iteration",
            y_label="",
        )
        out.append({"title": key, "svg": svg, "models": list(models)})
    return out


def error_charts(comparison: Mapping[str, Any]) -> dict[str, Markup]:
    """Numbers of errors by type, and the AP50 that each type costs."""
    models = comparison["error_types"]
    counts = charts.stacked_bars(
        list(models),
        list(ERROR_LABELS.values()),
        [[errors["counts"][key] for key in ERROR_LABELS] for errors in models.values()],
        label="Numbers of errors by type, mean over seeds",
    )
    bars = [
        charts.Bars(
            name,
            k,
            _percent([errors["dap"][key]["mean"] for key in ERROR_LABELS]),
            _percent([errors["dap"][key]["sd"] for key in ERROR_LABELS]),
        )
        for k, (name, errors) in enumerate(models.items())
    ]
    lost = charts.bar_chart(
        ["class", "box", "both", "duplicate", "backgr.", "missed"],
        [""] * len(ERROR_LABELS),
        bars,
        label="AP50 lost to each type of error, mean and standard deviation over seeds",
        x_label="",
        y_label="AP50 points",
    )
    return {"counts": counts, "lost": lost}


def _percent(values: Sequence[float | None] | None) -> list[float | None]:
    return [None if v is None else 100 * v for v in values or []]
