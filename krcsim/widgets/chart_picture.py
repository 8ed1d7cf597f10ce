# SPDX-License-Identifier: GPL-2.0-only
"""A chart as the picture under the sliders, with lines that are old or pinned."""

from dataclasses import replace
from functools import partial

from krcsim.report import figures
from krcsim.report.chart import OWN, Chart, Line
from krcsim.widgets.live_picture import Below, Drawing, LivePicture


def with_look(chart: Chart, look: str) -> Chart:
    """The same chart with all lines as they look when they are old (dimmed) or pinned."""
    return replace(chart, lines=tuple(replace(line, look=look) for line in chart.lines))


def chart_picture(picture: LivePicture, chart: Chart, command: str) -> Drawing:
    """A chart as a picture, stamped with the command that makes its numbers again."""
    return picture.drawing(
        figures.frame_key(chart),
        partial(figures.frame, chart=chart),
        partial(figures.draw, chart),
        command,
    )


def with_own(chart: Chart, own: Line) -> Chart:
    """The same chart with another line of the person's own setting, in the place of the one there
    was.
    """
    if all(line.name != OWN for line in chart.lines):
        return replace(chart, lines=(own, *chart.lines))
    return replace(chart, lines=tuple(own if line.name == OWN else line for line in chart.lines))


def old_lines_kept(picture: LivePicture, chart: Chart) -> None:
    """Draw the lines of a chart but the person's own setting once, to have them below what
    own_picture() draws.
    """
    picture.keep_below(figures.frame_key(chart), partial(figures.frame, chart=chart), _below(chart))


def own_picture(picture: LivePicture, chart: Chart, own: Line, command: str) -> Drawing:
    """The person's own setting on the axes and over the other lines of a chart, on which it must
    have room (figures.has_room()); quicker than chart_picture(), since the lines are drawn once.
    """
    return picture.drawing(
        figures.frame_key(chart),
        partial(figures.frame, chart=chart),
        partial(figures.draw_own, chart, own),
        command,
        _below(chart),
    )


def _below(chart: Chart) -> Below:
    lines = tuple(line for line in chart.lines if line.name != OWN)
    return Below(lines, partial(figures.draw_others, chart))
