"""Reads the package's source: imports, lengths of modules and functions, repeated blocks."""

import ast
import importlib.util
from collections import defaultdict
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def load_script(path: Path) -> ModuleType:
    """A script outside the package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


draw_architecture = load_script(ROOT / "docs" / "images" / "draw_architecture.py")
imported = draw_architecture.imported


def sources(root: Path) -> list[Path]:
    return sorted((root / "mmthermal").glob("**/*.py"))


def module_graph(root: Path) -> dict[str, set[str]]:
    """Each module below root/mmthermal and those that it imports, inside functions, too."""
    names = {}
    for path in sources(root):
        parts = path.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        found = set()
        for _, target in imported(path, list(path.relative_to(root).parts[:-1])):
            # `from a.b import c` names the module a.b.c, or something in the module a.b
            module = target if target in names else target.rpartition(".")[0]
            if module in names and module != name:
                found.add(module)
        graph[name] = found
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other (strongly connected components of two or more)."""
    reach = {name: _reached(graph, name) for name in graph}
    groups = {
        tuple(sorted({name} | {other for other in reach[name] if name in reach[other]}))
        for name in graph
        if name in reach[name]
    }
    return [list(group) for group in sorted(groups)]


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = list(graph[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += graph[name]
    return found


def module_lines(root: Path) -> dict[str, int]:
    """Number of lines of each module, by its path below root."""
    return {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(root)
    }


def function_lines(root: Path) -> dict[str, int]:
    """Number of lines of each function without its docstring, by path::function."""
    found = {}
    for path in sources(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                doc = _docstring(node)
                lines = node.end_lineno - node.lineno + 1
                lines -= doc.end_lineno - doc.lineno + 1 if doc else 0
                key = f"{path.relative_to(root)}::{node.name}"
                found[key] = max(lines, found.get(key, 0))
    return found


def _docstring(node: ast.AST) -> ast.Expr | None:
    first = getattr(node, "body", [None])[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first if isinstance(first.value.value, str) else None
    return None


def code_lines(path: Path) -> list[tuple[int, str]]:
    """Lines of code with their numbers: no blank lines, comments, docstrings and imports."""
    text = path.read_text(encoding="utf-8")
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        doc = (
            _docstring(node)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            else None
        )
        for item in (doc, node if isinstance(node, ast.Import | ast.ImportFrom) else None):
            if item is not None:
                left_out |= set(range(item.lineno, item.end_lineno + 1))
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(n, line) for n, line in lines if line and line[0] != "#" and n not in left_out]


def repeated_blocks(root: Path, length: int) -> dict[tuple[str, ...], str]:
    """Files that share a block of that many lines of code, and where it begins in each."""
    seen: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for path in sources(root):
        lines = code_lines(path)
        for start in range(len(lines) - length + 1):
            block = tuple(line for _, line in lines[start : start + length])
            seen[block].append((str(path.relative_to(root)), lines[start][0]))
    found: dict[tuple[str, ...], str] = {}
    for places in seen.values():
        if len(places) > 1:
            files = tuple(sorted({file for file, _ in places}))
            found.setdefault(files, ", ".join(f"{file}:{line}" for file, line in places))
    return found
