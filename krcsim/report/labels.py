# SPDX-License-Identifier: GPL-2.0-only
"""Words in a picture that lie neither on each other nor outside: names where lines end, names
next to points, and sizes above points.

Boxes are (left, bottom, right, top) in pixels of the figure. What is placed is kept in parts of
the axes, so that it holds at another resolution, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from krcsim.report.style import figure

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

from krcsim.report.palette import SIZE_ABOVE, SIZE_ASIDE, Look, leader

Box = tuple[float, float, float, float]
Points = NDArray[np.float64]  # [point, x or y], pixels

POINTS_PER_INCH = 72.0
GAP = 2.0  # pixels between two labels
FROM_LEFT = {"ha": "left", "va": "center"}
# Where a name next to a point is tried: right, left, above, below, then the corners; with the
# share of its width and height by which it is moved back.
SIDES = (
    (1.0, 0.0, 0.0, 0.5),
    (-1.0, 0.0, 1.0, 0.5),
    (0.0, 1.0, 0.5, 0.0),
    (0.0, -1.0, 0.5, 1.0),
    (0.8, 0.8, 0.0, 0.0),
    (0.8, -0.8, 0.0, 1.0),
    (-0.8, 0.8, 1.0, 0.0),
    (-0.8, -0.8, 1.0, 1.0),
)
DISTANCES = (3.0, 13.0, 27.0, 45.0, 67.0, 95.0, 130.0, 175.0)  # points from the mark
NEAR = 45.0  # points; a name within needs no leader


@dataclass(frozen=True)
class Label:
    """A text for the point (x, y) of the data, and how it looks."""

    text: str
    x: float
    y: float
    look: Look
    reach: float = 5.0  # how far its mark reaches, in points


@lru_cache
def _sheet(dpi: float) -> tuple[Figure, RendererAgg]:
    """A figure to measure on."""
    fig = figure(1.0, 1.0, dpi)
    return fig, cast(FigureCanvasAgg, fig.canvas).get_renderer()


@lru_cache(maxsize=4096)
def _size(
    text: str, points: float, weight: str, dpi: float, _fonts: tuple[str, ...]
) -> tuple[float, float]:
    """Width and height of a text of one or more lines, in pixels."""
    fig, renderer = _sheet(dpi)
    measured = Text(0.0, 0.0, text, fontsize=points, fontweight=weight)
    measured.set_figure(fig)
    box = measured.get_window_extent(renderer)
    return float(box.width), float(box.height)


def dots_per_inch(ax: Axes) -> float:
    """The resolution of the figure of some axes."""
    return cast(Figure, ax.get_figure(root=True)).dpi


def size_of(ax: Axes, text: str, look: Look) -> tuple[float, float]:
    """Width and height of a text on axes, in pixels."""
    weight, fonts = look.get("fontweight", "normal"), tuple(rcParams["font.family"])
    return _size(text, look["fontsize"], weight, dots_per_inch(ax), fonts)


def pixels(ax: Axes, points: float) -> float:
    """So many points in pixels."""
    return points * dots_per_inch(ax) / POINTS_PER_INCH


def overlaps(box: Box, taken: Iterable[Box], gap: float = GAP) -> bool:
    """Whether a box lies on one of others, or nearer than a gap."""
    left, bottom, right, top = box
    return any(
        left < other[2] + gap
        and other[0] < right + gap
        and bottom < other[3] + gap
        and other[1] < top + gap
        for other in taken
    )


def apart(
    wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> list[float]:
    """Centres of boxes on a pole, each as near as can be to where it is wanted, none on another.

    All in pixels; the order is that of what is wanted. They lie between low and high, unless they
    are higher together.
    """
    order = sorted(range(len(wanted)), key=lambda n: (wanted[n], n))
    # Neighbours that would touch are a group, which stands around the mean of its wishes.
    groups: list[tuple[float, float, list[int]]] = []  # centre, height, members
    for n in order:
        height = heights[n] + GAP
        group = (_within(wanted[n], height, low, high), height, [n])
        while groups and groups[-1][0] + groups[-1][1] / 2 > group[0] - group[1] / 2:
            below = groups.pop()
            members = below[2] + group[2]
            middle = (below[0] * len(below[2]) + group[0] * len(group[2])) / len(members)
            height = below[1] + group[1]
            group = (_within(middle, height, low, high), height, members)
        groups.append(group)

    centres = [0.0] * len(wanted)
    for middle, height, members in groups:
        at = middle - height / 2
        for n in members:
            centres[n] = at + (heights[n] + GAP) / 2
            at += heights[n] + GAP
    return centres


def _within(middle: float, height: float, low: float, high: float) -> float:
    """The middle of a box of some height, moved so that it lies between two ends."""
    return max(low + height / 2, min(high - height / 2, middle))


def _text(ax: Axes, box: Box, label: Label) -> Any:
    """A label whose left edge and middle are those of a box."""
    x, y = _in_axes(ax, box[0], (box[1] + box[3]) / 2)
    return ax.text(x, y, label.text, transform=ax.transAxes, **(label.look | FROM_LEFT))


def _in_axes(ax: Axes, x: float, y: float) -> tuple[float, float]:
    """A place in the figure in parts of the axes."""
    place = ax.bbox
    return (x - place.x0) / place.width, (y - place.y0) / place.height


def _leader(ax: Axes, begin: Any, end: Any, look: Look) -> Any:
    """A thin line from a mark to its name."""
    xs, ys = zip(_in_axes(ax, *begin), _in_axes(ax, *end), strict=True)
    return ax.add_artist(Line2D(xs, ys, transform=ax.transAxes, **leader(look)))


def boxes_at_ends(ax: Axes, labels: Sequence[Label], left: float) -> list[Box]:
    """Where at_ends() puts names of lines: in a column that begins at `left`, or somewhat before,
    where a name would be cut off by the edge of a small figure.
    """
    if not labels:
        return []

    ends = ax.transData.transform([(label.x, label.y) for label in labels])
    sizes = [size_of(ax, label.text, label.look) for label in labels]
    left = min(left, ax.figure.bbox.x1 - max(width for width, _ in sizes))
    centres = apart([y for _, y in ends], [height for _, height in sizes], ax.bbox.y0, ax.bbox.y1)
    return [
        (left, y - height / 2, left + width, y + height / 2)
        for (width, height), y in zip(sizes, centres, strict=True)
    ]


def at_ends(ax: Axes, labels: Sequence[Label], left: float, taken: list[Box]) -> list[Any]:
    """Names of lines in a column that begins at `left` (pixels), each at the height of its line's
    end; where it is not next to it a thin leader goes there.
    """
    boxes = boxes_at_ends(ax, labels, left)
    taken += boxes
    artists: list[Any] = []
    for label, box in zip(labels, boxes, strict=True):
        end = ax.transData.transform((label.x, label.y))
        y = (box[1] + box[3]) / 2
        away = abs(end[1] - y) > (box[3] - box[1]) / 2 or box[0] - end[0] > pixels(ax, NEAR)
        if away:
            begin = (end[0] + pixels(ax, label.reach), end[1])
            artists.append(_leader(ax, begin, (box[0] - pixels(ax, 3.0), y), label.look))
        artists.append(_text(ax, box, label))
    return artists


def beside_points(ax: Axes, labels: Sequence[Label], marks: Points, taken: list[Box]) -> list[Any]:
    """Names next to their points, where they lie on no other label and on few marks; one that
    finds a place only farther away has a leader.
    """
    artists: list[Any] = []
    for label in labels:
        point = ax.transData.transform((label.x, label.y))
        width, height = size_of(ax, label.text, label.look)
        best: tuple[float, Box] | None = None
        for rank, points in enumerate(DISTANCES):
            distance = pixels(ax, label.reach + points)
            for dx, dy, back_x, back_y in SIDES:
                left = point[0] + dx * distance - back_x * width
                bottom = point[1] + dy * distance - back_y * height
                box = (left, bottom, left + width, bottom + height)
                if not _lies_in(box, ax) or overlaps(box, taken):
                    continue
                cost = 3.0 * rank + _hits(box, marks)
                if best is None or cost < best[0]:
                    best = (cost, box)
            if best and best[0] <= 3.0 * (rank + 1):
                break

        if best is None:
            continue
        box = best[1]
        taken.append(box)
        nearest = (
            min(max(point[0], box[0]), box[2]),
            min(max(point[1], box[1]), box[3]),
        )
        if np.hypot(*(point - nearest)) > pixels(ax, label.reach + DISTANCES[1]):
            artists.append(_leader(ax, point, nearest, label.look))
        artists.append(_text(ax, box, label))
    return artists


def at_points(ax: Axes, labels: Sequence[Label], taken: list[Box]) -> list[Any]:
    """Texts above points or to their right, as their looks say; one that would lie on another is
    left out.
    """
    if not labels:
        return []

    artists = []
    places = ax.transData.transform([(label.x, label.y) for label in labels])
    for label, (x, y) in zip(labels, places, strict=True):
        width, height = size_of(ax, label.text, label.look)
        if label.look["ha"] == "center":
            left, bottom = x - width / 2, y + pixels(ax, SIZE_ABOVE)
        else:
            left, bottom = x + pixels(ax, SIZE_ASIDE), y - height / 2
        box = (left, bottom, left + width, bottom + height)
        if overlaps(box, taken, gap=0.0) or not _lies_in(box, ax):
            continue
        taken.append(box)
        artists.append(_text(ax, box, label))
    return artists


def _lies_in(box: Box, ax: Axes) -> bool:
    """Whether a box lies within the axes."""
    left, bottom, right, top = box
    inside = ax.bbox
    return bool(
        left >= inside.x0 and bottom >= inside.y0 and right <= inside.x1 and top <= inside.y1
    )


def _hits(box: Box, marks: Points) -> int:
    """How many marks lie in a box."""
    if not len(marks):
        return 0
    x, y = marks.T
    return int(((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])).sum())
