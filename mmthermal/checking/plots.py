"""Plots of a check's page, as SVG inside the page."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmthermal.checking.image_facts import ImageFacts
from mmthermal.checking.levels import natural_key
from mmthermal.checking.table import Table
from mmthermal.common.boxes import Floats


def to_svg(figure: Figure) -> str:
    """A figure as an SVG element, without the XML header, the same for the same figure."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    return text.getvalue()[text.getvalue().index("<svg") :]


def _axes(title: str, x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    grey = "#808080"  # readable on white and on black
    for item in (axes.title, axes.xaxis.label, axes.yaxis.label):
        item.set_color(grey)
    axes.tick_params(colors=grey)
    for spine in axes.spines.values():
        spine.set_color(grey)
    return figure, axes


def plot_sides(tables: Mapping[str, Table]) -> str:
    """Sides of the objects, by split."""
    figure, axes = _axes("Objects by size", "side √(w·h) / pixels", "share of objects")
    sides = {
        name: np.sqrt(np.maximum(t.boxes[t.objects, 2:].prod(axis=1), 1e-9))
        for name, t in tables.items()
    }
    every = np.concatenate(list(sides.values())) if sides else np.zeros(0)
    if every.size:
        low, high = max(0.5, every.min()), max(every.max(), 2.0)
        edges = np.geomspace(low, high * 1.001, 31)
        for name, values in sides.items():
            if values.size:
                weights = np.full(len(values), 1 / len(values))
                axes.hist(values, edges, weights=weights, histtype="step", label=name)
        axes.set_xscale("log")
        axes.legend(fontsize=8)
    return to_svg(figure)


def plot_classes(classes: Mapping[str, Mapping[str, int]]) -> str:
    """Objects of each class, by split; the 20 most frequent."""
    figure, axes = _axes("Objects by class", "objects", "")
    totals: dict[str, int] = {}
    for counts in classes.values():
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    names = sorted(totals, key=lambda name: -totals[name])[:20]
    height = 0.8 / max(len(classes), 1)
    for k, (split, counts) in enumerate(classes.items()):
        places = np.arange(len(names)) + k * height
        axes.barh(places, [counts.get(name, 0) for name in names], height, label=split)
    axes.set_yticks(np.arange(len(names)) + 0.4 - height / 2, names)
    axes.invert_yaxis()
    if names:
        axes.legend(fontsize=8)
    return to_svg(figure)


def plot_levels(facts: Mapping[str, Sequence[ImageFacts]]) -> str:
    """Level of each picture and its spread, in the order of the file names."""
    figure, axes = _axes("Level of the pictures", "picture, by file name", "level ± deviation")
    start = 0
    for name, rows in facts.items():
        good = sorted((f for f in rows if not f.problem), key=lambda f: natural_key(f.path))
        if not good:
            continue
        step = max(1, len(good) // 2000)
        good = good[::step]
        places = start + np.arange(len(good)) * step
        levels = np.array([f.level for f in good])
        spreads = np.array([f.spread for f in good])
        (line,) = axes.plot(places, levels, linewidth=0.8, label=name)
        axes.fill_between(
            places, levels - spreads, levels + spreads, alpha=0.25, color=line.get_color(), lw=0
        )
        start = int(places[-1]) + step
    if start:
        axes.legend(fontsize=8)
    return to_svg(figure)


def plot_overlaps(overlaps: Mapping[str, Floats]) -> str:
    """Share of the objects whose IoU with another one exceeds a value, by split."""
    figure, axes = _axes("Overlap", "IoU with another object", "share of objects above it")
    for name, values in overlaps.items():
        if len(values):
            grid = np.linspace(0, 1, 101)
            share = [(values > t).mean() for t in grid]
            axes.plot(grid, share, label=name)
            axes.legend(fontsize=8)
    return to_svg(figure)
