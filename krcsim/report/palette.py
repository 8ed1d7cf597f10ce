# SPDX-License-Identifier: GPL-2.0-only
"""How every figure looks: all colours, line styles, markers and sizes stand here and nowhere else.

The colours are those of Okabe and Ito, which every kind of colour vision can tell apart; line
style and marker say the same again, for print in grey. A `Look` is what a drawing call of
matplotlib takes besides the data; this module itself imports nothing, so that style sheets of
notebooks can take their colours from it, too.
"""

from dataclasses import dataclass
from typing import Any

Look = dict[str, Any]

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PINK = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
YELLOW = "#F0E442"
BLACK = "#000000"
WHITE = "#FFFFFF"
GREY = "#888888"
LIGHT_GREY = "#BBBBBB"
PALE_GREY = "#EEEEEE"
PALEST_GREY = "#F0F0F0"

# For style sheets: the frame around what has the keyboard's focus, and around what has gone.
CSS = {"focus": BLUE, "gone": VERMILION}


# Texts, in points.

TITLE_SIZE = 7.5
FOOT_SIZE = 6
NOTE_SIZE = 8
LEGEND: Look = dict(frameon=False, fontsize=8)
LEGEND_UNDER_SLIDERS: Look = dict(
    columnspacing=0.8, handlelength=1.8, fontsize=7, framealpha=0.9, title_fontsize=7
)
GRID: Look = dict(alpha=0.3)


# Charts: lines of estimates over bytes or episodes.


@dataclass(frozen=True)
class LineStyle:
    """Colour, marker and dashes of a line; no two lines of a chart share one of them."""

    colour: str
    marker: str
    dash: Any


LINES = (
    LineStyle(BLUE, "o", "-"),
    LineStyle(VERMILION, "s", "--"),
    LineStyle(GREEN, "^", "-."),
    LineStyle(PINK, "D", ":"),
    LineStyle(ORANGE, "v", (0, (5, 1))),
    LineStyle(SKY, "P", (0, (3, 1, 1, 1))),
    LineStyle(BLACK, "X", (0, (1, 1))),
)
# What is drawn large: lines of now, and estimates that stand for themselves.
LARGE = ("now", "dots")
# By `Line.look`: how strongly a line is drawn.
STRENGTH = {"now": 1.0, "dots": 1.0, "old": 0.25, "pin": 0.5}
# Points to the side, by marker: dots of equal height stand next to each other.
DOTS_ASIDE = {"s": -4.0, "^": 4.0}
LABEL_ABOVE = 4.5  # points
LABEL_ASIDE = 6.0  # points
STRIP: Look = dict(color=PALEST_GREY, lw=0, zorder=0.9)
STRIP_EDGE: Look = dict(color=BLACK, lw=0.8, zorder=1.0)
STRIP_LABEL: Look = dict(ha="right", va="center", fontsize=7.5)
SETTING_INTERVAL: Look = dict(color=BLACK, lw=1.6)


def line_style(rank: int) -> LineStyle:
    """The style of the line that comes at this place in a chart; after the last the first again."""
    return LINES[rank % len(LINES)]


def markers(style: LineStyle, look: str) -> Look:
    """Markers of a line, joined unless they are dots."""
    return dict(
        color=style.colour,
        marker=style.marker,
        ms=5.5 if look in LARGE else 3.5,
        ls="none" if look == "dots" else style.dash,
        alpha=STRENGTH[look],
    )


def band(style: LineStyle) -> Look:
    """The band between the ends of the intervals of a line."""
    return dict(color=style.colour, alpha=0.18, lw=0)


def interval(style: LineStyle) -> Look:
    """The interval of one point."""
    return dict(color=style.colour, lw=1.0)


def size_label(style: LineStyle) -> Look:
    """The size written above a point."""
    return dict(fontsize=7, color=style.colour, ha="center")


def setting(look: str, joined: bool) -> Look:
    """The star of the person's own setting."""
    return dict(
        color=BLACK,
        marker="*",
        ms=14 if look == "now" else 9,
        mfc=YELLOW,
        ls="-" if joined else "none",
        lw=1,
        alpha=STRENGTH[look],
    )


def none_seen(colour: str, look: str) -> Look:
    """The hollow star of a point at which no wait was seen, in the strip below the axis."""
    return dict(
        ls="none",
        color=colour,
        marker="*",
        mfc="white",
        ms=10 if look in LARGE else 7,
        alpha=STRENGTH[look],
        zorder=3,
    )


def none_seen_label(colour: str) -> Look:
    """The size written next to such a star."""
    return dict(fontsize=7, color=colour, va="center")


# The timeline of one episode.

