"""A check's findings as lines for the terminal, as JSON and as a page."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import cv2

from mmthermal.checking.command import Report
from mmthermal.checking.finding import SEVERITIES, in_words
from mmthermal.checking.objects import overlaps
from mmthermal.checking.plots import plot_classes, plot_levels, plot_overlaps, plot_sides
from mmthermal.checking.samples import Picture, augmented_samples, stored_samples
from mmthermal.common.files import write_json, write_text
from mmthermal.common.pages import data_uri, templates


def to_text(report: Report, *, width: int = 100) -> str:
    """Lines for the terminal: a line for each split, then the findings, worst first.

    Args:
        report: of the check.
        width: of the terminal, in characters.
    """
    lines = _split_lines(report)
    anchors = report.figures.get("anchors")
    if anchors:
        lines.append(f"anchors: {1 - anchors['unreached']:.1%} of the objects within reach")
    lines.append("")
    for finding in report.findings:
        head = f"{finding.severity.upper():8}{finding.code}, {finding.where}: {finding.message}"
        lines.append(fill(head, width, subsequent_indent=" " * 8))
        if finding.examples:
            words = ", ".join(finding.examples)
            indent = " " * 8
            lines.append(
                fill(f"such as {words}", width, initial_indent=indent, subsequent_indent=indent)
            )
        lines.append(
            fill(f"→ {finding.remedy}", width, initial_indent=" " * 8, subsequent_indent=" " * 10)
        )
    counts = {s: sum(f.severity == s for f in report.findings) for s in SEVERITIES}
    lines += [] if not report.findings else [""]
    lines.append(f"{report.source}: {in_words(counts)}")
    return "\n".join(lines)


def _split_lines(report: Report) -> list[str]:
    """A line for each split, also for one whose labels can't be read."""
    return [
        _split_line(split.name, report.figures[split.name])
        if split.name in report.tables
        else f"{split.name}: not measured, as its labels can't be read; see the errors"
        for split in report.splits
    ]


def _split_line(name: str, figures: Mapping[str, Any]) -> str:
    """A split in a line."""
    classes = ", ".join(f"{key} {count:,}" for key, count in list(figures["classes"].items())[:12])
    words = [
        f"{figures['images']:,} images, {figures['objects']:,} objects ({classes})",
        f"{figures['crowd']:,} crowd",
        f"median side {figures['side']['50']:.0f}",
        f"overlapped (IoU > 0.1) {figures['overlap']['0.1']:.0%}",
    ]
    pictures = figures.get("pictures")
    if pictures:
        bits = ", ".join(f"{key}" for key in pictures["bits"])
        words.append(f"{bits} bits, values {pictures['low']:g} to {pictures['high']:g}")
    return f"{name}: {'; '.join(words)}"


def write_json_report(report: Report, path: str | Path) -> Path:
    """Write everything that was measured."""
    return write_json(path, report.to_dict())


def write_page(report: Report, path: str | Path, *, number: int = 24, seed: int = 0) -> Path:
    """Write a page without any other file: findings, figures, plots, pictures with their boxes.

    Args:
        report: of the check.
        path: of the HTML file.
        number: pictures of each split, and of the training set after augmentation.
        seed: of the choice.

    Returns:
        the path.
    """
    tables = report.tables
    values = {name: overlaps(table)["iou"] for name, table in tables.items() if table.objects.any()}
    plots = [
        plot_sides(tables),
        plot_classes({name: report.figures[name]["classes"] for name in tables}),
        plot_overlaps(values),
    ]
    if report.facts:
        plots.append(plot_levels(report.facts))
    page = (
        templates("mmthermal.checking")
        .get_template("check_data.html.j2")
        .render(
            report=report,
            counts={s: sum(f.severity == s for f in report.findings) for s in SEVERITIES},
            lines=_split_lines(report),
            anchors=report.figures.get("anchors"),
            plots=plots,
            sheets=_sheets(report, number, seed),
        )
    )
    return write_text(path, page)


def _sheets(report: Report, number: int, seed: int) -> list[dict[str, Any]]:
    """Titles and pictures of the contact sheets."""
    sheets = []
    for split in report.splits:
        if split.name not in report.facts:
            continue
        pictures = stored_samples(
            report.tables[split.name], split.img_dir, number, seed, split.radiometric
        )
        sheets.append({"title": f"{split.name}, as stored", "tiles": _tiles(pictures), "note": ""})
    first = report.splits[0]
    if first.dataset and first.name in report.facts:
        title = f"{first.name}, as the network gets it"
        try:
            pictures = augmented_samples(first.dataset, number, seed)
            sheets.append({"title": title, "tiles": _tiles(pictures), "note": ""})
        except Exception as error:  # any transform may fail on data that the check has faulted
            note = f"the pipeline failed: {type(error).__name__}: {error}"
            sheets.append({"title": title, "tiles": [], "note": note})
    return sheets


def _tiles(pictures: list[tuple[str, Picture]]) -> list[dict[str, str]]:
    """Names and data URIs of pictures."""
    tiles = []
    for name, picture in pictures:
        good, data = cv2.imencode(".png", picture)
        if good:
            tiles.append({"name": name, "src": data_uri(data.tobytes())})
    return tiles
