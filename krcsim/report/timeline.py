# SPDX-License-Identifier: GPL-2.0-only
"""One episode of pressure drawn: a row each for who waits, the reserve, what is queued, and grace
periods.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from krcsim.report.style import figure, plain

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from krcsim.report import headings, palette
from krcsim.report.episode import Episode, Event, Span
from krcsim.report.episode_words import finding, key_events, situation_of
from krcsim.report.event_sentences import counted, in_ms, sentence
from krcsim.report.labels import pixels

# From the bottom up; a row is 1 high.
ROWS = ("in flight", "queued", "reserve", "callers")
CAPTION = 0.19  # of the height of the rows, above them, for the sentence of an event
NAMES = 1.16  # inches, for the names of the rows
LETTER = 0.58  # the width of a letter, in parts of its size
# Grace periods are drawn where they can be told apart: at most so many in a picture.
MOST_GRACE_PERIODS = 60

# Where the bars and levels of a row stand, in parts of its height.
LOWER, UPPER = (0.08, 0.36), (0.52, 0.36)  # foot and height
WHOLE = (0.14, 0.68)
STACKED = 0.88  # of a layer's height, where several last at once


@dataclass(frozen=True)
class Bars:
    """What lasts, in a part of a row, with its name beside it; what lasts at once is stacked."""

    row: str
    name: str
    place: tuple[float, float]  # foot and height
    layers: tuple[tuple[Span, ...], ...]
    look: palette.Look


@dataclass(frozen=True)
class Level:
    """What a CPU held, in parts of `most`, with its name beside the row.

    A reserve keeps its level from event to event; what is queued grows from call to call.
    """

    row: str
    name: str
    counts: tuple[int, ...]
    most: int
    look: palette.Look
    is_queue: bool = False
    is_filled: bool = False


def since_begin(episode: Episode, ms: float) -> float:
    """A time since boot as one since the episode began, ms."""
    return ms - episode.begin_ms


def left_edge(width: float) -> float:
    """Where the axes begin in a picture of a width in inches, in parts of it."""
    return NAMES / max(2.0 * NAMES, width)


def frame(ax: Axes, *, episode: Episode, span: Span) -> None:
    """Draw a span (ms since boot) of the episode, a row each for who waits, what is held and what
    is in flight.
    """
    left, right = (since_begin(episode, ms) for ms in span)
    fig: Any = ax.get_figure(root=True)
    fig.subplots_adjust(left=left_edge(fig.get_figwidth()))

    drawn: list[Bars | Level] = [*_bars(episode, span), *levels(episode)]
    rows = [row for row in ROWS if any(part.row == row for part in drawn)]
    for part in drawn:
        foot = rows.index(part.row)
        if isinstance(part, Bars):
            _draw_bars(ax, episode, part, foot)
        else:
            _draw_level(ax, episode, part, foot)

    for foot, row in enumerate(rows):
        _name_row(ax, foot, [part for part in drawn if part.row == row])
    top = len(rows) * (1.0 + CAPTION)
    length_ms = episode.end_ms - episode.begin_ms
    ax.axvspan(0.0, length_ms, ymax=len(rows) / top, **palette.EPISODE_SPAN)
    ax.set(xlim=(left, right), ylim=(0, top), yticks=[])
    ax.set_xlabel("ms since the episode began (grey: while it lasts)")
    ax.hlines(range(1, len(rows) + 1), left, right, **palette.ROW_BORDERS)


def _draw_bars(ax: Axes, episode: Episode, bars: Bars, row: int) -> None:
    """What lasts, in its row, from the foot up."""
    foot, height = bars.place
    step = height / len(bars.layers)
    for rank, spans in enumerate(bars.layers):
        ranges = [(since_begin(episode, begin), end - begin) for begin, end in spans]
        ax.broken_barh(ranges, (row + foot + rank * step, STACKED * step), **bars.look)


def _name_row(ax: Axes, row: int, parts: list[Bars | Level]) -> None:
    """What is drawn in a row, beside it, each name in its own colour."""
    step = 0.9 / max(1, len(parts))
    for rank, part in enumerate(parts):
        y = row + 0.95 - step * (rank + 0.5)
        colour = part.look["color"] if isinstance(part, Level) else part.look["facecolors"]
        where = ax.get_yaxis_transform()
        ax.text(-0.012, y, part.name, transform=where, **palette.row_name(colour))


def levels(episode: Episode) -> list[Level]:
    """What the CPU held: the pool or else the cached pages, and what is queued."""
    seen = _seen(episode)
    remedy = episode.scenario.remedy
    pool = tuple(event.nr_emergency for event in seen)
    cached = tuple(event.cached for event in seen)
    blocks = tuple(event.in_blocks for event in seen)
    listed = tuple(event.listed for event in seen)

    found = []
    if remedy.nr_emergency_objs:
        size = remedy.nr_emergency_objs
        name = f"pool\n0 to {counted(size, 'object')}"
        found.append(Level("reserve", name, pool, size, palette.RESERVE_LEVEL))
    elif remedy.array_path:
        most = max([1, *cached])
        name = f"cached\n0 to {counted(most, 'page')}"
        found.append(Level("reserve", name, cached, most, palette.RESERVE_LEVEL))

    most = max([1, *blocks, *listed])
    for name, counts, look in (
        ("queued in blocks", blocks, palette.QUEUE_LEVEL),
        ("queued on the list", listed, palette.LIST_LEVEL),
    ):
        if any(counts):
            words = f"{name}\n0 to {max(counts):,}"
            is_filled = counts is listed
            found.append(Level("queued", words, counts, most, look, True, is_filled))
    return found


def _seen(episode: Episode) -> list[Event]:
    """The events that know what the CPU held."""
    return [event for event in episode.events if event.cpu >= 0]


def _draw_level(ax: Axes, episode: Episode, level: Level, row: int) -> None:
    """A level in its row, in parts of its largest number."""
    seen = _seen(episode)
    foot, height = WHOLE
    foot += row
    x = [since_begin(episode, event.ms) for event in seen]
    y = [foot + height * count / level.most for count in level.counts]
    if level.is_filled:
        xs, ys = _sawtooth(seen, x, y, foot)
        ax.fill_between(xs, foot, ys, **level.look)
    elif level.is_queue:
        ax.plot(*_sawtooth(seen, x, y, foot), **level.look)
    else:
        ax.step(x, y, where="post", **level.look)


def _sawtooth(
    seen: list[Event], x: list[float], y: list[float], foot: float
) -> tuple[list[float], list[float]]:
    """Points of what is queued: it grows with the calls, and falls when a batch takes it."""
    xs: list[float] = []
    ys: list[float] = []
    following = [*y[1:], foot]
    for n, event in enumerate(seen):
        xs.append(x[n])
        ys.append(y[n])
        if event.what in ("batch queued", "joined a pending batch"):
            xs.append(x[n])
            ys.append(foot if following[n] < y[n] else y[n])

    return xs, ys


def _bars(episode: Episode, span: Span) -> list[Bars]:
    """What lasts: waits and stalls of callers; grace periods and batches that wait for one, unless
    there are too many.
    """
    stalls = tuple(
        (event.ms, event.ms + event.value)
        for event in episode.events
        if event.what == "reclaim stall"
    )
    waits = layers(_paired(episode, "wait begins", "wait ends", span))
    looks = palette.BARS
    name = "callers that wait"
    name += f"\nup to {len(waits):,} at once" * (len(waits) > 1)
    found = [Bars("callers", name, UPPER if stalls else WHOLE, waits, looks["wait"])]
    if stalls:
        look = looks["reclaim stall"]
        found.append(Bars("callers", "callers that stall", LOWER, (stalls,), look))

    grace_periods = _paired(episode, "grace period starts", "grace period ends", span)
    left, right = span
    if sum(begin < right and end > left for begin, end in grace_periods) <= MOST_GRACE_PERIODS:
        batches = _paired(episode, "batch queued", "work starts", span)
        look = looks["grace period"]
        found += [
            Bars("in flight", "grace periods", UPPER, (grace_periods,), look),
            Bars(
                "in flight", "batches that\nwait for one", LOWER, (batches,), looks["batch waits"]
            ),
        ]
    return found


def layers(spans: Iterable[Span]) -> tuple[tuple[Span, ...], ...]:
    """Spans in as few layers as it takes, so that none in a layer overlap; at least one layer."""
    found: list[list[Span]] = [[]]
    for begin, end in sorted(spans):
        free = next((layer for layer in found if not layer or layer[-1][1] <= begin), None)
        if free is None:
            found.append([(begin, end)])
        else:
            free.append((begin, end))
    return tuple(map(tuple, found))


def _paired(episode: Episode, first: str, last: str, span: Span) -> tuple[Span, ...]:
    """Spans from each `first` to its `last`, first come first served; cut off at the edges."""
    left, right = span
    begun: list[float] = []
    spans = []
    for event in episode.events:
        if event.what == first:
            begun.append(event.ms)
        elif event.what == last:
            spans.append((begun.pop(0) if begun else left, event.ms))

    return (*spans, *((begin, right) for begin in begun))


def event_in_words(episode: Episode, number: int) -> str:
    """When an event was, since the episode began, and its sentence."""
    ms = since_begin(episode, episode.events[number].ms)
    when = in_ms(ms) if ms >= 0 else f"{in_ms(-ms)} before"
    return f"{when}: {sentence(episode, number)}"


def draw_event(ax: Axes, episode: Episode, number: int) -> list[Artist]:
    """A line at an event, and its sentence above the rows; returns the artists."""
    left, right = ax.get_xlim()
    _, top = ax.get_ylim()
    rows_end = top / (1.0 + CAPTION)
    ms = since_begin(episode, episode.events[number].ms)
    line = ax.plot([ms, ms], [0.0, rows_end], **palette.EVENT_CURSOR)
    room = 0.97 * ax.bbox.width / pixels(ax, LETTER * palette.EVENT_LABEL["fontsize"])
    words = fill(event_in_words(episode, number), int(room))
    at = left + 0.008 * (right - left)
    return [*line, ax.text(at, (rows_end + top) / 2, words, **palette.EVENT_LABEL)]


@plain()
def episode_figure(episode: Episode, foot: str = "") -> Figure:
    """A whole figure: the finding, whose setting it is, the episode, its key events in sentences,
    and where it comes from at the foot.
    """
    fig = figure(8.0, 5.0)
    ax = fig.add_subplot()
    frame(ax, episode=episode, span=episode.span)
    told = key_events(episode)
    _number_events(ax, episode, told)

    top = headings.head(fig, finding(episode), situation_of(episode))
    fig.subplots_adjust(right=0.97, top=top - 0.02, bottom=0.36)
    y = 0.245
    for rank, number in enumerate(told, 1):
        lines = fill(event_in_words(episode, number), 122)
        fig.text(headings.LEFT, y, f"{rank}", **palette.EVENT_NUMBER)
        fig.text(0.045, y, lines, **palette.EVENT_SENTENCE)
        y -= 0.032 * (lines.count("\n") + 1) + 0.008
    headings.foot(fig, foot)
    return fig


def _number_events(ax: Axes, episode: Episode, told: list[int]) -> None:
    """A number above the rows for each event that is told, apart from its neighbours."""
    left, right = ax.get_xlim()
    _, top = ax.get_ylim()
    rows_end = top / (1.0 + CAPTION)
    apart = 0.03 * (right - left)
    at = left
    for rank, number in enumerate(told, 1):
        ms = since_begin(episode, episode.events[number].ms)
        at = max(ms, at + apart)
        height = rows_end + 0.35 * (top - rows_end)
        ax.plot([ms, ms, at], [0.0, rows_end, height], **palette.EVENT_LEADER)
        ax.text(at, (rows_end + top) / 2, f"{rank}", **palette.EVENT_NUMBER_MARK)
