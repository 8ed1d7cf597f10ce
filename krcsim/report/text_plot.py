# SPDX-License-Identifier: GPL-2.0-only
"""A chart in plain text: a letter a line, y logarithmic, what was not seen in a strip below."""

import math
from dataclasses import dataclass

from krcsim.report.chart import OWN, Chart, in_strip, plotted_height
from krcsim.report.plain_text import WIDTH, wrap

LETTERS = "ox+#%&@=$"  # of the lines, in their order
OWN_LETTER = "*"
AXIS_AT = 7  # columns of labels to the left of the y axis
COLUMNS = WIDTH - 11  # from the first to the last column of the plot
NO_BYTES = 4  # log2 of NOTHING_ADDED, where 0 stands on the axis


@dataclass(frozen=True)
class _Point:
    """A letter at a place on the x axis; height: log10 of its value, nan in the strip."""

    letter: str
    x: float
    height: float
    in_strip: bool


@dataclass(frozen=True)
class _Scale:
    """Whole numbers from `first` to `last` on so many steps."""

    first: int
    last: int
    steps: int

    def at(self, value: float) -> int:
        """The step at which a value stands."""
        return round((value - self.first) / (self.last - self.first) * self.steps)

    def ticks(self) -> range:
        """The whole numbers of the scale."""
        return range(self.first, self.last + 1)


def log_plot(chart: Chart, height: int = 10) -> list[str]:
    """The lines of a plot of so many rows, with its axis, its label and its legend."""
    letters = _letters(chart)
    points = _points(chart, letters)
    drawn = [point for point in points if not math.isnan(point.height)]
    below = [point for point in points if point.in_strip]
    if not drawn and not below:
        return ["(nothing to plot)"]

    first = math.floor(min(point.x for point in drawn + below))
    last = max(math.ceil(max(point.x for point in drawn + below)), first + 1)
    across = _Scale(first, last, COLUMNS)
    axis, labels = _axis(across, chart.bytes_axis)

    lines = _grid(drawn, across, height) if drawn else []
    if below:
        lines += [
            " " * AXIS_AT + "+" + "-" * (COLUMNS + 1),
            f"{'none':>6} |{_row(below, across)}".rstrip(),
            f"{'seen':>6} {axis}",
        ]
    else:
        lines.append(" " * AXIS_AT + axis)

    legend = "; ".join(f"{letter} {name}" for name, letter in letters.items())
    xlabel = (" " * (AXIS_AT + 1) + chart.xlabel.center(COLUMNS)).rstrip()[:WIDTH]
    return ["P(wait)", *lines, labels, xlabel, *wrap(legend)]


def _letters(chart: Chart) -> dict[str, str]:
    """The letter of each line by its name; ? where there are more lines than letters."""
    others = iter(LETTERS)
    return {
        line.name: OWN_LETTER if line.name == OWN else next(others, "?") for line in chart.lines
    }


def _points(chart: Chart, letters: dict[str, str]) -> list[_Point]:
    """All points of a chart."""
    points = []
    for line in chart.lines:
        for x, estimate in zip(line.x, line.estimates, strict=True):
            place = math.log2(x) if chart.bytes_axis else x
            height = plotted_height(estimate)
            if not math.isnan(height):
                height = math.log10(height)
            points.append(_Point(letters[line.name], place, height, in_strip(estimate)))

    return points


def _grid(points: list[_Point], across: _Scale, height: int) -> list[str]:
    """The rows of a plot with the labels of its decades."""
    heights = [point.height for point in points]
    first = math.floor(min(heights) - 0.05)
    last = max(math.ceil(max(heights)), first + 1)
    up = _Scale(first, last, height - 1)

    ticks = {height - 1 - up.at(tick): f"1e{tick}" for tick in up.ticks()}
    rows = []
    for n in range(height):
        here = [point for point in points if height - 1 - up.at(point.height) == n]
        edge = "+" if n in ticks else "|"
        rows.append(f"{ticks.get(n, ''):>6} {edge}{_row(here, across)}".rstrip())

    return rows


def _row(points: list[_Point], across: _Scale) -> str:
    """The letters of one row, next to each other where they would meet."""
    cells = [" "] * (COLUMNS + 1)
    for point in points:
        column = across.at(point.x)
        while column < COLUMNS and cells[column] not in (" ", point.letter):
            column += 1
        cells[column] = point.letter

    return "".join(cells)


def _axis(across: _Scale, in_bytes: bool) -> tuple[str, str]:
    """The x axis with its ticks, and their labels below it."""
    axis = ["-"] * (COLUMNS + 1)
    labels = [" "] * (COLUMNS + 9)
    for tick in across.ticks():
        column = across.at(tick)
        axis[column] = "+"

        text = _bytes_label(tick) if in_bytes else str(tick)
        begin = max(0, column + 1 - len(text) // 2)
        free = not "".join(labels[max(0, begin - 1) : begin + len(text)]).strip()
        if free:
            labels[begin : begin + len(text)] = text

    return "+" + "".join(axis), " " * AXIS_AT + "".join(labels).rstrip()


def _bytes_label(power: int) -> str:
    """2**power bytes: 0 (where nothing is added), 512, 4K."""
    if power == NO_BYTES:
        return "0"

    return f"{2**power}" if power < 10 else f"{2**power // 1024}K"
