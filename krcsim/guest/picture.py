# SPDX-License-Identifier: GPL-2.0-only
"""Every condition a mark: predicted against measured with its interval, and relative
errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from krcsim.report.style import figure as empty_figure
from krcsim.report.style import plain, written

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from krcsim.guest.score import ENOUGH_WAITS, Answer, Comparison
from krcsim.report import palette
from krcsim.report.palette import LineStyle

# The loads of the recordings, in words.
LOAD_WORDS = {
    "sparse": "1 call in 100 ms",
    "low": "1 in 10 ms",
    "mid": "10 in 1 ms",
    "heavy": "100 in 1 ms",
    "burst": "2000 in 100 ms",
}
WHAT = ("P(wait) of a call", "Fraction of time blocked")

# Of an answer and its load: x, y, and the ends of the interval of y.
Place = Callable[[Answer, str], tuple[float, float, float, float]]


def styles(comparisons: Sequence[Comparison]) -> dict[str, LineStyle]:
    """Colour and marker of each load that is compared.

    Those without a place in the palette get one in the order in which they come.
    """
    loads = dict.fromkeys(comparison.condition.rate for comparison in comparisons)
    others = [load for load in loads if load not in palette.LOADS]
    more = {load: palette.other_load(rank) for rank, load in enumerate(others)}
    return {load: style for load, style in (palette.LOADS | more).items() if load in loads}


@plain()
def png(comparisons: Sequence[Comparison]) -> bytes:
    """P(wait) and the blocked fraction side by side, predicted against measured, as PNG
    bytes.
    """
    figure = empty_figure(11, 5.4, dpi=90, layout="constrained")
    compared = [comparison for comparison in comparisons if not comparison.trivial]
    for i, ax in enumerate(figure.subplots(1, 2)):
        inside = sum(comparison.answers[i].inside for comparison in compared) / max(
            1, len(compared)
        )
        title = f"{WHAT[i]}: {100 * inside:.0f} % of {len(compared)} inside"
        ax.set_title(title, loc="left", fontsize=10)
        _draw_against(ax, compared, i)

    handles = _handles(comparisons)
    figure.legend(handles=handles, loc="outside lower center", ncols=6, **palette.LEGEND)
    return written(figure, "png")


def _handles(comparisons: Sequence[Comparison]) -> list[Line2D]:
    """What stands in the legend: the loads, and what a filled mark means."""
    handles = []
    for load, style in styles(comparisons).items():
        words = LOAD_WORDS.get(load)
        text = f"{load}: {words}" if words else load
        handles.append(Line2D([], [], label=text, **palette.load_in_legend(style)))

    miss = "filled: measured outside the interval"
    return [*handles, Line2D([], [], label=miss, **palette.MISS_IN_LEGEND)]


@plain()
def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Predicted against measured where either side waits, and the relative errors, as a
    PNG.
    """
    figure = empty_figure(13, 10.5, dpi=110, layout="constrained")
    axes = figure.subplots(2, 2, gridspec_kw=dict(height_ratios=[2.4, 1]))
    compared = [comparison for comparison in comparisons if not comparison.trivial]
    for i in (0, 1):
        inside = sum(comparison.answers[i].inside for comparison in compared) / len(compared)
        title = f"{WHAT[i]}: {100 * inside:.0f} % of {len(compared)} conditions inside"
        axes[0, i].set_title(title, loc="left")
        _draw_against(axes[0, i], compared, i)
        _draw_errors(
            axes[1, i],
            [comparison for comparison in compared if comparison.condition.waits >= ENOUGH_WAITS],
            i,
        )

    handles = _handles(comparisons)
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle(
        "krcsim against a running kernel: Linux 6.1, one CPU, HZ=250, the algorithm of April 2020, "
        f"5 seeds a condition\n{len(comparisons) - len(compared)} more conditions without a wait "
        "on either side are not shown",
        fontsize=11,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(figure, "png"))


def _draw_marks(ax: Axes, compared: Sequence[Comparison], i: int, place: Place) -> None:
    """One mark a condition with its interval; those outside it are filled and on
    top.
    """
    for load, style in styles(compared).items():
        for inside in (True, False):
            chosen = [
                comparison
                for comparison in compared
                if comparison.condition.rate == load and comparison.answers[i].inside == inside
            ]
            if not chosen:
                continue

            places = [place(comparison.answers[i], load) for comparison in chosen]
            x, y, low, high = zip(*places, strict=True)
            spreads = [_spread(comparison.answers[i]) for comparison in chosen]
            left = [at - spread for at, spread in zip(x, spreads, strict=True)]
            right = [at + spread for at, spread in zip(x, spreads, strict=True)]
            ax.vlines(x, low, high, **palette.condition_interval(style))
            ax.hlines(y, left, right, **palette.condition_interval(style))
            ax.scatter(x, y, **palette.condition_mark(style, inside))


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
    loads = list(styles(compared))

    def place(answer: Answer, load: str) -> tuple[float, float, float, float]:
        numbers = (answer.measured, answer.predicted, answer.low, answer.high)
        x, y, low, high = (max(number, none) for number in numbers)
        if answer.measured == 0:  # side by side, else they cover each other
            x *= 10.0 ** (0.13 * (loads.index(load) % 5 - 2))
        return x, y, low, high

    ax.plot([bottom, top], [bottom, top], **palette.DIAGONAL)
    _draw_marks(ax, compared, i, place)

    ticks = [10.0**power for power in range(decade, 1)]
    labels = [f"$10^{{{power}}}$" if power else "1" for power in range(decade, 1)]
    for axis, scale, limit in (
        (ax.xaxis, ax.set_xscale, ax.set_xlim),
        (ax.yaxis, ax.set_yscale, ax.set_ylim),
    ):
        scale("log")
        axis.set_ticks([none, *ticks], ["none", *labels])
        axis.set_ticks([], minor=True)
        limit(bottom, top)

    ax.axvspan(bottom, 10.0**decade * 0.6, **palette.NO_WAIT_SPAN)
    ax.axhspan(bottom, 10.0**decade * 0.6, **palette.NO_WAIT_SPAN)
    ax.set_xlabel("measured, with the t interval over the seeds (grey: no wait)")
    ax.set_ylabel("krcsim, with the 95 % interval for as many runs")


def _draw_errors(ax: Axes, compared: Sequence[Comparison], i: int) -> None:
    """The model's error over the measurement."""

    def place(answer: Answer, _load: str) -> tuple[float, float, float, float]:
        numbers = (answer.predicted, answer.low, answer.high)
        y, low, high = (100.0 * (number / answer.measured - 1.0) for number in numbers)
        return answer.measured, y, low, high

    ax.axhline(0.0, **palette.DIAGONAL)
    _draw_marks(ax, compared, i, place)
    ax.set_xscale("log")
    ax.set_ylim(-25, 25)
    ax.set_xlabel(f"measured, where at least {ENOUGH_WAITS} waits were")
    ax.set_ylabel("model's error in %")
