# SPDX-License-Identifier: GPL-2.0-only
"""A chart as the picture under the sliders, with lines that are old or pinned."""

from dataclasses import replace
from functools import partial

from krcsim.report import figures
from krcsim.report.chart import Chart
from krcsim.widgets.live_picture import Drawing, LivePicture


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
