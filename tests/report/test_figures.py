# SPDX-License-Identifier: GPL-2.0-only
"""Axes fit what is drawn, and names lie neither on each other nor outside, whatever the chart."""

from __future__ import annotations

import itertools
import math
from typing import Any

from krcsim.report.style import figure, plain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from krcsim.report import figures
from krcsim.report.axes import CEILING, FLOOR, in_counts, kib
from krcsim.report.chart import NOTHING_ADDED, OWN, Chart, Line, in_strip, plotted_height
from krcsim.report.labels import GAP, apart
from krcsim.results.estimate import NOTHING, Estimate, exact
from tests.engine.test_properties import examples

NAMES = (
    OWN,
    "pool of N objects, empty at boot",
    "pool of N objects, full at boot, on A0",
    "N pages shared, preallocated",
    "N pages shared, empty at boot",
    "A0",
    "C-A1",
    "A: your setting",
    "A: pool of N objects, empty at boot",
)
# Inches of a whole figure, and of pictures on a telephone, a small and a large screen.
SIZES = [(8.0, 5.2), (3.6, 3.0), (5.6, 3.4), (9.0, 4.6)]


@st.composite
def estimates(draw: Any) -> Estimate:
    """An estimate of any kind, of a probability between 1e-11 and 1."""
    kind = draw(st.sampled_from(["interval", "interval", "rough", "bound", "exact", "none"]))
    value = 10.0 ** draw(st.floats(-11.0, 0.0))
    if kind == "none":
        return NOTHING
    if kind == "bound":
        return Estimate(None, 0.0, value, "bound")
    if kind == "exact":
        return exact(value if draw(st.booleans()) else 0.0)
    up, down = (10.0 ** draw(st.floats(0.0, 5.0)) for _ in range(2))
    return Estimate(value, value / down, min(1.0, value * up), kind)


@st.composite
def charts(draw: Any) -> Chart:
    """Up to six lines of up to ten points, over bytes or episodes."""
    bytes_axis = draw(st.booleans())
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    lines = []
    for name in names:
        count = 1 if name in ("A0", "C-A1") else draw(st.integers(1, 10))
        if bytes_axis:
            powers = draw(st.lists(st.floats(4.0, 18.0), min_size=count, max_size=count))
            x = tuple(sorted(max(NOTHING_ADDED, 2.0**power) for power in powers))
        else:
            x = tuple(float(n) for n in range(1, count + 1))
        looks = ["pin"] if ": " in name else ["now", "now", "old"]
        lines.append(
            Line(
                name,
                tuple(str(n) for n in range(1, count + 1)),
                x,
                tuple(draw(estimates()) for _ in range(count)),
                draw(st.sampled_from(looks)),
            )
        )
    return Chart(
        tuple(lines),
        "bytes per CPU that the reserve adds once it is full",
        "P(wait): share of calls that wait",
        bytes_axis,
    )


def drawn_on(chart: Chart, size: tuple[float, float]) -> tuple[Figure, Axes, list[Any]]:
    """A picture as it is under sliders, and the texts at lines and points."""
    with plain():
        fig = figure(*size)
        fig.subplots_adjust(right=0.985, top=0.97, bottom=0.46 / size[1])
        ax = fig.add_subplot()
        figures.frame(ax, chart)
        before = list(ax.texts)
        labels = [artist for artist in figures.draw_labels(ax, chart) if artist in ax.texts]
        assert not [text for text in before if text in labels]
        return fig, ax, labels


NO_WIDTH = Line(  # two points at the same place: next to no room is left for the name
    OWN,
    ("1", "2"),
    (16.0, 16.0),
    (Estimate(None, 0.0, 1.0, "bound"), Estimate(1e-7, 1e-7, 1e-7, "exact")),
)


