"""Draw architecture.svg of docs/architecture.md: the packages and their imports, as they are today.

A package stands above all that it imports. Arrows that follow from others are left out, and so
are those to the packages that everything rests on, which are the bar at the bottom.

Example: python docs/images/draw_architecture.py
"""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(__file__).with_name("architecture.svg")
TOOLS = "tools"
WIDTH, BOX_WIDTH, BOX_HEIGHT, ROW_HEIGHT, MARGIN = 1000, 160, 80, 128, 20

Arrows = dict[str, set[str]]

STYLE = """
  .page { fill: #ffffff } .box { fill: #eff6ff; stroke: #2563eb } .base { fill: #f3f4f6 }
  .box, .base { stroke-width: 1.2 } .base { stroke: #6b7280 }
  text { fill: #111827; font: 11px system-ui, sans-serif; text-anchor: middle }
  .name { font-size: 14px; font-weight: 600 }
  .arrow { fill: none; stroke: #6b7280; stroke-width: 1.3 } .tip { fill: #6b7280 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .box { fill: #172554; stroke: #60a5fa } .base { fill: #1f2937 }
    text { fill: #e5e7eb } .arrow { stroke: #9ca3af } .tip { fill: #9ca3af }
  }
"""


def imported(path: Path, package: list[str]) -> Iterator[tuple[int, str]]:
    """What a file imports, wherever in the file it does so.

    Args:
        path: a Python file.
        package: names of the packages that it lies in, outermost first.

    Yields:
        line and absolute dotted name.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)


def package_arrows(root: Path) -> Arrows:
    """Each package below root/mmthermal, and the tools, with the other packages it imports."""
    folders = {path.parent.name: path.parent for path in root.glob("mmthermal/*/__init__.py")}
    arrows: Arrows = {name: set() for name in [*folders, TOOLS]}
    for name, folder in {**folders, TOOLS: root / "tools"}.items():
        for path in sorted(folder.glob("**/*.py")):
            for _, target in imported(path, list(path.relative_to(root).parts[:-1])):
                top, _, rest = target.partition(".")
                if top == "mmthermal" and rest.split(".")[0] in set(folders) - {name}:
                    arrows[name].add(rest.split(".")[0])
    return arrows


def jobs(root: Path) -> dict[str, str]:
    """First line of each package's docstring."""
    found = {TOOLS: "Arguments of the command line, then one call."}
    for path in root.glob("mmthermal/*/__init__.py"):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.parent.name] = text.split("\n")[0]
    return found


def beyond(arrows: Arrows, name: str) -> set[str]:
    """All that a package reaches by one arrow or more."""
    found: set[str] = set()
    for target in arrows[name]:
        found |= {target} | beyond(arrows, target)
    return found


def bases(arrows: Arrows) -> set[str]:
    """Packages that import none and that at least half of the others import."""
    users = {name: sum(name in targets for targets in arrows.values()) for name in arrows}
    return {name for name in arrows if not arrows[name] and 2 * users[name] >= len(arrows) - 1}


def reduced(arrows: Arrows) -> Arrows:
    """Arrows without those to the bases and those that follow from others."""
    ground = bases(arrows)
    return {
        name: {
            target
            for target in targets - ground
            if not any(target in beyond(arrows, other) for other in targets - {target})
        }
        for name, targets in arrows.items()
        if name not in ground
    }


def height(arrows: Arrows, name: str) -> int:
    """Length of the longest way down from a package."""
    return max((1 + height(arrows, target) for target in arrows[name]), default=0)


def rows_of(arrows: Arrows) -> tuple[list[list[str]], list[tuple[str, str]]]:
    """Packages row by row from below, and the pieces of the arrows from row to row.

    An arrow over several rows passes a gap in each: a name such as ``tools>synthetic@2``. Within
    a row the order is by the mean place of the neighbours, from sweeps up and down.
    """
    level = {name: height(arrows, name) for name in arrows}
    rows: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for name in sorted(arrows):
        rows[level[name]].append(name)
    pieces = []
    for name in sorted(arrows):
        for target in sorted(arrows[name]):
            above = name
            for row in range(level[name] - 1, level[target], -1):
                gap = f"{name}>{target}@{row}"
                rows[row].append(gap)
                pieces.append((above, gap))
                above = gap
            pieces.append((above, target))
    for sweep in range(12):
        order = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for row in order:
            other = rows[row - 1] if sweep % 2 == 0 else rows[row + 1]
            place = {name: (i + 0.5) / len(other) for i, name in enumerate(other)}
            own = {name: (i + 0.5) / len(rows[row]) for i, name in enumerate(rows[row])}

            def mean(
                name: str, place: dict[str, float] = place, own: dict[str, float] = own
            ) -> float:
                ends = [place[b] for a, b in pieces if a == name and b in place]
                ends += [place[a] for a, b in pieces if b == name and a in place]
                return sum(ends) / len(ends) if ends else own[name]

            rows[row].sort(key=mean)
    return rows, pieces


