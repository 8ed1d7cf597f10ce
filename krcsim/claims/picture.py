# SPDX-License-Identifier: GPL-2.0-only
"""The numbers of a claim as a picture: a row for each case, and the range in which it holds."""

import math

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.claims.claim import Table, Test
from krcsim.claims.decide import HOLDS_WHEN, NO, OPEN, QUESTION, SILENT, YES, Judged
from krcsim.claims.labels import case_words
from krcsim.claims.words import SAYS, Decided, verdict_words
from krcsim.report import palette
from krcsim.report.plain_text import wrap

# By what a number says: its colour and its marker.
LOOKS = {
    YES: (palette.BLUE, "o"),
    NO: (palette.VERMILION, "s"),
    OPEN: (palette.GREY, "D"),
    SILENT: (palette.GREY, "x"),
}
MOST_ROWS = 32
CASE_WIDTH, TITLE_WIDTH = 46, 90  # characters


def drawn_test(found: Decided) -> Test:
    """The test that is drawn: the last one that speaks in the most cases."""
    tests = [one.test for one in found.verdict.judged if one.answer != SILENT]
    return max(reversed(found.claim.tests), key=tests.count)


def draw_claim(axes: Axes, table: Table, found: Decided) -> None:
    """Draw the numbers of a claim with their intervals, a case a row from top to bottom."""
    test = drawn_test(found)
    order = [question.name for question in found.claim.questions]
    shown = [one for one in found.verdict.judged if one.test is test][:MOST_ROWS]
    shown.sort(key=lambda one: order.index(str(dict(one.case)[QUESTION])))
    ends = [end for one in shown for end in _ends(one)] or [0.1, 1.0]
    marks = [mark for mark in (*test.holds, *(test.fails or ())) if 0 < mark < math.inf]
    low = min([*ends, *marks]) / 2.0
    high = max([*ends, *marks]) * 2.0

    holds = max(low, test.holds[0]), min(high, test.holds[1])
    axes.axvspan(*holds, color=palette.shade(palette.BLUE), alpha=0.12, lw=0)
    for row, one in enumerate(shown):
        _draw_number(axes, row, one, (low, high))

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), _labels(table, found, shown), fontsize=8)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}" if 1e-4 < x < 1e6 else f"{x:.0e}")
    axes.set_xlabel(f"{test.words}; shaded: where the claim holds")
    axes.grid(axis="x", **palette.GRID)


def _labels(table: Table, found: Decided, shown: list[Judged]) -> list[str]:
    """What each row is; the situation stands above the first of its rows."""
    labels = []
    situation = None
    for one in shown:
        name = dict(one.case)[QUESTION]
        words = found.claim.question(str(name)).words
        case = case_words(table, found.claim, one.case, with_question=False)
        above = [f"{words}:" if case else words] if name != situation or not case else []
        lines = [line for text in (*above, case) for line in wrap(text, CASE_WIDTH)]
        labels.append("\n".join(lines))
        situation = name
    return labels


def _ends(one: Judged) -> list[float]:
    """What of a number has a place on a logarithmic axis."""
    number = one.number
    return [end for end in (number.lo, number.value, number.hi) if end and 1e-9 < end < 1e9]


def _draw_number(axes: Axes, row: int, one: Judged, limits: tuple[float, float]) -> None:
    """One number with its interval, and what it says in words."""
    number = one.number
    hue, marker = LOOKS[one.answer]
    colour, text = palette.shade(hue), palette.as_text(hue)
    low, high = limits
    if number.kind == "none" or number.lo is None or number.hi is None:
        axes.annotate("none seen", (low * 1.2, row), color=text, va="center", fontsize=8)
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
        color=text,
        va="center",
        fontsize=8,
    )


@plain()
def picture_of_claim(table: Table, found: Decided) -> Picture:
    """The numbers of a claim that was computed, as a picture whose title is the verdict."""
    test = drawn_test(found)
    rows = min(MOST_ROWS, sum(one.test is test for one in found.verdict.judged))
    fig = figure(9, 1.6 + 0.36 * rows, layout="constrained")
    draw_claim(fig.subplots(), table, found)
    said = list(found.verdict.by_case.values())
    word = found.verdict.word
    if word == HOLDS_WHEN:
        word = f"holds in {said.count(YES)} of {len(said)} cases"
    title = f"{found.claim.number}, {found.claim.title.rstrip('?')}: {word}"
    fig.suptitle("\n".join(wrap(title, TITLE_WIDTH)), fontsize=11)
    return Picture(fig, f"{found.claim.title}: {verdict_words(table, found)}", found)
