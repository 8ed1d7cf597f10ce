# SPDX-License-Identifier: GPL-2.0-only
"""The axes of a chart: how far they go, what they say, and the strip of what was not seen."""

import math
from collections.abc import Hashable
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    NullFormatter,
    NullLocator,
)

from krcsim.report import palette
from krcsim.report.chart import (
    NAME_COLUMNS,
    NOTHING_ADDED,
    OWN,
    Chart,
    has_end,
    in_strip,
    names_in_strip,
    plotted_height,
    widest_end_text,
)
from krcsim.report.labels import pixels, size_of
from krcsim.report.palette import Look
from krcsim.results.estimate import Estimate

FLOOR = 1e-13  # P(wait) below is drawn at the foot of the axis
CEILING = 1.6  # the top of the axis where probability 1 is near
BEHIND = 1.15  # the right end, as a factor, behind a power of two in bytes
HEADROOM = 1.3  # a point is at least so far, as a factor, from the ends of the axis
EMPTY = (1e-4, CEILING)  # ends of an axis on which nothing has a height
FEW_DECADES = 2  # on so many, ticks stand at 1, 2 and 5
MOST_TICKS = 8
BESIDE_AXES = 24.0  # points: the label of the y axis and the ticks, besides their labels
BETWEEN_TICKS = 3.0  # points
X_LABEL = Look(fontsize=palette.SIZES["axes.labelsize"])
TICK_LABEL = Look(fontsize=palette.TICKS["labelsize"])

# Of the height of the axes: the strip of what was not seen, and each row in it.
STRIP = 0.03
STRIP_ROW = 0.085
MOST_ROWS = 5

# Where only the order of magnitude is known, an interval whose ends are farther apart
# is not drawn: its upper end may be a bound.
WIDE = 1000.0
TAIL = 10.0  # an interval makes the axis longer by this factor at most

# The column of names on the right, and the most of the width that it may take.
COLUMN_ASIDE = 20.0  # points
COLUMN_AT_MOST = 0.5
NARROW_COLUMNS = 13


def kib(x: float) -> str:
    """A number of bytes as a tick label; what is drawn at the left end added
    nothing.
    """
    if x <= NOTHING_ADDED:
        return "0"

    return f"{x:g} B" if x < 1024 else f"{x / 1024:g} KiB"


def in_counts(share: float, _position: Any = None) -> str:
    """A share as a tick label: 1 in 1,000."""
    if share >= 1.0:
        return "all"

    one_in = 1.0 / share
    if one_in < 9.9e6:
        return f"1 in {round(one_in):,}"

    power = math.floor(math.log10(one_in) + 1e-9)
    digit = round(one_in / 10.0**power)
    times = f"{digit}\\times" if digit > 1 else ""
    return f"1 in ${times}10^{{{power}}}$"


def limits(chart: Chart) -> tuple[float, float, float, float]:
    """Ends of the axes (left, right, low, high) that fit what is drawn, in whole steps so
    that they rarely move.

    Steps are twofold or one in x, and decades in y. The strip of what was not seen comes
    below (see strip()), and names of lines to the right.
    """
    places = [x for line in (*chart.lines, *chart.room_for) for x in line.x]
    first = min(places, default=1.0)
    last = max(places, default=1.0)
    if chart.bytes_axis:
        left, right = 0.8 * NOTHING_ADDED, BEHIND * 2.0 ** max(8, math.ceil(math.log2(last)))
    else:
        left, right = first - 0.4, last + 0.2
    return left, right, *_ends_of_y(chart)


def _ends_of_y(chart: Chart) -> tuple[float, float]:
    """The whole decades around all heights, and around intervals unless they reach far."""
    lines = (*chart.lines, *chart.room_for)
    estimates = [estimate for line in lines for estimate in line.estimates]
    heights = [max(FLOOR, y) for y in map(plotted_height, estimates) if y > 0.0]
    if not heights:
        return EMPTY

    lowest, highest = min(heights), max(heights)
    ends = [
        interval_end(estimate, end, FLOOR)
        for estimate in estimates
        for end in (estimate.lo, estimate.hi)
    ]
    drawn = [y for y in ends if y > 0.0 and math.isfinite(y)]
    lowest = min([lowest, *(max(y, lowest / TAIL) for y in drawn)])
    highest = max([highest, *(min(y, highest * TAIL) for y in drawn)])

    low = 10.0 ** math.floor(math.log10(lowest / HEADROOM))
    high = 10.0 ** math.ceil(math.log10(highest * HEADROOM))
    return low, min(CEILING, high)


