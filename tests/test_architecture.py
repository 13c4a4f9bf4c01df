"""The house's rules: who may import whom, a test for each module, one job for each file.

The tables below are the exceptions, each with its reason. An exception that is no longer needed
fails the test, so that the tables only get shorter.
"""

import sys
from pathlib import Path

import pytest
from helpers_source import (
    ROOT,
    circles,
    draw_architecture,
    function_lines,
    imported,
    module_graph,
    module_lines,
    repeated_blocks,
)

# Each subpackage and those that it may import besides itself; whatever is absent is forbidden.
MAY_IMPORT = {
    "common": set(),
    "functional": {"common"},
    "ops": set(),
    "losses": {"common", "functional"},
    "samplers": {"common", "functional"},
    "backbones": {"common"},
    # A data set checks its file when it is opened.
    "datasets": {"common", "checking"},
    # The check of annotation files and pictures; reads labels, trains nothing.
    "checking": {"common", "evaluation"},
    # Other formats to COCO files, and splits; a split finds near copies as the check does.
    "convert": {"common", "checking"},
    "synthetic": {"common"},
    "evaluation": {"common"},
    # Mining over the whole data set: matches detections as the evaluation does.
    "mining": {"common", "functional", "datasets", "evaluation"},
    "heads": {"common", "functional", "losses", "samplers", "mining"},
    # The check of a config's settings comes before its training.
    "engine": {"common", "checking", "datasets", "heads", "mining"},
    "predict": {"common", "engine"},
    "studies": {"common", "datasets", "evaluation", "mining", "engine"},
}
# Its test is that of setup.py, which reads it.
WITHOUT_TEST = {"version.py"}

MODULE_LINES, FUNCTION_LINES, BLOCK_LINES = 300, 60, 10
# Longer modules, each with its one job.
LONG_MODULES = {
    "mmthermal/evaluation/match_table.py": "one class: its columns, the matching, its indices",
    "mmthermal/losses/composite_loss.py": "one module: a third is the contract of its settings",
    "mmthermal/studies/charts.py": "one job: the SVG charts of the report",
}
# Longer functions (without their docstrings), each with the reason.
LONG_FUNCTIONS = {
    "mmthermal/checking/annotations.py::_what_is_left": "mmdet's filter, rule by rule in its order",
    "mmthermal/losses/composite_loss.py::__init__": "an argument and a check for every setting",
    "mmthermal/losses/composite_loss.py::forward": "one sequence: sums, ratios, weights, log",
    "mmthermal/studies/comparison.py::compare": "one pass, whose steps have functions of their own",
}


def arrows_up(root: Path) -> list[str]:
    """Imports below root/mmthermal that the house does not allow."""
    wrong = []
    for path in sorted((root / "mmthermal").glob("*/**/*.py")):
        parts = path.relative_to(root).parts
        own = parts[1]
        pure = own == "functional" or parts[1:] == ("common", "checks.py")
        for line, name in imported(path, list(parts[:-1])):
            top, _, rest = name.partition(".")
            target = rest.split(".")[0]
            where = f"{'/'.join(parts)}:{line} imports {name}"
            if top == "mmthermal":
                if target not in MAY_IMPORT.get(own, set()) | {own, "version"}:
                    wrong.append(where)
            elif pure and top != "torch" and top not in sys.stdlib_module_names:
                wrong.append(where)
    return wrong


def untested(root: Path) -> list[str]:
    """Modules below root/mmthermal without a test file of their name at the same place."""
    modules = (path.relative_to(root / "mmthermal") for path in root.glob("mmthermal/**/*.py"))
    return sorted(
        str(path)
        for path in modules
        if path.name != "__init__.py"
        and str(path) not in WITHOUT_TEST
        and not (root / "tests" / path.parent / f"test_{path.name}").exists()
    )


def judged(found: dict[str, int], limit: int, allowed: dict[str, str]) -> list[str]:
    """What is too long without an entry, and entries that are not needed."""
    long = {name for name, lines in found.items() if lines > limit}
    new = [
        f"{name}: {found[name]} lines, at most {limit}: cut it at its seams, or enter its one job"
        for name in sorted(long - set(allowed))
    ]
    return new + [f"{name}: remove its entry" for name in sorted(set(allowed) - long)]


