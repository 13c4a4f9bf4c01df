"""Plots: SVG with what they show, and no error where there is nothing to show."""

import re

import numpy as np
from helpers_checking import clean

from mmthermal.checking.image_facts import ImageFacts
from mmthermal.checking.plots import plot_classes, plot_levels, plot_overlaps, plot_sides
from mmthermal.checking.table import make_table

TABLES = {"train": make_table(clean()), "val": make_table({**clean(), "annotations": []})}
FACTS = {"train": [ImageFacts(f"{i}.png", level=i, spread=1) for i in range(9)], "val": []}


def plots():
    return [
        plot_sides(TABLES),
        plot_classes({"train": {"person": 3, "a<b": 2}}),
        plot_levels(FACTS),
        plot_overlaps({"train": np.linspace(0, 1, 9), "val": np.zeros(0)}),
    ]


def test_each_plot_is_one_svg_element() -> None:
    for svg in plots():
        assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
        assert len(re.findall("<svg", svg)) == 1
    assert "<b" not in plots()[1]  # a class name is no tag


def test_nothing_to_show_is_no_error() -> None:
    for svg in (plot_sides({}), plot_classes({}), plot_levels({}), plot_overlaps({})):
        assert svg.startswith("<svg")
