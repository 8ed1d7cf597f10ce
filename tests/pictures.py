# SPDX-License-Identifier: GPL-2.0-only
"""What stands in a figure, and which of its texts it cuts off."""

from __future__ import annotations

import itertools

from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

SLACK = 0.5  # pixels


def texts(fig: Figure) -> list[str]:
    """All that stands in a figure, each text in one line."""
    return [" ".join(text.get_text().split()) for text in _drawn(fig)]


def outside(fig: Figure) -> list[str]:
    """Texts that a figure cuts off."""
    renderer = FigureCanvasAgg(fig).get_renderer()
    fig.draw(renderer)
    cut = []
    for text in _drawn(fig):
        box = text.get_window_extent(renderer)
        too_low = min(box.x0, box.y0) < -SLACK
        if too_low or box.x1 > fig.bbox.x1 + SLACK or box.y1 > fig.bbox.y1 + SLACK:
            cut.append(text.get_text())
    return cut


def _drawn(fig: Figure) -> list[Text]:
    """Texts that are seen: a tick beyond the ends of its axis has a label, too, but is not."""
    beyond = {
        label
        for axis in fig.findobj(Axis)
        for tick in itertools.chain(axis.get_major_ticks(), axis.get_minor_ticks())
        if not _in_view(axis, tick.get_loc())
        for label in (tick.label1, tick.label2)
    }
    found = [text for text in fig.findobj(Text) if text not in beyond]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _in_view(axis: Axis, place: float) -> bool:
    low, high = sorted(axis.get_view_interval())
    return bool(low <= place <= high)
