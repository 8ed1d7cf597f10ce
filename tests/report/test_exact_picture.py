# SPDX-License-Identifier: GPL-2.0-only
"""Methods against the exact answer: each range in parts of it, and misses stand out."""

from __future__ import annotations

from krcsim.report.style import plain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba

from krcsim.report.chart import Line
from krcsim.report.exact_chart import FARTHEST, ExactChart
from krcsim.report.exact_picture import exact_figure
from krcsim.results.estimate import NOTHING, Estimate, exact
from tests.pictures import outside, texts

X = (0.0, 1.0, 2.0)
TRUTH = (exact(1e-2), exact(1e-4), exact(1e-9))
HOLDS = Estimate(1.1e-2, 0.9e-2, 1.3e-2, "interval")
MISSES = Estimate(4e-4, 3e-4, 5e-4, "interval")
UNSEEN = Estimate(None, 0.0, 1e-5, "bound")


def chart(truth: tuple[Estimate, ...] = TRUTH) -> ExactChart:
    lines = (
        Line("exact chain", ("",) * 3, X, truth),
        Line("plain runs", ("",) * 3, X, (HOLDS, MISSES, UNSEEN), "dots"),
        Line("importance sampling", ("",) * 3, X, (HOLDS, MISSES, UNSEEN), "dots"),
    )
    return ExactChart(
        lines, "objects", "P(wait)", False, "note", title="1 of 3 hold", setting="your setting: A1"
    )


def test_a_range_is_in_parts_of_the_exact_answer() -> None:
    first, second, third = chart().held(chart().simulated[0])
    assert (first.holds, second.holds, third.holds) == (True, False, True)
    assert first.value == pytest.approx(1.1)
    assert (second.lo, second.hi) == pytest.approx((3.0, 5.0))


def test_a_miss_is_filled_and_larger_than_what_holds() -> None:
    _, lower = exact_figure(chart()).axes
    points = [line for line in lower.lines if line.get_marker() in ("s", "^")]
    sizes = {bool(line.get_markersize() > 7) for line in points}
    assert sizes == {True, False}
    for line in points:
        (y,) = line.get_ydata()
        is_filled = to_rgba(line.get_markerfacecolor()) != to_rgba("white")
        assert is_filled == (line.get_markersize() > 7) == (float(y) == pytest.approx(4.0))


def test_what_a_method_did_not_see_stands_in_the_strip() -> None:
    upper, _ = exact_figure(chart()).axes
    stars = [line for line in upper.lines if line.get_marker() == "*"]
    assert [len(line.get_xdata()) for line in stars] == [1, 1]
    assert "none seen" in [text.get_text() for text in upper.texts]


def test_without_an_exact_answer_there_is_nothing_to_hold_ranges_against() -> None:
    figure = exact_figure(chart((NOTHING,) * 3))
    assert len(figure.axes) == 1
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["plain runs", "importance sampling"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_finding_and_setting_are_said_and_no_text_is_cut_off(theme: str) -> None:
    with plain(theme):
        figure = exact_figure(chart(), "krcsim ask small-world --sizes 10")
    assert {"1 of 3 hold", "your setting: A1", "krcsim ask small-world --sizes 10"} <= {
        *texts(figure)
    }
    assert outside(figure) == []


values = st.floats(1e-12, 1.0)


@given(st.tuples(values, values, values), st.tuples(values, values, values))
def test_a_range_holds_the_exact_answer_if_it_is_between_its_ends(
    truth: tuple[float, float, float], found: tuple[float, float, float]
) -> None:
    estimates = tuple(Estimate(y, y / 2, y * 2, "interval") for y in found)
    lines = (
        Line("exact chain", ("",) * 3, X, tuple(map(exact, truth))),
        Line("plain runs", ("",) * 3, X, estimates, "dots"),
    )
    drawn = ExactChart(lines, "objects", "P(wait)", False)
    for held, true, e in zip(drawn.held(lines[1]), truth, estimates, strict=True):
        assert held.holds == ((e.lo or 0.0) <= true <= (e.hi or 0.0))
        assert held.value == pytest.approx((e.value or 0.0) / true)
    _, lower = exact_figure(drawn).axes
    low, high = lower.get_ylim()
    assert low < 1.0 / FARTHEST < 1.0 < FARTHEST < high
