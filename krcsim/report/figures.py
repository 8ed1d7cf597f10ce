# SPDX-License-Identifier: GPL-2.0-only
"""Chart in, axes out; how the lines look stands in palette.py."""

import math
from collections.abc import Mapping
from textwrap import fill
from typing import Any, cast

from krcsim.report.style import figure, plain, written

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogFormatterMathtext,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)
from matplotlib.transforms import ScaledTranslation, Transform

from krcsim.report import palette
from krcsim.report.chart import (
    NOTHING_ADDED,
    OWN,
    Chart,
    Line,
    in_legend,
    in_strip,
    names_in_strip,
    plotted_height,
)
from krcsim.results.estimate import Estimate

FLOOR = 1e-13  # P(wait) below is drawn at the foot of the axis
CEILING = 1.6  # the top of the axis, a little above probability 1

# Of the height of the axes: the strip of what was not seen, and each row in it.
STRIP = 0.05
STRIP_ROW = 0.04
MOST_ROWS = 5

# Where only the order of magnitude is known, an interval whose ends are farther apart
# is not drawn: its upper end may be a bound.
WIDE = 1000.0
TAIL = -9  # no end of an interval makes the axis reach below 1e-9, only a value does
POINTS_PER_INCH = 72.0


def kib(x: float, _position: Any = None) -> str:
    """A number of bytes as a tick label; what is drawn at the left end added
    nothing.
    """
    if x <= NOTHING_ADDED:
        return "0"

    return f"{x:g} B" if x < 1024 else f"{x / 1024:g} KiB"


def limits(chart: Chart) -> tuple[float, float, float, float]:
    """Ends of the axes (left, right, low, high), in whole steps so that they rarely
    move.

    Steps are fourfold or one in x, and decades in y. The strip of what was not seen
    comes below: see strip().
    """
    estimates = [estimate for line in chart.lines for estimate in line.estimates]
    ends = [
        _interval_end(estimate, end, FLOOR)
        for estimate in estimates
        for end in (estimate.lo, estimate.hi)
    ]
    heights = [plotted_height(estimate) for estimate in estimates]
    decades = [max(TAIL, math.floor(math.log10(y))) for y in ends if y > 0 and math.isfinite(y)]
    decades += [math.floor(math.log10(max(FLOOR, y))) for y in heights if y > 0.0]
    low = 10.0 ** min([-5, *decades])

    places = [x for line in chart.lines for x in line.x]
    first = min(places, default=1.0)
    last = max(places, default=1.0)
    if chart.bytes_axis:
        right = 1.5 * 4.0 ** max(8, math.ceil(math.log2(last) / 2))
        return 0.8 * NOTHING_ADDED, right, low, CEILING

    return first - 0.4, last + 0.4, low, CEILING


def _rows_in_strip(chart: Chart) -> int:
    """How many rows the strip of a chart has."""
    return min(MOST_ROWS, len(names_in_strip(chart)))


def strip(chart: Chart) -> dict[str, float]:
    """The y of each line's points in the strip, which have no height; empty if there
    are none.
    """
    names = names_in_strip(chart)
    rows = _rows_in_strip(chart)
    *_, low, high = limits(chart)
    share = STRIP + STRIP_ROW * rows
    depth = math.log(high / low) * share / (1.0 - share)
    return {
        name: low * math.exp(-depth * (power % rows + 0.5) / rows)
        for power, name in enumerate(names)
    }


def frame(ax: Axes, chart: Chart) -> None:
    """Set limits, scales, ticks and labels of the axes of a chart."""
    left, right, low, high = limits(chart)
    if chart.bytes_axis:
        ax.set_xscale("log")
        ax.xaxis.set(
            major_locator=LogLocator(base=4),
            minor_locator=NullLocator(),
            major_formatter=FuncFormatter(kib),
            minor_formatter=NullFormatter(),
        )
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    ax.set(yscale="log", xlim=(left, right), ylim=(low, high))
    ax.set(xlabel=chart.xlabel, ylabel=chart.ylabel)
    ax.grid(True, which="major", **palette.GRID)
    if names_in_strip(chart):
        _frame_strip(ax, chart)