def centres(rows: list[list[str]]) -> dict[str, tuple[float, float]]:
    """Middle of each box and gap; boxes take more room in a row than gaps."""
    found = {}
    for number, row in enumerate(rows):
        y = MARGIN + BOX_HEIGHT / 2 + (len(rows) - 1 - number) * ROW_HEIGHT
        room = [0.35 if ">" in name else 1.0 for name in row]
        left = 0.0
        for name, share in zip(row, room, strict=True):
            x = MARGIN + (WIDTH - 2 * MARGIN) * (left + share / 2) / sum(room)
            found[name] = (x, y)
            left += share
    return found


def _box(name: str, job: str, at: tuple[float, float], width: float, kind: str) -> list[str]:
    x, y = at
    lines = textwrap.wrap(job.rstrip("."), int(width / 6.4))
    first = y - 6.5 * (len(lines) + 1) + 10
    shape = f'<rect class="{kind}" x="{x - width / 2:.1f}" y="{y - BOX_HEIGHT / 2:.1f}"'
    drawn = [f'{shape} width="{width:.1f}" height="{BOX_HEIGHT}" rx="6"/>']
    drawn.append(f'<text class="name" x="{x:.1f}" y="{first:.1f}">{escape(name)}</text>')
    for number, line in enumerate(lines, 1):
        drawn.append(f'<text x="{x:.1f}" y="{first + 3 + 13 * number:.1f}">{escape(line)}</text>')
    return drawn


def _piece(above: str, below: str, at: dict[str, tuple[float, float]], arrows: Arrows) -> list[str]:
    """One arrow, or the part of it between two rows."""
    half = BOX_HEIGHT / 2
    x0, y0 = at[above][0], at[above][1] + half
    x1, y1 = at[below][0], at[below][1] - half
    # boxes spread the ends of their arrows, so that these can be told apart
    if above in arrows:
        x0 += (x1 - x0) / WIDTH * BOX_WIDTH * 0.9
    if below in arrows:
        x1 += (x0 - x1) / WIDTH * BOX_WIDTH * 0.9
    middle = (y0 + y1) / 2
    path = f"M{x0:.1f} {y0:.1f} C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
    if below not in arrows:
        return [f'<path class="arrow" d="{path} V{y1 + BOX_HEIGHT:.1f}"/>']
    tip = f"M{x1:.1f} {y1:.1f} l-4 -8 h8 z"
    return [f'<path class="arrow" d="{path}"/>', f'<path class="tip" d="{tip}"/>']


def drawing(root: Path) -> str:
    """The picture of the packages below root/mmthermal as they import each other.

    Args:
        root: folder of the project.

    Returns:
        SVG text.
    """
    arrows, job = package_arrows(root), jobs(root)
    upper, ground = reduced(arrows), sorted(bases(arrows))
    rows, pieces = rows_of(upper)
    at = centres(rows)
    total = 2 * MARGIN + BOX_HEIGHT + ROW_HEIGHT * (len(rows) - (not ground))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img">',
        "<title>Packages of mmthermal: each imports only what its arrows reach</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{total}"/>',
    ]
    for above, below in pieces:
        parts += _piece(above, below, at, upper)
    for name in sorted(upper):
        parts += _box(name, job[name], at[name], BOX_WIDTH, "box")
    for number, name in enumerate(ground):
        width = (WIDTH - 2 * MARGIN) / len(ground)
        place = (MARGIN + width * (number + 0.5), total - MARGIN - BOX_HEIGHT / 2)
        parts += _box(name, job[name], place, width, "base")
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Draw it."""
    TARGET.write_text(drawing(ROOT), encoding="utf-8")
    print(TARGET)


if __name__ == "__main__":
    main()
