# SPDX-License-Identifier: GPL-2.0-only
"""The picture of a finding under the sliders, each kind of chart by its own drawing."""

from functools import partial

from krcsim.report import target_picture
from krcsim.report.chart import Chart
from krcsim.report.target_chart import TargetChart
from krcsim.widgets.chart_picture import chart_picture
from krcsim.widgets.live_picture import LivePicture


def finding_picture(picture: LivePicture, chart: Chart, command: str) -> bytes:
    """A chart as PNG, stamped with the command that makes its numbers again."""
    if not isinstance(chart, TargetChart):
        return chart_picture(picture, chart, command)

    return picture.png(
        target_picture.key_of(chart),
        partial(target_picture.frame, chart=chart),
        partial(target_picture.draw, chart=chart),
        command,
    )
