# SPDX-License-Identifier: GPL-2.0-only
"""The ranking of assumptions, drawn: which input moves the answer most."""

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.report import palette
from krcsim.results.quantities import label
from krcsim.results.result import number
from krcsim.studies.inputs import INPUTS
from krcsim.studies.sensitivity import Sensitivity


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
        f"Share of the variance of log10 of {label(found.quantity)} (standard deviation "
        f"{found.spread:.2f}) over "
        f"the ranges given: {found.points} points with the same random draws, 95 % bootstrap "
        f"intervals{floored}. "
        f"{100 * min(1.0, found.chance):.0f} % is chance: so much the same points differ with "
        "other random draws. The ranking holds for these ranges only."
    )


def draw_sensitivity(found: Sensitivity, ax: Axes) -> Axes:
    """Inputs from the one that moves most down: alone (open square) and with all others (filled
    circle).
    """
    looks: tuple[tuple[str, str, float, palette.Look], ...] = (
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
    ax.axvline(found.chance, **palette.CHANCE_LINE, label="chance (other random draws)")
    shares = [x for row in found.indices for x in (row.first[0], row.total[0])]
    ax.set_xlim(
        min(-0.1, *shares) - 0.05, max(1.0, *shares) + 0.05
    )  # shares; intervals of few points go beyond
    ax.set_xlabel(f"share of the variance of log10 {label(found.quantity)}, for these ranges only")
    ax.grid(True, axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return ax


@plain()
def picture_of_sensitivity(found: Sensitivity) -> Picture:
    """A picture of the ranking."""
    fig = figure(8.0, 4.6, layout="constrained")
    draw_sensitivity(found, fig.subplots())
    return Picture(fig, caption(found), found)
