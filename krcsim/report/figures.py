# SPDX-License-Identifier: GPL-2.0-only
"""Chart in, axes out. Colours are Okabe and Ito's; line style and marker say the same again."""

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
from matplotlib.transforms import ScaledTranslation

from krcsim.report.chart import (
    NOTHING_ADDED,
    OWN,
    Chart,
    Line,
    height,
    in_legend,
    rows_unseen,
    unseen,
)
from krcsim.results.estimate import Estimate

STYLES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "D", ":"),
    ("#E69F00", "v", (0, (5, 1))),
    ("#56B4E9", "P", (0, (3, 1, 1, 1))),
    ("#000000", "X", (0, (1, 1))),
)
FLOOR = 1e-13  # P(wait) below is drawn at the foot of the axis
STRIP, STRIP_ROW, MOST_ROWS = (
    0.05,
    0.04,
    5,
)  # of the height of the axes: the strip of the unseen, and each row in it
# a rough interval whose ends are farther apart is not drawn: its upper end may be a bound
WIDE = 1000.0
TAIL = -9  # no end of an interval makes the axis reach below 1e-9, only a value does


def kib(x: float, _position: Any = None) -> str:
    """A number of bytes as a tick label; what is drawn at the left end added nothing."""
    return "0" if x <= NOTHING_ADDED else f"{x:g} B" if x < 1024 else f"{x / 1024:g} KiB"


def limits(chart: Chart) -> tuple[float, float, float, float]:
    """Ends of the axes in whole steps (fourfold or one in x, decades in y), so that they rarely
    move.

    The strip of what was not seen comes below: see strip().
    """
    ends = [_end(e, v, FLOOR) for line in chart.lines for e in line.estimates for v in (e.lo, e.hi)]
    lows = [max(TAIL, math.floor(math.log10(v))) for v in ends if v > 0 and math.isfinite(v)]
    heights = [height(e) for line in chart.lines for e in line.estimates]
    lows += [math.floor(math.log10(max(FLOOR, v))) for v in heights if v > 0.0]
    most = max((x for line in chart.lines for x in line.x), default=1.0)
    right = 1.5 * 4.0 ** max(8, math.ceil(math.log2(most) / 2)) if chart.bytes_axis else most + 0.4
    least = min((x for line in chart.lines for x in line.x), default=1.0)
    return (
        (0.8 * NOTHING_ADDED if chart.bytes_axis else least - 0.4),
        right,
        10.0 ** min([-5, *lows]),
        1.6,
    )


def strip(chart: Chart) -> dict[str, float]:
    """Where the unseen points of each line stand, as y: they have no height, only an x. Empty if a
    chart has none.
    """
    names = rows_unseen(chart)
    rows = min(MOST_ROWS, len(names))
    *_, low, high = limits(chart)
    share = STRIP + STRIP_ROW * rows
    down = math.log(high / low) * share / (1.0 - share)
    return {name: low * math.exp(-down * (k % rows + 0.5) / rows) for k, name in enumerate(names)}


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
    ax.set(
        yscale="log", xlim=(left, right), ylim=(low, high), xlabel=chart.xlabel, ylabel=chart.ylabel
    )
    ax.grid(True, which="major", alpha=0.3)
    if rows_unseen(chart):
        _frame_strip(ax, chart)


def _frame_strip(ax: Axes, chart: Chart) -> None:
    """A strip below the axis, which is logarithmic only above."""
    *_, low, high = limits(chart)
    rows = min(MOST_ROWS, len(rows_unseen(chart)))
    share = STRIP + STRIP_ROW * rows
    foot = low * (low / high) ** (share / (1.0 - share))
    first, last = round(math.log10(low)), math.floor(math.log10(high))
    step = max(1, math.ceil((last - first) / 8))
    decades = [10.0**k for k in range(first, last + 1, step)]
    ax.set_ylim(foot, high)
    minor = [
        m * 10.0**k for k in range(first, last + 1) for m in range(2, 10) if m * 10.0**k < high
    ]
    ax.yaxis.set(
        major_locator=FixedLocator(decades),
        major_formatter=LogFormatterMathtext(),
        minor_locator=FixedLocator(minor if step == 1 else []),
        minor_formatter=NullFormatter(),
    )
    ax.text(
        -0.012,
        math.sqrt(foot * low),
        "none\nseen",
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=7.5,
    )
    ax.axhspan(foot, low, color="#f0f0f0", lw=0, zorder=0.9)
    ax.axhline(low, color="black", lw=0.8, zorder=1.0)


