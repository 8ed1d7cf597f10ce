# SPDX-License-Identifier: GPL-2.0-only
"""Sizes against a target, drawn: the target as a line, the smallest size that passes as a star."""

import math
from collections.abc import Callable
from typing import Any

from krcsim.report.style import plain

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from krcsim.report import headings, palette
from krcsim.report.chart import in_strip, plotted_height
from krcsim.report.labels import pixels, size_of
from krcsim.report.probability_axis import leave_room, set_decades
from krcsim.report.target_chart import VERDICTS, Size, TargetChart, in_bytes, interval_of, y_limits

ONE_ROW, TWO_ROWS = 34.0, 46.0  # points below the axes, for ticks and what they are
STRIP = 0.1  # of the height of the axes, for sizes with which no wait was seen
UNDER_AXES = 56.0  # points below the axes of a whole figure: two rows of ticks, and what they are
TICKS_APART = 6.0  # points
ABOVE_TARGET = 0.2  # of the height of the axes, from the target to the middle of what the star is
OFF_LINE = 3.0  # points between the line of the target and its words
TICK = palette.Look(fontsize=palette.TICKS["labelsize"])
BYTES = (0, *(4**power for power in range(3, 12)))
SMALLEST_BYTES = 16.0  # where 0 bytes stand, in effect: the axis is linear below
WORDS_APART = 1.0  # doublings
Scale = Callable[[Any], Any]
IN_WORDS = {"fails": "fails", "passes": "passes", "open": "not decided"}


def key_of(chart: TargetChart) -> tuple[Any, ...]:
    """What the frame of a chart depends on."""
    return (
        y_limits(chart),
        _right(chart),
        chart.target,
        chart.counts,
        _verdicts(chart),
        _has_strip(chart),
        chart.xlabel,
        _bytes_at(chart),
    )


def frame(ax: Axes, chart: TargetChart) -> None:
    """Axes for a chart: sizes below, the bytes that they add above, the target as a line."""
    low, high = y_limits(chart)
    foot = _foot(chart)
    right = _right(chart)
    scale = 1.0 if chart.counts else SMALLEST_BYTES
    ax.set_xscale("function", functions=_stretched(scale))
    ax.set(yscale="log", ylim=(foot, high), ylabel=chart.ylabel, xlabel=chart.xlabel)
    ax.set_xlim(_unstretch(-0.25, scale), _unstretch(_stretch(right, scale) + 0.3, scale))

    texts = set_decades(ax, round(math.log10(low)), round(math.log10(high)))
    leave_room(ax, texts, TWO_ROWS if chart.counts else ONE_ROW)
    _set_ticks(ax, chart, right)
    ax.grid(True, which="major", **palette.GRID)
    if _has_strip(chart):
        ax.axhspan(foot, low, **palette.STRIP)
        ax.axhline(low, **palette.STRIP_EDGE)
        beside = ax.get_yaxis_transform()
        middle = math.sqrt(foot * low)
        ax.text(-0.012, middle, "none seen", transform=beside, **palette.STRIP_LABEL)

    ax.axhline(chart.target, **palette.TARGET)
    # Without an answer the sizes stand above the target, and its words below it.
    where, points = ("bottom", OFF_LINE) if chart.answer else ("top", -OFF_LINE)
    ax.annotate(
        chart.target_words,
        (0.01, chart.target),
        (0.0, points),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        va=where,
        **palette.TARGET_LABEL,
    )
    handles = [
        Line2D([], [], label=IN_WORDS[verdict], **palette.verdict_mark(verdict))
        for verdict in _verdicts(chart)
    ]
    ax.legend(handles=handles, loc="upper right", ncols=3, **palette.LEGEND)


def draw(ax: Axes, chart: TargetChart) -> list[Artist]:
    """What was tried, on axes that frame() set; returns the artists."""
    near = chart.near
    seen = [size for size in near if not in_strip(size.estimate)]
    artists: list[Artist] = []
    if chart.counts:
        x = [size.x for size in seen]
        y = [plotted_height(size.estimate) for size in seen]
        artists += ax.plot(x, y, **palette.BETWEEN_SIZES)

    for verdict in _verdicts(chart):
        rows = [size for size in near if size.verdict == verdict]
        look = palette.verdict_mark(verdict)
        for size in rows:
            ends = interval_of(size.estimate)
            if ends:
                artists += ax.plot([size.x, size.x], ends, **palette.verdict_interval(verdict))
        artists += ax.plot([size.x for size in rows], [_y(chart, size) for size in rows], **look)

    if not chart.counts:
        artists += _draw_words(ax, chart)
    return artists + _draw_answer(ax, chart)