@examples(150)
@given(chart=charts(), size=st.sampled_from(SIZES))
@example(chart=Chart((NO_WIDTH,), "bytes", "P(wait)", True), size=(3.6, 3.0))
def test_no_label_lies_on_another_or_outside_the_figure(
    chart: Chart, size: tuple[float, float]
) -> None:
    fig, _, labels = drawn_on(chart, size)
    boxes = [(label.get_text(), label.get_window_extent()) for label in labels]
    for (text, one), (other_text, other) in itertools.combinations(boxes, 2):
        apart_x = max(one.x0, other.x0) - min(one.x1, other.x1)
        apart_y = max(one.y0, other.y0) - min(one.y1, other.y1)
        assert max(apart_x, apart_y) >= 0.0, (text, other_text)
    for text, box in boxes:
        assert box.x0 >= 0.0, text
        assert box.y0 >= 0.0, text
        assert box.x1 <= fig.bbox.width, text
        assert box.y1 <= fig.bbox.height, text


@examples(150)
@given(chart=charts())
def test_each_line_has_its_name_once(chart: Chart) -> None:
    _, _, labels = drawn_on(chart, SIZES[0])
    said = [label.get_text().split("\n")[0].removeprefix("~") for label in labels]
    with_points = [
        line
        for line in chart.lines
        if any(in_strip(e) or not math.isnan(plotted_height(e)) for e in line.estimates)
    ]
    for line in with_points:
        begin = "A" if ": " in line.name else line.name.split(" ")[0]
        if begin == "N" or (begin == "pool" and len(line.x) == 1):
            continue  # a single point has its size in its name
        assert [text for text in said if text.startswith(begin)], line.name


@examples(300)
@given(chart=charts())
def test_no_more_than_one_decade_is_empty_below_or_above_the_data(chart: Chart) -> None:
    *_, low, high = figures.limits(chart)
    heights = [
        max(FLOOR, plotted_height(estimate))
        for line in chart.lines
        for estimate in line.estimates
        if not math.isnan(plotted_height(estimate))
    ]
    if not heights:
        return

    ends = [
        end
        for line in chart.lines
        for estimate in line.estimates
        if not in_strip(estimate)
        for end in (estimate.lo, estimate.hi)
        if end
    ]
    lowest, highest = min([*heights, *ends]), max([*heights, *ends])
    assert low <= min(heights)
    assert max(heights) <= high
    assert _empty_decades(low, max(low, lowest)) <= 1
    assert _empty_decades(min(high, highest), high) <= 1
    # intervals reach by a decade at most beyond what is estimated
    assert low >= min(heights) / 10.0**2.2
    assert high <= max(CEILING, max(heights)) or high <= max(heights) * 10.0**2.2


def _empty_decades(low: float, high: float) -> int:
    """Whole decades from one height to another."""
    return math.floor(math.log10(high) + 1e-9) - math.ceil(math.log10(low) - 1e-9)


@examples(200)
@given(
    boxes=st.lists(st.tuples(st.floats(-50.0, 450.0), st.floats(5.0, 40.0)), min_size=1, max_size=8)
)
def test_boxes_on_a_pole_are_put_apart_in_their_order(boxes: list[tuple[float, float]]) -> None:
    wanted, heights = map(list, zip(*boxes, strict=True))
    centres = apart(wanted, heights, 0.0, 400.0)
    order = sorted(range(len(boxes)), key=lambda n: (wanted[n], n))
    for below, above in itertools.pairwise(order):
        room = (heights[below] + heights[above]) / 2 + GAP
        assert centres[above] - centres[below] >= room - 1e-6
    if sum(heights) + GAP * len(heights) <= 400.0:
        for centre, height in zip(centres, heights, strict=True):
            assert height / 2 <= centre <= 400.0 - height / 2


def test_a_box_that_has_room_stays_where_it_is_wanted() -> None:
    assert apart([100.0, 300.0], [20.0, 20.0], 0.0, 400.0) == [100.0, 300.0]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "all"),
        (0.5, "1 in 2"),
        (0.001, "1 in 1,000"),
        (2e-4, "1 in 5,000"),
        (1e-6, "1 in 1,000,000"),
        (1e-7, "1 in $10^{7}$"),
        (5e-9, "1 in $2\\times10^{8}$"),
    ],
)
def test_a_share_is_told_in_counts(share: float, said: str) -> None:
    assert in_counts(share) == said


def test_what_added_nothing_stands_at_0() -> None:
    assert [kib(x) for x in (NOTHING_ADDED, 40.0, 4096.0)] == ["0", "40 B", "4 KiB"]
