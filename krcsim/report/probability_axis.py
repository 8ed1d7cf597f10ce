# SPDX-License-Identifier: GPL-2.0-only
"""An axis of probabilities as counts in whole decades, and the room that axes leave for what
stands beside and below them.
"""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from krcsim.report import palette
from krcsim.report.axes import BESIDE_AXES, in_counts
from krcsim.report.labels import pixels, size_of

MOST_TICKS = 8
RIGHT = 16.0  # points beside the axes, for the half of a tick label


def set_decades(ax: Axes, first: int, last: int, most: int = MOST_TICKS) -> list[str]:
    """Ticks at powers of ten, which are counts: 1 in 1,000; returns their texts."""
    step = math.ceil((last - first + 1) / most)
    places = [10.0**power for power in range(first, last + 1, step)]
    ax.yaxis.set(
        major_locator=FixedLocator(places),
        major_formatter=FuncFormatter(in_counts),
        minor_locator=NullLocator(),
    )
    return [in_counts(place) for place in places]


def leave_room(ax: Axes, texts: list[str], below: float) -> None:
    """Move the left edge of axes so that these tick labels fit, and the lower one so that `below`
    points fit.
    """
    fig: Any = ax.get_figure(root=True)
    tick = palette.Look(fontsize=palette.TICKS["labelsize"])
    widest = max(size_of(ax, text.replace("$", ""), tick)[0] for text in texts)
    place = ax.get_position()
    left = (widest + pixels(ax, BESIDE_AXES)) / fig.bbox.width
    bottom = max(place.y0, pixels(ax, below) / fig.bbox.height)
    right = min(place.x1, 1.0 - pixels(ax, RIGHT) / fig.bbox.width)
    ax.set_position((left, bottom, right - left, place.y1 - bottom))
    ax.tick_params(**palette.TICKS)
    ax.spines[["top", "right"]].set_visible(False)
