# SPDX-License-Identifier: GPL-2.0-only
"""Kernels, drawn: a row each with the change that it brought, a column a number, and marks where a
number moved.
"""

import math
from typing import Any, cast

from krcsim.report.style import plain

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from krcsim.report import headings, palette
from krcsim.report.chart import in_strip, plotted_height
from krcsim.report.kernels_chart import KernelRow, KernelsChart, text_of
from krcsim.report.labels import pixels, size_of

# Of the width of a column: where marks without a place stand, and the ends of its axis.
ASIDE, LEFT, RIGHT = 0.12, 0.24, 0.88
ABOVE = 8.5  # points from a mark to the middle of its number
BORDER = 3.0  # points between a number and the edge of its column
SHORT_COMMIT = 7  # letters of a commit where there is one row for it and the change
TWO_ROWS = "Change\ncommit"
SPACING = 0.8  # of two rows, against what is measured with the usual spacing
LEAST_DECADES = 1.0  # of an axis, so that small differences look small
NAMES_WIDTH = 168.0  # points, for versions and changes beside the axes
NAMES_AT_MOST = 0.4  # of the width of the figure
CHANGE_AFTER = 34.0  # points from the begin of a version to its change
HEAD_HEIGHT, FOOT_HEIGHT = 31.0, 13.0  # points
MARGIN = 6.0  # points
FOOT = "large: differs from the kernel above it; each column has a logarithmic axis of its own"


def key_of(chart: KernelsChart) -> tuple[Any, ...]:
    """What the frame of a chart depends on."""
    return tuple((row.version, row.change, row.commit, row.is_step) for row in chart.rows)


def frame(ax: Axes, chart: KernelsChart) -> None:
    """Rows with their names, columns with their heads; the axes fill what is left of the figure."""
    fig = cast(Figure, ax.get_figure(root=True))
    if len(fig.texts) == 0:  # a live picture; a whole figure has its texts around the axes
        wide, high = fig.bbox.width, fig.bbox.height
        fig.subplots_adjust(
            left=_names_share(ax),
            right=1.0 - pixels(ax, MARGIN) / wide,
            top=1.0 - pixels(ax, HEAD_HEIGHT) / high,
            bottom=pixels(ax, FOOT_HEIGHT) / high,
        )

    count = len(chart.rows)
    ax.set(xlim=(0.0, len(chart.columns)), ylim=(count - 0.5, -0.5), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_axisbelow(True)
    for number in range(0, count, 2):
        ax.axhspan(number - 0.5, number + 0.5, **palette.KERNEL_BAND)
    for number, column in enumerate(chart.columns):
        ax.axvline(float(number), **palette.KERNEL_BORDER)
        ax.annotate(
            "\n".join(column.head),
            (number + 0.5, 1.0),
            (0.0, 8.0),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            **palette.KERNEL_HEAD,
        )
    for number, row in enumerate(chart.rows):
        _name_row(ax, number, row)
    ax.annotate(
        FOOT,
        (1.0, 0.0),
        (0.0, -3.0),
        xycoords="axes fraction",
        textcoords="offset points",
        **palette.KERNEL_FOOT,
    )


def _names_share(ax: Axes) -> float:
    """The part of a figure's width that the names of the rows take."""
    fig = cast(Figure, ax.get_figure(root=True))
    return min(NAMES_AT_MOST, pixels(ax, NAMES_WIDTH + MARGIN) / fig.bbox.width)


def _name_row(ax: Axes, number: int, row: KernelRow) -> None:
    """The version of a row, and its change and commit beside it in rows of their own."""
    left = ax.get_position().x0 * cast(Figure, ax.get_figure(root=True)).bbox.width
    start = -(left - pixels(ax, MARGIN)) / pixels(ax, 1.0)
    beside: Any = dict(xycoords=ax.get_yaxis_transform(), textcoords="offset points")
    ax.annotate(
        row.version, (0.0, number), (start, 0.0), **beside, **palette.kernel_name(row.is_step)
    )
    room = left - pixels(ax, MARGIN + CHANGE_AFTER)
    look = palette.KERNEL_CHANGE
    told = [text for text in (row.change, row.commit) if text]
    if len(told) > 1 and size_of(ax, TWO_ROWS, look)[1] * SPACING > _row_height(ax):
        told = [f"{row.commit[:SHORT_COMMIT]} {row.change}"]
    lines = "\n".join(_cut(ax, text, room, look) for text in told)
    ax.annotate(lines, (0.0, number), (start + CHANGE_AFTER, 0.0), **beside, **look)


def _row_height(ax: Axes) -> float:
    """The height of a row in pixels."""
    (_, upper), (_, lower) = ax.transData.transform([(0.0, 0.0), (0.0, 1.0)])
    return abs(float(lower - upper))


def _cut(ax: Axes, text: str, room: float, look: palette.Look) -> str:
    """A text in a room of so many pixels."""
    if size_of(ax, text, look)[0] <= room:
        return text
    while text and size_of(ax, f"{text}...", look)[0] > room:
        text = text[:-1]
    return f"{text.rstrip()}..."


def draw(ax: Axes, chart: KernelsChart) -> list[Artist]:
    """Marks, intervals and numbers on axes that frame() set; returns the artists."""
    artists: list[Artist] = []
    for column in range(len(chart.columns)):
        artists += _draw_path(ax, chart, column)
        for number, row in enumerate(chart.rows):
            artists += _draw_cell(ax, chart, number, row, column)
    return artists


def _place(chart: KernelsChart, column: int, value: float) -> float:
    """Where a value stands across its column."""
    ends = chart.ends(column)
    if ends is None:
        return column + LEFT
    low, high = (math.log10(end) for end in ends)
    decades = max(LEAST_DECADES, high - low)
    begin = 0.5 * (low + high - decades)
    share = (math.log10(value) - begin) / decades
    return column + LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share))


