"""The frame of a chart: round ticks, axes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmthermal.studies import chart_frame


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_span_the_data_and_are_few(low: float, length: float) -> None:
    if low + length == low:
        return
    ticks = chart_frame.nice_ticks(low, low + length)
    slack = 1e-6 * max(1.0, abs(low), length)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + length - slack
    assert 2 <= len(ticks) <= 14
    assert ticks == sorted(set(ticks))


def test_ticks_are_round() -> None:
    assert chart_frame.nice_ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert chart_frame.nice_ticks(3, 96) == [0, 20, 40, 60, 80, 100]


@pytest.mark.parametrize("ends", [(1.0, 1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_ticks_without_a_span(ends: tuple[float, float]) -> None:
    ticks = chart_frame.nice_ticks(*ends)
    assert ticks[-1] > ticks[0]


def test_ticks_are_short_texts() -> None:
    texts = [chart_frame.format_tick(v) for v in (0, 0.25, 1e-5, 12_000)]
    assert texts == ["0", "0.25", "1e-05", "12k"]