def interval_end(estimate: Estimate, end: float | None, lowest: float) -> float:
    """An end of an interval on the axis; nan where only the order of magnitude is
    known.

    That is what `~` at the point says, and the interval would not say more.
    """
    wide = (
        estimate.kind == "rough"
        and estimate.lo is not None
        and estimate.hi is not None
        and estimate.hi > WIDE * estimate.lo
    )
    return math.nan if end is None or in_strip(estimate) or wide else max(lowest, end)


def _rows_in_strip(chart: Chart) -> int:
    """How many rows the strip of a chart has."""
    return min(MOST_ROWS, len(names_in_strip(chart)))


def share_of_strip(chart: Chart) -> float:
    """How much of the height of the axes the strip takes."""
    rows = _rows_in_strip(chart)
    return STRIP + STRIP_ROW * rows if rows else 0.0


def strip(chart: Chart) -> dict[str, float]:
    """The y of each line's points in the strip, which have no height; empty if there
    are none.
    """
    names = names_in_strip(chart)
    rows = _rows_in_strip(chart)
    *_, low, high = limits(chart)
    share = share_of_strip(chart)
    depth = math.log(high / low) * share / (1.0 - share)
    return {
        name: low * math.exp(-depth * (power % rows + 0.5) / rows)
        for power, name in enumerate(names)
    }


def frame_key(chart: Chart) -> Hashable:
    """All that frame() reads of a chart: charts of equal keys have equal frames."""
    ends = tuple(widest_end_text(line) for line in chart.lines if has_end(line))
    ticks = chart.lines[0].labels if chart.lines and not chart.bytes_axis else ()
    said = (chart.xlabel, chart.ylabel, chart.bytes_axis)
    return limits(chart), names_in_strip(chart), ends, ticks, said


def frame(ax: Axes, chart: Chart) -> None:
    """Set limits, scales, ticks and labels of the axes of a chart, with room for the names of
    its lines on the right.
    """
    left, right, low, high = limits(chart)
    _fit_left(ax, chart)
    ax.set_yscale("log")
    if chart.bytes_axis:
        ax.set_xscale("log")
    ax.set(xlim=(left, _with_room(ax, chart)), ylim=(low, high))
    ax.set_ylabel(chart.ylabel)
    is_wide = size_of(ax, chart.xlabel, X_LABEL)[0] > ax.bbox.width
    ax.set_xlabel(chart.xlabel, loc="right" if is_wide else "center")

    _set_x_ticks(ax, chart, right)
    _set_y_ticks(ax, low, high)
    ax.tick_params(**palette.TICKS)
    ax.grid(True, which="major", **palette.GRID)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if names_in_strip(chart):
        _frame_strip(ax, chart)


def _fit_left(ax: Axes, chart: Chart) -> None:
    """Move the left edge of axes that have a figure for themselves, so that what stands beside
    them fits.
    """
    fig = cast(Figure, ax.get_figure(root=True))
    if fig.get_layout_engine() is not None or len(fig.axes) > 1:
        return

    _, _, low, high = limits(chart)
    texts = [in_counts(y) for y in _y_ticks(low, high)[0]]
    widest = max(size_of(ax, text.replace("$", ""), TICK_LABEL)[0] for text in texts)
    fig.subplots_adjust(left=(widest + pixels(ax, BESIDE_AXES)) / fig.bbox.width)


def name_columns(ax: Axes, chart: Chart) -> int:
    """How many columns the names of lines have: few where the axes are narrow."""
    room = (COLUMN_AT_MOST * ax.bbox.width) - pixels(ax, COLUMN_ASIDE)
    return NAME_COLUMNS if _widest(ax, chart, NAME_COLUMNS) <= room else NARROW_COLUMNS


def _widest(ax: Axes, chart: Chart, columns: int) -> float:
    """The width of the widest name at the end of a line, in pixels; 0 if there is none."""
    fits = bounds_fit(ax)
    widths = [
        size_of(
            ax,
            widest_end_text(line, columns, fits),
            palette.name_label(palette.BLACK, "now", line.name == OWN),
        )[0]
        for line in chart.lines
        if has_end(line)
    ]
    return max(widths, default=0.0)


