# SPDX-License-Identifier: GPL-2.0-only
"""A recording, drawn: rates over time with episodes shaded, a histogram of grace periods, failures
of page requests, and what was predicted beside what was recorded.
"""

import math
from collections.abc import Callable
from textwrap import fill

from krcsim.report.style import Picture, plain
from krcsim.report.style import figure as empty_figure

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from krcsim.report import headings, palette
from krcsim.report.recording_chart import Pair, RecordingChart, Share

BINS = 30
WIDE = 10.0  # the longest over the shortest, from which an axis is logarithmic
LEAST = 1e-3  # of an axis of rates, from which nothing is told apart
APART = 0.16  # of a row, between what was recorded and what was predicted
NAME_LETTERS = 18  # of a name beside the axes, in a line

Draw = Callable[[RecordingChart, Axes], None]


def draw_rates(chart: RecordingChart, ax: Axes) -> None:
    """Calls and failed page requests a second over time; episodes of pressure are grey."""
    for begin, end in chart.episodes:
        ax.axvspan(begin, end, **palette.EPISODE_SPAN)
    ax.stairs(chart.calls, chart.edges, baseline=None, **palette.CALLS_OVER_TIME)
    for begin, end, rate in chart.pieces:
        ax.plot([begin, end], [rate, rate], **palette.FITTED_OVER_TIME)
    ax.set(xlim=(chart.edges[0], chart.edges[-1]), xlabel="time (s)", ylabel="calls a second")
    known = [rate for rate in chart.calls if not math.isnan(rate)]
    ax.set_ylim(0.0, max(1.0, 1.25 * max(known, default=0.0)))
    ax.yaxis.label.set_color(palette.as_text(palette.BLUE))
    title = "Calls of kfree_rcu()" if len(known) == len(chart.calls) else "Calls, where counted"
    if chart.pieces:
        title = "Calls, and fitted pieces (thick)"
    many = len(chart.episodes)
    grey = f"; grey: {many} episode{'s' * (many != 1)}" if many else "; no episode"
    if any(chart.failed):
        other = ax.twinx()
        other.stairs(chart.failed, chart.edges, baseline=None, **palette.FAILED_OVER_TIME)
        other.set_ylim(0.0, 1.25 * max(chart.failed))
        other.set_ylabel("failed requests a second")
        other.yaxis.label.set_color(palette.as_text(palette.VERMILION))
        title = title.replace(" of kfree_rcu()", "") + ", and failed page requests (dashed)"
    ax.set_title(title + grey, loc="left")


def draw_grace_periods(chart: RecordingChart, ax: Axes) -> None:
    """A histogram of the lengths of grace periods, on a logarithmic axis where they differ much."""
    lengths = np.asarray(chart.grace_periods_ms, dtype=float)
    lengths = lengths[lengths > 0.0]
    if not len(lengths):
        ax.set_title("Grace periods", loc="left")
        _say_nothing(ax, "none recorded")
        return
    median = float(np.median(lengths))
    ax.set_title(
        f"{len(lengths):,} grace periods, median {median:.3g} ms (line)",
        loc="left",
    )
    low, high = float(lengths.min()), float(lengths.max())
    wide = high > WIDE * low  # else equal steps are easier to read
    edges = np.geomspace(low, high * 1.001, BINS) if wide else np.linspace(0.0, 1.1 * high, BINS)
    ax.hist(lengths, edges.tolist(), **palette.LENGTHS)
    ax.axvline(median, **palette.TARGET)
    ax.set(xlabel="from start to end (ms)", ylabel="grace periods")
    if wide:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _place: f"{x:g}"))


