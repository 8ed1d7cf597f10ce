# SPDX-License-Identifier: GPL-2.0-only
"""Methods against the exact answer: above all values, below each range in parts of the exact
one.
"""

import math
from typing import Any

from krcsim.report.style import plain

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from krcsim.report import headings, palette
from krcsim.report.chart import Line, in_strip, plotted_height
from krcsim.report.exact_chart import FARTHEST, ExactChart, Held, decades
from krcsim.report.probability_axis import leave_room, set_decades

# The lower axes below the upper ones, in parts of their height.
GAP, LOWER = 0.12, 0.85
ASIDE = 0.13  # of a size: methods stand side by side
MOST_TICKS = 5
ONE_ROW = 34.0  # points below the axes, for ticks and what they are
STRIP = 0.13  # of the height of the upper axes, for what was not seen
RATIOS = {0.125: "1/8", 0.25: "1/4", 0.5: "1/2", 1.0: "exact", 2.0: "x 2", 4.0: "x 4", 8.0: "x 8"}


def key_of(chart: ExactChart) -> tuple[Any, ...]:
    """What the frame of a chart depends on."""
    names = tuple(line.name for line in chart.lines)
    return decades(chart), chart.exact.x, chart.xlabel, names, chart.has_exact, _has_strip(chart)


def frame(ax: Axes, chart: ExactChart) -> None:
    """Two axes above each other: probabilities, and ranges in parts of the exact answer."""
    fig: Any = ax.get_figure(root=True)
    low, high = decades(chart)
    leave_room(ax, set_decades(ax, low, high, MOST_TICKS), ONE_ROW)
    place = ax.get_position()
    share = (1.0 + GAP + LOWER) if chart.has_exact else 1.0
    height = place.height / share
    ax.set_position((place.x0, place.y1 - height, place.width, height))
    lower = ax
    if chart.has_exact:
        lower = fig.add_axes((place.x0, place.y0, place.width, height * LOWER))
        leave_room(lower, list(RATIOS.values()), 0.0)
        lower.set_position((place.x0, place.y0, place.width, height * LOWER))
    ax.set_label("probabilities")
    lower.set_label("ranges" if chart.has_exact else "probabilities")

    foot = _foot(chart)
    sizes = chart.exact.x
    ax.set(yscale="log", ylim=(foot, 10.0**high), ylabel="calls that wait")
    set_decades(ax, low, high, MOST_TICKS)
    if _has_strip(chart):
        ax.axhspan(foot, 10.0**low, **palette.STRIP)
        ax.axhline(10.0**low, **palette.STRIP_EDGE)
        middle = math.sqrt(foot * 10.0**low)
        where = ax.get_yaxis_transform()
        ax.text(-0.012, middle, "none seen", transform=where, **palette.STRIP_LABEL)

    if chart.has_exact:
        ax.tick_params(labelbottom=False)
        _frame_ranges(lower)
    for each in {ax, lower}:
        each.set_xlim(min(sizes) - 0.5, max(sizes) + 0.5)
        each.xaxis.set_major_locator(MaxNLocator(integer=True))
        each.grid(True, which="major", **palette.GRID)
    lower.set_xlabel(chart.xlabel)
    above = (0.0, STRIP if _has_strip(chart) else 0.0)
    ax.legend(handles=_handles(chart), loc="lower left", bbox_to_anchor=above, **palette.LEGEND)


def _frame_ranges(lower: Axes) -> None:
    """The axes of what was found in parts of the exact answer."""
    lower.set(yscale="log", ylim=(1.0 / FARTHEST / 1.15, FARTHEST * 1.15))
    lower.set_ylabel("found / exact")
    lower.yaxis.set(minor_locator=NullLocator())
    lower.set_yticks(list(RATIOS), list(RATIOS.values()))
    lower.axhline(1.0, **palette.EXACT)
    said = "95 % ranges; large and filled: misses the exact answer"
    lower.text(0.01, 0.04, said, transform=lower.transAxes, **palette.IN_AXES)


def _handles(chart: ExactChart) -> list[Line2D]:
    """What each line is."""
    handles = [Line2D([], [], label=chart.exact.name, **palette.EXACT)] * chart.has_exact
    for rank, line in enumerate(chart.simulated):
        handles.append(Line2D([], [], label=line.name, **palette.method_mark(rank)))
    return handles


def draw(ax: Axes, chart: ExactChart) -> list[Artist]:
    """All lines, on axes that frame() set; returns the artists."""
    artists: list[Artist] = []
    if chart.has_exact:
        y = [plotted_height(estimate) for estimate in chart.exact.estimates]
        artists += ax.plot(chart.exact.x, y, **palette.EXACT)

    fig: Any = ax.get_figure(root=True)
    lower = next((each for each in fig.axes if each.get_label() == "ranges"), None)
    for rank, line in enumerate(chart.simulated):
        aside = ASIDE * (2 * rank - len(chart.simulated) + 1)
        artists += _draw_values(ax, chart, line, rank, aside)
        if lower is not None:
            for held in chart.held(line):
                artists += _draw_range(lower, held, rank, aside)
    return artists


def _draw_values(ax: Axes, chart: ExactChart, line: Line, rank: int, aside: float) -> list[Artist]:
    """What a method found; a hollow star in the strip where it saw no wait."""
    in_the_strip = math.sqrt(_foot(chart) * 10.0 ** decades(chart)[0])
    points = list(zip(line.x, line.estimates, strict=True))
    seen = [(x + aside, plotted_height(e)) for x, e in points if not in_strip(e)]
    unseen = [x + aside for x, e in points if in_strip(e)]
    artists = ax.plot([x for x, _ in seen], [y for _, y in seen], **palette.method_mark(rank))
    look = palette.none_seen(palette.method_mark(rank)["color"], "now")
    return [*artists, *ax.plot(unseen, [in_the_strip] * len(unseen), **look)]


def _draw_range(lower: Axes, held: Held, rank: int, aside: float) -> list[Artist]:
    """A range in parts of the exact answer; filled black-edged where it does not hold it."""
    x = held.x + aside
    ends = [min(max(end, 1.0 / FARTHEST), FARTHEST) for end in (held.lo, held.hi)]
    artists: list[Artist] = []
    if held.value > 0.0:
        value = min(max(held.value, 1.0 / FARTHEST), FARTHEST)
        artists += lower.plot([x, x], ends, **palette.method_range(rank))
        artists += lower.plot([x], [value], **palette.method_mark(rank, misses=not held.holds))
    elif not held.holds:
        artists += lower.plot([x], [ends[1]], **palette.method_mark(rank, misses=True))
    return artists


@plain()
def exact_figure(chart: ExactChart, foot: str = "") -> Figure:
    """A whole figure: finding and setting above, where it comes from at the foot."""
    foot = f"{chart.note}\n{foot}".strip()
    fig, ax = headings.headed(chart.title, chart.setting, foot)
    frame(ax, chart)
    draw(ax, chart)
    return fig


def _has_strip(chart: ExactChart) -> bool:
    return any(in_strip(estimate) for line in chart.simulated for estimate in line.estimates)


def _foot(chart: ExactChart) -> float:
    """The foot of the upper axes, with the strip of what was not seen."""
    low, high = decades(chart)
    depth = (high - low) * STRIP / (1.0 - STRIP) if _has_strip(chart) else 0.0
    return math.pow(10.0, low - depth)
