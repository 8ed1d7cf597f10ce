# SPDX-License-Identifier: GPL-2.0-only
"""Chart in, axes out; how far the axes go stands in axes.py, how the lines look in palette.py."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from krcsim.report.style import Picture, plain, written

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation, Transform

from krcsim.report import headings, labels, palette
from krcsim.report.axes import (
    FLOOR,
    bounds_fit,
    column_at,
    frame,
    frame_key,
    interval_end,
    limits,
    name_columns,
    share_of_strip,
    strip,
)
from krcsim.report.chart import (
    OWN,
    Chart,
    Line,
    chart_of,
    drawn_points,
    end_text,
    has_end,
    in_strip,
    plotted_height,
    point_text,
)
from krcsim.report.labels import Box, Label
from krcsim.report.sentences import situation
from krcsim.results.estimate import Estimate
from krcsim.results.result import Result, scenario_of

__all__ = ["FLOOR", "draw", "draw_labels", "figure_of", "frame", "frame_key", "limits", "strip"]

ROUGH = "~: order of magnitude only"
STAR = 3.5  # points: half of a star, but for its tips
WIDE_NAME = 0.4  # of the axes; the name of a point that is wider has rows
STEPS = 12  # marks on each segment of a line, which names next to points avoid


def _styles(chart: Chart) -> dict[str, palette.LineStyle]:
    """The look of each line but the person's own setting, by its name without that of a pin: a
    pinned line looks like the one it is compared with.
    """
    names = dict.fromkeys(_unpinned(line) for line in chart.lines)
    return {
        name: palette.line_style(rank) for rank, name in enumerate(n for n in names if n != OWN)
    }


def _unpinned(line: Line) -> str:
    return line.name.split(": ", 1)[-1]


def draw(chart: Chart, ax: Axes) -> list[Any]:
    """Draw the lines of a chart on axes that frame() set, with their names.

    Returns the artists.
    """
    return _draw_on_frame_of(chart, chart, ax)


def draw_others(chart: Chart, ax: Axes) -> list[Any]:
    """The same without the person's own setting, which draw_own() then draws.

    Returns the artists.
    """
    return _draw_on_frame_of(chart, _without_own(chart), ax)


def draw_own(chart: Chart, own: Line, ax: Axes) -> list[Any]:
    """Draw the person's own setting, which has_room(), on the axes of a chart, and its name where
    it lies on no name that draw_others() has drawn.

    Returns the artists.
    """
    others = _without_own(chart)
    ends, points, _ = _labels_of(ax, chart, others)
    marks = _marks(ax, chart, others)
    names = _labels_of(ax, chart, replace(chart, lines=(own,)))[1]
    taken = labels.boxes_at_ends(ax, ends, column_at(ax, chart))
    for artist in labels.beside_points(ax, points, marks, taken):
        artist.remove()  # drawn already; only its place is asked for
    lines = _draw_one(own, chart, ax)
    return [*lines, *labels.beside_points(ax, names, marks, taken)]


def has_room(chart: Chart, own: Line) -> bool:
    """Whether the person's own setting is a single point that fits on the axes of a chart."""
    left, right, low, high = limits(chart)
    if len(own.x) != 1 or not drawn_points(own):
        return False

    estimate = own.estimates[0]
    height = max(FLOOR, plotted_height(estimate))
    fits = OWN in strip(chart) if in_strip(estimate) else low < height < high
    return fits and left < own.x[0] < right


def _without_own(chart: Chart) -> Chart:
    return replace(chart, lines=tuple(line for line in chart.lines if line.name != OWN))


def _draw_on_frame_of(framed: Chart, drawn: Chart, ax: Axes) -> list[Any]:
    """Draw some of the lines of a chart on its axes, with their names."""
    lines = [artist for line in drawn.lines for artist in _draw_one(line, framed, ax)]
    return [*lines, *_draw_note(ax, framed), *_draw_labels(ax, framed, drawn)]


def _draw_one(line: Line, framed: Chart, ax: Axes) -> list[Any]:
    """One of the lines of a chart, on its axes."""
    places = strip(framed)
    lowest = limits(framed)[2] if places else FLOOR  # no interval reaches into the strip
    name = _unpinned(line)
    colour = palette.BLACK
    if name == OWN:
        artists = _draw_setting(line, ax, lowest)
    else:
        style = _styles(framed)[name]
        colour = style.colour
        artists = _draw_line(line, ax, lowest, style)
    return artists + (_draw_none_seen(line, ax, colour, places[name]) if name in places else [])


def _draw_note(ax: Axes, chart: Chart) -> list[Any]:
    """What ~ at a point says, at the foot of the axes."""
    if not _is_rough(chart):
        return []
    place = (0.01, 0.015 + share_of_strip(chart))
    return [ax.text(*place, ROUGH, transform=ax.transAxes, **palette.NOTE)]


