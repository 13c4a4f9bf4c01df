"""A comparison as JSON, CSV and text."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmthermal.common.files import write_json, write_text
from mmthermal.studies.verdict import points

CSV_COLUMNS = (
    'baseline', 'candidate', 'metric', 'baseline_mean', 'baseline_sd', 'candidate_mean',
    'candidate_sd', 'difference', 'interval_low', 'interval_high', 'seed_interval_low',
    'seed_interval_high', 'bootstrap_low', 'bootstrap_high', 'p_value', 'p_adjusted', 'verdict',
)  # fmt: skip


def to_csv(comparison: Mapping[str, Any]) -> str:
    """One row per comparison and metric; empty cells where there is no value."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for pair in comparison["comparisons"]:
        base = comparison["models"][pair["baseline"]]["metrics"]
        cand = comparison["models"][pair["candidate"]]["metrics"]
        for metric in [*pair["metrics"], *pair["others"]]:
            record = pair["metrics"].get(metric) or pair["others"][metric]
            ends = [
                (record.get(key) or {}).get(end)
                for key in ("interval", "seed_interval", "bootstrap_interval")
                for end in ("low", "high")
            ]
            writer.writerow(
                [
                    pair["baseline"],
                    pair["candidate"],
                    metric,
                    base[metric]["mean"],
                    base[metric]["sd"],
                    cand[metric]["mean"],
                    cand[metric]["sd"],
                    record["difference"],
                    *ends,
                    record.get("p_value"),
                    record.get("p_adjusted"),
                    record.get("verdict"),
                ]
            )
    return file.getvalue()


def write_comparison(comparison: Mapping[str, Any], folder: str | Path) -> tuple[Path, Path]:
    """Write `comparison.json` and `comparison.csv`, each whole or not at all."""
    return (
        write_json(Path(folder) / "comparison.json", comparison),
        write_text(Path(folder) / "comparison.csv", to_csv(comparison)),
    )


def to_table(comparison: Mapping[str, Any]) -> str:
    """The comparison as text for a terminal; with adjusted p values for several candidates."""
    lines = []
    several = len(comparison["comparisons"]) > 1
    for pair in comparison["comparisons"]:
        base = comparison["models"][pair["baseline"]]["metrics"]
        cand = comparison["models"][pair["candidate"]]["metrics"]
        head = ["metric", pair["baseline"], pair["candidate"], "difference", "interval"]
        rows = [[*head, *(["adjusted p"] if several else []), "verdict"]]
        for metric, record in pair["metrics"].items():
            rows.append(
                [
                    comparison["metric_labels"][metric],
                    _mean_sd_text(base[metric]),
                    _mean_sd_text(cand[metric]),
                    "–" if record["difference"] is None else points(record["difference"]),
                    _interval_text(record.get("interval")),
                    *([_p_text(record.get("p_adjusted"))] if several else []),
                    record["verdict"],
                ]
            )
        widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
        words = pair["words"]
        lines += [words["headline"], words["primary"], ""]
        for n, row in enumerate(rows):
            lines.append(
                "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            )
            if n == 0:
                lines.append("  ".join("-" * w for w in widths))
        lines.append("")
    return "\n".join(lines)


def _mean_sd_text(record: Mapping[str, float | None]) -> str:
    if record["mean"] is None:
        return "–"
    text = points(record["mean"], sign=False)
    return text if record["sd"] is None else f"{text} ± {points(record['sd'], sign=False)}"


def _p_text(p_value: float | None) -> str:
    return "–" if p_value is None else f"{p_value:.3g}"


def _interval_text(interval: Mapping[str, float | None] | None) -> str:
    if not interval or interval["low"] is None or interval["high"] is None:
        return "–"
    return f"{points(interval['low'])} to {points(interval['high'])}"
