# SPDX-License-Identifier: GPL-2.0-only
"""A chart as the picture under the sliders, with lines that are old or pinned."""

from dataclasses import replace
from functools import partial

from matplotlib.axes import Axes

from krcsim.report import figures, palette
from krcsim.report.chart import Chart, names_in_strip
from krcsim.widgets.live_picture import Drawing, LivePicture


def with_look(chart: Chart, look: str) -> Chart:
    """The same chart with all lines as they look when they are old (dimmed) or pinned."""
    return replace(chart, lines=tuple(replace(line, look=look) for line in chart.lines))


def chart_picture(picture: LivePicture, chart: Chart, command: str) -> Drawing:
    """A chart as a picture, stamped with the command that makes its numbers again."""
    names = tuple(line.name for line in chart.lines)
    key = (figures.limits(chart), names_in_strip(chart), names)
    return picture.drawing(
        key, partial(draw_frame, chart=chart), partial(figures.draw, chart), command
    )


def draw_frame(axes: Axes, *, chart: Chart) -> None:
    """Axes as a figure has them, with a legend of all lines but pins, and without the lines.

    The frame outlives the lines that are dimmed, so its legend shows each as it looks at last.
    """
    figures.frame(axes, chart)

    lines = []
    for line in chart.lines:
        is_pin = ": " in line.name
        look = "pin" if is_pin else "dots" if line.look == "dots" else "now"
        lines.append(replace(line, look=look))

    artists = figures.draw(replace(chart, lines=tuple(lines)), axes)
    names = {line.name for line in lines if line.look != "pin"}
    pins = sorted({line.name.split(": ")[0] for line in lines if line.look == "pin"})
    axes.legend(
        handles=[artist for artist in artists if artist.get_label() in names],
        loc="upper right",
        ncols=2,
        **palette.LEGEND_UNDER_SLIDERS,
        title=f"pinned, thin: {', '.join(pins)}" if pins else None,
    )

    for artist in artists:
        artist.remove()
