"""Small SVG charts for the report: inline, without scripts, following the page's colours.

Series are coloured by the classes `s0`, `s1`, … and dashed apart; text and axes use currentColor.
Every name goes through `Markup.format`, which escapes it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDE = (440, 265)
NARROW = (330, 215)
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40
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


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round tick positions that span [low, high].

    Args:
        low: smallest value.
        high: largest value, not below low.
        count: about how many intervals to aim for.
    """
    if not math.isfinite(low) or not math.isfinite(high) or high <= low:
        high = low + 1 if math.isfinite(low) else 1.0
        low = low if math.isfinite(low) else 0.0
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def format_tick(value: float) -> str:
    """Short text of a tick: 0.25, 12k, 1e-05."""
    if value != 0 and abs(value) < 1e-3:
        return f"{value:.0e}"
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:.4g}"


@dataclass(frozen=True)
class _Frame:
    size: tuple[int, int]
    x_range: tuple[float, float]
    y_ticks: list[float]

    @property
    def right(self) -> int:
        return self.size[0] - RIGHT

    @property
    def bottom(self) -> int:
        return self.size[1] - BOTTOM

    def x(self, value: float) -> float:
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (self.right - LEFT)

    def y(self, value: float) -> float:
        low, high = self.y_ticks[0], self.y_ticks[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - TOP)

    def axes(self, x_label: str, y_label: str, x_ticks: Sequence[float] = ()) -> Markup:
        parts = []
        for tick in self.y_ticks:
            parts.append(
                Markup(
                    '<line class="grid" x1="{l}" x2="{r}" y1="{y:.1f}" y2="{y:.1f}"/>'
                    '<text x="{t}" y="{y:.1f}" dy=".35em" text-anchor="end">{name}</text>'
                ).format(l=LEFT, r=self.right, t=LEFT - 6, y=self.y(tick), name=format_tick(tick))
            )
        for tick in x_ticks:
            parts.append(
                Markup('<text x="{x:.1f}" y="{y}" text-anchor="middle">{name}</text>').format(
                    x=self.x(tick), y=self.bottom + 16, name=format_tick(tick)
                )
            )
        parts.append(
            Markup(
                '<text class="axis" x="{x}" y="{y}" text-anchor="middle">{x_label}</text>'
                '<text class="axis" x="{l}" y="{m}" text-anchor="middle" '
                'transform="rotate(-90 {l} {m})">{y_label}</text>'
            ).format(
                x=(LEFT + self.right) / 2,
                y=self.size[1] - 6,
                l=11,
                m=(TOP + self.bottom) / 2,
                x_label=x_label,
                y_label=y_label,
            )
        )
        return Markup("").join(parts)


def _svg(label: str, body: Markup, size: tuple[int, int]) -> Markup:
    return Markup(
        '<svg class="chart{wide}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
        "{body}</svg>"
    ).format(
        wide=" wide" if size[0] == WIDE[0] else "", w=size[0], h=size[1], label=label, body=body
    )


def _path(frame: _Frame, xs: Sequence[float], ys: Sequence[float | None]) -> str:
    commands, pen_down = [], False
    for x, y in zip(xs, ys, strict=True):
        if y is None or not math.isfinite(y):
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{frame.x(x):.1f} {frame.y(y):.1f}")
        pen_down = True
    return "".join(commands)


def _band(frame: _Frame, series: Series) -> str:
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
    frame = _Frame(NARROW, (left, right), nice_ticks(low, high))
    inside = [tick for tick in nice_ticks(left, right, 4) if left <= tick <= right]
    parts = [frame.axes(x_label, y_label, inside)]
    for s in series:
        band = _band(frame, s)
        if band:
            parts.append(Markup('<path class="band s{}" d="{}"/>').format(s.index, band))
    for s in series:
        parts.append(
            Markup('<path class="line s{}" d="{}"><title>{}</title></path>').format(
                s.index, _path(frame, s.x, s.y), s.name
            )
        )
        marks = [
            (x, y) for x, y in zip(s.x, s.y, strict=True) if y is not None and math.isfinite(y)
        ]
        for x, y in marks if len(marks) <= MARKED_POINTS else ():
            parts.append(
                Markup('<circle class="mark s{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(
                    s.index, frame.x(x), frame.y(y)
                )
            )
    return _svg(label, Markup("").join(parts), NARROW)


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
    frame = _Frame(WIDE, (0.0, float(max(1, len(groups)))), nice_ticks(0.0, max(tops)))
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
        for k, b in enumerate(bars):
            value = b.values[g]
            if value is None:
                continue
            x0, x1 = frame.x(g + 0.12 + k * width), frame.x(g + 0.12 + (k + 0.9) * width)
            parts.append(
                Markup(
                    '<rect class="bar s{i}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
                    'height="{h:.1f}" rx="1.5"><title>{name}, {group}: {value:.3f}</title></rect>'
                ).format(
                    i=b.index,
                    x=x0,
                    w=x1 - x0,
                    y=frame.y(value),
                    h=max(0.0, frame.y(0) - frame.y(value)),
                    name=b.name,
                    group=name,
                    value=value,
                )
            )
            error = b.errors[g] if b.errors else None
            if error:
                middle = (x0 + x1) / 2
                parts.append(
                    Markup('<path class="whisker" d="M{x:.1f} {a:.1f}V{b:.1f}"/>').format(
                        x=middle, a=frame.y(max(0.0, value - error)), b=frame.y(value + error)
                    )
                )
    return _svg(label, Markup("").join(parts), WIDE)


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
    return _svg(label, Markup("").join(body), (width_all, height))


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
