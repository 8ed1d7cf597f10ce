# SPDX-License-Identifier: GPL-2.0-only
"""Chart in, axes out. Colours are Okabe and Ito's; line style and marker say the same again."""
import math
from collections.abc import Mapping
from textwrap import fill
from typing import Any, cast
from krcsim_report.style import figure, plain, written
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from krcsim_report.chart import NOTHING_ADDED, OWN, Chart, Line, height
from krcsim.estimate import Estimate
STYLES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", "-."), ("#CC79A7", "D", ":"),
    ("#E69F00", "v", (0, (5, 1))), ("#56B4E9", "P", (0, (3, 1, 1, 1))), ("#000000", "X", (0, (1, 1))))
FLOOR = 1e-13  # P(wait) below is drawn at the foot of the axis
TAIL = -9  # no end of an interval makes the axis reach below 1e-9, only a value does

def kib(x: float, _position: Any = None) -> str:
    """A number of bytes as a tick label; what is drawn at the left end added nothing."""
    return "0" if x <= NOTHING_ADDED else f"{x:g} B" if x < 1024 else f"{x / 1024:g} KiB"

def limits(chart: Chart) -> tuple[float, float, float, float]:
    """Ends of the axes in whole steps (fourfold or one in x, decades in y), so that they rarely move."""
    ends = [v for line in chart.lines for e in line.estimates for v in (e.lo or height(e), e.hi or height(e))]
    lows = [max(TAIL, math.floor(math.log10(v))) for v in ends if v > 0 and math.isfinite(v)]
    lows += [math.floor(math.log10(v)) for line in chart.lines for v in map(height, line.estimates) if v > FLOOR]
    most = max((x for line in chart.lines for x in line.x), default=1.0)
    right = 1.5 * 4.0 ** max(8, math.ceil(math.log2(most) / 2)) if chart.bytes_axis else most + 0.4
    least = min((x for line in chart.lines for x in line.x), default=1.0)
    return (0.8 * NOTHING_ADDED if chart.bytes_axis else least - 0.4), right, 10.0 ** min([-5, *lows]), 1.6

def frame(ax: Axes, chart: Chart) -> None:
    """Set limits, scales, ticks and labels of the axes of a chart."""
    left, right, low, high = limits(chart)
    if chart.bytes_axis:
        ax.set_xscale("log")
        ax.xaxis.set(major_locator=LogLocator(base=4), minor_locator=NullLocator(),
            major_formatter=FuncFormatter(kib), minor_formatter=NullFormatter())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(yscale="log", xlim=(left, right), ylim=(low, high), xlabel=chart.xlabel, ylabel=chart.ylabel)
    ax.grid(True, which="major", alpha=0.3)

def draw(chart: Chart, ax: Axes) -> list[Any]:
    """The lines of a chart on axes that frame() set; returns the artists, those with a label for the legend."""
    artists: list[Any] = []
    ranks: dict[str, int] = {}
    for line in chart.lines:
        name = line.name.split(": ", 1)[-1]  # a pinned line looks like the one it stands beside
        if name == OWN:
            artists += _star(line, ax)
        else:
            artists += _line(line, ax, STYLES[ranks.setdefault(name, len(ranks)) % len(STYLES)])
    artists.append(ax.text(0.01, 0.02, chart.note, transform=ax.transAxes, fontsize=8))
    return artists

def _line(line: Line, ax: Axes, style: Any) -> list[Any]:
    """Markers with a band of intervals; an open marker over a small v is an upper bound."""
    colour, marker, dash = style
    strong = {"old": 0.25, "pin": 0.5}.get(line.look, 1.0)
    dots = line.look == "dots"
    x = np.array(line.x)
    y = np.array([max(FLOOR, height(e)) for e in line.estimates])
    bound = np.array([e.kind == "bound" for e in line.estimates])
    full = dots or line.look == "now"
    look: Any = dict(color=colour, marker=marker, ms=5.5 if full else 3.5, alpha=strong)
    place: Any = dict(transform=_aside(ax, marker)) if dots else {}
    dash = "none" if dots else dash
    artists: list[Any] = ax.plot(x, np.where(bound, np.nan, y), ls=dash, label=line.name, **look, **place)
    if bound.any():
        artists += ax.plot(x[bound], y[bound], ls="none", **look | dict(mfc="white"), **place)
        if full:
            artists += ax.plot(x[bound], y[bound] / 1.45, ls="none", **look | dict(marker="v", ms=3), **place)
    if full:
        lo, hi = np.array([(_end(e, e.lo), _end(e, e.hi)) for e in line.estimates]).T
        if not dots:
            artists.append(ax.fill_between(x, lo, hi, color=colour, alpha=0.18, lw=0))
        artists += ax.plot([x, x], [lo, hi], color=colour, lw=1.0, **place)
        tops = zip(x, np.where(np.isfinite(hi), hi, y), _thinned(line), strict=True)
        artists += [ax.text(at, up * 1.25, label, fontsize=7, color=colour, ha="center", clip_on=True)
            for at, up, label in tops if label and up > 0]
    return artists

def _aside(ax: Axes, marker: str) -> Any:
    """Where dots of a marker stand, some points beside their place: lines of the same heights hide nothing."""
    shift, fig = {"s": -4.0, "^": 4.0}.get(marker, 0.0) / 72.0, cast(Figure, ax.get_figure(root=True))
    return ax.transData + ScaledTranslation(shift, 0.0, fig.dpi_scale_trans)

def _star(line: Line, ax: Axes) -> list[Any]:
    """The person's own setting: a star in each place, with its interval or an arrow of its bound."""
    strong = {"now": 1.0, "old": 0.25, "pin": 0.5}[line.look]
    y = [max(FLOOR, height(e)) for e in line.estimates]
    joined = "-" if len(y) > 1 else "none"
    ends = [(FLOOR if e.kind == "bound" else _end(e, e.lo), height(e) if e.kind == "bound" else _end(e, e.hi))
        for e in line.estimates]
    artists: list[Any] = [part for x, span in zip(line.x, ends, strict=True)
        for part in ax.plot([x, x], span, color="black", lw=1.6, alpha=strong)]
    return artists + ax.plot(line.x, y, color="black", marker="*", ms=14 if line.look == "now" else 9, mfc="#F0E442",
        ls=joined, lw=1, alpha=strong, label=line.name)

def _end(e: Estimate, v: float | None) -> float:
    return math.nan if v is None or e.kind == "bound" else max(FLOOR, v)

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
    ax.text(0.0, -0.13, fill(foot, 150, break_long_words=False), fontsize=6, va="top", transform=ax.transAxes)
    return fig, ax

@plain()
def figure_of(chart: Chart, title: str = "", foot: str = "") -> Figure:
    """A whole figure of a chart, with title and foot."""
    fig, ax = blank(title, foot)
    frame(ax, chart)
    draw(chart, ax)
    ax.legend(frameon=False, ncols=2, fontsize=8)
    return fig

def picture(fig: Figure, kind: str, provenance: Mapping[str, Any], dpi: int = 150) -> bytes:
    """A figure as png, svg or pdf bytes that carry their provenance; same input, same bytes."""
    text = "\n".join(f"{k}: {v}" for k, v in provenance.items())
    meta: dict[str, Any] = {"png": {"Description": text, "Software": "krcsim"},
        "svg": {"Description": text, "Creator": "krcsim"}, "pdf": {"Subject": text, "Creator": "krcsim"}}
    return written(fig, kind, {"Title": "krcsim"} | meta.get(kind, {}), dpi=dpi, bbox_inches="tight")
