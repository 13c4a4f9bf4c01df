"""What a training reached and where its results lie: a table, a picture of the curves."""

import io
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mmthermal.common.checkpoints import last_checkpoint
from mmthermal.common.files import write_bytes
from mmthermal.common.installed import tool_command
from mmthermal.evaluation.figures import AP, select_figures
from mmthermal.studies.curves import Points, read_records, starts_of_newest_training

CURVES = "curves.png"
# Shown if the metric gives them.
SHOWN = select_figures(
    "AP",
    "AP50",
    "overlapped_AP",
    "overlapped_AP50",
    "isolated_AP",
    "isolated_AP50",
    "best_f1",
    "f1_at_0.5",
)
# Panels of the picture; the first rule that a key of the training log meets takes it.
PANELS = (
    ("losses", re.compile(r"(^|[._])loss")),
    (
        "parts of the composite loss",
        re.compile(r"(^|[._])(dense|combined|rank|(cls|f1)_(pos|neg))$"),
    ),
    ("anchors in the loss", re.compile(r"(^|[._])num_")),
)


@dataclass
class RunSummary:
    """A training as its log tells it.

    Attributes:
        work_dir: its folder.
        train: per logged key its values by iteration.
        val: per metric its values by epoch (or iteration, as the training loop counts).
    """

    work_dir: Path
    train: dict[str, Points] = field(default_factory=dict)
    val: dict[str, Points] = field(default_factory=dict)

    def metric(self, ending: str) -> Points:
        """Values of a validation metric by the end of its key, without prefix; empty if none."""
        return next((v for key, v in self.val.items() if key.rpartition("/")[2] == ending), {})

    @property
    def val_unit(self) -> str:
        """What the steps of the validation count: mmengine logs epochs in loops by epoch only."""
        return "epoch" if "epoch" in self.train else "iteration"

    @property
    def best_step(self) -> float | None:
        """Step of the highest AP, of equal ones the first, as mmengine does; None without any."""
        points = self.metric(str(AP.mmdet_key))
        return max(points, key=lambda step: (points[step], -step)) if points else None

    @property
    def last_step(self) -> float | None:
        """Step of the last validation, None before the first one."""
        points = self.metric(str(AP.mmdet_key))
        return max(points) if points else None

    @property
    def best_checkpoint(self) -> Path | None:
        """Checkpoint with the best validation figure."""
        return max(self.work_dir.glob("best_*.pth"), key=lambda p: p.stat().st_mtime, default=None)

    @property
    def last_checkpoint(self) -> Path | None:
        """Newest checkpoint, as mmengine's file of that name says."""
        return last_checkpoint(self.work_dir)

    @property
    def pictures(self) -> list[Path]:
        """Folders with drawn detections, newest first."""
        found = [*self.work_dir.glob("**/pictures"), *self.work_dir.glob("**/vis_image")]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def read_run(work_dir: str | Path) -> RunSummary:
    """Read the newest training of a work directory.

    A training that was resumed consists of several starts. Older trainings of the same folder,
    which were not resumed, don't count.

    Args:
        work_dir: folder that tools/train.py wrote.

    Returns:
        Its curves.

    Raises:
        FileNotFoundError: the folder is missing or holds no log of a training.
    """
    folder = Path(work_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f"work directory {str(work_dir)!r} does not exist: check the path")
    train: dict[str, Points] = defaultdict(dict)
    val: dict[str, Points] = defaultdict(dict)
    for start in starts_of_newest_training(folder):
        for record in read_records(start / "vis_data" / "scalars.json"):
            curves, step = (train, record["iter"]) if "iter" in record else (val, record["step"])
            for key, value in record.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    curves[key][float(step)] = float(value)
    if not train:
        raise FileNotFoundError(
            f"{folder} holds no log of a training (*/vis_data/scalars.json with entries): give the "
            "--work-dir of tools/train.py; the first entry comes after some iterations"
        )
    return RunSummary(folder, dict(train), dict(val))


@dataclass
class Panel:
    """One chart of the picture: its title, what its steps count, its curves by name."""

    title: str
    unit: str
    curves: dict[str, Points]
    may_be_log: bool = True