def mmthermal_too_late(root: Path) -> list[str]:
    """Scripts that import mmdet or mmcv before mmthermal, which supplies mmcv's operators."""
    late = []
    for folder in ("tools", "benchmarks", "docs"):
        for path in sorted((root / folder).glob("**/*.py")):
            first: dict[str, int] = {}
            for line, name in imported(path, []):
                top = name.split(".")[0]
                first[top] = min(line, first.get(top, line))
            others = [first[top] for top in ("mmdet", "mmcv") if top in first]
            if others and first.get("mmthermal", min(others)) >= min(others):
                late.append(str(path.relative_to(root)))
    return late


def test_every_subpackage_has_its_place() -> None:
    found = {path.parent.name for path in (ROOT / "mmthermal").glob("*/__init__.py")}
    assert found == set(MAY_IMPORT)


def test_no_arrow_points_up() -> None:
    assert arrows_up(ROOT) == []


def test_every_module_has_its_tests() -> None:
    assert untested(ROOT) == []


def test_scripts_import_mmthermal_before_mmdet() -> None:
    assert mmthermal_too_late(ROOT) == []


@pytest.mark.parametrize(
    ("lines", "late"),
    [
        ("import mmthermal\nimport mmdet.apis", False),
        ("from mmthermal.ops import x\nfrom mmcv.ops import nms", False),
        ("import torch", False),
        ("import mmdet.apis\nimport mmthermal", True),
        ("from mmcv.ops import nms", True),
    ],
)
def test_a_late_import_of_mmthermal_is_seen(tmp_path: Path, lines: str, late: bool) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "a.py").write_text(lines)
    assert mmthermal_too_late(tmp_path) == (["tools/a.py"] if late else [])


def test_modules_import_each_other_in_no_circle() -> None:
    found = (" <-> ".join(group) for group in circles(module_graph(ROOT)))
    assert list(found) == []


def test_a_module_has_one_job() -> None:
    assert judged(module_lines(ROOT), MODULE_LINES, LONG_MODULES) == []


def test_a_function_has_one_job() -> None:
    assert judged(function_lines(ROOT), FUNCTION_LINES, LONG_FUNCTIONS) == []


def test_no_block_is_there_twice() -> None:
    found = {" = ".join(files): at for files, at in repeated_blocks(ROOT, BLOCK_LINES).items()}
    assert found == {}


def test_the_drawing_shows_todays_imports() -> None:
    drawn = draw_architecture.TARGET.read_text(encoding="utf-8")
    assert drawn == draw_architecture.drawing(ROOT), (
        "run python docs/images/draw_architecture.py and look at docs/images/architecture.svg"
    )


def test_the_page_speaks_of_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert {row.removesuffix("/") for row in rows} >= set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("functional/focal.py", "import numpy"),
        ("functional/focal.py", "from mmdet.registry import MODELS"),
        ("functional/focal.py", "from mmthermal.losses import CompositeLoss"),
        ("losses/a.py", "from mmthermal.heads.b import c"),
        ("losses/a.py", "from mmthermal.samplers import miner"),
        ("samplers/a.py", "import mmthermal.heads.b"),
        ("samplers/a.py", "from ..heads import b"),
        ("heads/a.py", "from mmthermal import engine"),
        ("datasets/a.py", "from mmthermal.heads import b"),
        ("evaluation/deep/a.py", "def f():\n    from ...losses import b"),
        ("engine/a.py", "import mmthermal"),
    ],
)
def test_a_forbidden_import_is_seen(tmp_path: Path, place: str, line: str) -> None:
    path = tmp_path / "mmthermal" / place
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert len(arrows_up(tmp_path)) == 1


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("functional/focal.py", "import math\nfrom torch import Tensor"),
        ("functional/focal.py", "from mmthermal.functional.means import g\nfrom . import box"),
        ("losses/a.py", "import numpy\nfrom mmthermal.functional import focal"),
        ("heads/a.py", "from ..losses import b\nfrom mmthermal.samplers import c"),
        ("evaluation/a.py", "from mmthermal.common.display import to_display"),
    ],
)
def test_an_allowed_import_passes(tmp_path: Path, place: str, line: str) -> None:
    path = tmp_path / "mmthermal" / place
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert arrows_up(tmp_path) == []


