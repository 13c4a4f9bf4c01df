"""Lines of a results file, one per finished run: read, checked, chosen for a table, added to.

A line is a dict with at least `name` (the variant), `seed`, `data`, `detector`, `schedule`,
`precision` and `metrics`. Metrics are shares in [0, 1], by the keys of a comparison
(`AP50`, `overlapped_AP50`, `best_f1` …), as many as are known. Where only the mean of several runs
is left, `seed` is None, `seeds` lists them, and `sd` holds the deviations that are known.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmthermal.common.files import write_text

Line = dict[str, Any]
# What the runs of one row of a table share. Precision is not among them: it moves a run no more
# than another seed does.
SHARED = ("data", "detector", "schedule")
FIELDS = (
    "study", "name", "seed", "seeds", *SHARED, "precision", "config", "options", "cfg_options",
    "config_hash", "metrics", "sd", "finished", "device", "torch", "commit", "source", "note",
)  # fmt: skip
REQUIRED = ("name", "seed", *SHARED, "precision", "metrics")
PRECISIONS = {
    "optim_wrapper.enabled=True": "bfloat16",
    "optim_wrapper.enabled=False": "float32",
}
SCHEDULES = {"hituav160": "6e", "synthetic": "12e"}
DETECTORS = {"faster_rcnn": "Faster R-CNN", "cascade_rcnn": "Cascade R-CNN", "retina": "RetinaNet"}


def read_lines(path: str | Path) -> list[Line]:
    """Read a results file.

    Args:
        path: of the file, JSON lines in UTF-8.

    Returns:
        its lines, in order.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a line is not JSON, or misses a field.
    """
    lines = []
    for number, text in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: not JSON ({error})") from None
        _check(line, f"{path}, line {number}")
        lines.append(line)
    return lines


def _check(line: Line, where: str) -> None:
    missing = [field for field in REQUIRED if field not in line]
    if missing:
        raise ValueError(
            f"{where}: no {', '.join(missing)}: a line has {', '.join(REQUIRED)}; "
            "`tools/make_results.py --add` completes the lines of a queue"
        )
    if line["seed"] is None and not line.get("seeds"):
        raise ValueError(f"{where}: no seed: give seed, or seeds where only their mean is known")
    wrong = {key: value for key, value in line["metrics"].items() if not 0 <= value <= 1}
    if wrong:
        raise ValueError(f"{where}: metrics {wrong}: give shares in [0, 1], not percent")


def differing(lines: Iterable[Line]) -> list[tuple[str, list[Any]]]:
    """The fields in which runs differ that those of one row share, each with its values."""
    listed = list(lines)
    values = {field: list(dict.fromkeys(line.get(field) for line in listed)) for field in SHARED}
    return [(field, known) for field, known in values.items() if len(known) > 1]


def select(
    lines: Iterable[Line],
    name: str,
    *,
    seeds: Sequence[int] | None = None,
    **where: Any,
) -> list[Line]:
    """The runs of a variant.

    Args:
        lines: of a results file.
        name: of the variant.
        seeds: to keep; all of them if None.
        **where: fields and the value that they must have, such as ``schedule="6e"``.

    Returns:
        one line per seed, by seed; of several runs of a seed the last one counts. The line of a
        mean only if there is no single run. Empty if there is nothing.

    Raises:
        ValueError: if the lines that are left differ in data, detector or schedule.
    """
    found: dict[int | None, Line] = {}
    for line in lines:
        fits = line["name"] == name and all(line.get(key) == value for key, value in where.items())
        if fits and (seeds is None or line["seed"] in seeds):
            found[line["seed"]] = line
    if len(found) > 1:
        found.pop(None, None)
    for field, values in differing(found.values()):
        raise ValueError(
            f"runs of {name!r} differ in {field}: {', '.join(map(repr, sorted(values)))}; "
            f"choose one, such as {field}={min(values)!r}"
        )
    return sorted(found.values(), key=lambda line: line["seed"])


def complete(line: Mapping[str, Any], *, precision: str | None = None) -> Line:
    """Fill in the fields that a line of a queue leaves to its config.

    Args:
        line: of a queue.
        precision: of the training, where neither the line nor its options tell.

    Returns:
        a line with all the required fields.

    Raises:
        ValueError: if a field cannot be told.
    """
    config = str(line.get("config") or "")
    data = "hituav160" if "hituav160" in config else "synthetic"
    known: Line = {"study": "embedded" if data == "synthetic" else data, "data": data}
    known["schedule"] = "24e" if "24e" in config else SCHEDULES[data]
    detectors = [title for part, title in DETECTORS.items() if part in config]
    if detectors:
        known["detector"] = detectors[0]
    for option in line.get("cfg_options") or ():
        precision = PRECISIONS.get(option, precision)
    if precision is not None:
        known["precision"] = precision
    full = {**known, **{key: value for key, value in line.items() if value is not None}}
    label = f"{line.get('name')} seed {line.get('seed')}"
    if "precision" not in full:
        raise ValueError(f"{label}: precision unknown; give --precision bfloat16 or float32")
    _check(full, label)
    return full


def add_lines(path: str | Path, new: Iterable[Line]) -> int:
    """Add runs to a results file, each once; a run that is there already (same finish) stays.

    Args:
        path: of the file; it is replaced as a whole.
        new: complete lines.

    Returns:
        how many were added.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if one of its lines is not valid.
    """
    lines = read_lines(path)
    known = {_identity(line) for line in lines}
    found: dict[tuple[Any, ...], Line] = {}
    for line in new:
        found.setdefault(_identity(line), line)
    added = [line for identity, line in found.items() if identity not in known]
    ordered = [{key: line[key] for key in FIELDS if key in line} for line in [*lines, *added]]
    write_text(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in ordered))
    return len(added)


def _identity(line: Line) -> tuple[Any, ...]:
    fields = ("name", "seed", *SHARED, "precision", "finished")
    return tuple(line.get(field) for field in fields)
