"""Pages are filled from the results file, and the project's own pages agree with it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers_results import result_lines, write_lines
from mmengine.config import Config

from mmthermal.studies.result_pages import add_runs, fill, make, stale

ROOT = Path(__file__).parents[2]
OWN_SPEC = ROOT / "benchmarks" / "results" / "tables.py"
PAGE = """# Page

It gains <!-- value:gain -->nothing<!-- /value --> points.

<!-- table:main -->
| old |
<!-- /table -->

The end.
"""
SPEC = """
results = "runs.jsonl"
pages = ["page.md"]
tables = dict(main=dict(kind="means", columns=["AP50"], rows=[dict(name="a"), dict(name="b")]))
values = dict(gain=dict(candidate=dict(name="a"), baseline=dict(name="b"), figure="AP50"))
plots = {"pairs.png": [dict(title="t", candidate=dict(name="a"), baseline=dict(name="b"))]}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project with a page, a results file and what the page shows of it."""
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "spec.py").write_text(SPEC)
    lines = [*result_lines("a", [0.52, 0.53, 0.54]), *result_lines("b", [0.5, 0.5, 0.5])]
    write_lines(tmp_path / "runs.jsonl", lines)
    return tmp_path


def test_the_pages_of_the_project_show_what_the_runs_say() -> None:
    assert stale(OWN_SPEC, ROOT) == [], "run python tools/make_results.py"


def test_no_table_or_value_of_the_project_is_left_unused() -> None:
    spec = Config.fromfile(OWN_SPEC).to_dict()
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in spec["pages"])
    marks = {f"table:{name}" for name in spec["tables"]}
    marks |= {f"value:{name}" for name in spec["values"]}
    assert [mark for mark in sorted(marks) if f"<!-- {mark} -->" not in text] == []


def test_a_new_page_may_have_nothing_between_the_marks(place: Path) -> None:
    (place / "page.md").write_text(PAGE)
    make(place / "spec.py", place)
    filled = (place / "page.md").read_text()
    (place / "page.md").write_text(PAGE.replace("| old |\n", ""))
    make(place / "spec.py", place)
    assert (place / "page.md").read_text() == filled


def test_a_page_is_filled_and_the_rest_stays(place: Path) -> None:
    assert stale(place / "spec.py", place) == ["page.md", "pairs.png"]
    assert make(place / "spec.py", place) == ["page.md", "pairs.png"]
    text = (place / "page.md").read_text()
    assert "gains <!-- value:gain -->+3.0 (+0.5 to +5.5)<!-- /value --> points." in text
    assert "| a | 0–2 | 3 | 53.0 ± 1.0 |\n| b | 0–2 | 3 | 50.0 ± 0.0 |\n<!-- /table -->" in text
    assert text.startswith("# Page\n") and text.endswith("\nThe end.\n") and "old" not in text
    assert stale(place / "spec.py", place) == make(place / "spec.py", place) == []


def test_a_changed_figure_on_the_page_and_a_new_run_are_seen(place: Path) -> None:
    make(place / "spec.py", place)
    page = place / "page.md"
    page.write_text(page.read_text().replace("53.0", "54.0"))
    assert stale(place / "spec.py", place) == ["page.md"]
    make(place / "spec.py", place)
    queue = [
        {**line, "precision": None, "seed": 3, "finished": "now"}
        for line in [*result_lines("a", [0.9]), *result_lines("b", [0.5])]
    ]
    write_lines(place / "queue.jsonl", queue)
    with pytest.raises(ValueError, match="precision unknown"):
        add_runs(place / "spec.py", place, [place / "queue.jsonl"])
    assert add_runs(place / "spec.py", place, [place / "queue.jsonl"], precision="float32") == 2
    assert stale(place / "spec.py", place) == ["page.md", "pairs.png"]


def test_a_queues_last_line_that_a_kill_cut_short_is_left_out(place: Path) -> None:
    queue = write_lines(place / "queue.jsonl", result_lines("a", [0.9, 0.8], finished="now"))
    queue.write_text(queue.read_text()[:-20])
    assert add_runs(place / "spec.py", place, [queue, queue]) == 1


def test_a_queue_that_cannot_be_read_is_named(place: Path) -> None:
    queue = write_lines(place / "queue.jsonl", result_lines("a", [0.9]))
    queue.write_text("{oops\n" + queue.read_text())
    with pytest.raises(ValueError, match=r"queue\.jsonl: '\{oops\\n' … is not JSON"):
        add_runs(place / "spec.py", place, [queue])
    with pytest.raises(FileNotFoundError, match="nothing.jsonl' do not exist"):
        add_runs(place / "spec.py", place, [place / "nothing.jsonl"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.replace("<!-- /table -->", ""), "each needs its counterpart"),
        (PAGE.replace("<!-- /value -->", ""), "each needs its counterpart"),
        (PAGE.replace("table:main", "table:mian"), "table of a page='mian'"),
        (PAGE.replace("value:gain", "value:loss"), "value of a page='loss'"),
        (PAGE.replace("gains ", "gains\n  "), "value gain begins a line"),
    ],
)
def test_a_wrong_mark_is_reported(place: Path, text: str, message: str) -> None:
    spec: dict[str, Any] = Config.fromfile(place / "spec.py").to_dict()
    lines = [*result_lines("a", [0.5, 0.6]), *result_lines("b", [0.5, 0.5])]
    with pytest.raises(ValueError, match=message):
        fill(text, lines, spec)


def test_the_tool_checks_the_project() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "make_results.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "show what the runs say" in done.stdout
