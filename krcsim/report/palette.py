# SPDX-License-Identifier: GPL-2.0-only
"""How every figure looks: all colours, line styles, markers and sizes stand here and nowhere else.

The colours are those of Okabe and Ito, which every kind of colour vision can tell apart, the bright
ones a little darker, so that a thin line shows on white; line style and marker say the same again,
for print in grey. On a dark background some are lighter (`DARK`), and text in a colour is darker
than a line in it (`DEEP`). A `Look` is what a drawing call of matplotlib takes besides the data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PINK = "#CC79A7"
ORANGE = "#C18600"
SKY = "#4999C6"
YELLOW = "#F0E442"
BLACK = "#000000"
WHITE = "#FFFFFF"
DARK_GREY = "#595959"
GREY = "#888888"
LIGHT_GREY = "#BBBBBB"
PALE_GREY = "#EEEEEE"
PALEST_GREY = "#F0F0F0"

# What stands for each colour where the background is dark.
DARK = {
    BLUE: "#3F97C8",
    VERMILION: "#DE7320",
    GREEN: "#07A378",
    PINK: "#D488B2",
    ORANGE: "#E69F00",
    SKY: "#7CC8F4",
    BLACK: "#E6E6E6",
    WHITE: "#111111",  # the background of a notebook in JupyterLab's dark theme
    DARK_GREY: "#B0B0B0",
    GREY: "#8C8C8C",
    LIGHT_GREY: "#5C5C5C",
    PALE_GREY: "#242424",
    PALEST_GREY: "#202020",
}
# Text in a colour, where the background is light.
DEEP = {
    BLUE: "#006FAD",
    VERMILION: "#AF4D00",
    GREEN: "#007857",
    PINK: "#935778",
    ORANGE: "#8C6100",
    SKY: "#357090",
    GREY: "#6A6A6A",
}

# For style sheets: the frame around what has the keyboard's focus, and around what has gone.
CSS = {"focus": BLUE, "gone": VERMILION}


def is_dark() -> bool:
    """Whether figures are drawn on a dark background now: their text is light."""
    from matplotlib import colors, rcParams

    return sum(colors.to_rgb(rcParams["text.color"])) > 1.5  # of 3, for white


def shade(colour: str) -> str:
    """A colour of the palette as the present background needs it."""
    return DARK[colour] if colour in DARK and is_dark() else colour


def as_text(colour: str) -> str:
    """A colour of the palette for text, as the present background needs it."""
    return shade(colour) if is_dark() else DEEP.get(colour, colour)


class Look(Mapping[str, Any]):
    """What a drawing call takes besides the data, by its name there.

    Colours are those of the background on which one draws when the look is read.
    """

    def __init__(self, **given: Any) -> None:
        self._given = given

    def __getitem__(self, name: str) -> Any:
        value = self._given[name]
        if isinstance(value, Look):
            return dict(value)
        return shade(value) if isinstance(value, str) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def __or__(self, more: Mapping[str, Any]) -> "Look":
        return Look(**{**self._given, **more})


# Themes: settings of matplotlib besides its own defaults.

SIZES = {"font.size": 9.0, "axes.labelsize": 9.0, "axes.titlesize": 10.5}
THEMES: dict[str, dict[str, Any]] = {
    "light": SIZES,
    "dark": SIZES
    | dict.fromkeys(
        (
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "xtick.color",
            "ytick.color",
            "patch.edgecolor",
            "hatch.color",
        ),
        DARK[BLACK],
    )
    | dict.fromkeys(("figure.facecolor", "axes.facecolor"), DARK[WHITE])
    | {"grid.color": DARK[GREY], "legend.edgecolor": DARK[LIGHT_GREY]},
}


# Texts, in points.

TITLE = Look(fontsize=11.5, fontweight="bold", ha="left", va="top")
SITUATION = Look(fontsize=7.5, color=DARK_GREY, ha="left", va="top")
FOOT = Look(fontsize=6.5, color=DARK_GREY, ha="left", va="bottom")
NOTE = Look(fontsize=7, color=DARK_GREY)
LEGEND = Look(frameon=False, fontsize=8)
GRID = Look(alpha=0.3, linewidth=0.6)
TICKS = Look(labelsize=8.5)


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
SIZE_ABOVE = 4.0  # points
SIZE_ASIDE = 6.0  # points
STRIP = Look(color=PALEST_GREY, lw=0, zorder=0.5)
STRIP_EDGE = Look(color=BLACK, lw=0.8, zorder=1.0)
STRIP_LABEL = Look(ha="right", va="center", fontsize=8)
SETTING_INTERVAL = Look(color=BLACK, lw=1.6)


def line_style(rank: int) -> LineStyle:
    """The style of the line that comes at this place in a chart; after the last the first again."""
    return LINES[rank % len(LINES)]


def markers(style: LineStyle, look: str) -> Look:
    """Markers of a line, joined unless they are dots."""
    return Look(
        color=style.colour,
        marker=style.marker,
        ms=5.5 if look in LARGE else 3.5,
        ls="none" if look == "dots" else style.dash,
        alpha=STRENGTH[look],
    )


def band(style: LineStyle) -> Look:
    """The band between the ends of the intervals of a line."""
    return Look(color=style.colour, alpha=0.18, lw=0)


def interval(style: LineStyle) -> Look:
    """The interval of one point."""
    return Look(color=style.colour, lw=1.0)


def size_label(colour: str) -> Look:
    """The size written at a point."""
    return Look(fontsize=7.5, color=as_text(colour))


def name_label(colour: str, look: str, is_own: bool = False) -> Look:
    """The name at the end of a line or next to a point; that of your setting is bold."""
    return Look(
        fontsize=9,
        color=as_text(colour),
        alpha=0.45 if look == "old" else 1.0,
        fontweight="bold" if is_own else "normal",
    )


def leader(label: Look) -> Look:
    """The thin line from a label to what it names."""
    return Look(color=label["color"], lw=0.7, ls="-", alpha=0.45)


def setting(look: str, joined: bool) -> Look:
    """The star of the person's own setting."""
    return Look(
        color=BLACK,
        marker="*",
        ms=17 if look == "now" else 9,
        mfc=YELLOW,
        ls="-" if joined else "none",
        lw=1,
        alpha=STRENGTH[look],
    )


