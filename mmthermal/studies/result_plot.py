"""Plot of paired differences: a panel per comparison, a dot per seed."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mmthermal.common.files import write_bytes
from mmthermal.studies.result_figures import COLUMNS, MIN_SEEDS, paired
from mmthermal.studies.result_lines import Line
from mmthermal.studies.statistics import paired_t_interval

FIGURES = ("AP", "AP50", "overlapped_AP50", "isolated_AP50")
BLUE, RED = "#1d4ed8", "#b91c1c"
# By title of a panel and key of a figure: differences in points, by seed.
Panels = dict[str, dict[str, list[float]]]


def pairs_of(lines: Sequence[Line], panels: Sequence[Mapping[str, Any]]) -> Panels:
    """What a plot shows.

    Args:
        lines: of a results file.
        panels: each with `title`, and rows `candidate` and `baseline`. One of fewer than three
            shared seeds is left out.

    Returns:
        differences in points with two decimals, by title and figure.
    """
    found: Panels = {}
    for panel in panels:
        results = {
            key: paired(lines, panel["candidate"], panel["baseline"], key) for key in FIGURES
        }
        known = {key: result for key, result in results.items() if result is not None}
        if known and len(known["AP50"].seeds) >= MIN_SEEDS:
            title = f"{panel['title']} ({len(known['AP50'].seeds)} seeds)"
            found[title] = {
                key: [round(100 * float(value), 2) for value in result.differences]
                for key, result in known.items()
            }
    return found


def drawn_pairs(path: Path) -> Panels | None:
    """What a stored plot shows, from the text that is saved in it; None if there is no plot."""
    if not path.is_file():
        return None
    with Image.open(path) as image:
        return json.loads(image.info.get("Description", "null"))


def save_pairs(path: Path, panels: Panels) -> Path:
    """Draw and save the plot.

    Args:
        path: of the PNG; written through a temporary file and a rename.
        panels: as :func:`pairs_of` gives them.

    Returns:
        the path.
    """
    columns = 2 if len(panels) in (2, 4) else 3
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(4.2 * columns, 2.7 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (title, differences) in zip(grid.flat, panels.items(), strict=False):
        _draw_panel(axes, title, differences)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(0, len(panels) - columns) : len(panels)]:  # lowest of its column
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("difference in points", fontsize=9)
    metadata = {"Description": json.dumps(panels), "Software": None}
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, metadata=metadata)
    return write_bytes(path, data.getvalue())


def _draw_panel(axes: Axes, title: str, differences: Mapping[str, Sequence[float]]) -> None:
    axes.axvline(0, color="0.5", lw=0.9)
    for y, values in enumerate(differences.values()):
        interval = paired_t_interval(values)
        axes.plot([interval.low, interval.high], [y, y], color=BLUE, lw=4, alpha=0.3)
        axes.plot(values, np.full(len(values), y), "o", color=BLUE, ms=3.5, alpha=0.75)
        axes.plot(np.mean(values), y, "D", color=RED, ms=6)
    axes.set_title(title, fontsize=9)
    axes.set_yticks(range(len(differences)), [COLUMNS[key].label for key in differences])
    axes.set_ylim(len(differences) - 0.5, -0.5)
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
