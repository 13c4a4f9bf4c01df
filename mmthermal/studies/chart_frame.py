"""The frame of an SVG chart: size, round ticks, axes; text and axes use currentColor.

Every name goes through `Markup.format`, which escapes it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDE = (440, 265)
NARROW = (330, 215)
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40


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
class Frame:
    """Where values lie on a chart.

    Attributes:
        size: width and height of the picture.
        x_range: values at the left and the right edge.
        y_ticks: of the vertical axis, ascending; the first and the last are its ends.
    """

    size: tuple[int, int]
    x_range: tuple[float, float]
    y_ticks: list[float]

    @property
    def right(self) -> int:
        """Position of the right edge."""
        return self.size[0] - RIGHT

    @property
    def bottom(self) -> int:
        """Position of the lower edge."""
        return self.size[1] - BOTTOM

    def x(self, value: float) -> float:
        """Position of a value on the horizontal axis."""
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (self.right - LEFT)

    def y(self, value: float) -> float:
        """Position of a value on the vertical axis."""
        low, high = self.y_ticks[0], self.y_ticks[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - TOP)

    def axes(self, x_label: str, y_label: str, x_ticks: Sequence[float] = ()) -> Markup:
        """Grid lines, ticks and the names of the axes."""
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


def svg(label: str, body: Markup, size: tuple[int, int]) -> Markup:
    """The picture around its parts.

    Args:
        label: what the picture shows, for those who cannot see it.
        body: its parts.
        size: width and height.
    """
    return Markup(
        '<svg class="chart{wide}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
        "{body}</svg>"
    ).format(
        wide=" wide" if size[0] == WIDE[0] else "", w=size[0], h=size[1], label=label, body=body
    )
