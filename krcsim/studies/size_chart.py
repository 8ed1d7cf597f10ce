# SPDX-License-Identifier: GPL-2.0-only
"""What was found, as charts and on axes: sizes against a target, the frontier, the ranking of
assumptions.
"""

from collections.abc import Iterable
from typing import Any

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.report import figures, palette
from krcsim.report.chart import NOTHING_ADDED, Chart, Line
from krcsim.results.estimate import exact
from krcsim.results.quantities import QUANTITIES, label
from krcsim.results.result import number
from krcsim.studies.frontier import Frontier, Point
from krcsim.studies.sensitivity import INPUTS, Sensitivity
from krcsim.studies.size import Sized, Tried

XLABEL = "bytes per CPU that the reserve adds once it is full"
CHEAPEST = "lowest for its bytes"


def _place(p: Point | Tried) -> float:
    return max(NOTHING_ADDED, p.bytes_added)


def _line(name: str, points: Iterable[Point | Tried], labels: str) -> Line:
    rows = sorted(points, key=lambda p: (p.bytes_added, p.objects))
    return Line(
        name,
        tuple(str(getattr(p, labels)) if labels else "" for p in rows),
        tuple(map(_place, rows)),
        tuple(p.finding.estimate for p in rows),
    )


def _lines(points: Iterable[Point | Tried], few: int = 3) -> list[Line]:
    """Pools, pages, and pools beside so many pages; where these are too many to tell apart, one
    line of labels.
    """
    rows = list(points)
    pools, pages = [p for p in rows if not p.pages], [p for p in rows if not p.objects]
    mixed = sorted({p.pages for p in rows if p.pages and p.objects})
    lines = [_line("pool of N objects", pools, "objects")] if any(p.objects for p in pools) else []
    lines += [_line("N pages", pages, "pages")] if any(p.pages for p in pages) else []
    for count in mixed if len(mixed) <= few else ():
        lines.append(
            _line(
                f"pool of N beside {count} page{'s' * (count > 1)}",
                [p for p in rows if p.pages == count and p.objects],
                "objects",
            )
        )
    if len(mixed) > few:
        lines.append(
            _line("pool of N beside 1 page or more", [p for p in rows if p.objects and p.pages], "")
        )
    return lines or [_line("no reserve", rows, "")]


def _ylabel(quantity: str) -> str:
    return QUANTITIES[quantity].words


def _note(found: Sized | Frontier, points: Iterable[Point | Tried]) -> str:
    runs = sorted({p.finding.replications for p in points})
    count = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    return f"{count} replications a point, seed {found.seed}; window {found.window}"


def chart_of_sizes(found: Sized) -> Chart:
    """All sizes tried over the bytes they add, the target, and the smallest that passes."""
    lines = _lines(found.tried)
    right = max(x for line in lines for x in line.x)
    lines.append(
        Line(
            f"target {number(found.target)}",
            ("", ""),
            (NOTHING_ADDED, max(right, 4.0 * NOTHING_ADDED)),
            (exact(found.target),) * 2,
        )
    )
    if found.smallest:
        lines.append(_line(f"{found.smallest.name} passes", [found.smallest], ""))
    return Chart(tuple(lines), XLABEL, _ylabel(found.quantity), True, _note(found, found.tried))


def chart_of_frontier(found: Frontier) -> Chart:
    """Pools, pages and mixes over the bytes they add, and the lowest for its bytes."""
    lines = [*_lines(found.points), _line(CHEAPEST, found.envelope, "")]
    return Chart(tuple(lines), XLABEL, _ylabel(found.quantity), True, _note(found, found.points))


def draw_chart(chart: Chart, ax: Axes) -> Axes:
    """A chart on axes, with its legend."""
    figures.frame(ax, chart)
    figures.legend(ax, chart, figures.draw(chart, ax))
    return ax


def draw_sizes(found: Sized, ax: Axes) -> Axes:
    """What was tried against the target, on axes."""
    return draw_chart(chart_of_sizes(found), ax)


def draw_frontier(found: Frontier, ax: Axes) -> Axes:
    """Bytes against probability, on axes; what was not seen stands in a strip below."""
    return draw_chart(chart_of_frontier(found), ax)


def _spoken(quantity: str) -> str:
    return label(quantity)


def stated(name: str, low: float, high: float) -> str:
    """An input with its range: calls, 500 to 2000 1/s per CPU."""
    ends = (f"{float(f'{x:.3g}'):g}" for x in (low, high))
    return f"{INPUTS[name].words}, {' to '.join(ends)} {INPUTS[name].unit}".rstrip()


def caption(found: Sensitivity) -> str:
    """What the ranking is, and what it is not."""
    floored = (
        f"; {100 * found.at_floor:.0f} % of the points are at the floor of {number(found.floor)}"
        if found.at_floor
        else ""
    )
    return (
        f"Share of the variance of log10 of {_spoken(found.quantity)} (standard deviation "
        f"{found.spread:.2f}) over "
        f"the ranges given: {found.points} points in the same worlds, 95 % bootstrap "
        f"intervals{floored}. "
        f"{100 * min(1.0, found.chance):.0f} % is chance: so much the same points differ in other "
        "worlds. "
        "The ranking holds for these ranges only."
    )


def draw_sensitivity(found: Sensitivity, ax: Axes) -> Axes:
    """Inputs from the one that moves most down: alone (open square) and with all others (filled
    circle).
    """
    looks: tuple[tuple[str, str, float, dict[str, Any]], ...] = (
        (
            "total",
            "with all others (total)",
            -0.14,
            palette.TOTAL,
        ),
        (
            "first",
            "alone (first order)",
            0.14,
            palette.FIRST,
        ),
    )
    for which, words, shift, look in looks:
        rows = [getattr(row, which) for row in found.indices]
        y = [k + shift for k in range(len(rows))]
        ax.plot([row[0] for row in rows], y, label=words, zorder=3, **look)
        for at, (_, lo, hi) in zip(y, rows, strict=True):
            ax.plot(
                [lo, hi],
                [at, at],
                **(palette.TOTAL_INTERVAL if which == "total" else palette.FIRST_INTERVAL),
            )
    ax.set_yticks(
        range(len(found.indices)),
        [stated(row.name, *row.range) for row in found.indices],
        fontsize=8,
    )
    ax.invert_yaxis()
    ax.axvline(0.0, **palette.ZERO_LINE)
    ax.axvline(found.chance, **palette.CHANCE_LINE, label="chance (other worlds)")
    shares = [x for row in found.indices for x in (row.first[0], row.total[0])]
    ax.set_xlim(
        min(-0.1, *shares) - 0.05, max(1.0, *shares) + 0.05
    )  # shares; intervals of few points go beyond
    ax.set_xlabel(
        f"share of the variance of log10 {_spoken(found.quantity)}, for these ranges only"
    )
    ax.grid(True, axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return ax


@plain()
def drawn(found: Sized | Frontier | Sensitivity) -> Picture:
    """A picture of what was found."""
    fig = figure(8.0, 4.6, layout="constrained")
    ax = fig.subplots()
    if isinstance(found, Sensitivity):
        draw_sensitivity(found, ax)
        return Picture(fig, caption(found), found)
    chart = chart_of_sizes(found) if isinstance(found, Sized) else chart_of_frontier(found)
    draw_chart(chart, ax)
    return Picture(fig, f"{chart.ylabel} over {chart.xlabel}", found)