def none_seen(colour: str, look: str) -> Look:
    """The hollow star of a point at which no wait was seen, in the strip below the axis."""
    return Look(
        ls="none",
        color=colour,
        marker="*",
        mfc=WHITE,
        ms=10 if look in LARGE else 7,
        alpha=STRENGTH[look],
        zorder=3,
    )


# The timeline of one episode.

EPISODE_SPAN = Look(color=GREY, alpha=0.15, lw=0, zorder=0)
ROW_BORDERS = Look(color=LIGHT_GREY, lw=0.5)
RESERVE_LEVEL = Look(color=ORANGE, lw=1.6)
QUEUE_LEVEL = Look(color=BLUE, lw=1.1)
LIST_LEVEL = Look(color=VERMILION, lw=0)
EVENT_CURSOR = Look(color=BLACK, lw=1)
EVENT_LABEL = Look(fontsize=8, va="center")
BARS: dict[str, Look] = {
    what: Look(facecolors=colour, edgecolor=edge, hatch=hatch, lw=width)
    for what, colour, edge, hatch, width in (
        ("wait", VERMILION, VERMILION, "", 0.8),  # edges: the shortest ones show, too
        ("reclaim stall", ORANGE, ORANGE, "", 0.8),
        ("grace period", GREEN, WHITE, "", 0.4),
        ("batch waits", SKY, WHITE, "///", 0.4),
    )
}
EVENT_LEADER = Look(color=BLACK, lw=0.8, alpha=0.6, zorder=1.5)
EVENT_NUMBER = Look(fontsize=8, fontweight="bold", va="top")
EVENT_NUMBER_MARK = Look(
    fontsize=8,
    fontweight="bold",
    ha="center",
    va="center",
    bbox=Look(boxstyle="circle,pad=0.2", fc=WHITE, ec=BLACK, lw=0.8),
)
EVENT_SENTENCE = Look(fontsize=8, va="top")