def package(root: Path, files: dict[str, str]) -> Path:
    """A package of these files."""
    for name, text in files.items():
        path = root / "mmthermal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_circle_is_seen_through_functions_and_relative_imports(tmp_path: Path) -> None:
    files = {
        "a/__init__.py": "from mmthermal.a.one import x",
        "a/one.py": "from mmthermal.a.two import y\nx = 1",
        "a/two.py": "def f():\n    from ..b import three",
        "b/__init__.py": "",
        "b/three.py": "import mmthermal.a.one",
        "b/four.py": "from mmthermal.b import three",
    }
    found = circles(module_graph(package(tmp_path, files)))
    assert found == [["mmthermal.a.one", "mmthermal.a.two", "mmthermal.b.three"]]


def test_modules_without_a_circle_pass(tmp_path: Path) -> None:
    files = {"a/__init__.py": "from mmthermal.a.one import x", "a/one.py": "x = 1"}
    assert circles(module_graph(package(tmp_path, files))) == []


def test_too_long_and_needless_entries_are_seen(tmp_path: Path) -> None:
    body = "".join(f"    x{i} = {i}\n" for i in range(9))
    docs = '    """Many\n\n\n\nlines."""\n'
    files = {"a/long.py": f"def f():\n{body}\n\ndef g():\n{docs}    return 1\n"}
    root = package(tmp_path, files)
    lines = {"mmthermal/a/long.py::f": 10, "mmthermal/a/long.py::g": 2}
    assert function_lines(root) == lines
    assert module_lines(root) == {"mmthermal/a/long.py": 19}
    assert [line.split(":")[0] for line in judged(module_lines(root), 18, {})] == [
        "mmthermal/a/long.py"
    ]
    allowed = {"mmthermal/a/long.py::f": "why", "mmthermal/a/long.py::g": "why"}
    assert judged(lines, 9, allowed) == ["mmthermal/a/long.py::g: remove its entry"]


def test_a_repeated_block_is_seen(tmp_path: Path) -> None:
    block = [f"y{i} = f({i})" for i in range(4)]
    other = [f"  {block[0]}", "", "# a comment", *block[1:]]
    files = {
        "a/one.py": "\n".join(["z = 1", *block]),
        "a/two.py": "\n".join(["if z:", *("  " + line.strip() for line in other)]),
        "b/three.py": "\n".join(block[:3]),
    }
    root = package(tmp_path, files)
    found = repeated_blocks(root, 4)
    assert found == {
        ("mmthermal/a/one.py", "mmthermal/a/two.py"): "mmthermal/a/one.py:2, mmthermal/a/two.py:2"
    }
    assert repeated_blocks(root, 5) == {}


def test_the_drawing_follows_the_imports(tmp_path: Path) -> None:
    files = {
        "base/__init__.py": '"""What all use."""',
        "a/__init__.py": '"""Job of a."""\nfrom mmthermal import base',
        "b/__init__.py": '"""Job of b."""\nfrom mmthermal.a import x\nimport mmthermal.base.y',
    }
    root = package(tmp_path, files)
    arrows = draw_architecture.package_arrows(root)
    assert arrows == {"base": set(), "a": {"base"}, "b": {"a", "base"}, "tools": set()}
    assert draw_architecture.bases(arrows) == {"base"}
    assert draw_architecture.reduced(arrows) == {"a": set(), "b": {"a"}, "tools": set()}
    drawn = draw_architecture.drawing(root)
    assert drawn.count('class="box"') == 3 and drawn.count('class="base"') == 1
    assert drawn.count('class="tip"') == 1 and "Job of b" in drawn


def test_a_module_without_tests_is_seen(tmp_path: Path) -> None:
    for name in ("heads/a.py", "heads/b.py", "heads/__init__.py"):
        path = tmp_path / "mmthermal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "tests" / "heads").mkdir(parents=True)
    (tmp_path / "tests" / "heads" / "test_a.py").touch()
    assert untested(tmp_path) == ["heads/b.py"]