def _frame_strip(ax: Axes, chart: Chart) -> None:
    """Add a strip below the axis, which is logarithmic only above."""
    *_, low, high = limits(chart)
    share = STRIP + STRIP_ROW * _rows_in_strip(chart)
    foot = low * (low / high) ** (share / (1.0 - share))
    ax.set_ylim(foot, high)

    first = round(math.log10(low))
    last = math.floor(math.log10(high))
    step = max(1, math.ceil((last - first) / 8))
    decades = [10.0**power for power in range(first, last + 1, step)]
    between = [digit * 10.0**power for power in range(first, last + 1) for digit in range(2, 10)]
    minor = [y for y in between if y < high] if step == 1 else []
    ax.yaxis.set(
        major_locator=FixedLocator(decades),
        major_formatter=LogFormatterMathtext(),
        minor_locator=FixedLocator(minor),
        minor_formatter=NullFormatter(),
    )

    middle = math.sqrt(foot * low)
    beside_axis = ax.get_yaxis_transform()
    ax.text(-0.012, middle, "none\nseen", transform=beside_axis, **palette.STRIP_LABEL)
    ax.axhspan(foot, low, **palette.STRIP)
    ax.axhline(low, **palette.STRIP_EDGE)


def draw(chart: Chart, ax: Axes) -> list[Any]:
    """Draw the lines of a chart on axes that frame() set.

    Returns the artists; those with a label belong into the legend.
    """
    places = strip(chart)
    lowest = limits(chart)[2] if places else FLOOR  # no interval reaches into the strip
    artists: list[Any] = []
    ranks: dict[str, int] = {}
    for line in chart.lines:
        # a pinned line looks like the one it is compared with
        name = line.name.split(": ", 1)[-1]
        colour = palette.BLACK
        if name == OWN:
            artists += _draw_setting(line, ax, lowest)
        else:
            style = palette.line_style(ranks.setdefault(name, len(ranks)))
            colour = style.colour
            artists += _draw_line(line, ax, lowest, style)

        if name in places:
            artists += _draw_none_seen(line, ax, colour, places[name])

    above_strip = STRIP + STRIP_ROW * _rows_in_strip(chart) if places else 0.0
    text = chart.note
    if any(estimate.kind == "rough" for line in chart.lines for estimate in line.estimates):
        text += "; ~: order of magnitude only"
    note = ax.text(
        0.01, 0.02 + above_strip, text, transform=ax.transAxes, fontsize=palette.NOTE_SIZE
    )
    return [*artists, note]


def _draw_none_seen(line: Line, ax: Axes, colour: str, y: float) -> list[Any]:
    """A hollow star in the strip for each point of a line at which no wait was seen."""
    points = zip(line.x, _labels_apart(line), line.estimates, strict=True)
    stars = [(x, label) for x, label, estimate in points if in_strip(estimate)]
    artists: list[Any] = ax.plot(
        [x for x, _ in stars], [y] * len(stars), **palette.none_seen(colour, line.look)
    )
    if line.look not in palette.LARGE:
        return artists

    aside = _moved(ax, palette.LABEL_ASIDE, 0.0)
    look = palette.none_seen_label(colour)
    labels = [(x, label) for x, label in stars if label]
    return artists + [
        ax.text(x, y, label, clip_on=True, transform=aside, **look) for x, label in labels
    ]


def _draw_line(line: Line, ax: Axes, lowest: float, style: palette.LineStyle) -> list[Any]:
    """Markers with a band of intervals; ~ before a size says: order of magnitude
    only.
    """
    dots = line.look == "dots"
    x = np.array(line.x)
    y = np.array([_height_on_axis(estimate) for estimate in line.estimates])
    place: Any = {}
    if dots:  # some points to the side: lines of equal heights hide nothing
        place = dict(transform=_moved(ax, palette.DOTS_ASIDE.get(style.marker, 0.0), 0.0))
    artists: list[Any] = ax.plot(
        x, y, label=line.name, **palette.markers(style, line.look), **place
    )
    if line.look not in palette.LARGE:
        return artists

    ends = [
        (_interval_end(estimate, estimate.lo, lowest), _interval_end(estimate, estimate.hi, lowest))
        for estimate in line.estimates
    ]
    low, high = np.array(ends).T
    if not dots:
        artists.append(ax.fill_between(x, low, high, **palette.band(style)))
    artists += ax.plot([x, x], [low, high], **palette.interval(style), **place)

    tops = np.where(np.isfinite(high), high, y)
    return artists + _draw_sizes(line, ax, tops, style)


