# SPDX-License-Identifier: GPL-2.0-only
"""The texts around a figure: finding and setting above, where it comes from below."""

from textwrap import fill

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
MARGIN = 9.0
LEFT = 0.02  # in parts of the width


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


def foot(fig: Figure, text: str) -> None:
    """Write where a figure comes from, at its foot."""
    lines = fill(text, FOOT_LETTERS, break_long_words=False)
    fig.text(LEFT, 4.0 / (fig.get_figheight() * POINTS_PER_INCH), lines, **palette.FOOT)


def in_even_lines(text: str, letters: int) -> str:
    """A text in as few lines as it takes, none much longer than the others."""
    lines = fill(text, letters)
    for fewer in range(letters - 1, 1, -1):
        narrower = fill(text, fewer)
        if narrower.count("\n") > lines.count("\n"):
            break
        lines = narrower
    return lines
