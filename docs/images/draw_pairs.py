"""Draw pairs.png of docs/results.md from the tables there: composite − baseline, seed by seed.

Example: python docs/images/draw_pairs.py
"""

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of backend

from mmthermal.studies.statistics import paired_t_interval

HERE = Path(__file__).resolve().parent
METRICS = ("AP", "AP50", "AP50, overlapped", "AP50, isolated")


def table(text: str, head: str) -> list[list[str]]:
    """Rows of the Markdown table whose first line starts with ``head``."""
    lines = text[text.index(f"\n{head}") + 1 :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in lines[2:]]


def by_seed(cells: list[str]) -> np.ndarray:
    """(n, 4) numbers of cells that hold one per seed."""
    return np.array([cell.split() for cell in cells], dtype=float).T


def differences(text: str) -> dict[str, np.ndarray]:
    """(n, 4) composite − baseline in points by seed and metric, by the title of a panel."""
    rows = [row[1:] for row in table(text, "| seed | focal: AP") if row[0].isdigit()]
    focal, composite = np.split(np.array(rows, dtype=float), 2, axis=1)
    two_stages = {row[0]: row[1:] for row in table(text, "| 256 RoIs |")}
    combined = next(row for name, row in two_stages.items() if name.startswith("composite"))
    rows = table(text[text.index("\n## The embedded set") :], "| | seed | AP")
    embedded = {
        kind: np.array([r[2:] for r in rows if r[0].startswith(f"{kind}, float32")], dtype=float)
        for kind in ("focal", "composite")
    }
    return {
        "RetinaNet against focal, hituav160": composite - focal,
        "Faster R-CNN against cross-entropy, hituav160": by_seed(combined)
        - by_seed(two_stages["cross-entropy"]),
        "RetinaNet against focal, embedded set": embedded["composite"] - embedded["focal"],
    }


def main() -> None:
    """Draw a panel per set of pairs."""
    panels = differences((HERE.parent / "results.md").read_text(encoding="utf-8"))
    figure, row = plt.subplots(
        1, len(panels), figsize=(12, 2.8), sharex=True, sharey=True, layout="constrained"
    )
    for axes, (title, pairs) in zip(row, panels.items(), strict=True):
        axes.axvline(0, color="0.6", lw=0.8)
        for y, points in enumerate(pairs.T):
            interval = paired_t_interval(points, level=0.95)
            axes.plot([interval.low, interval.high], [y, y], color="#1d4ed8", lw=3, alpha=0.35)
            axes.plot(points, np.full(len(points), y), "o", color="#1d4ed8", ms=3.5, alpha=0.7)
            axes.plot(points.mean(), y, "D", color="#b91c1c", ms=6)
        axes.set_title(f"{title} ({len(pairs)} seeds)", fontsize=9)
        axes.set_yticks(range(len(METRICS)), METRICS)
        axes.set_ylim(len(METRICS) - 0.5, -0.5)
        axes.set_xlabel("composite − baseline, points", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "pairs.png", dpi=110)
    print(HERE / "pairs.png")


if __name__ == "__main__":
    main()
