# SPDX-License-Identifier: GPL-2.0-only
"""A table with a plot as its last column: each row's mark stands beside its numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from krcsim.report.count_cells import one_in
from krcsim.report.plain_text import WIDTH, fitting_table
from krcsim.results.estimate import Estimate

LEAST = 18  # columns of a plot that still tells rows apart
TITLE = "calls per wait (left: fewer waits)"


@dataclass(frozen=True)
class Row:
    """Cells, what is marked in the plot, and what is said there if it has no place on the axis."""

    cells: tuple[str, ...]
    estimate: Estimate
    said: str = ""


@dataclass(frozen=True)
class _Axis:
    """Decades of P(wait) from `first` to `last` on so many columns."""

    first: int
    last: int
    columns: int

    def at(self, p: float) -> int:
        """The column of a probability; what lies outside stands at the edge."""
        share = (math.log10(p) - self.first) / (self.last - self.first)
        return round(min(1.0, max(0.0, share)) * (self.columns - 1))


Head = tuple[str, str]  # the two lines above a column


def marked_table(head: Sequence[Head], rows: Sequence[Row], spare: Sequence[Head]) -> list[str]:
    """The lines of a table with two lines of head, a rule, and a plot to the right.

    `spare`: columns that are left out, the first first, where the plot has no room. Where that does
    not help either, the table has no plot.
    """
    for left_out in range(len(spare) + 1):
        left = _left(head, rows, spare[:left_out])
        room = WIDTH - len(left[0]) - 2
        if room >= LEAST:
            right = _right(rows, room)
            return [
                f"{before}  {after}".rstrip() for before, after in zip(left, right, strict=True)
            ]

    return plain_table(head, rows)


def plain_table(head: Sequence[Head], rows: Sequence[Row]) -> list[str]:
    """The same without a plot; a list with a paragraph a row where it is too wide."""
    lines = [line.rstrip() for line in _left(head, rows)]
    if max(map(len, lines)) <= WIDTH:
        return lines

    names = [" ".join(filter(None, both)) for both in head]
    return fitting_table(names, [row.cells for row in rows])


def _left(head: Sequence[Head], rows: Sequence[Row], left_out: Sequence[Head] = ()) -> list[str]:
    """The columns with words and numbers, all lines of one length: names left, the rest right."""
    kept = [column for column, both in enumerate(head) if both not in left_out]
    cells = [[head[column][line] for column in kept] for line in (0, 1)]
    cells += [[row.cells[column] for column in kept] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(2, ["-" * width for width in widths])
    return [
        "  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])])
        for first, *others in cells
    ]


def _right(rows: Sequence[Row], columns: int) -> list[str]:
    """The plot: title, labels of its axis, the axis, a mark a row."""
    axis = _axis_of(rows, columns)
    if axis is None:
        return ["", "", "", *(row.said for row in rows)]

    labels = [" "] * columns
    rule = ["-"] * columns
    for tick in range(axis.first, axis.last + 1):
        rule[axis.at(10.0**tick)] = "+"
    for tick in _ticks(axis):
        text = _label(tick)
        begin = _begin(axis, tick, text)
        labels[begin : begin + len(text)] = text

    return [
        TITLE if len(TITLE) <= columns else TITLE.split(" (")[0],
        "".join(labels),
        "".join(rule),
        *(_mark(row, axis) for row in rows),
    ]


def _axis_of(rows: Sequence[Row], columns: int) -> _Axis | None:
    """An axis fitted to what is marked and its intervals; None if nothing is."""
    seen = [row.estimate for row in rows if is_marked(row.estimate)]
    ends = [end for e in seen for end in (e.value, e.lo, e.hi) if end]
    if not ends:
        return None

    first = math.floor(math.log10(min(ends)) + 1e-9)
    last = max(math.ceil(math.log10(max(ends)) - 1e-9), first + 1)
    return _Axis(first, last, columns)


def is_marked(estimate: Estimate) -> bool:
    """Whether an estimate has a place on the axis: it was measured and is not 0."""
    return bool(estimate.value) and estimate.kind != "bound"


def _ticks(axis: _Axis) -> list[int]:
    """The decades that are labelled: as many as can be without labels that touch."""
    for step in range(1, axis.last - axis.first + 1):
        ticks = list(range(axis.last, axis.first - 1, -step))[::-1]
        spans = [(_begin(axis, tick, _label(tick)), len(_label(tick))) for tick in ticks]
        if all(a + length + 1 <= b for (a, length), (b, _) in zip(spans, spans[1:], strict=False)):
            return ticks

    return [axis.last]


def _label(tick: int) -> str:
    return one_in(10.0**tick)


def _begin(axis: _Axis, tick: int, text: str) -> int:
    """Where a label begins: it is centred at its tick, and stays inside the plot."""
    begin = axis.at(10.0**tick) - (len(text) - 1) // 2
    return max(0, min(begin, axis.columns - len(text)))


def _mark(row: Row, axis: _Axis) -> str:
    """The mark of a row, with its interval; or what is said in its place."""
    estimate = row.estimate
    if not estimate.value or not is_marked(estimate):
        return row.said

    cells = [" "] * axis.columns
    if estimate.lo and estimate.hi:
        first, last = axis.at(estimate.lo), axis.at(estimate.hi)
        cells[first : last + 1] = "-" * (last + 1 - first)
    cells[axis.at(estimate.value)] = "o"
    return "".join(cells)
