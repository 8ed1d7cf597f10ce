# SPDX-License-Identifier: GPL-2.0-only
"""Every condition a mark: predicted against measured with its interval, and relative
errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from krcsim.report.style import Picture, plain, written
from krcsim.report.style import figure as empty_figure

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from krcsim.guest.score import ENOUGH_WAITS, Answer, Comparison
from krcsim.guest.set_words import family_in_words, finding, recording_in_words
from krcsim.report import headings, palette

WHAT = ("P(wait) of a call", "Fraction of time blocked")

MOST_NAMED = 4  # misses that have their name in a picture

# Of an answer and its condition: x, y, and the ends of the interval of y.
Place = Callable[[Answer, int], tuple[float, float, float, float]]


@plain()
def png(comparisons: Sequence[Comparison]) -> bytes:
    """P(wait) and the blocked fraction side by side, predicted against measured, as PNG
    bytes.
    """
    return written(_side_by_side(comparisons), "png")


@plain()
def picture(comparisons: Sequence[Comparison]) -> Picture:
    """The same for a notebook."""
    return Picture(_side_by_side(comparisons), finding(comparisons), tuple(comparisons))


def _side_by_side(comparisons: Sequence[Comparison]) -> Figure:
    """The figure of both."""
    fig = empty_figure(11, 5.8, dpi=90)
    top = headings.head(fig, finding(comparisons), recording_in_words(comparisons))
    axes = fig.subplots(1, 2)
    fig.subplots_adjust(left=0.075, right=0.985, top=top - 0.06, bottom=0.125, wspace=0.17)
    compared = [comparison for comparison in comparisons if not comparison.trivial]
    for i, ax in enumerate(axes):
        ax.set_title(_panel_title(compared, i), loc="left")
        _draw_against(ax, compared, i)
    axes[0].legend(handles=_handles(), loc="upper left", **palette.LEGEND)
    return fig


def _panel_title(compared: Sequence[Comparison], i: int) -> str:
    """What a panel shows, and how many conditions lie inside."""
    inside = sum(comparison.answers[i].inside for comparison in compared)
    return f"{WHAT[i]}: {inside:,} of {len(compared):,} inside"


def _handles() -> list[Line2D]:
    """What the marks mean."""
    texts = {
        True: "the kernel lies in the model's range",
        False: "a miss (numbers: the worst families)",
    }
    return [
        Line2D([], [], label=text, **palette.condition_in_legend(inside))
        for inside, text in texts.items()
    ]


@plain()
def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Predicted against measured where either side waits, and the relative errors, as a
    PNG.
    """
    fig = empty_figure(13, 10.5, dpi=110)
    top = headings.head(fig, finding(comparisons), recording_in_words(comparisons))
    axes = fig.subplots(2, 2, gridspec_kw=dict(height_ratios=[2.4, 1]))
    fig.subplots_adjust(left=0.06, right=0.985, top=top - 0.04, bottom=0.06, wspace=0.13)
    compared = [comparison for comparison in comparisons if not comparison.trivial]
    many = [one for one in compared if one.condition.waits >= ENOUGH_WAITS]
    for i in (0, 1):
        axes[0, i].set_title(_panel_title(compared, i), loc="left")
        _draw_against(axes[0, i], compared, i)
        _draw_errors(axes[1, i], many, i)

    axes[0, 0].legend(handles=_handles(), loc="upper left", **palette.LEGEND)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(fig, "png"))


def _draw_marks(ax: Axes, compared: Sequence[Comparison], i: int, place: Place) -> None:
    """One mark a condition with its interval; those outside it are filled and on
    top.
    """
    for inside in (True, False):
        rows = [
            (comparison.answers[i], rank)
            for rank, comparison in enumerate(compared)
            if comparison.answers[i].inside == inside
        ]
        if not rows:
            continue

        places = [place(answer, rank) for answer, rank in rows]
        x, y, low, high = zip(*places, strict=True)
        spreads = [_spread(answer) for answer, _ in rows]
        left = [at - spread for at, spread in zip(x, spreads, strict=True)]
        right = [at + spread for at, spread in zip(x, spreads, strict=True)]
        ax.vlines(x, low, high, **palette.condition_interval(inside))
        ax.hlines(y, left, right, **palette.condition_interval(inside))
        ax.scatter(x, y, **palette.condition_mark(inside))