def _draw_path(ax: Axes, chart: KernelsChart, column: int) -> list[Artist]:
    """The line from mark to mark; it is open where a mark has no place."""
    x, y = [], []
    for number, row in enumerate(chart.rows):
        height = plotted_height(row.cells[column])
        x.append(_place(chart, column, height) if height > 0.0 else math.nan)
        y.append(float(number))
    return [ax.add_artist(Line2D(x, y, **palette.KERNEL_PATH))]


def _draw_cell(
    ax: Axes, chart: KernelsChart, number: int, row: KernelRow, column: int
) -> list[Artist]:
    """A mark with its interval; its number where it moved, and in the first and the last row."""
    estimate, moved = row.cells[column], row.moved[column]
    height = plotted_height(estimate)
    artists: list[Artist] = []
    if height > 0.0:
        x = _place(chart, column, height)
        if estimate.kind == "interval" and estimate.lo and estimate.hi:
            ends = [_place(chart, column, end) for end in (estimate.lo, estimate.hi)]
            artists.append(
                ax.add_artist(Line2D(ends, [number] * 2, **palette.kernel_interval(moved)))
            )
        artists.append(ax.add_artist(Line2D([x], [number], **palette.kernel_mark(moved))))
    elif in_strip(estimate):
        x = column + ASIDE
        colour = (palette.KERNEL_STEP if moved else palette.KERNEL_SAME).colour
        artists.append(ax.add_artist(Line2D([x], [number], **palette.none_seen(colour, "pin"))))
    else:
        x = column + ASIDE

    if moved or number in (0, len(chart.rows) - 1):
        artists.append(_write_number(ax, text_of(chart, row, column), x, number, column, moved))
    return artists


def _write_number(ax: Axes, text: str, x: float, number: int, column: int, moved: bool) -> Artist:
    """The number above a mark, moved to the side where it would leave its column."""
    look = palette.kernel_number(moved)
    (at, _), (left, _), (right, _) = ax.transData.transform(
        [(x, number), (column, number), (column + 1.0, number)]
    )
    half = size_of(ax, text, look)[0] / 2.0 + pixels(ax, BORDER)
    shift = min(max(at, left + half), right - half) - at
    return ax.annotate(
        text,
        (x, number),
        (shift / pixels(ax, 1.0), ABOVE),
        textcoords="offset points",
        path_effects=[withStroke(**palette.KERNEL_HALO)],
        **look,
    )


@plain()
def kernels_figure(chart: KernelsChart, foot: str = "") -> Figure:
    """A whole figure: finding and setting above, the kernels, where it comes from at the foot."""
    foot = f"{chart.note}\n{foot}".strip()
    height = 1.7 + 0.34 * len(chart.rows)
    fig, ax = headings.headed(
        chart.title, chart.setting, foot, height=height, left=0.29, right=0.99, under_axes=20.0
    )
    box = ax.get_position()
    head = HEAD_HEIGHT / (height * headings.POINTS_PER_INCH)
    ax.set_position((box.x0, box.y0, box.width, box.height - head))
    frame(ax, chart)
    draw(ax, chart)
    return fig