def draw(chart: Chart, ax: Axes) -> list[Any]:
    """The lines of a chart on axes that frame() set; returns the artists, those with a label for
    the legend.
    """
    artists: list[Any] = []
    ranks: dict[str, int] = {}
    places = strip(chart)
    least = limits(chart)[2] if places else FLOOR  # no interval reaches into the strip
    for line in chart.lines:
        name = line.name.split(": ", 1)[-1]  # a pinned line looks like the one it stands beside
        if name == OWN:
            artists += _star(line, ax, least)
        else:
            artists += _line(
                line, ax, least, STYLES[ranks.setdefault(name, len(ranks)) % len(STYLES)]
            )
        if name in places:
            colour = "black" if name == OWN else STYLES[ranks[name] % len(STYLES)][0]
            artists += _unseen(line, ax, colour, places[name])
    up = STRIP + STRIP_ROW * min(MOST_ROWS, len(places)) if places else 0.0
    rough = any(e.kind == "rough" for line in chart.lines for e in line.estimates)
    note = chart.note + "; ~ is read as a factor" * rough
    artists.append(ax.text(0.01, 0.02 + up, note, transform=ax.transAxes, fontsize=8))
    return artists


def _unseen(line: Line, ax: Axes, colour: str, y: float) -> list[Any]:
    """A hollow star for each point of a line at which no wait was seen: in the strip, at its x and
    at no height.
    """
    there = [
        (x, label)
        for x, label, e in zip(line.x, _thinned(line), line.estimates, strict=True)
        if unseen(e)
    ]
    full = line.look in ("now", "dots")
    look: Any = dict(
        ls="none",
        color=colour,
        marker="*",
        mfc="white",
        ms=10 if full else 7,
        alpha={"old": 0.25, "pin": 0.5}.get(line.look, 1.0),
        zorder=3,
    )
    artists: list[Any] = ax.plot([x for x, _ in there], [y] * len(there), **look)
    shift = ScaledTranslation(
        6.0 / 72.0, 0.0, cast(Figure, ax.get_figure(root=True)).dpi_scale_trans
    )
    return artists + [
        ax.text(
            x,
            y,
            label,
            fontsize=7,
            color=colour,
            va="center",
            clip_on=True,
            transform=ax.transData + shift,
        )
        for x, label in there
        if label and full
    ]


def _line(line: Line, ax: Axes, least: float, style: Any) -> list[Any]:
    """Markers with a band of intervals; ~ beside a size: rough. What was not seen stands in the
    strip.
    """
    colour, marker, dash = style
    strong = {"old": 0.25, "pin": 0.5}.get(line.look, 1.0)
    dots = line.look == "dots"
    x = np.array(line.x)
    y = np.array([_at(e) for e in line.estimates])
    full = dots or line.look == "now"
    look: Any = dict(color=colour, marker=marker, ms=5.5 if full else 3.5, alpha=strong)
    place: Any = dict(transform=_aside(ax, marker)) if dots else {}
    dash = "none" if dots else dash
    artists: list[Any] = ax.plot(x, y, ls=dash, label=line.name, **look, **place)
    if full:
        lo, hi = np.array([(_end(e, e.lo, least), _end(e, e.hi, least)) for e in line.estimates]).T
        if not dots:
            artists.append(ax.fill_between(x, lo, hi, color=colour, alpha=0.18, lw=0))
        artists += ax.plot([x, x], [lo, hi], color=colour, lw=1.0, **place)
        tops = zip(x, np.where(np.isfinite(hi), hi, y), _thinned(line), line.estimates, strict=True)
        figure = cast(Figure, ax.get_figure(root=True))
        above = ax.transData + ScaledTranslation(0.0, 4.5 / 72.0, figure.dpi_scale_trans)
        artists += [
            ax.text(
                at,
                up,
                "~" * (e.kind == "rough") + label,
                fontsize=7,
                color=colour,
                ha="center",
                clip_on=True,
                transform=above,
            )
            for at, up, label, e in tops
            if up > 0 and (label or e.kind == "rough")
        ]
    return artists