def _draw_words(ax: Axes, chart: TargetChart) -> list[Artist]:
    """What each size is, where these are of two kinds and there is room."""
    artists: list[Artist] = []
    last = -math.inf
    for size in chart.near:
        place = _stretch(size.x, SMALLEST_BYTES)
        if not in_strip(size.estimate) and place - last >= WORDS_APART:
            at = (size.x, _y(chart, size))
            artists.append(
                ax.annotate(size.words, at, (6, 3), textcoords="offset points", **palette.NEAR_SIZE)
            )
            last = place
    return artists


def _draw_answer(ax: Axes, chart: TargetChart) -> list[Artist]:
    """A star at the smallest size that passes, and what it is."""
    answer = chart.answer
    if answer is None:
        return []

    at = (answer.x, _y(chart, answer))
    in_axes = ax.transData + ax.transAxes.inverted()
    is_left = in_axes.transform(at)[0] < 0.55
    target_at = in_axes.transform((answer.x, chart.target))[1]
    # On the left it keeps clear of the words of the target, which stand on their line.
    beside_star = (0.62, 0.74) if is_left else (0.06, max(0.3, target_at + ABOVE_TARGET))
    note = ax.annotate(
        chart.answer_words,
        at,
        xytext=beside_star,
        textcoords="axes fraction",
        **palette.ANSWER_LABEL,
    )
    return [*ax.plot([at[0]], [at[1]], **palette.ANSWER), note]


@plain()
def target_figure(chart: TargetChart, foot: str = "") -> Figure:
    """A whole figure: finding and setting above, the sizes, where it comes from at the foot."""
    foot = f"{chart.note}\n{foot}".strip()
    fig, ax = headings.headed(chart.title, chart.setting, foot, height=4.8, under_axes=UNDER_AXES)
    frame(ax, chart)
    draw(ax, chart)
    return fig


# ---- places


def _right(chart: TargetChart) -> float:
    """The largest size that is drawn."""
    return max([1.0, *(size.x for size in chart.near)])


def _has_strip(chart: TargetChart) -> bool:
    return any(in_strip(size.estimate) for size in chart.near)


def _foot(chart: TargetChart) -> float:
    """The foot of the axis, with the strip of what was not seen."""
    low, high = y_limits(chart)
    return low * (low / high) ** (STRIP / (1.0 - STRIP)) if _has_strip(chart) else low


def _y(chart: TargetChart, size: Size) -> float:
    """Where a size stands: its probability, or the middle of the strip."""
    if in_strip(size.estimate):
        return math.sqrt(_foot(chart) * y_limits(chart)[0])
    return plotted_height(size.estimate)


def _verdicts(chart: TargetChart) -> tuple[str, ...]:
    """The verdicts that any size has."""
    return tuple(v for v in VERDICTS if any(size.verdict == v for size in chart.near))


def _stretch(x: float, scale: float) -> float:
    """A place on the axis, which begins at 0 and doubles at equal steps."""
    return math.log2(1.0 + x / scale)


def _unstretch(place: float, scale: float) -> float:
    return scale * math.expm1(place * math.log(2.0))


def _stretched(scale: float) -> tuple[Scale, Scale]:
    """The same for matplotlib, which also asks for what is left of 0."""

    def forward(x: Any) -> Any:
        return np.log2(1.0 + np.maximum(x, -0.99 * scale) / scale)

    def back(place: Any) -> Any:
        return scale * (np.exp2(place) - 1.0)

    return forward, back


def _bytes_at(chart: TargetChart) -> tuple[tuple[float, int], ...]:
    """The bytes that each size adds, by size."""
    return tuple({size.x: size.bytes_added for size in chart.near}.items())


def _set_ticks(ax: Axes, chart: TargetChart, right: float) -> None:
    """Sizes that were tried, and below them the bytes that they add; bytes alone where sizes are
    of two kinds.
    """
    if chart.counts:
        ticks = {count: f"{count:,.0f}\n{in_bytes(added)}" for count, added in _bytes_at(chart)}
    else:
        ticks = {float(count): in_bytes(count) for count in BYTES if count <= 2 * right}

    kept: list[float] = []
    taken: list[tuple[float, float]] = []
    first = [chart.answer.x] if chart.answer and chart.answer.x in ticks else []
    for count in (*first, *ticks):
        middle = ax.transData.transform((count, chart.target))[0]
        half = size_of(ax, ticks[count], TICK)[0] / 2.0 + pixels(ax, TICKS_APART) / 2.0
        if all(middle + half <= left or middle - half >= right for left, right in taken):
            taken.append((middle - half, middle + half))
            kept.append(count)
    ax.xaxis.set(minor_locator=NullLocator())
    ax.set_xticks(kept, [ticks[count] for count in kept])
