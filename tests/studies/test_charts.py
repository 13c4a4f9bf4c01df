"""Charts: places, gaps, escaped names."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from mmthermal.studies import chart_frame, charts

EVIL = '</title><script>alert("1")</script>'


def points_of(svg: str, css: str) -> list[tuple[float, float]]:
    path = re.search(rf'class="{css}" d="([^"]*)"', svg)[1]
    return [tuple(map(float, p.split())) for p in re.split("[MLZ]", path) if p]


def test_line_goes_from_corner_to_corner() -> None:
    series = charts.Series("a", 0, [0, 1], [0.0, 1.0])
    svg = charts.line_chart(
        [series], label="l", x_label="x", y_label="y", x_range=(0, 1), y_range=(0, 1)
    )
    width, height = chart_frame.NARROW
    assert points_of(svg, "line s0") == [
        (chart_frame.LEFT, height - chart_frame.BOTTOM),
        (width - chart_frame.RIGHT, chart_frame.TOP),
    ]


def test_missing_values_interrupt_the_line() -> None:
    series = charts.Series("a", 0, [0, 1, 2, 3], [1.0, None, 2.0, math.nan])
    svg = charts.line_chart([series], label="l", x_label="x", y_label="y")
    assert re.search(r'class="line s0" d="M[^ML]*M[^ML]*"', svg)
    assert "nan" not in svg


def test_a_single_point_can_be_seen() -> None:
    def marks(num: int) -> int:
        series = charts.Series("a", 0, list(range(num)), [1.0] * num)
        return charts.line_chart([series], label="l", x_label="x", y_label="y").count("<circle")

    assert [marks(num) for num in (1, 12, 13)] == [1, 12, 0]


def test_band_runs_forth_on_top_and_back_below() -> None:
    series = charts.Series("a", 1, [0, 1], [1.0, 1.0], [0.0, 0.0], [2.0, 2.0])
    svg = charts.line_chart([series], label="l", x_label="x", y_label="y")
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points_of(svg, "band s1")
    assert x0 < x1 and x1 == x2 and x3 == x0
    assert y0 == y1 < y2 == y3


def test_bars_have_the_heights_of_their_values() -> None:
    svg = charts.bar_chart(
        ["g"], ["n"], [charts.Bars("a", 0, [1.0], [0.5]), charts.Bars("b", 1, [2.0]),
                       charts.Bars("c", 2, [None])],
        label="l", x_label="x", y_label="y",
    )  # fmt: skip
    heights = [float(h) for h in re.findall(r'class="bar[^>]*height="([\d.]+)"', svg)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert len(heights) == 2
    assert svg.count("whisker") == 1


def test_pieces_share_the_width_in_proportion() -> None:
    svg = charts.stacked_bars(["a", "b"], ["p", "q"], [[3, 1], [2, 0]], label="l")
    widths = [float(w) + 1 for w in re.findall(r'class="piece[^>]*width="([\d.]+)"', svg)]
    assert widths[0] == pytest.approx(chart_frame.WIDE[0] * 3 / 4, abs=0.1)
    assert widths[2] == pytest.approx(chart_frame.WIDE[0] * 2 / 4, abs=0.1)


def test_interval_bar_is_centred_on_zero_and_cut_at_the_ends() -> None:
    svg = charts.interval_bar(-0.05, 0.0, 9.0, reach=0.1, kind="none", label="l")
    assert '<circle cx="50.00%"' in svg
    assert 'x1="26.00%" x2="98.00%"' in svg
    assert "span" not in charts.interval_bar(None, 0.0, None, reach=1, kind="none", label="l")


@pytest.mark.parametrize(
    "svg",
    [
        charts.line_chart(
            [charts.Series(EVIL, 0, [0], [1.0])], label=EVIL, x_label=EVIL, y_label=EVIL
        ),
        charts.line_chart([], label=EVIL, x_label=EVIL, y_label=EVIL),
        charts.bar_chart(
            [EVIL], [EVIL], [charts.Bars(EVIL, 0, [1.0])], label=EVIL, x_label="", y_label=""
        ),
        charts.stacked_bars([EVIL], [EVIL], [[1.0]], label=EVIL),
        charts.interval_bar(0, 1, 2, reach=1, kind="better", label=EVIL),
    ],
    ids=["line", "empty", "bar", "stacked", "interval"],
)
def test_names_are_escaped_and_pictures_are_named(svg: str) -> None:
    root = ET.fromstring(svg)  # well-formed
    assert root.get("role") == "img"
    assert root.get("aria-label") == EVIL
    assert "<script" not in svg
