"""The house's arrows: who may import whom, and that each module has its test file."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each subpackage and those that it may import besides itself; whatever is absent is forbidden.
MAY_IMPORT = {
    "common": set(),
    "functional": {"common"},
    "losses": {"common", "functional"},
    "samplers": {"common", "functional"},
    "backbones": {"common"},
    "datasets": {"common"},
    # The check of annotation files and pictures; reads labels, trains nothing.
    "checking": {"common", "evaluation"},
    # Other formats to COCO files, and splits; a split finds near copies as the check does.
    "convert": {"common", "checking"},
    "synthetic": {"common"},
    "evaluation": {"common"},
    # Mining over the whole data set: matches detections as the evaluation does.
    "mining": {"common", "functional", "datasets", "evaluation"},
    "heads": {"common", "functional", "losses", "samplers", "mining"},
    "engine": {"common", "datasets", "heads", "mining"},
    "predict": {"common", "engine"},
    "studies": {"common", "datasets", "evaluation", "mining", "engine"},
}
# Its test is that of setup.py, which reads it.
WITHOUT_TEST = {"version.py"}


def imported(path: Path, package: list[str]) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of all that a file imports; package is where it lies."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)


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


def test_every_subpackage_has_its_place() -> None:
    found = {path.parent.name for path in (ROOT / "mmthermal").glob("*/__init__.py")}
    assert found == set(MAY_IMPORT)


def test_no_arrow_points_up() -> None:
    assert arrows_up(ROOT) == []


def test_every_module_has_its_tests() -> None:
    assert untested(ROOT) == []


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
        ("datasets/a.py", "from mmthermal.evaluation import overlap"),
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


def test_a_module_without_tests_is_seen(tmp_path: Path) -> None:
    for name in ("heads/a.py", "heads/b.py", "heads/__init__.py"):
        path = tmp_path / "mmthermal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "tests" / "heads").mkdir(parents=True)
    (tmp_path / "tests" / "heads" / "test_a.py").touch()
    assert untested(tmp_path) == ["heads/b.py"]