def row_name(colour: str) -> Look:
    """The name of what is drawn in a row, beside it."""
    return Look(fontsize=7.5, color=as_text(colour), ha="right", va="center", linespacing=1.0)


# Sizes against a target.

TARGET = Look(color=BLACK, lw=1.2, ls=(0, (6, 3)), zorder=1.8)
TARGET_LABEL = Look(fontsize=8, fontweight="bold", ha="left")
NEAR_SIZE = Look(fontsize=7, ha="left", va="bottom")
BETWEEN_SIZES = Look(color=GREY, lw=0.8, zorder=1.6)
ANSWER = Look(color=BLACK, marker="*", ms=18, mfc=YELLOW, ls="none", zorder=5)
ANSWER_LABEL = Look(
    fontsize=9,
    fontweight="bold",
    va="center",
    arrowprops=Look(arrowstyle="-", color=GREY, lw=0.8, shrinkB=9),
    zorder=6,
)
VERDICT_MARKS = {
    "fails": LineStyle(VERMILION, "s", "none"),
    "passes": LineStyle(BLUE, "o", "none"),
    "open": LineStyle(GREY, "D", "none"),
}


def verdict_mark(verdict: str) -> Look:
    """The mark of a size: filled where it passes, hollow where it fails or is open."""
    style = VERDICT_MARKS[verdict]
    return Look(
        color=style.colour,
        marker=style.marker,
        ls="none",
        ms=6.5 if verdict == "passes" else 5.5,
        mfc=style.colour if verdict == "passes" else WHITE,
        zorder=3,
    )


def verdict_interval(verdict: str) -> Look:
    """The interval of a size."""
    return Look(color=VERDICT_MARKS[verdict].colour, lw=1.1, zorder=2)


# Methods against the exact answer.

EXACT = Look(color=BLACK, lw=1.4)
IN_AXES = Look(fontsize=7.5, color=DARK_GREY)
METHODS = (LineStyle(BLUE, "s", "none"), LineStyle(VERMILION, "^", "none"))


def method_mark(rank: int, misses: bool = False) -> Look:
    """What a method found: hollow, but filled and large where its range misses the exact answer."""
    style = METHODS[rank % len(METHODS)]
    return Look(
        color=style.colour,
        marker=style.marker,
        ls="none",
        ms=9 if misses else 5.5,
        mfc=style.colour if misses else WHITE,
        mec=BLACK if misses else style.colour,
        zorder=4 if misses else 3,
    )


def method_range(rank: int) -> Look:
    """A range that a method gives."""
    return Look(color=METHODS[rank % len(METHODS)].colour, lw=1.4, zorder=2)


# The ranking of assumptions.

TOTAL = Look(color=BLUE, marker="o", ls="none")
TOTAL_INTERVAL = Look(color=BLUE, lw=1.3, ls="-")
FIRST = Look(color=VERMILION, marker="s", ls="none", mfc=WHITE)
FIRST_INTERVAL = Look(color=VERMILION, lw=1.3, ls="--")
INPUT_NAMES = Look(fontsize=8, linespacing=1.05)
ZERO_LINE = Look(color=BLACK, lw=0.6)
CHANCE_LINE = Look(color=BLACK, lw=1.0, ls=":")


# Stalls and waits under a hog of growing depth.

STALL = LineStyle(VERMILION, "s", "none")
WAIT = LineStyle(BLUE, "o", "none")


def bar(style: LineStyle) -> Look:
    """A mean as a bar, with its interval; hatched, so that grey paper tells two kinds apart."""
    return Look(
        height=0.34,
        color=style.colour,
        alpha=0.85,
        hatch="//" if style is STALL else "",
        edgecolor=WHITE,
        ecolor=BLACK,
        capsize=2.5,
    )


def bar_label(style: LineStyle) -> Look:
    """The name and number at the end of a bar."""
    return Look(color=as_text(style.colour), va="center", fontsize=9)


# A row a kernel.

