"""The subsets of a matched table as text, for the log."""

from collections.abc import Mapping
from typing import Any

from terminaltables import AsciiTable


def readable_table(full: Mapping[str, Any]) -> str:
    """Lay out the subsets of a full table for the log.

    Args:
        full: as `mmthermal.evaluation.to_dict` returns it.

    Returns:
        A table in text, with a line on the operating point below.
    """
    has_miss_rate = any("miss_rate" in row for row in full["subsets"])
    columns = ["AP", "AP50", "AP75", "AR"]
    head = ["subset", "objects", *columns, "best F1", "at score"]
    rows = [[*head, "MR-2"] if has_miss_rate else head]
    for row in full["subsets"]:
        best = row.get("best_f1", {})
        values = [row.get(key, -1.0) for key in columns]
        values += [best.get("f1", -1.0), best.get("threshold", -1.0)]
        if has_miss_rate:
            values.append(row.get("miss_rate", -1.0))
        shown = [f"{value:.3f}" if value >= 0 else "-" for value in values]
        rows.append([row["name"], str(row["num_gt"]), *shown])
    text = AsciiTable(rows).table
    if "score_thr" not in full:
        return text
    pairs, summary = full["pairs"], full["summary"]
    found = (
        f"both objects found in {100 * pairs['both']:.1f} % of {pairs['num_pairs']} overlapping "
        f"pairs, with their classes in {100 * pairs['both_right']:.1f} %"
        if pairs["num_pairs"]
        else "no overlapping pairs"
    )
    return (
        f"{text}\nAt score {full['score_thr']:.3f} and IoU 0.5: {found}; "
        f"{summary['duplicates_per_gt']:.3f} duplicates per object."
    )
