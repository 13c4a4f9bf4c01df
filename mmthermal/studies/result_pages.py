"""Pages whose tables, figures and plot are made from a results file.

A table stands between ``<!-- table:NAME -->`` and ``<!-- /table -->`` on lines of their own, a
difference within a sentence between ``<!-- value:NAME -->`` and ``<!-- /value -->``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmthermal.common.checks import check_choice
from mmthermal.common.files import write_text
from mmthermal.studies.result_lines import Line, add_lines, complete, read_lines
from mmthermal.studies.result_plot import drawn_pairs, pairs_of, save_pairs
from mmthermal.studies.result_tables import KINDS, difference_in_words
from mmthermal.studies.run_record import read_results

TABLE = re.compile(r"(<!-- table:(\S+) -->\n)(?:.*?\n)??(<!-- /table -->)", re.DOTALL)
VALUE = re.compile(r"(<!-- value:(\S+) -->)[^<]*(<!-- /value -->)")
FIRST_VALUE = re.compile(r"^ *<!-- value:(\S+) -->", re.MULTILINE)


def fill(text: str, lines: Sequence[Line], spec: Mapping[str, Any]) -> str:
    """Put today's tables and values between the marks of a page.

    Args:
        text: of the page.
        lines: of the results file.
        spec: with `tables` and `values`, by name.

    Returns:
        the text with new contents; all else is as it was.

    Raises:
        ValueError: if a mark has no counterpart, its name is unknown, or a value begins a line.
    """

    def table(match: re.Match[str]) -> str:
        settings = _known(spec["tables"], match[2], "table")
        return f"{match[1]}{KINDS[settings['kind']](lines, settings)}\n{match[3]}"

    def value(match: re.Match[str]) -> str:
        settings = _known(spec["values"], match[2], "value")
        return match[1] + difference_in_words(lines, settings) + match[3]

    for kind, pattern in (("table", TABLE), ("value", VALUE)):
        marks = (text.count(f"<!-- {kind}:"), text.count(f"<!-- /{kind} -->"))
        if set(marks) != {len(pattern.findall(text))}:
            raise ValueError(
                f"{marks[0]} marks <!-- {kind}:NAME --> and {marks[1]} marks <!-- /{kind} -->: "
                "each needs its counterpart"
            )
    first = FIRST_VALUE.search(text)
    if first:
        raise ValueError(
            f"value {first[1]} begins a line, where Markdown takes a comment for the end of the "
            "paragraph: put a word before it"
        )
    return VALUE.sub(value, TABLE.sub(table, text))


def _known(settings: Mapping[str, Any], name: str, kind: str) -> Mapping[str, Any]:
    check_choice(f"{kind} of a page", name, tuple(settings))
    return settings[name]


def stale(spec_path: str | Path, root: Path) -> list[str]:
    """Pages and plots that do not show what the results file holds.

    Args:
        spec_path: a file with `results`, `pages`, `tables`, `values` and `plots`.
        root: of the project; the paths in the file are relative to it.

    Returns:
        their paths, as in the file.
    """
    spec, lines = _read(spec_path, root)
    texts = {page: (root / page).read_text(encoding="utf-8") for page in spec["pages"]}
    pages = [page for page, text in texts.items() if fill(text, lines, spec) != text]
    plots = [
        path
        for path, panels in spec["plots"].items()
        if drawn_pairs(root / path) != pairs_of(lines, panels)
    ]
    return pages + plots


def make(spec_path: str | Path, root: Path) -> list[str]:
    """Write all that is stale.

    Args:
        spec_path: as in :func:`stale`.
        root: of the project.

    Returns:
        the paths that were written.
    """
    spec, lines = _read(spec_path, root)
    written = stale(spec_path, root)
    for path in written:
        if path in spec["plots"]:
            save_pairs(root / path, pairs_of(lines, spec["plots"][path]))
        else:
            text = (root / path).read_text(encoding="utf-8")
            write_text(root / path, fill(text, lines, spec))
    return written


def add_runs(
    spec_path: str | Path, root: Path, files: Sequence[Path], *, precision: str | None = None
) -> int:
    """Add the runs of a queue to the results file.

    Args:
        spec_path: as in :func:`stale`.
        root: of the project.
        files: JSON lines of a queue.
        precision: of runs that do not tell.

    Returns:
        how many were new.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if a line is not JSON, or a run's data, detector, schedule or precision cannot
            be told.
    """
    new = [complete(line, precision=precision) for path in files for line in _queue_lines(path)]
    return add_lines(root / Config.fromfile(spec_path).results, new)


def _queue_lines(path: Path) -> list[Line]:
    """Lines of a queue, without a last one that a kill cut short."""
    if not path.is_file():
        raise FileNotFoundError(f"results {str(path)!r} do not exist: check the path")
    try:
        return read_results(path)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: {error.doc[:40]!r} … is not JSON ({error.msg})") from None


def _read(spec_path: str | Path, root: Path) -> tuple[dict[str, Any], list[Line]]:
    spec = Config.fromfile(spec_path).to_dict()
    return spec, read_lines(root / spec["results"])
