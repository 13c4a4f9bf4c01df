"""Markdown tables of a results file: means over seeds, single runs, paired differences.

A table is a dict: `kind`, `columns` (keys of
:data:`~mmthermal.studies.result_figures.COLUMNS`), the fields that all of its runs have in `where`,
and `rows`. A row names a variant (`name`), may have a `label` and further fields, and with
`optional` it is left out as long as there is no run of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mmthermal.studies.result_figures import COLUMNS, Column, Paired, chosen, paired
from mmthermal.studies.result_lines import Line

Spec = Mapping[str, Any]
DASH = "–"


def _runs_of(lines: Sequence[Line], table: Spec, row: Spec) -> list[Line]:
    """Runs of a row; with ``complete=True`` in the table those that know all of its figures."""
    runs = chosen(lines, {**table.get("where", {}), **row})
    if table.get("complete"):
        runs = [run for run in runs if set(table["columns"]) <= run["metrics"].keys()]
    if not runs and not row.get("optional"):
        raise ValueError(
            f"no run of {row['name']!r} for a table with {table.get('where', {})}: check the name, "
            "or say optional=True"
        )
    return runs


def _label(row: Spec) -> str:
    return str(row.get("label", row["name"]))


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Seeds in short: ``0–4, 8``."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ", ".join(
        ", ".join(map(str, part)) if len(part) < 3 else f"{part[0]}–{part[-1]}" for part in parts
    )


def _mean_cell(runs: Sequence[Line], column: Column) -> str:
    if len(runs) == 1:
        metrics, sd = runs[0]["metrics"], runs[0].get("sd", {})
        if column.key not in metrics:
            return DASH
        text = column.text(metrics[column.key])
        return f"{text} ± {column.text(sd[column.key])}" if column.key in sd else text
    values = [run["metrics"][column.key] for run in runs if column.key in run["metrics"]]
    if values and len(values) < len(runs):
        raise ValueError(
            f"{column.key} is known of {len(values)} of the {len(runs)} runs of "
            f"{runs[0]['name']!r}: say complete=True, or choose seeds"
        )
    if not values:
        return DASH
    return f"{column.text(np.mean(values))} ± {column.text(np.std(values, ddof=1))}"


def means_table(lines: Sequence[Line], table: Spec) -> str:
    """Mean ± standard deviation over seeds, a row per variant.

    Args:
        lines: of a results file.
        table: see the module; `head` is the title of the first column. With `baseline`, a row, and
            `against`, a figure, each variant has its paired difference to the baseline, and P.

    Returns:
        the Markdown.

    Raises:
        ValueError: if a row has no run, or a figure is known of some of its runs only.
    """
    columns = [COLUMNS[key] for key in table["columns"]]
    rows = []
    for row in table["rows"]:
        runs = _runs_of(lines, table, row)
        if runs:
            seeds = runs[0].get("seeds") or [run["seed"] for run in runs]
            cells = [_mean_cell(runs, column) for column in columns]
            cells += _against_cells(lines, table, row)
            rows.append([_label(row), seeds_in_words(seeds), str(len(seeds)), *cells])
    head = [table.get("head", "loss"), "seeds", "n", *(column.label for column in columns)]
    if "baseline" in table:
        label = COLUMNS[table["against"]].label
        base = _label(table["baseline"])
        head += [f"{label} − {base}, 95 % interval", f"P({label} > {base})"]
    return markdown(head, rows)


def _against_cells(lines: Sequence[Line], table: Spec, row: Spec) -> list[str]:
    if "baseline" not in table:
        return []
    where, key = table.get("where", {}), table["against"]
    sides = ({**where, **row}, {**where, **table["baseline"]})
    result = None if row["name"] == table["baseline"]["name"] else paired(lines, *sides, key)
    if result is None:
        return [DASH, DASH]
    return [_with_interval(result, COLUMNS[key]), _chance(result)]


def _chance(result: Paired) -> str:
    return DASH if result.chance is None else f"{result.chance:.2f}"


def runs_table(lines: Sequence[Line], table: Spec) -> str:
    """A row per run.

    Args:
        lines: of a results file.
        table: see the module; with ``by_seed=True`` all variants of a seed follow each other.

    Returns:
        the Markdown.

    Raises:
        ValueError: if a row has no run.
    """
    columns = [COLUMNS[key] for key in table["columns"]]
    runs = [
        (run["seed"], _label(row), run)
        for row in table["rows"]
        for run in _runs_of(lines, table, row)
    ]
    if table.get("by_seed"):
        runs.sort(key=lambda item: item[0])
    rows = [
        [
            label,
            str(seed),
            run["precision"] or "unknown",
            *(c.text(run["metrics"][c.key]) if c.key in run["metrics"] else DASH for c in columns),
        ]
        for seed, label, run in runs
    ]
    head = [table.get("head", "loss"), "seed", "precision", *(c.label for c in columns)]
    return markdown(head, rows)


def differences_table(lines: Sequence[Line], table: Spec) -> str:
    """Paired differences, a row per comparison and figure.

    Args:
        lines: of a results file.
        table: see the module; a row has `candidate` and `baseline`, which are rows of their own.

    Returns:
        the Markdown.

    Raises:
        ValueError: if two variants share no seed.
    """
    rows = []
    for row in table["rows"]:
        label = row["label"]
        for key in table["columns"]:
            sides = [{**table.get("where", {}), **row[side]} for side in ("candidate", "baseline")]
            result = paired(lines, sides[0], sides[1], key)
            if result is None:
                if row.get("optional"):
                    continue
                raise ValueError(f"{row['label']}: no seed at which both have {key}")
            rows.append([label, COLUMNS[key].label, *_paired_cells(result, COLUMNS[key])])
            label = ""
    head = ["difference", "figure", "n", "mean", "95 % interval", "better at", "P(A > B)"]
    return markdown(head, rows)


def _paired_cells(result: Paired, column: Column) -> list[str]:
    low, high = result.interval.low, result.interval.high
    better = int((result.differences > 0).sum())
    return [
        str(len(result.seeds)),
        column.signed(result.mean),
        f"{column.signed(low)} to {column.signed(high)}" if result.interval.known else DASH,
        f"{better} of {len(result.seeds)}",
        _chance(result),
    ]


def difference_in_words(lines: Sequence[Line], value: Spec) -> str:
    """One paired difference for a sentence, ``+2.8 (+1.3 to +4.3)``.

    Args:
        lines: of a results file.
        value: with `candidate`, `baseline` and `figure`; `interval=False` leaves the interval out.

    Returns:
        the mean with its 95 % interval; without an interval for a single seed.

    Raises:
        ValueError: if the two share no seed.
    """
    key = value["figure"]
    result = paired(lines, value["candidate"], value["baseline"], key)
    if result is None:
        raise ValueError(f"no seed at which both have {key}: {dict(value)}")
    if not value.get("interval", True):
        return COLUMNS[key].signed(result.mean)
    return _with_interval(result, COLUMNS[key])


def _with_interval(result: Paired, column: Column) -> str:
    text = column.signed(result.mean)
    if not result.interval.known:
        return text
    low, high = (column.signed(end) for end in (result.interval.low, result.interval.high))
    return f"{text} ({low} to {high})"


KINDS: dict[str, Callable[[Sequence[Line], Spec], str]] = {
    "means": means_table,
    "runs": runs_table,
    "differences": differences_table,
}


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