KERNEL_STEP = LineStyle(VERMILION, "o", "-")
KERNEL_SAME = LineStyle(BLUE, "o", "-")
KERNEL_BAND = Look(color=PALEST_GREY, lw=0, zorder=0.2)
KERNEL_BORDER = Look(color=LIGHT_GREY, lw=0.5, zorder=0.4)
KERNEL_PATH = Look(color=BLUE, lw=1.0, alpha=0.45, zorder=1.5)
KERNEL_HALO = Look(linewidth=2.0, foreground=WHITE)
KERNEL_HEAD = Look(fontsize=8.5, ha="center", va="baseline", linespacing=1.0)
KERNEL_CHANGE = Look(fontsize=7.0, color=DARK_GREY, ha="left", va="center", linespacing=1.0)
KERNEL_FOOT = Look(fontsize=6.5, color=DARK_GREY, ha="right", va="top")


def kernel_name(is_step: bool) -> Look:
    """The version of a kernel; bold where it moved a number."""
    return Look(fontsize=8.5, ha="left", va="center", fontweight="bold" if is_step else "normal")


def kernel_mark(moved: bool) -> Look:
    """The mark of a number: large where it is proven to differ from the row before."""
    style = KERNEL_STEP if moved else KERNEL_SAME
    return Look(
        color=style.colour, marker=style.marker, ls="none", ms=5.5 if moved else 3.5, zorder=3
    )


def kernel_interval(moved: bool) -> Look:
    """The interval of a number, across."""
    style = KERNEL_STEP if moved else KERNEL_SAME
    return Look(color=style.colour, lw=1.1, zorder=2)


def kernel_number(moved: bool) -> Look:
    """The number at its mark."""
    return Look(
        fontsize=7.0,
        ha="center",
        va="center",
        color=as_text(VERMILION) if moved else BLACK,
        fontweight="bold" if moved else "normal",
        zorder=4,
    )


# A recording.

RECORDED = LineStyle(BLUE, "o", "-")
PREDICTED = LineStyle(VERMILION, "s", "--")
CALLS_OVER_TIME = Look(color=BLUE, lw=1.1, ls="-")
FITTED_OVER_TIME = Look(color=BLACK, lw=2.2, ls="-", solid_capstyle="butt")
FAILED_OVER_TIME = Look(color=VERMILION, lw=1.3, ls="--")
LENGTHS = Look(color=SKY, edgecolor=WHITE, lw=0.4)
OF_A_RECORDING = Look(fontsize=8, va="bottom")


def recorded_mark(style: LineStyle) -> Look:
    """A value of a recording, or of what was predicted of it."""
    return Look(color=style.colour, marker=style.marker, ms=5.5, ls="none")


def recorded_interval(style: LineStyle) -> Look:
    """Its interval."""
    return Look(color=style.colour, lw=1.3, ls=style.dash)


# Predicted against measured, a mark a condition.

DIAGONAL = Look(color=GREY, lw=0.8, zorder=0)
NO_WAIT_SPAN = Look(color=PALE_GREY, zorder=-1)
INSIDE = LineStyle(BLUE, "o", "none")
MISS = LineStyle(VERMILION, "D", "none")
MISS_NUMBER = Look(fontsize=9, fontweight="bold", zorder=5)
MISS_NAMES = Look(fontsize=8, ha="right", va="bottom", linespacing=1.4, multialignment="left")


def condition_in_legend(inside: bool) -> Look:
    """What stands for a condition in the legend."""
    style = INSIDE if inside else MISS
    return Look(
        color=style.colour,
        marker=style.marker,
        ls="",
        ms=5 if inside else 7,
        mfc="none" if inside else style.colour,
        mec=style.colour if inside else BLACK,
    )


def condition_interval(inside: bool) -> Look:
    """The interval of a condition, across or upright."""
    style = INSIDE if inside else MISS
    return Look(colors=style.colour, lw=0.9, alpha=0.55, zorder=1)


def condition_mark(inside: bool) -> Look:
    """The mark of a condition: hollow where the measurement lies inside the interval."""
    style = INSIDE if inside else MISS
    return Look(
        s=24 if inside else 46,
        marker=style.marker,
        linewidths=0.9,
        facecolors="none" if inside else style.colour,
        edgecolors=style.colour if inside else BLACK,
        zorder=2 if inside else 3,
    )
