# SPDX-License-Identifier: GPL-2.0-only
"""Every condition a dot: predicted against measured, with the interval, and the relative errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from krcsim.report.style import figure as empty
from krcsim.report.style import plain, written

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from krcsim.guest.score import ENOUGH_WAITS, Answer, Comparison

# Okabe and Ito's colours, told apart with every kind of colour vision; the shapes say it again.
LOOKS = {
    "sparse": ("#56B4E9", "D", "1 call in 100 ms"),
    "low": ("#0072B2", "o", "1 in 10 ms"),
    "mid": ("#009E73", "s", "10 in 1 ms"),
    "heavy": ("#D55E00", "^", "100 in 1 ms"),
    "burst": ("#CC79A7", "v", "2000 in 100 ms"),
}
COLOURS, SHAPES = ("#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"), "PhX*<>dp8H"
WHAT = ("P(wait) of a call", "Fraction of time blocked")


def looks(comparisons: Sequence[Comparison]) -> dict[str, tuple[str, str, str]]:
    """Colour, shape and words of each load; those without a place in LOOKS get one in the order
    they come.
    """
    rates = dict.fromkeys(c.condition.rate for c in comparisons)
    others = [rate for rate in rates if rate not in LOOKS]
    more = {
        r: (COLOURS[k % len(COLOURS)], SHAPES[k % len(SHAPES)], "") for k, r in enumerate(others)
    }
    return {rate: look for rate, look in (LOOKS | more).items() if rate in rates}


@plain()
def png(comparisons: Sequence[Comparison]) -> bytes:
    """P(wait) and the blocked fraction beside each other, predicted against measured, as PNG
    bytes.
    """
    figure = empty(11, 5.4, dpi=90, layout="constrained")
    some = [c for c in comparisons if not c.trivial]
    for i, ax in enumerate(figure.subplots(1, 2)):
        share = sum(c.answers[i].inside for c in some) / max(1, len(some))
        ax.set_title(
            f"{WHAT[i]}: {100 * share:.0f} % of {len(some)} inside", loc="left", fontsize=10
        )
        _against(ax, some, i)
    figure.legend(
        handles=_handles(comparisons),
        loc="outside lower center",
        ncols=6,
        frameon=False,
        fontsize=8,
    )
    return written(figure, "png")


def _handles(comparisons: Sequence[Comparison]) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            color=colour,
            marker=shape,
            ls="",
            mfc="none",
            label=f"{rate}: {said}" if said else rate,
        )
        for rate, (colour, shape, said) in looks(comparisons).items()
    ]
    miss = dict(
        color="black",
        marker="o",
        ls="",
        mfc="#BBBBBB",
        ms=8,
        label="filled: measured outside the interval",
    )
    return [*handles, Line2D([], [], **miss)]  # type: ignore[arg-type]


@plain()
def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Predicted against measured where either side waits, and the relative errors, as a PNG."""
    figure = empty(13, 10.5, dpi=110, layout="constrained")
    axes = figure.subplots(2, 2, gridspec_kw=dict(height_ratios=[2.4, 1]))
    some = [c for c in comparisons if not c.trivial]
    for i in (0, 1):
        share = sum(c.answers[i].inside for c in some) / len(some)
        title = f"{WHAT[i]}: {100 * share:.0f} % of {len(some)} conditions inside"
        axes[0, i].set_title(title, loc="left")
        _against(axes[0, i], some, i)
        _errors(axes[1, i], [c for c in some if c.condition.waits >= ENOUGH_WAITS], i)
    figure.legend(handles=_handles(comparisons), loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle(
        "krcsim against a running kernel: Linux 6.1, one CPU, HZ=250, the algorithm of April 2020, "
        f"5 seeds a condition\n{len(comparisons) - len(some)} more conditions without a wait on "
        "either side are not shown",
        fontsize=11,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(figure, "png"))


Place = Callable[[Answer, str], tuple[float, float, float, float]]  # of a rate: x, y, low, high


def _marks(ax: Axes, some: Sequence[Comparison], i: int, place: Place) -> None:
    """One mark a condition with its interval; those that miss are filled and on top."""
    for rate, (colour, shape, _) in looks(some).items():
        for inside in (True, False):
            mine = [c for c in some if c.condition.rate == rate and c.answers[i].inside == inside]
            if not mine:
                continue
            x, y, low, high = zip(*(place(c.answers[i], rate) for c in mine), strict=True)
            ax.vlines(x, low, high, colors=colour, lw=0.9, alpha=0.55, zorder=1)
            spread = [
                0.0 if math.isnan(s) or m == 0 else min(s, 0.99 * m)  # towards 0 on a log axis
                for m, s in ((c.answers[i].measured, c.answers[i].spread) for c in mine)
            ]
            ax.hlines(
                y,
                [a - b for a, b in zip(x, spread, strict=True)],
                [a + b for a, b in zip(x, spread, strict=True)],
                colors=colour,
                lw=0.9,
                alpha=0.55,
                zorder=1,
            )
            ax.scatter(
                x,
                y,
                s=24 if inside else 42,
                marker=shape,
                linewidths=0.9,
                facecolors="none" if inside else colour,
                edgecolors=colour if inside else "black",
                zorder=2 if inside else 3,
            )


def _against(ax: Axes, some: Sequence[Comparison], i: int) -> None:
    values = [x for c in some for x in (c.answers[i].measured, c.answers[i].predicted)]
    decade = math.floor(math.log10(min((x for x in values if x > 0), default=0.1)))
    none, bottom, top = 10.0 ** (decade - 0.6), 10.0 ** (decade - 1), 2.0 * max(values, default=1.0)

    def place(a: Answer, rate: str) -> tuple[float, float, float, float]:
        x, y, low, high = (max(v, none) for v in (a.measured, a.predicted, a.low, a.high))
        if a.measured == 0:  # side by side, else they cover each other
            x *= 10.0 ** (0.13 * (list(looks(some)).index(rate) % 5 - 2))
        return x, y, low, high

    ax.plot([bottom, top], [bottom, top], color="#888888", lw=0.8, zorder=0)
    _marks(ax, some, i, place)
    ticks = [10.0**d for d in range(decade, 1)]
    for axis, scale, limit in (
        (ax.xaxis, ax.set_xscale, ax.set_xlim),
        (ax.yaxis, ax.set_yscale, ax.set_ylim),
    ):
        scale("log")
        axis.set_ticks(
            [none, *ticks], ["none", *(f"$10^{{{d}}}$" if d else "1" for d in range(decade, 1))]
        )
        axis.set_ticks([], minor=True)
        limit(bottom, top)
    ax.axvspan(bottom, 10.0**decade * 0.6, color="#EEEEEE", zorder=-1)
    ax.axhspan(bottom, 10.0**decade * 0.6, color="#EEEEEE", zorder=-1)
    ax.set_xlabel("measured, with the t interval over the seeds (grey: no wait)")
    ax.set_ylabel("krcsim, with the 95 % interval for as many runs")


def _errors(ax: Axes, some: Sequence[Comparison], i: int) -> None:
    def place(a: Answer, _rate: str) -> tuple[float, float, float, float]:
        y, low, high = (100.0 * (v / a.measured - 1.0) for v in (a.predicted, a.low, a.high))
        return a.measured, y, low, high

    ax.axhline(0.0, color="#888888", lw=0.8, zorder=0)
    _marks(ax, some, i, place)
    ax.set_xscale("log")
    ax.set_ylim(-25, 25)
    ax.set_xlabel(f"measured, where at least {ENOUGH_WAITS} waits were")
    ax.set_ylabel("model's error in %")