def draw_failures(chart: RecordingChart, ax: Axes) -> None:
    """The share of page requests that failed, a row a class; a hollow star where none did."""
    ax.set_title("Page requests that failed", loc="left")
    if not chart.shares:
        _say_nothing(ax, "no page request recorded")
        return
    least = min(_least(share) for share in chart.shares)
    floor = 10.0 ** math.floor(math.log10(least))
    for row, share in enumerate(chart.shares):
        if share.failed:
            style = palette.RECORDED
            ax.hlines(row, max(floor, share.low), share.high, **palette.recorded_interval(style))
            ax.plot(share.value, row, **palette.recorded_mark(style))
        else:
            ax.hlines(row, floor, share.high, **palette.SETTING_INTERVAL | {"ls": ":"})
            ax.plot(share.high, row, **palette.none_seen(palette.BLACK, "now"))
    ax.set(xscale="log", xlim=(floor, 1.4), ylim=(len(chart.shares) - 0.5, -0.6))
    ax.set_yticks(range(len(chart.shares)), [_share_name(share) for share in chart.shares])
    ax.set_xlabel("probability, 95 % (star: none failed, at most so many)")


def draw_predicted(chart: RecordingChart, ax: Axes) -> None:
    """What was recorded (round) over what was predicted (square) of each quantity."""
    ax.set_title("Predicted against recorded", loc="left")
    if not chart.pairs:
        _say_nothing(ax, "not compared")
        return
    values = [x for pair in chart.pairs for x in (*pair.recorded, *pair.predicted) if x > LEAST]
    floor = 10.0 ** math.floor(math.log10(min(values, default=LEAST)))
    none = floor / 4.0
    for row, pair in enumerate(chart.pairs):
        _draw_side(ax, row - APART, pair.recorded, palette.RECORDED, floor, none)
        _draw_side(ax, row + APART, pair.predicted, palette.PREDICTED, floor, none)
    top = 3.0 * max(values, default=1.0)
    ax.axvspan(none / 2.0, floor / 1.4, **palette.NO_WAIT_SPAN)
    ax.set(xscale="log", xlim=(none / 2.0, top), ylim=(len(chart.pairs) - 0.5, -0.6))
    powers = range(round(math.log10(floor)), math.floor(math.log10(top)) + 1)
    ticks = [10.0**power for power in powers]
    ax.set_xticks([none, *ticks], ["none", *(f"{tick:g}" for tick in ticks)])
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(chart.pairs)), [_pair_name(pair) for pair in chart.pairs])
    ax.set_xlabel("a second, 95 %: recorded (round), predicted (square, dashed)")


def _draw_side(
    ax: Axes,
    at: float,
    values: tuple[float, float, float],
    style: palette.LineStyle,
    floor: float,
    none: float,
) -> None:
    value, low, high = (x if x >= floor else none for x in values)
    ax.hlines(at, low, high, **palette.recorded_interval(style))
    ax.plot(value, at, **palette.recorded_mark(style))


def _pair_name(pair: Pair) -> str:
    name = fill(pair.name, NAME_LETTERS)
    return name if pair.agrees else f"{name}: MISSES"


def _share_name(share: Share) -> str:
    return f"{share.name}\n{share.failed:,} of {share.tries:,}"


def _least(share: Share) -> float:
    least = share.low if share.failed and share.low > 0.0 else share.high / 5.0
    return min(0.1, max(1e-9, least))


def _say_nothing(ax: Axes, text: str) -> None:
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", **palette.OF_A_RECORDING)


@plain()
def picture_of_recording(chart: RecordingChart, said: str, setting: str = "") -> Picture:
    """The panels that a recording fills, under the sentence `said`; as an image in a notebook."""
    return Picture(figure_of_recording(chart, said, setting), said, chart)


def figure_of_recording(chart: RecordingChart, said: str, setting: str) -> Figure:
    """The same as a figure; to be called within plain()."""
    fig = empty_figure(11.0, 6.2, dpi=90)
    top = headings.head(fig, said, setting)
    grid = fig.add_gridspec(
        2, 2, left=0.15, right=0.975, top=top - 0.06, bottom=0.085, hspace=0.42, wspace=0.48
    )
    draws: tuple[Draw, ...] = (draw_rates, draw_grace_periods, draw_failures, draw_predicted)
    for number, draw in enumerate(draws):
        draw(chart, fig.add_subplot(grid[number]))
    return fig