def _is_rough(chart: Chart) -> bool:
    return any(estimate.kind == "rough" for line in chart.lines for estimate in line.estimates)


def draw_labels(ax: Axes, chart: Chart) -> list[Any]:
    """The names of lines where they end, those of single points next to them, and sizes at
    points, on axes that frame() set; none lies on another.

    Returns the artists.
    """
    return _draw_labels(ax, chart, chart)


def _draw_labels(ax: Axes, framed: Chart, drawn: Chart) -> list[Any]:
    ends, points, sizes = _labels_of(ax, framed, drawn)
    taken: list[Box] = []
    artists = labels.at_ends(ax, ends, column_at(ax, framed), taken)
    marks = _marks(ax, framed, drawn) if points else np.empty((0, 2))
    artists += labels.beside_points(ax, points, marks, taken)
    taken += _stars(ax, framed, drawn)
    return artists + labels.at_points(ax, sizes, taken)


def _labels_of(
    ax: Axes, framed: Chart, drawn: Chart
) -> tuple[list[Label], list[Label], list[Label]]:
    """The names of some lines of a chart that end, of single points, and sizes at points."""
    places = strip(framed)
    styles = _styles(framed)
    columns, with_bound = name_columns(ax, framed), bounds_fit(ax)
    ends, points, sizes = [], [], []
    for line in drawn.lines:
        name = _unpinned(line)
        colour = palette.BLACK if name == OWN else styles[name].colour
        at = drawn_points(line)
        if not at:
            continue

        look = palette.name_label(colour, line.look, name == OWN)
        x, _, estimate = at[-1]
        y = _height(estimate, places.get(name, math.nan))
        if has_end(line):
            reach = palette.SIZE_ASIDE + 10.0 if in_strip(estimate) else 6.0
            ends.append(Label(end_text(line, columns, with_bound), x, y, look, reach))
            sizes += _sizes(line, framed, places.get(name, math.nan), palette.size_label(colour))
        else:
            text = point_text(line)
            if labels.size_of(ax, text, look)[0] > WIDE_NAME * ax.bbox.width:
                text = point_text(line, columns)
            points.append(Label(text, x, y, look, 9.0 if name == OWN else 5.0))

    return ends, points, sizes


def _height(estimate: Estimate, in_strip_at: float) -> float:
    """Where a point stands: on the axis, or in the strip."""
    return in_strip_at if in_strip(estimate) else max(FLOOR, plotted_height(estimate))


def _sizes(line: Line, chart: Chart, in_strip_at: float, look: palette.Look) -> list[Label]:
    """The size of each point: above its interval, or in the strip to the right of its star; ~
    before it says: order of magnitude only.
    """
    if line.look not in palette.LARGE:
        return []

    above = look | {"ha": "center", "va": "bottom"}
    aside = look | {"ha": "left", "va": "center"}
    found = []
    for x, label, estimate in drawn_points(line):
        size = label if chart.bytes_axis else ""
        if in_strip(estimate):
            found.append(Label(size, x, in_strip_at, aside))
        else:
            top = interval_end(estimate, estimate.hi, FLOOR)
            y = top if math.isfinite(top) else _height(estimate, in_strip_at)
            found.append(Label("~" * (estimate.kind == "rough") + size, x, y, above))
    return [label for label in found if label.text]


def _stars(ax: Axes, framed: Chart, drawn: Chart) -> list[Box]:
    """Where stars stand in the strip: no size lies on one of them."""
    places = strip(framed)
    at = [
        (x, places[_unpinned(line)])
        for line in drawn.lines
        for x, _, estimate in drawn_points(line)
        if in_strip(estimate)
    ]
    half = labels.pixels(ax, STAR)
    centres: Any = ax.transData.transform(at) if at else []
    return [(x - half, y - half, x + half, y + half) for x, y in centres]


def _marks(ax: Axes, framed: Chart, drawn: Chart) -> labels.Points:
    """Points on some lines and stars of a chart, in pixels."""
    places = strip(framed)
    found = [np.empty((0, 2))]
    for line in drawn.lines:
        at = [
            (x, _height(estimate, places.get(_unpinned(line), math.nan)))
            for x, _, estimate in drawn_points(line)
        ]
        if not at:
            continue
        ends = ax.transData.transform(at)
        steps = np.linspace(0.0, 1.0, STEPS)[:, None, None]
        found += [ends, (ends[:-1] + steps * np.diff(ends, axis=0)).reshape(-1, 2)]
    return np.concatenate(found)


def _draw_none_seen(line: Line, ax: Axes, colour: str, y: float) -> list[Any]:
    """A hollow star in the strip for each point of a line at which no wait was seen."""
    places = [x for x, _, estimate in drawn_points(line) if in_strip(estimate)]
    look = palette.none_seen(colour, line.look)
    return [ax.add_artist(Line2D(places, [y] * len(places), **look))]


