# SPDX-License-Identifier: GPL-2.0-only
"""The ranking of assumptions, drawn: which input moves the answer most."""

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.report import headings, palette
from krcsim.report.setting_words import setting_in_words
from krcsim.results.quantities import label
from krcsim.results.result import number
from krcsim.studies.inputs import INPUTS
from krcsim.studies.sensitivity import GIVEN, RECORDED, Index, Sensitivity

# An input as the subject of a sentence; a test holds it to all of INPUTS.
SUBJECTS = {
    "rate_hz": "the rate of calls",
    "episode_ms": "the length of episodes of pressure",
    "calm_ms": "the calm between episodes",
    "page": "how often a page request fails in episodes",
    "head": "how often an rcu_head request fails in episodes",
    "grace_ms": "the length of grace periods",
    "cpus": "the number of CPUs",
    "burstiness": "how bursty the calls are",
    "pool": "the size of the pool",
    "pages": "the number of cached pages",
    "hog_pages_s": "how fast the hog takes pages",
    "free_mib": "the free memory at boot",
    "instruction_ns": "the time of an instruction",
    "single_share": "the share of calls with one argument",
    "phase_ms": "the length of on phases",
    "gp_mean_ms": "the length of the recorded grace periods",
    "noretry": "how often a page request that tries harder fails in episodes",
    "calm_page": "how often a page request fails outside of episodes",
    "stall_ms": "the length of reclaim stalls",
}
RANGES = {  # {0} to {1}: the ends of the range
    "page": "{0} to {1} of them",
    "head": "{0} to {1} times as often",
    "burstiness": "peak over mean (or in a burst) {0} to {1}",
    "cpus": "{0} to {1} CPUs",
    "pages": "{0} to {1} pages per CPU",
    "single_share": "{0} to {1} of them",
    "noretry": "{0} to {1} of them",
    "calm_page": "{0} to {1} of them",
}


def in_rows(name: str, low: float, high: float) -> str:
    """An input in words, and its range in the row below."""
    ends = _ends(low, high)
    subject = SUBJECTS[name].removeprefix("the ")
    text = RANGES.get(name, f"{{0}} to {{1}} {INPUTS[name].unit}").format(*ends)
    return f"{subject}\n{text}".rstrip()


def _origin(row: Index) -> str:
    """Where a range comes from, behind it; nothing where it was given."""
    return "" if row.origin == GIVEN else f" ({row.origin})"


def _ends(low: float, high: float) -> tuple[str, str]:
    """The ends of a range in three digits."""
    return f"{float(f'{low:.3g}'):g}", f"{float(f'{high:.3g}'):g}"


def finding(found: Sensitivity) -> str:
    """Which input moves the answer most, as the title of a picture; that it is open where ranges
    of shares overlap, and that none does where all may be chance.
    """
    what = label(found.quantity)
    leading = [row for row in found.indices if row.total[1] > found.chance]
    if not leading:
        return f"No input moves {what} more than chance, with these few points"

    first, *others = leading
    close = [row for row in others if row.total[2] > first.total[1]]
    subject = SUBJECTS[first.name]
    subject = subject[:1].upper() + subject[1:]
    if not close:
        share = f"{100 * min(1.0, first.total[0]):.0f} % of the variance"
        return f"{subject} moves {what} most: {share} of its logarithm, with all others"
    if len(close) == 1:
        return f"{subject} and {SUBJECTS[close[0].name]} move {what} most; which of them is open"
    return (
        f"{subject} seems to move {what} most, but {len(close)} others may as well: more points "
        "would tell"
    )


def caption(found: Sensitivity) -> str:
    """What the ranking is, and what it is not."""
    floored = (
        f"; {100 * found.at_floor:.0f} % of the points are at the floor of {number(found.floor)}"
        if found.at_floor
        else ""
    )
    ranges = "the ranges given"
    if any(row.origin == RECORDED for row in found.indices):
        ranges = "what the recording does not know (95 %, each value by itself) and is assumed"
    return (
        f"Share of the variance of log10 of {label(found.quantity)} (standard deviation "
        f"{found.spread:.2f}) over "
        f"{ranges}: {found.points} points with the same random draws, 95 % bootstrap "
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
        [f"{in_rows(row.name, *row.range)}{_origin(row)}" for row in found.indices],
        **palette.INPUT_NAMES,
    )
    ax.invert_yaxis()
    ax.axvline(0.0, **palette.ZERO_LINE)
    ax.axvline(found.chance, **palette.CHANCE_LINE, label="chance (other random draws)")
    shares = [x for row in found.indices for x in (row.first[0], row.total[0])]
    # The intervals of few points go beyond.
    ax.set_xlim(min(-0.05, *shares) - 0.02, max(1.0, *shares) + 0.02)
    ax.set_xlabel(f"share of the variance of log10 {label(found.quantity)}, for these ranges only")
    ax.grid(True, axis="x", alpha=0.3)
    ax.legend(loc="lower right", **palette.LEGEND)
    return ax


@plain()
def picture_of_sensitivity(found: Sensitivity) -> Picture:
    """A picture of the ranking."""
    fig = figure(8.0, 1.6 + 0.4 * len(found.indices))
    ax = fig.add_subplot()
    remark = "with the ranges beside the rows"
    top = headings.head(fig, finding(found), setting_in_words(found.scenario, remark))
    fig.subplots_adjust(left=0.37, right=0.97, top=top - 0.02, bottom=0.6 / fig.get_figheight())
    draw_sensitivity(found, ax)
    return Picture(fig, caption(found), found)
