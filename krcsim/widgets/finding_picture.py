# SPDX-License-Identifier: GPL-2.0-only
"""The picture of a finding under the sliders, each kind of chart by its own drawing."""

from functools import partial
from typing import Any

from krcsim.report import exact_picture, kernels_picture, target_picture
from krcsim.report.chart import Chart
from krcsim.report.exact_chart import ExactChart
from krcsim.report.kernels_chart import KernelsChart
from krcsim.report.target_chart import TargetChart
from krcsim.widgets.chart_picture import chart_picture
from krcsim.widgets.live_picture import Drawing, LivePicture


def finding_picture(picture: LivePicture, chart: Chart, command: str) -> Drawing:
    """A chart as a picture, stamped with the command that makes its numbers again."""
    key: Any
    if isinstance(chart, TargetChart):
        key = target_picture.key_of(chart)
        frame: Any = partial(target_picture.frame, chart=chart)
        draw: Any = partial(target_picture.draw, chart=chart)
    elif isinstance(chart, ExactChart):
        key = exact_picture.key_of(chart)
        frame = partial(exact_picture.frame, chart=chart)
        draw = partial(exact_picture.draw, chart=chart)
    elif isinstance(chart, KernelsChart):
        key = kernels_picture.key_of(chart)
        frame = partial(kernels_picture.frame, chart=chart)
        draw = partial(kernels_picture.draw, chart=chart)
    else:
        return chart_picture(picture, chart, command)
    return picture.drawing(key, frame, draw, command)