def bounds_fit(ax: Axes) -> bool:
    """Whether a row of the strip is high enough for a name and the bound below it."""
    look = palette.name_label(palette.BLACK, "now")
    return bool(size_of(ax, "a\na", look)[1] <= STRIP_ROW * ax.bbox.height)


def _with_room(ax: Axes, chart: Chart) -> float:
    """The right end of the x axis, so that a column of names fits behind the data."""
    left, right, *_ = limits(chart)
    widest = _widest(ax, chart, name_columns(ax, chart))
    if not widest:
        return right * (BEHIND if chart.bytes_axis else 1.0)

    share = min(COLUMN_AT_MOST, (widest + pixels(ax, COLUMN_ASIDE)) / ax.bbox.width)
    if chart.bytes_axis:
        return float(left * (right / left) ** (1.0 / (1.0 - share)))
    return float(left + (right - left) / (1.0 - share))


def column_at(ax: Axes, chart: Chart) -> float:
    """Where the column of names begins, in pixels of the figure."""
    _, right, low, _ = limits(chart)
    return float(ax.transData.transform((right, low))[0]) + pixels(ax, COLUMN_ASIDE - 6.0)


def _set_x_ticks(ax: Axes, chart: Chart, right: float) -> None:
    """Powers of four in bytes, or each episode by its name; so many that none lies on another."""
    if chart.bytes_axis:
        powers = range(math.floor(math.log(right / NOTHING_ADDED, 4)) + 1)
        places = [NOTHING_ADDED * 4.0**power for power in powers]
        texts = [kib(place) for place in places]
    else:
        longest = max(chart.lines, key=lambda line: len(line.x))
        places, texts = list(longest.x), list(longest.labels)

    step = 1
    if len(places) > 1:
        widest = max(size_of(ax, text, TICK_LABEL)[0] for text in texts) + pixels(ax, BETWEEN_TICKS)
        first, second = ax.transData.transform([(place, 1.0) for place in places[:2]])[:, 0]
        step = math.ceil(widest / (second - first))
    begin = 0 if chart.bytes_axis else (len(places) - 1) % step  # the last episode has its tick
    ax.xaxis.set(
        major_locator=FixedLocator(places[begin::step]),
        major_formatter=FixedFormatter(texts[begin::step]),
        minor_locator=NullLocator(),
        minor_formatter=NullFormatter(),
    )


def _y_ticks(low: float, high: float) -> tuple[list[float], list[float]]:
    """Where ticks stand, with a label and without: at decades, and where these are few at 2
    and 5, too.
    """
    first, last = round(math.log10(low)), math.floor(math.log10(high) + 1e-9)
    decades = [10.0**power for power in range(first, last + 1)]
    between = [digit * decade for decade in decades for digit in range(2, 10)]
    minor = [y for y in between if y < high]
    if last - first <= FEW_DECADES:
        return sorted(y for y in (*decades, *minor) if f"{y:e}"[0] in "125"), minor

    step = math.ceil(len(decades) / MOST_TICKS)
    return decades[::step], minor if step == 1 else []


def _set_y_ticks(ax: Axes, low: float, high: float) -> None:
    """Shares as counts."""
    major, minor = _y_ticks(low, high)
    ax.yaxis.set(
        major_locator=FixedLocator(major),
        major_formatter=FuncFormatter(in_counts),
        minor_locator=FixedLocator(minor),
        minor_formatter=NullFormatter(),
    )


def _frame_strip(ax: Axes, chart: Chart) -> None:
    """Add a strip below the axis, which is logarithmic only above."""
    *_, low, high = limits(chart)
    share = share_of_strip(chart)
    foot = low * (low / high) ** (share / (1.0 - share))
    ax.set_ylim(foot, high)

    middle = math.sqrt(foot * low)
    beside_axis = ax.get_yaxis_transform()
    ax.text(-0.012, middle, "none seen", transform=beside_axis, **palette.STRIP_LABEL)
    ax.axhspan(foot, low, **palette.STRIP)
    ax.axhline(low, **palette.STRIP_EDGE)