def worst_misses(compared: Sequence[Comparison], i: int) -> list[Comparison]:
    """The worst condition of each family that misses, the worst first."""
    by_family: dict[str, Comparison] = {}
    for one in sorted(compared, key=lambda one: one.answers[i].distance):
        if not one.answers[i].inside:
            by_family.pop(one.condition.family, None)
            by_family[one.condition.family] = one
    return list(by_family.values())[::-1]


def _name_misses(ax: Axes, compared: Sequence[Comparison], i: int, place: Place) -> None:
    """The worst misses by number, and their names in the corner below the diagonal."""
    worst = worst_misses(compared, i)
    texts = []
    for rank, one in enumerate(worst[:MOST_NAMED], 1):
        x, y, _, _ = place(one.answers[i], compared.index(one))
        ax.annotate(f"{rank}", (x, y), (6, -10), textcoords="offset points", **palette.MISS_NUMBER)
        texts.append(f"{rank}  {family_in_words(one.condition)}")
    others = len(worst) - len(texts)
    if others > 0:
        texts.append(f"and {others} other famil{'y' if others == 1 else 'ies'}")
    ax.text(0.985, 0.17, "\n".join(texts), transform=ax.transAxes, **palette.MISS_NAMES)


def _spread(answer: Answer) -> float:
    """Half the interval of the measurement; it does not reach down to 0 on a
    logarithmic axis.
    """
    if math.isnan(answer.spread) or answer.measured == 0:
        return 0.0

    return min(answer.spread, 0.99 * answer.measured)


def _draw_against(ax: Axes, compared: Sequence[Comparison], i: int) -> None:
    """Predicted over measured on logarithmic axes, with a margin for what has no
    wait.
    """
    values = [
        x
        for comparison in compared
        for x in (comparison.answers[i].measured, comparison.answers[i].predicted)
    ]
    decade = math.floor(math.log10(min((x for x in values if x > 0), default=0.1)))
    none = 10.0 ** (decade - 0.6)
    bottom = 10.0 ** (decade - 1)
    top = 2.0 * max(values, default=1.0)

    def place(answer: Answer, rank: int) -> tuple[float, float, float, float]:
        numbers = (answer.measured, answer.predicted, answer.low, answer.high)
        x, y, low, high = (max(number, none) for number in numbers)
        if answer.measured == 0:  # side by side, else they cover each other
            x *= 10.0 ** (0.13 * (rank % 5 - 2))
        return x, y, low, high

    ax.plot([bottom, top], [bottom, top], **palette.DIAGONAL)
    _draw_marks(ax, compared, i, place)
    _name_misses(ax, compared, i, place)

    ticks = [10.0**power for power in range(decade, 1)]
    labels = [f"$10^{{{power}}}$" if power else "1" for power in range(decade, 1)]
    for axis, scale, limit in (
        (ax.xaxis, ax.set_xscale, ax.set_xlim),
        (ax.yaxis, ax.set_yscale, ax.set_ylim),
    ):
        scale("log")
        axis.set_ticks([none, *ticks], ["none\nseen", *labels])
        axis.set_ticks([], minor=True)
        limit(bottom, top)

    ax.axvspan(bottom, 10.0**decade * 0.6, **palette.NO_WAIT_SPAN)
    ax.axhspan(bottom, 10.0**decade * 0.6, **palette.NO_WAIT_SPAN)
    ax.set_xlabel("measured in the kernel, with the t interval over its runs")
    ax.set_ylabel("krcsim, with the 95 % range of as many runs")


def _draw_errors(ax: Axes, compared: Sequence[Comparison], i: int) -> None:
    """The model's error over the measurement."""

    def place(answer: Answer, _rank: int) -> tuple[float, float, float, float]:
        numbers = (answer.predicted, answer.low, answer.high)
        y, low, high = (100.0 * (number / answer.measured - 1.0) for number in numbers)
        return answer.measured, y, low, high

    ax.axhline(0.0, **palette.DIAGONAL)
    _draw_marks(ax, compared, i, place)
    ax.set_xscale("log")
    ax.set_ylim(-25, 25)
    ax.set_xlabel(f"measured, where at least {ENOUGH_WAITS} waits were")
    ax.set_ylabel("model's error in %")
