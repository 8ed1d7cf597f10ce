# SPDX-License-Identifier: GPL-2.0-only
"""The numbers of a claim as a picture: a row for each case, and the range in which it holds."""

import math

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.claims.claim import Table, Test
from krcsim.claims.decide import NO, OPEN, SILENT, YES, Judged
from krcsim.claims.words import SAYS, Decided, case_words, verdict_words
from krcsim.report import palette
from krcsim.report.plain_text import wrap

# By what a number says: its colour and its marker.
LOOKS = {
    YES: (palette.BLUE, "o"),
    NO: (palette.VERMILION, "s"),
    OPEN: (palette.GREY, "D"),
    SILENT: (palette.GREY, "x"),
}
MOST_ROWS = 24
CASE_WIDTH = 46  # characters


def drawn_test(found: Decided) -> Test:
    """The test that is drawn: the last one that speaks in the most cases."""
    tests = [one.test for one in found.verdict.judged if one.answer != SILENT]
    return max(reversed(found.claim.tests), key=tests.count)


def draw_claim(axes: Axes, table: Table, found: Decided) -> None:
    """Draw the numbers of a claim with their intervals, a case a row from top to bottom."""
    test = drawn_test(found)
    shown = [one for one in found.verdict.judged if one.test is test][:MOST_ROWS]
    ends = [end for one in shown for end in _ends(one)] or [0.1, 1.0]
    marks = [mark for mark in (*test.holds, *(test.fails or ())) if 0 < mark < math.inf]
    low = min([*ends, *marks]) / 2.0
    high = max([*ends, *marks]) * 2.0

    holds = max(low, test.holds[0]), min(high, test.holds[1])
    axes.axvspan(*holds, color=palette.BLUE, alpha=0.12, lw=0)
    for row, one in enumerate(shown):
        _draw_number(axes, row, one, (low, high))

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    labels = [
        "\n".join(wrap(case_words(table, found.claim, one.case), CASE_WIDTH)) for one in shown
    ]
    axes.set_yticks(range(len(shown)), labels, fontsize=8)
    times = " (times)" if test.is_ratio else ""
    axes.set_xlabel(f"{test.words}{times}; shaded: where the claim holds")
    axes.grid(axis="x", **palette.GRID)


def _ends(one: Judged) -> list[float]:
    """What of a number has a place on a logarithmic axis."""
    number = one.number
    return [end for end in (number.lo, number.value, number.hi) if end and 1e-9 < end < 1e9]


def _draw_number(axes: Axes, row: int, one: Judged, limits: tuple[float, float]) -> None:
    """One number with its interval, and what it says in words."""
    number = one.number
    colour, marker = LOOKS[one.answer]
    low, high = limits
    if number.kind == "none" or number.lo is None or number.hi is None:
        axes.annotate("none seen", (low * 1.2, row), color=colour, va="center", fontsize=8)
        return

    lo, hi = max(low, number.lo), min(high, number.hi)
    axes.plot([lo, hi], [row, row], color=colour, lw=2, solid_capstyle="butt")
    if number.value:
        axes.plot([min(max(number.value, low), high)], [row], marker=marker, color=colour, ms=6)
    else:  # only bounded: an arrow to what may be smaller
        axes.plot([hi], [row], marker="<", color=colour, ms=7)
    axes.annotate(
        SAYS[one.answer],
        (1.01, row),
        xycoords=("axes fraction", "data"),
        color=colour,
        va="center",
        fontsize=8,
    )


@plain()
def picture_of_claim(table: Table, found: Decided) -> Picture:
    """The numbers of a claim that was computed, as a picture whose title is the verdict."""
    test = drawn_test(found)
    rows = min(MOST_ROWS, sum(one.test is test for one in found.verdict.judged))
    fig = figure(9, 1.6 + 0.42 * rows, layout="constrained")
    draw_claim(fig.subplots(), table, found)
    title = f"{found.claim.number}: {found.claim.title} - {verdict_words(table, found)}"
    fig.suptitle("\n".join(wrap(title, 100)), fontsize=10)
    return Picture(fig, title, found)