def panels_of(run: RunSummary) -> list[Panel]:
    """Sort the logged keys into panels; the last one holds the validation."""
    panels = []
    taken: set[str] = set()
    for title, rule in PANELS:
        curves = {k: v for k, v in run.train.items() if rule.search(k) and k not in taken}
        taken |= curves.keys()
        if curves:
            panels.append(Panel(title, "iteration", curves))
    metrics: dict[str, Points] = {}
    for shown in SHOWN:  # COCO's metrics write -1 where there is no ground truth
        values = run.metric(str(shown.mmdet_key))
        points = {step: value for step, value in values.items() if value >= 0}
        if "AP" in shown.key and points:
            metrics[shown.short] = points
    if metrics:
        panels.append(Panel("validation", run.val_unit, metrics, may_be_log=False))
    return panels


def _draw_panel(axes: Axes, panel: Panel) -> None:
    for name, points in panel.curves.items():
        steps = sorted(points)
        marker = "o" if len(steps) < 30 else None
        values = [points[step] for step in steps]
        axes.plot(steps, values, label=name, marker=marker, markersize=3, linewidth=1.2)
    low, high = axes.get_ylim()
    smallest = min((v for points in panel.curves.values() for v in points.values()), default=0.0)
    if smallest > 0 and high > 30 * smallest and panel.may_be_log:
        axes.set_yscale("log")
    elif smallest >= 0:
        axes.set_ylim(bottom=min(0.0, low), top=high)
    axes.set_title(panel.title, fontsize=10)
    axes.set_xlabel(panel.unit, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)


def draw_curves(run: RunSummary, path: str | Path) -> Path:
    """Draw the losses, their parts, the anchors in them and the validation AP.

    Args:
        run: as `read_run` gives it.
        path: PNG file, replaced whole.

    Returns:
        The path.
    """
    panels = panels_of(run)
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(5.2 * columns, 3.4 * rows), dpi=110, layout="constrained")
    figure.suptitle(run.work_dir.name, fontsize=11)
    for number, panel in enumerate(panels, 1):
        _draw_panel(figure.add_subplot(rows, columns, number), panel)
    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data)
    return write_bytes(path, data.getvalue())


def format_summary(run: RunSummary, *, curves: Path | None = None) -> str:
    """Lay out the figures and where the results lie.

    Args:
        run: as `read_run` gives it.
        curves: picture of the curves, if drawn.

    Returns:
        Lines for the terminal.
    """
    iterations = max((step for points in run.train.values() for step in points), default=0)
    lines = [f"{run.work_dir}: {iterations:.0f} iterations"]
    last, best = run.last_step, run.best_step
    if last is None or best is None:
        lines.append("  no validation so far")
    else:
        heads = (f"last, {run.val_unit} {last:g}", f"best AP, {run.val_unit} {best:g}")
        lines.append("  {:<18}{:>22}{:>22}".format("validation", *heads))
        for shown in SHOWN:
            points = run.metric(str(shown.mmdet_key))
            if points:
                cells = (_figure(points.get(step)) for step in (last, best))
                lines.append("  {:<18}{:>22}{:>22}".format(shown.short, *cells))
    places = [
        ("best checkpoint", run.best_checkpoint),
        ("last checkpoint", run.last_checkpoint),
        ("curves", curves),
        *(("pictures", folder) for folder in run.pictures[:1]),
    ]
    lines += [f"  {name:<18}{place}" for name, place in places if place is not None]
    checkpoint = run.best_checkpoint or run.last_checkpoint
    configs = sorted(run.work_dir.glob("*.py"))
    if checkpoint and len(configs) == 1:
        lines.append("  test, with pictures of detections:")
        lines.append(f"    {tool_command('test')} {configs[0]} {checkpoint}")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    """Three decimals; a dash where there is none, which COCO's metrics write as -1."""
    return "–" if value is None or value < 0 else f"{value:.3f}"


def summarize_run(work_dir: str | Path) -> str:
    """Draw the curves of a training into its folder and describe what it reached.

    Args:
        work_dir: folder that tools/train.py wrote.

    Returns:
        Lines for the terminal.

    Raises:
        FileNotFoundError: the folder is missing or holds no log of a training.
    """
    run = read_run(work_dir)
    return format_summary(run, curves=draw_curves(run, run.work_dir / CURVES))
