"""Small SVG charts for the report: inline, without scripts, following the page's colours.

Series are coloured by the classes `s0`, `s1`, … and dashed apart; text and axes use currentColor.
Every name goes through `Markup.format`, which escapes it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mmthermal.studies.chart_frame import NARROW, WIDE, Frame, nice_ticks, svg

MARKED_POINTS = 12
"""Lines of so few points get marks: a line of a single one would not be seen."""


@dataclass(frozen=True)
class Series:
    """One line with an optional band.

    Attributes:
        name: shown in tooltips.
        index: colour and dash; 0 is the baseline.
        x: positions, ascending.
        y: values; None where there is none.
        low: lower edge of the band, or None for no band.
        high: upper edge of the band.
    """

    name: str
    index: int
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None


def _path(frame: Frame, xs: Sequence[float], ys: Sequence[float | None]) -> str:
    commands, pen_down = [], False
    for x, y in zip(xs, ys, strict=True):
        if y is None or not math.isfinite(y):
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{frame.x(x):.1f} {frame.y(y):.1f}")
        pen_down = True
    return "".join(commands)


def _band(frame: Frame, series: Series) -> str:
    if series.low is None or series.high is None:
        return ""
    edge = [
        (x, low, high)
        for x, low, high in zip(series.x, series.low, series.high, strict=True)
        if low is not None and high is not None and math.isfinite(low) and math.isfinite(high)
    ]
    if len(edge) < 2:
        return ""
    points = [(x, high) for x, _, high in edge] + [(x, low) for x, low, _ in reversed(edge)]
    return "M" + "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in points) + "Z"


def _line(frame: Frame, series: Series) -> list[Markup]:
    """A line, and its marks where it has few points."""
    parts = [
        Markup('<path class="line s{}" d="{}"><title>{}</title></path>').format(
            series.index, _path(frame, series.x, series.y), series.name
        )
    ]
    marks = [
        (x, y)
        for x, y in zip(series.x, series.y, strict=True)
        if y is not None and math.isfinite(y)
    ]
    for x, y in marks if len(marks) <= MARKED_POINTS else ():
        parts.append(
            Markup('<circle class="mark s{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(
                series.index, frame.x(x), frame.y(y)
            )
        )
    return parts


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_label: str,
    y_label: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> Markup:
    """Lines with bands.

    Args:
        series: at least one with a finite value, else an empty frame is drawn.
        label: what the picture shows, for those who cannot see it.
        x_label: text under the axis.
        y_label: text beside the axis.
        x_range: ends of the axis; None takes them from the data.
        y_range: ends of the axis; None takes them from the data, and 0 with them if it is near.
    """
    xs = [x for s in series for x in s.x] or [0.0, 1.0]
    ys = [
        v
        for s in series
        for values in (s.y, s.low or (), s.high or ())
        for v in values
        if v is not None and math.isfinite(v)
    ] or [0.0, 1.0]
    low, high = y_range or (min(ys), max(ys))
    if y_range is None and 0 < low < 0.5 * high:
        low = 0.0
    left, right = x_range or (min(xs), max(xs))
    right = right if right > left else left + 1
    frame = Frame(NARROW, (left, right), nice_ticks(low, high))
    inside = [tick for tick in nice_ticks(left, right, 4) if left <= tick <= right]
    parts = [frame.axes(x_label, y_label, inside)]
    for s in series:
        band = _band(frame, s)
        if band:
            parts.append(Markup('<path class="band s{}" d="{}"/>').format(s.index, band))
    for s in series:
        parts += _line(frame, s)
    return svg(label, Markup("").join(parts), NARROW)


@dataclass(frozen=True)
class Bars:
    """One series of a grouped bar chart.

    Attributes:
        name: shown in tooltips.
        index: colour.
        values: one per group; None where there is none.
        errors: half-lengths of the whiskers, one per group, or None for none.
    """

    name: str
    index: int
    values: Sequence[float | None]
    errors: Sequence[float | None] | None = None


def _bar(
    frame: Frame, series: Bars, number: int, group: str, place: tuple[float, float]
) -> list[Markup]:
    """One bar with its whisker; nothing where there is no value."""
    value = series.values[number]
    if value is None:
        return []
    x0, x1 = frame.x(place[0]), frame.x(place[1])
    parts = [
        Markup(
            '<rect class="bar s{i}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
            'height="{h:.1f}" rx="1.5"><title>{name}, {group}: {value:.3f}</title></rect>'
        ).format(
            i=series.index,
            x=x0,
            w=x1 - x0,
            y=frame.y(value),
            h=max(0.0, frame.y(0) - frame.y(value)),
            name=series.name,
            group=group,
            value=value,
        )
    ]
    error = series.errors[number] if series.errors else None
    if error:
        parts.append(
            Markup('<path class="whisker" d="M{x:.1f} {a:.1f}V{b:.1f}"/>').format(
                x=(x0 + x1) / 2, a=frame.y(max(0.0, value - error)), b=frame.y(value + error)
            )
        )
    return parts


def bar_chart(
    groups: Sequence[str],
    notes: Sequence[str],
    bars: Sequence[Bars],
    *,
    label: str,
    x_label: str,
    y_label: str,
) -> Markup:
    """Grouped bars with whiskers.

    Args:
        groups: names under the groups.
        notes: second line under each group, such as counts.
        bars: the series.
        label: what the picture shows, for those who cannot see it.
        x_label: text under the axis.
        y_label: text beside the axis.
    """
    tops = [
        v + ((b.errors[i] or 0) if b.errors else 0)
        for b in bars
        for i, v in enumerate(b.values)
        if v is not None
    ] or [1.0]
    frame = Frame(WIDE, (0.0, float(max(1, len(groups)))), nice_ticks(0.0, max(tops)))
    parts = [frame.axes(x_label, y_label)]
    width = 0.76 / max(1, len(bars))
    for g, (name, note) in enumerate(zip(groups, notes, strict=True)):
        parts.append(
            Markup(
                '<text x="{x:.1f}" y="{y}" text-anchor="middle">{name}</text>'
                '<text class="note" x="{x:.1f}" y="{y2}" text-anchor="middle">{note}</text>'
            ).format(
                x=frame.x(g + 0.5),
                y=frame.bottom + 16,
                y2=frame.bottom + 32,
                name=name,
                note=note,
            )
        )
        for k, series in enumerate(bars):
            place = (g + 0.12 + k * width, g + 0.12 + (k + 0.9) * width)
            parts += _bar(frame, series, g, name, place)
    return svg(label, Markup("").join(parts), WIDE)


def stacked_bars(
    rows: Sequence[str],
    parts: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    label: str,
) -> Markup:
    """Horizontal stacked bars, one per row, on one scale.

    Args:
        rows: names of the bars.
        parts: names of the pieces; piece k has the class `e<k>`.
        values: (rows, parts), not negative.
        label: what the picture shows, for those who cannot see it.
    """
    total = max([sum(row) for row in values] + [1e-9])
    width_all, row_height, bar_height = WIDE[0], 52, 24
    height = row_height * len(rows) + 6
    body = []
    for r, (name, row) in enumerate(zip(rows, values, strict=True)):
        y = r * row_height + 20
        body.append(
            Markup(
                '<text class="name" x="0" y="{y}">{name}</text>'
                '<text x="{w}" y="{y}" text-anchor="end">{sum:.0f}</text>'
            ).format(y=y - 6, name=name, w=width_all, sum=sum(row))
        )
        x = 0.0
        for k, value in enumerate(row):
            width = value / total * width_all
            body.append(
                Markup(
                    '<rect class="piece e{k}" x="{x:.1f}" y="{y}" width="{w:.1f}" height="{h}">'
                    "<title>{name}, {part}: {value:.1f}</title></rect>"
                ).format(
                    k=k,
                    x=x,
                    y=y,
                    w=max(0.0, width - 1),
                    h=bar_height,
                    name=name,
                    part=parts[k],
                    value=value,
                )
            )
            if width > 9 * len(f"{value:.0f}") + 4:
                body.append(
                    Markup(
                        '<text class="inside" x="{x:.1f}" y="{y}" dy=".35em" '
                        'text-anchor="middle">{value:.0f}</text>'
                    ).format(x=x + width / 2, y=y + bar_height / 2, value=value)
                )
            x += width
    return svg(label, Markup("").join(body), (width_all, height))


def interval_bar(
    low: float | None,
    middle: float,
    high: float | None,
    *,
    reach: float,
    kind: str,
    label: str,
) -> Markup:
    """One line of a forest plot, as wide as its cell.

    Args:
        low: lower end of the interval, None for no interval.
        middle: the estimate.
        high: upper end.
        reach: the axis goes from -reach to reach.
        kind: class of the colour: `better`, `worse` or `none`.
        label: what the picture shows, for those who cannot see it.
    """

    def at(value: float) -> str:
        return f"{50 + 48 * max(-1.0, min(1.0, value / reach)):.2f}%"

    body = Markup('<line class="zero" x1="50%" x2="50%" y1="0" y2="28"/>')
    if low is not None and high is not None:
        body += Markup('<line class="span" x1="{}" x2="{}" y1="14" y2="14"/>').format(
            at(low), at(high)
        )
        for end in (low, high):
            body += Markup('<line class="span" x1="{0}" x2="{0}" y1="9" y2="19"/>').format(at(end))
    body += Markup('<circle cx="{}" cy="14" r="5"/>').format(at(middle))
    return Markup(
        '<svg class="interval {}" height="28" width="100%" role="img" aria-label="{}">{}</svg>'
    ).format(kind, label, body)
