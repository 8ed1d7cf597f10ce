# SPDX-License-Identifier: GPL-2.0-only
"""A chart in plain text: a letter a line, named where it ends; decades of P(wait) evenly apart.

What was not seen stands in a strip below the axis.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from krcsim.report.chart import NOTHING_ADDED, OWN, Chart, in_strip, plotted_height
from krcsim.report.count_cells import one_in
from krcsim.report.plain_text import WIDTH, wrap

LETTERS = "ox+#%&@=$"  # of the lines, in their order
OWN_LETTER = "*"
AXIS_AT = 13  # columns of labels to the left of the y axis
COLUMNS = WIDTH - AXIS_AT - 1  # of the plot
AT_ZERO = 1  # the column of "nothing added", which a logarithmic axis does not have
FROM_BYTES = 7  # the column where the logarithmic axis begins
HEIGHT = 9  # rows, at most
NONE_SEEN = "none seen"
MARGINS = (2, 8, 12, 16, 20, 24)  # columns that may be kept free for names
# How lines of growing reserves are named in the plot.
SHORT = {
    OWN: "own",
    "pool of N objects, empty at boot": "pool",
    "pool of N objects, full at boot": "full pool",
    "N pages shared, preallocated": "pages",
    "N pages shared, empty at boot": "empty pages",
}


@dataclass(frozen=True)
class _Point:
    """A letter in a column of the plot; height: log10 of its value, nan in the strip."""

    letter: str
    column: int
    height: float
    in_strip: bool


@dataclass(frozen=True)
class _Up:
    """The y axis: `rows` rows, a tick every `apart` of them from the top, `decades` from tick to
    tick.
    """

    top: int
    rows: int
    apart: int
    decades: int

    def row(self, height: float) -> int:
        """The row, from the top, of a height in powers of ten."""
        return round((self.top - height) * self.apart / self.decades)

    def label(self, row: int) -> str:
        """What stands left of a row: 1 in 1,000, or nothing."""
        if row % self.apart:
            return ""

        return f"1 in {one_in(10.0 ** (self.top - row // self.apart * self.decades))}"


@dataclass(frozen=True)
class _Across:
    """The x axis: where whole numbers stand on so many columns."""

    first: float
    last: float
    in_bytes: bool
    columns: int

    def column(self, x: float) -> int:
        """The column of an x of the chart."""
        if self.in_bytes and x <= NOTHING_ADDED:
            return AT_ZERO

        begin = FROM_BYTES if self.in_bytes else AT_ZERO
        place = math.log2(x) if self.in_bytes else x
        share = (place - self.first) / (self.last - self.first)
        return begin + round(share * (self.columns - 1 - begin))


@dataclass(frozen=True)
class _Plot:
    """The lines of a plot, and the lines of the chart that could not be named in it."""

    lines: list[str]
    unnamed: list[str]


def log_plot(chart: Chart, height: int = HEIGHT) -> list[str]:
    """The lines of a plot of at most so many rows, with its axes and their labels.

    As many columns are kept free at the right as the names of the lines need.
    """
    if not _xs(chart):
        return ["(nothing to plot)"]

    plots = [_plot(chart, height, margin) for margin in MARGINS]
    best = min(plots, key=lambda plot: len(plot.unnamed))
    return [*best.lines, *wrap("; ".join(best.unnamed))]


def _plot(chart: Chart, height: int, margin: int) -> _Plot:
    """The plot with so many columns free at its right."""
    letters = _letters(chart)
    across = _across(chart, COLUMNS - margin)
    points = _points(chart, letters, across)
    up = _up([point.height for point in points if not point.in_strip], height)
    below = any(point.in_strip for point in points)

    grid = [[" "] * COLUMNS for _ in range(up.rows + below)]
    for point in points:
        _put(grid[up.rows if point.in_strip else up.row(point.height)], point)
    unnamed = _name_lines(chart, letters, grid)

    labels = [up.label(row) for row in range(up.rows)] + [NONE_SEEN] * below
    lines = [
        f"{label:>{AXIS_AT - 1}} {'+' if label and label != NONE_SEEN else '|'}{''.join(cells)}"
        for label, cells in zip(labels, grid, strict=True)
    ]
    xlabel = " " * (AXIS_AT + 1) + chart.xlabel.center(across.columns)
    return _Plot([line.rstrip() for line in [*lines, *_axis(across), xlabel]], unnamed)


def _name_lines(chart: Chart, letters: dict[str, str], grid: list[list[str]]) -> list[str]:
    """Write the name of each line behind its last letter, those that end together next to each
    other; what is said of the lines for which there is no room.
    """
    unnamed = []
    ends: dict[tuple[int, int], list[str]] = {}
    for line in chart.lines:
        place = _end(grid, letters[line.name])
        if place is None or letters[line.name] == "?":
            unnamed.append(f"{letters[line.name]} {line.name}")
        else:
            ends.setdefault(place, []).append(line.name)

    for (row, column), names in ends.items():
        text = "  " + ", ".join(map(short_name, names))
        room = grid[row][column : column + len(text) + 1]
        if len(room) < len(text) or "".join(room).strip():
            unnamed += [f"{letters[name]} {name}" for name in names]
        else:
            grid[row][column : column + len(text)] = text
    return unnamed


def _end(grid: list[list[str]], letter: str) -> tuple[int, int] | None:
    """The row of the last letter of a line, and the first blank column behind it."""
    places = [
        (column, row)
        for row, cells in enumerate(grid)
        for column, x in enumerate(cells)
        if x == letter
    ]
    if not places:
        return None

    column, row = max(places)
    while column < COLUMNS and grid[row][column] != " ":
        column += 1
    return row, column


def short_name(name: str) -> str:
    """The name of a line as it stands in the plot: the name of its row where it has one."""
    if row := re.search(r"\(([^()\s]+)\)$", name):
        return row[1]

    for words, short in SHORT.items():
        name = name.replace(words, short)
    return name


def _letters(chart: Chart) -> dict[str, str]:
    """The letter of each line by its name; ? where there are more lines than letters."""
    others = iter(LETTERS)
    return {
        line.name: OWN_LETTER if line.name == OWN else next(others, "?") for line in chart.lines
    }


def _xs(chart: Chart) -> list[float]:
    """Where anything stands."""
    return [
        x
        for line in chart.lines
        for x, estimate in zip(line.x, line.estimates, strict=True)
        if in_strip(estimate) or not math.isnan(plotted_height(estimate))
    ]


def _across(chart: Chart, columns: int) -> _Across:
    """The x axis fitted to what is drawn."""
    xs = _xs(chart)
    if not chart.bytes_axis:
        return _Across(min(xs), max(*xs, min(xs) + 1.0), False, columns)

    powers = [math.log2(x) for x in xs if x > NOTHING_ADDED]
    first = math.floor(min(powers, default=5.0))
    last = max(math.ceil(max(powers, default=6.0)), first + 1)
    return _Across(first, last, True, columns)


def _up(heights: Sequence[float], height: int) -> _Up:
    """The y axis: whole decades, evenly apart on at most so many rows."""
    if not heights:
        return _Up(0, 0, 1, 1)

    bottom = math.floor(min(heights) + 1e-9)
    top = max(math.ceil(max(heights) - 1e-9), bottom + 1)
    span = top - bottom
    if span < height:
        apart = (height - 1) // span
        return _Up(top, span * apart + 1, apart, 1)

    decades = math.ceil(span / (height - 1))
    return _Up(top, math.ceil(span / decades) + 1, 1, decades)


def _points(chart: Chart, letters: dict[str, str], across: _Across) -> list[_Point]:
    """All points of a chart that stand anywhere."""
    points = []
    for line in chart.lines:
        for x, estimate in zip(line.x, line.estimates, strict=True):
            height = plotted_height(estimate)
            if not math.isnan(height):
                height = math.log10(height)
            below = in_strip(estimate)
            if below or not math.isnan(height):
                points.append(_Point(letters[line.name], across.column(x), height, below))

    return points


def _put(cells: list[str], point: _Point) -> None:
    """A letter into its row, next to others where they would meet."""
    column = point.column
    while column < COLUMNS - 1 and cells[column] not in (" ", point.letter):
        column += 1
    cells[column] = point.letter


def _axis(across: _Across) -> list[str]:
    """The x axis with its ticks, and their labels below it."""
    axis = ["-"] * across.columns
    labels = [" "] * (across.columns + 4)
    for column, text in _ticks(across):
        axis[column] = "+"
        begin = max(0, column - (len(text) - 1) // 2)
        if not "".join(labels[max(0, begin - 1) : begin + len(text) + 1]).strip():
            labels[begin : begin + len(text)] = text
    if across.in_bytes:
        axis[AT_ZERO + 2 : AT_ZERO + 4] = "//"  # a logarithmic axis has no 0

    indent = " " * AXIS_AT
    return [f"{indent}+{''.join(axis)}", f"{indent} {''.join(labels)}"[:WIDTH]]


def _ticks(across: _Across) -> list[tuple[int, str]]:
    """Columns and labels of the ticks: powers of two bytes so far apart that labels have room, or
    episodes by number.
    """
    first, last = int(across.first), int(across.last)
    if not across.in_bytes:
        return [(across.column(number), str(number)) for number in range(first, last + 1)]

    step = math.ceil((last - first + 1) * 7 / (across.columns - FROM_BYTES))
    powers = range(first, last + 1, step)
    return [(AT_ZERO, "0"), *((across.column(2.0**n), _bytes_label(n)) for n in powers)]


def _bytes_label(power: int) -> str:
    """2**power bytes: 512, 4K, 1M."""
    if power < 10:
        return f"{2**power}"

    return f"{2 ** (power - 10)}K" if power < 20 else f"{2 ** (power - 20)}M"