def _aside(ax: Axes, marker: str) -> Any:
    """Where dots of a marker stand, some points beside their place: lines of the same heights hide
    nothing.
    """
    shift, fig = (
        {"s": -4.0, "^": 4.0}.get(marker, 0.0) / 72.0,
        cast(Figure, ax.get_figure(root=True)),
    )
    return ax.transData + ScaledTranslation(shift, 0.0, fig.dpi_scale_trans)


def _star(line: Line, ax: Axes, least: float) -> list[Any]:
    """The person's own setting: a star in each place, with its interval."""
    strong = {"now": 1.0, "old": 0.25, "pin": 0.5}[line.look]
    y = [_at(e) for e in line.estimates]
    joined = "-" if len(y) > 1 else "none"
    ends = [(_end(e, e.lo, least), _end(e, e.hi, least)) for e in line.estimates]
    artists: list[Any] = [
        part
        for x, span in zip(line.x, ends, strict=True)
        for part in ax.plot([x, x], span, color="black", lw=1.6, alpha=strong)
    ]
    return artists + ax.plot(
        line.x,
        y,
        color="black",
        marker="*",
        ms=14 if line.look == "now" else 9,
        mfc="#F0E442",
        ls=joined,
        lw=1,
        alpha=strong,
        label=line.name,
    )


def _end(e: Estimate, v: float | None, least: float) -> float:
    """An end of an interval on the axis; nan where it says no more than that the height is a guess
    (`~` does).
    """
    wide = e.kind == "rough" and e.lo is not None and e.hi is not None and e.hi > WIDE * e.lo
    return math.nan if v is None or unseen(e) or wide else max(least, v)


def _at(e: Estimate) -> float:
    """Where an estimate stands, nan if nowhere."""
    y = height(e)
    return y if math.isnan(y) else max(FLOOR, y)


def _thinned(line: Line) -> list[str]:
    """The labels, without those that would lie on their left neighbour."""
    shown, last = [], -math.inf
    for x, label in zip(line.x, line.labels, strict=True):
        far = math.log2(x) - last > 0.4 if max(line.x) > 100 else False
        last = math.log2(x) if far else last
        shown.append(label if far else "")
    return shown


def blank(title: str, foot: str) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, the situation above, where it comes from at the foot."""
    fig = figure(8, 5.2)
    ax = fig.add_subplot()
    ax.set_title(fill(title, 120), fontsize=7.5)
    ax.text(
        0.0,
        -0.13,
        fill(foot, 150, break_long_words=False),
        fontsize=6,
        va="top",
        transform=ax.transAxes,
    )
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
    named = [a for a in artists if a.get_label() in texts]
    ax.legend(named, [texts[a.get_label()] for a in named], frameon=False, ncols=ncols, fontsize=8)


def picture(fig: Figure, kind: str, provenance: Mapping[str, Any], dpi: int = 150) -> bytes:
    """A figure as png, svg or pdf bytes that carry their provenance; same input, same bytes."""
    text = "\n".join(f"{k}: {v}" for k, v in provenance.items())
    meta: dict[str, Any] = {
        "png": {"Description": text, "Software": "krcsim"},
        "svg": {"Description": text, "Creator": "krcsim"},
        "pdf": {"Subject": text, "Creator": "krcsim"},
    }
    return written(
        fig, kind, {"Title": "krcsim"} | meta.get(kind, {}), dpi=dpi, bbox_inches="tight"
    )