def _draw_sizes(line: Line, ax: Axes, tops: Any, style: palette.LineStyle) -> list[Any]:
    """The size of each point above its interval."""
    above = _moved(ax, 0.0, palette.LABEL_ABOVE)
    look = palette.size_label(style)
    artists = []
    for x, top, label, estimate in zip(
        line.x, tops, _labels_apart(line), line.estimates, strict=True
    ):
        text = "~" * (estimate.kind == "rough") + label
        if top > 0 and text:
            artists.append(ax.text(x, top, text, clip_on=True, transform=above, **look))

    return artists


def _moved(ax: Axes, right: float, up: float) -> Transform:
    """The place of the data, moved by so many points."""
    inches = cast(Figure, ax.get_figure(root=True)).dpi_scale_trans
    return ax.transData + ScaledTranslation(right / POINTS_PER_INCH, up / POINTS_PER_INCH, inches)


def _draw_setting(line: Line, ax: Axes, lowest: float) -> list[Any]:
    """The person's own setting: a star in each place, with its interval."""
    artists: list[Any] = []
    look = palette.SETTING_INTERVAL | {"alpha": palette.STRENGTH[line.look]}
    for x, estimate in zip(line.x, line.estimates, strict=True):
        ends = (
            _interval_end(estimate, estimate.lo, lowest),
            _interval_end(estimate, estimate.hi, lowest),
        )
        artists += ax.plot([x, x], ends, **look)

    heights = [_height_on_axis(estimate) for estimate in line.estimates]
    star = palette.setting(line.look, joined=len(heights) > 1)
    return artists + ax.plot(line.x, heights, label=line.name, **star)


def _interval_end(estimate: Estimate, end: float | None, lowest: float) -> float:
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


def _height_on_axis(estimate: Estimate) -> float:
    """Where an estimate stands on the axis, nan if nowhere."""
    y = plotted_height(estimate)
    return y if math.isnan(y) else max(FLOOR, y)


def _labels_apart(line: Line) -> list[str]:
    """The labels, without those that would lie on their left neighbour."""
    if max(line.x, default=0.0) <= 100:
        return [""] * len(line.labels)

    kept = []
    last = -math.inf
    for x, label in zip(line.x, line.labels, strict=True):
        far = math.log2(x) - last > 0.4
        last = math.log2(x) if far else last
        kept.append(label if far else "")

    return kept


def blank(title: str, foot: str) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, the situation above, where it comes from at the
    foot.
    """
    fig = figure(8, 5.2)
    ax = fig.add_subplot()
    ax.set_title(fill(title, 120), fontsize=palette.TITLE_SIZE)
    lines = fill(foot, 150, break_long_words=False)
    ax.text(0.0, -0.13, lines, fontsize=palette.FOOT_SIZE, va="top", transform=ax.transAxes)
    return fig, ax


@plain()
def figure_of(chart: Chart, title: str = "", foot: str = "") -> Figure:
    """A whole figure of a chart, with title and foot."""
    fig, ax = blank(title, foot)
    frame(ax, chart)
    legend(ax, chart, draw(chart, ax), ncols=2)
    return fig


def legend(ax: Axes, chart: Chart, artists: list[Any], ncols: int = 1) -> None:
    """The legend of what was drawn, with the numbers of what stands in the strip."""
    texts = {line.name: in_legend(line) for line in chart.lines}
    named = [artist for artist in artists if artist.get_label() in texts]
    ax.legend(named, [texts[a.get_label()] for a in named], ncols=ncols, **palette.LEGEND)


def picture(fig: Figure, kind: str, provenance: Mapping[str, Any], dpi: int = 150) -> bytes:
    """A figure as png, svg or pdf bytes that carry their provenance; same input, same
    bytes.
    """
    text = "\n".join(f"{key}: {value}" for key, value in provenance.items())
    fields: dict[str, Any] = {
        "png": {"Description": text, "Software": "krcsim"},
        "svg": {"Description": text, "Creator": "krcsim"},
        "pdf": {"Subject": text, "Creator": "krcsim"},
    }
    metadata = {"Title": "krcsim"} | fields.get(kind, {})
    return written(fig, kind, metadata, dpi=dpi, bbox_inches="tight")