def _draw_line(line: Line, ax: Axes, lowest: float, style: palette.LineStyle) -> list[Any]:
    """Markers with a band of intervals."""
    dots = line.look == "dots"
    x = np.array(line.x)
    y = np.array([_height_on_axis(estimate) for estimate in line.estimates])
    place: Any = dict(transform=ax.transData)
    if dots:  # some points to the side: lines of equal heights hide nothing
        place = dict(transform=_moved(ax, palette.DOTS_ASIDE.get(style.marker, 0.0), 0.0))

    marks = Line2D(x, y, label=line.name, **palette.markers(style, line.look), **place)
    artists: list[Any] = [ax.add_artist(marks)]
    if line.look not in palette.LARGE:
        return artists

    low, high = _interval_ends(line, lowest)
    if not dots:
        is_there = np.isfinite(low) & np.isfinite(high)
        band = FillBetweenPolyCollection("x", x, low, high, where=is_there, **palette.band(style))
        artists.append(ax.add_collection(band, autolim=False))
    look = palette.interval(style)
    return [*artists, _draw_intervals(ax, x, low, high, look, place["transform"])]


def _draw_intervals(
    ax: Axes, x: Any, low: Any, high: Any, look: palette.Look, place: Transform
) -> Any:
    """The interval of each point, upright."""
    is_there = np.isfinite(low) & np.isfinite(high)
    ends = np.stack([np.column_stack([x, low]), np.column_stack([x, high])], axis=1)
    collection = LineCollection(list(ends[is_there]), transform=place, **look)
    return ax.add_collection(collection, autolim=False)


def _interval_ends(line: Line, lowest: float) -> tuple[Any, Any]:
    """The lower and the upper ends of the intervals of a line, nan where none is drawn."""
    ends = [
        (interval_end(estimate, estimate.lo, lowest), interval_end(estimate, estimate.hi, lowest))
        for estimate in line.estimates
    ]
    low, high = np.array(ends).T
    return low, high


def _moved(ax: Axes, right: float, up: float) -> Transform:
    """The place of the data, moved by so many points."""
    inches = cast(Figure, ax.get_figure(root=True)).dpi_scale_trans
    per_inch = labels.POINTS_PER_INCH
    return ax.transData + ScaledTranslation(right / per_inch, up / per_inch, inches)


def _draw_setting(line: Line, ax: Axes, lowest: float) -> list[Any]:
    """The person's own setting: a star in each place, with its interval."""
    look = palette.SETTING_INTERVAL | {"alpha": palette.STRENGTH[line.look]}
    low, high = _interval_ends(line, lowest)
    intervals = _draw_intervals(ax, np.array(line.x), low, high, look, ax.transData)
    heights = [_height_on_axis(estimate) for estimate in line.estimates]
    star = palette.setting(line.look, joined=len(heights) > 1)
    return [intervals, ax.add_artist(Line2D(line.x, heights, label=line.name, **star))]


def _height_on_axis(estimate: Estimate) -> float:
    """Where an estimate stands on the axis, nan if nowhere."""
    y = plotted_height(estimate)
    return y if math.isnan(y) else max(FLOOR, y)


@plain()
def figure_of(chart: Chart, situation: str = "", foot: str = "") -> Figure:
    """A whole figure of a chart: its finding and the situation above, where it comes from at
    the foot.
    """
    foot = f"{chart.note}\n{foot}".strip()
    fig, ax = headings.headed(chart.title, situation, foot, right=0.99)
    frame(ax, chart)
    draw(chart, ax)
    return fig


@plain()
def picture_of(result: Result, window: str | None = None) -> Picture:
    """The chart that fits a result as a picture for a notebook, its finding above; its `numbers`
    are the result.

    window: boot or steady, of results that have both.
    """
    chart = chart_of(result, window)
    foot = str(result.provenance.get("command") or "")
    return Picture(figure_of(chart, situation(scenario_of(result)), foot), chart.title, result)


def picture(fig: Figure, kind: str, provenance: Mapping[str, Any], dpi: int = 150) -> bytes:
    """A figure as png, svg or pdf bytes that carry their provenance; same input, same
    bytes.
    """
    text = "\n".join(f"{key}: {value}" for key, value in provenance.items())
    fields: dict[str, Any] = {
        "png": {"Description": text, "Software": "krcsim"},
        "svg": {"Description": text, "Creator": "krcsim"},
        "pdf": {"Subject": text, "Creator": "krcsim"},
    }
    metadata = {"Title": "krcsim"} | fields.get(kind, {})
    return written(fig, kind, metadata, dpi=dpi, bbox_inches="tight")
