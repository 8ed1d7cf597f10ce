# SPDX-License-Identifier: GPL-2.0-only
"""The texts around a figure: finding and setting above, where it comes from below."""

from textwrap import fill

from krcsim.report.style import figure

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from krcsim.report import palette

POINTS_PER_INCH = 72.0
# Letters in a line, of a figure 8 inches wide.
FINDING_LETTERS = 78
SETTING_LETTERS = 126
FOOT_LETTERS = 150
# From line to line, in points.
FINDING_STEP = 15.0
SETTING_STEP = 10.5
FOOT_STEP = 9.0
MARGIN = 9.0
UNDER_AXES = 42.0  # points for one row of ticks, and a label
LEFT = 0.02  # of the texts, in parts of the width
AXES_LEFT = 0.12  # of the axes


def headed(
    finding: str,
    setting: str,
    foot_text: str = "",
    *,
    height: float = 5.2,
    left: float = AXES_LEFT,
    right: float = 0.97,
    under_axes: float = UNDER_AXES,
) -> tuple[Figure, Axes]:
    """A figure 8 inches wide and `height` inches high with one pair of axes, between the finding
    and the setting above and where it comes from at the foot; to be called within plain().

    left, right: where the axes begin and end, in parts of the width. under_axes: points for ticks
    and a label.
    """
    fig = figure(8.0, height)
    ax = fig.add_subplot()
    top = head(fig, finding, setting)
    rows = foot(fig, foot_text)
    bottom = (under_axes + FOOT_STEP * rows) / (height * POINTS_PER_INCH)
    fig.subplots_adjust(left=left, right=right, top=top - 0.02, bottom=bottom)
    return fig, ax


def head(fig: Figure, finding: str, setting: str) -> float:
    """Write the finding and the setting at the top; returns where they end, in parts of the
    height.
    """
    height = fig.get_figheight() * POINTS_PER_INCH
    y = 1.0 - MARGIN / height
    title = in_even_lines(finding.removesuffix("."), FINDING_LETTERS)
    if title:
        fig.text(LEFT, y, title, **palette.TITLE)
        y -= (title.count("\n") + 1) * FINDING_STEP / height
    lines = fill(setting, SETTING_LETTERS)
    if lines:
        y -= 2.0 / height
        fig.text(LEFT, y, lines, **palette.SITUATION)
        y -= (lines.count("\n") + 1) * SETTING_STEP / height
    return y


def foot(fig: Figure, text: str) -> int:
    """Write where a figure comes from, at its foot, each of its rows by itself; returns how many
    lines that takes.
    """
    height = fig.get_figheight() * POINTS_PER_INCH
    below = 0
    for row in reversed(text.split("\n") if text else []):
        lines = fill(row, FOOT_LETTERS, break_long_words=False)
        fig.text(LEFT, (4.0 + FOOT_STEP * below) / height, lines, **palette.FOOT)
        below += lines.count("\n") + 1
    return below


def in_even_lines(text: str, letters: int) -> str:
    """A text in as few lines as it takes, none much longer than the others."""
    lines = fill(text, letters)
    for fewer in range(letters - 1, 1, -1):
        narrower = fill(text, fewer)
        if narrower.count("\n") > lines.count("\n"):
            break
        lines = narrower
    return lines