EPISODE_SPAN: Look = dict(color=GREY, alpha=0.15, lw=0, zorder=0)
ROW_BORDERS: Look = dict(color=LIGHT_GREY, lw=0.5)
RESERVE_LEVEL: Look = dict(color=ORANGE, lw=1.6)
QUEUE_LEVEL: Look = dict(color=BLUE, lw=1.1)
LIST_LEVEL: Look = dict(color=VERMILION, lw=0)
EVENT_CURSOR: Look = dict(color=BLACK, lw=1)
EVENT_LABEL: Look = dict(fontsize=8, va="center")
BARS: dict[str, Look] = {
    what: dict(facecolors=colour, edgecolor=edge, hatch=hatch, lw=width)
    for what, colour, edge, hatch, width in (
        ("wait", VERMILION, VERMILION, "", 0.8),  # edges: the shortest ones show, too
        ("reclaim stall", ORANGE, ORANGE, "", 0.8),
        ("grace period", GREEN, WHITE, "", 0.4),
        ("batch waits", SKY, WHITE, "///", 0.4),
    )
}
EVENT_LEADER: Look = dict(color=BLACK, lw=0.8, alpha=0.6, zorder=1.5)
EVENT_NUMBER: Look = dict(fontsize=8, fontweight="bold", va="top")
EVENT_NUMBER_MARK: Look = dict(
    fontsize=8,
    fontweight="bold",
    ha="center",
    va="center",
    bbox=dict(boxstyle="circle,pad=0.2", fc=WHITE, ec=BLACK, lw=0.8),
)
EVENT_SENTENCE: Look = dict(fontsize=8, va="top")
FINDING: Look = dict(fontsize=10.5, fontweight="bold", va="top")
SITUATION: Look = dict(fontsize=7.5, va="top")
FOOT: Look = dict(fontsize=FOOT_SIZE, va="bottom")


def row_name(colour: str) -> Look:
    """The name of what is drawn in a row, beside it."""
    return dict(fontsize=7.5, color=colour, ha="right", va="center", linespacing=1.0)


# The ranking of assumptions.

TOTAL: Look = dict(color=BLUE, marker="o", ls="none")
TOTAL_INTERVAL: Look = dict(color=BLUE, lw=1.3, ls="-")
FIRST: Look = dict(color=VERMILION, marker="s", ls="none", mfc="white")
FIRST_INTERVAL: Look = dict(color=VERMILION, lw=1.3, ls="--")
ZERO_LINE: Look = dict(color=BLACK, lw=0.6)
CHANCE_LINE: Look = dict(color=BLACK, lw=1.0, ls=":")


# Stalls and waits under a hog of growing depth.

STALL = LineStyle(VERMILION, "s", "none")
WAIT = LineStyle(BLUE, "o", "none")


def mean_with_interval(style: LineStyle) -> Look:
    """A mean and its interval, which ends in caps."""
    return dict(color=style.colour, marker=style.marker, capsize=3)


def no_value(style: LineStyle) -> Look:
    """A word where there is no value, upright."""
    return dict(color=style.colour, rotation=90, ha="center", fontsize=8)


# Predicted against measured, a mark a condition.

# By the load's name in the recordings.
LOADS = {
    "sparse": LineStyle(SKY, "D", "none"),
    "low": LineStyle(BLUE, "o", "none"),
    "mid": LineStyle(GREEN, "s", "none"),
    "heavy": LineStyle(VERMILION, "^", "none"),
    "burst": LineStyle(PINK, "v", "none"),
}
OTHER_COLOURS = (ORANGE, BLUE, GREEN, VERMILION, PINK, SKY)
OTHER_MARKERS = "PhX*<>dp8H"
DIAGONAL: Look = dict(color=GREY, lw=0.8, zorder=0)
NO_WAIT_SPAN: Look = dict(color=PALE_GREY, zorder=-1)
MISS_IN_LEGEND: Look = dict(color=BLACK, marker="o", ls="", mfc=LIGHT_GREY, ms=8)


def other_load(rank: int) -> LineStyle:
    """The look of a load that has no place in LOADS."""
    colour = OTHER_COLOURS[rank % len(OTHER_COLOURS)]
    return LineStyle(colour, OTHER_MARKERS[rank % len(OTHER_MARKERS)], "none")


def load_in_legend(style: LineStyle) -> Look:
    """A load in the legend: hollow, as its conditions that lie inside."""
    return dict(color=style.colour, marker=style.marker, ls="", mfc="none")


def condition_interval(style: LineStyle) -> Look:
    """The interval of a condition, across or upright."""
    return dict(colors=style.colour, lw=0.9, alpha=0.55, zorder=1)


def condition_mark(style: LineStyle, inside: bool) -> Look:
    """The mark of a condition: hollow where the measurement lies inside the interval."""
    return dict(
        s=24 if inside else 42,
        marker=style.marker,
        linewidths=0.9,
        facecolors="none" if inside else style.colour,
        edgecolors=style.colour if inside else BLACK,
        zorder=2 if inside else 3,
    )
