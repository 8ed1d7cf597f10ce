# SPDX-License-Identifier: GPL-2.0-only
"""One episode of pressure on one CPU, event by event: what was held, who waited, which rule
applied.
"""

import textwrap
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from krcsim.report.style import plain, written

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from krcsim.base.csv_text import comment_lines, csv_text, nine_digits
from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole
from krcsim.engine.records import EVENTS
from krcsim.model.constants import milliseconds
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import data_folder, given
from krcsim.report import palette
from krcsim.report.figures import blank
from krcsim.runs.ladder import SEED, check_study
from krcsim.runs.replications import event_log

LANES = (
    "waiting callers",
    "stalls",
    "grace periods",
    "batches",
    "on the list",
    "in blocks",
    "pool",
    "page cache",
)
LANES_BEGIN = 0.19  # in parts of a picture's width
MOST_EVENTS = 2_000_000  # of a run, that are looked through
# Calm before and after an episode that is shown, too.
LEAST_MARGIN_MS = 60.0
MARGIN_SHARE = 0.12  # of the length of the episode

# Where a lane's bars and levels stand, in parts of its height.
BAR_FOOT = 0.15
BAR_HEIGHT = 0.6
LEVEL_FOOT = 0.1
LEVEL_HEIGHT = 0.75

Span = tuple[float, float]  # from, to; in ms


@dataclass(frozen=True)
class Event:
    """What happened when, and what its CPU held then (cpu -1: all CPUs, nothing is known)."""

    ms: float
    cpu: int
    what: str
    value: float
    nr_emergency: int
    cached: int
    room: int
    queued: int
    listed: int


COLUMNS = tuple(field.name for field in fields(Event))
HELD = COLUMNS[COLUMNS.index("nr_emergency") :]  # what a CPU held


@dataclass(frozen=True)
class Episode:
    """An episode of one replication as one CPU saw it, with `margin_ms` before and after."""

    scenario: Scenario
    seed: int
    replication: int
    number: int
    cpu: int
    begin_ms: float
    end_ms: float
    margin_ms: float
    events: tuple[Event, ...]

    @property
    def span(self) -> Span:
        """Begin and end of what is shown: the episode with its margin."""
        return self.begin_ms - self.margin_ms, self.end_ms + self.margin_ms

    @property
    def waits(self) -> tuple[Event, ...]:
        """The waits of the CPU that began in the episode."""
        return tuple(event for event in self.within() if event.what == "wait begins")

    def within(self) -> tuple[Event, ...]:
        """The events of the episode itself, without those of the margin."""
        return tuple(event for event in self.events if self.begin_ms <= event.ms <= self.end_ms)

    def __repr__(self) -> str:
        """The episode in a sentence."""
        return f"<Episode: {story(self)}>"

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        return written(episode_figure(self, story(self), ""), "png", bbox_inches="tight")


def one_episode(
    scenario: Scenario | str,
    seed: int = SEED,
    *,
    remedy: str = "",
    replication: int = 0,
    number: int = 1,
    cpu: int = 0,
) -> Episode:
    """Episode `number` (from 1) of a replication, seen from a CPU.

    Raises KrcsimError where there is none.
    """
    check_study(seed)
    for name, value in (("replication", replication), ("number", number), ("cpu", cpu)):
        check_whole(name, value, 2**31, "choose another")
    scenario = given(scenario)
    scenario = changed(scenario, remedy=remedy) if remedy else scenario
    refuse(
        not 0 <= cpu < scenario.machine.cpus,
        "cpu",
        cpu,
        f"0 to {scenario.machine.cpus - 1}",
        "choose a CPU of the scenario",
    )

    _, log, _ = event_log(scenario, seed, replication, events=MOST_EVENTS)
    begin, end = _ends_of(log, number, scenario)
    margin = max(LEAST_MARGIN_MS, MARGIN_SHARE * (end - begin))
    near = (log["at"] >= (begin - margin) * scenario.machine.hz / 1000) & (
        log["at"] <= (end + margin) * scenario.machine.hz / 1000
    )
    seen = log[near & ((log["cpu"] == cpu) | (log["cpu"] < 0))]
    events = tuple(_event(entry, scenario.machine.hz) for entry in seen)
    return Episode(scenario, seed, replication, number, cpu, begin, end, margin, events)


def _ends_of(log: Any, number: int, scenario: Scenario) -> Span:
    """Begin and end of an episode in a run's event log; the last one may last to the horizon."""
    begins = log[log["code"] == EVENTS.index("episode begins")]["at"]
    ends = log[log["code"] == EVENTS.index("episode ends")]["at"]
    if not 1 <= number <= len(begins):
        raise KrcsimError(
            f"this run of {scenario.horizon_ms:g} ms has {len(begins)} episodes, so none with "
            f"number {number}; choose another, or raise horizon_ms"
        )

    begin = milliseconds(float(begins[number - 1]), scenario.machine.hz)
    if number > len(ends):
        return begin, scenario.horizon_ms

    return begin, milliseconds(float(ends[number - 1]), scenario.machine.hz)


def _event(entry: Any, hz: int) -> Event:
    """An entry of the event log, its time in ms."""
    at = milliseconds(float(entry["at"]), hz)
    held = [int(entry[name]) for name in HELD]
    return Event(at, int(entry["cpu"]), EVENTS[entry["code"]], float(entry["value"]), *held)


@cache
def rules() -> dict[str, dict[str, str]]:
    """The rule of the kernel behind each kind of event: `rule` in words, `symbol` where it
    stands.
    """
    return tomllib.loads((data_folder() / "rules.toml").read_text(encoding="utf-8"))


def story(episode: Episode) -> str:
    """The episode in a sentence: its length, what failed, who waited."""
    count = Counter(event.what for event in episode.within())
    waits_ms = [event.value for event in episode.events if event.what == "wait ends"]
    mean = f", {sum(waits_ms) / len(waits_ms):.3g} ms on average" if waits_ms else ""
    return (
        f"Episode {episode.number} on CPU {episode.cpu}: "
        f"{episode.end_ms - episode.begin_ms:.4g} ms, "
        f"{count['page from cache']} pages came from the cache, "
        f"{count['rcu_head from pool']} objects from the pool, "
        f"{count['reclaim stall']} callers stalled in reclaim; "
        f"{len(episode.waits)} callers waited{mean}."
    )


def episode_csv(episode: Episode, about: Mapping[str, Any]) -> str:
    """The events drawn, a row each, under comment lines that say where they come from."""
    rows = (
        (
            nine_digits(event.ms),
            event.cpu,
            event.what,
            nine_digits(event.value),
            *(getattr(event, h) for h in HELD),
        )
        for event in episode.events
    )
    return comment_lines(about) + csv_text(COLUMNS, rows)


def frame(ax: Axes, *, episode: Episode, span: Span) -> None:
    """Draw a span (ms) of the episode: a lane each for what was held, in flight and held up."""
    left, right = span
    ax.get_figure(root=True).subplots_adjust(left=LANES_BEGIN)  # type: ignore[union-attr]
    ax.axvspan(episode.begin_ms, episode.end_ms, **palette.EPISODE_SPAN)
    _draw_levels(ax, episode, right)
    for lane, bars, look in _bars(episode, span):
        where = (LANES.index(lane) + BAR_FOOT, BAR_HEIGHT)
        ax.broken_barh([(begin, end - begin) for begin, end in bars], where, **look)

    ax.set(xlim=(left, right), ylim=(0, len(LANES)))
    ax.set_xlabel("ms since boot (grey: the episode of pressure)")
    ax.set_yticks([n + 0.45 for n in range(len(LANES))], LANES, **palette.LANE_NAMES)
    ax.hlines(range(1, len(LANES)), left, right, **palette.LANE_BORDERS)


def _draw_levels(ax: Axes, episode: Episode, right: float) -> None:
    """What the CPU held, a lane each, in parts of the largest number, which stands at its end."""
    seen = [event for event in episode.events if event.cpu >= 0]
    x = [event.ms for event in seen]
    held = {
        "on the list": [event.listed for event in seen],
        "pool": [event.nr_emergency for event in seen],
        "in blocks": [event.queued - event.listed for event in seen],
        "page cache": [event.cached for event in seen],
    }
    for name, counts in held.items():
        top = max([1, *counts])
        if name == "pool":
            top = max(1, episode.scenario.remedy.nr_emergency_objs)
        lane = LANES.index(name)
        foot = lane + LEVEL_FOOT
        y = [foot + LEVEL_HEIGHT * count / top for count in counts]
        if name in ("pool", "page cache"):  # a reserve keeps its level from event to event
            look = palette.RESERVE_LEVEL
            ax.step(x, y, where="post", **look)
        else:  # what is queued grows from call to call
            look = palette.QUEUE_LEVEL
            ax.plot(*_sawtooth(seen, x, y, foot), **look)

        label = palette.LEVEL_LABEL | {"color": look["color"]}
        ax.text(right, lane + 0.8, f"{top} ", **label)


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


def _bars(episode: Episode, span: Span) -> list[tuple[str, list[Span], palette.Look]]:
    """Lane, spans and look of what lasts."""
    stalls = [
        (event.ms, event.ms + event.value)
        for event in episode.events
        if event.what == "reclaim stall"
    ]
    waits = _paired(episode, "wait begins", "wait ends", span)
    grace_periods = _paired(episode, "grace period starts", "grace period ends", span)
    batches_wait = _paired(episode, "batch queued", "work starts", span)
    work = _paired(episode, "work starts", "work ends", span)
    return [
        ("waiting callers", waits, palette.BARS["wait"]),
        ("stalls", stalls, palette.BARS["reclaim stall"]),
        ("grace periods", grace_periods, palette.BARS["grace period"]),
        ("batches", batches_wait, palette.BARS["batch waits"]),
        ("batches", work, palette.BARS["batch is released"]),
    ]


def _paired(episode: Episode, first: str, last: str, span: Span) -> list[Span]:
    """Spans from each `first` to its `last`, first come first served; cut off at the edges."""
    left, right = span
    begun: list[float] = []
    spans = []
    for event in episode.events:
        if event.what == first:
            begun.append(event.ms)
        elif event.what == last:
            spans.append((begun.pop(0) if begun else left, event.ms))

    return spans + [(begin, right) for begin in begun]


@plain()
def episode_figure(episode: Episode, title: str, foot: str) -> Figure:
    """A whole figure: the episode, its story above, where it comes from at the foot."""
    fig, ax = blank(title, foot)
    frame(ax, episode=episode, span=episode.span)
    return fig


def text_of(episode: Episode, command: str, most: int = 40) -> str:
    """The episode as plain text for a list: the story, the events up to its first waits, the
    command.
    """
    waits = (n for n, event in enumerate(episode.events) if event.what == "wait begins")
    begin = max(0, next(waits, 0) - most // 2)
    lines = [_event_line(event) for event in episode.events[begin : begin + most]]
    head = textwrap.wrap("krcsim: " + story(episode), 72)
    return "\n".join([*head, "", *lines, "", "Made with:", command]) + "\n"


def _event_line(event: Event) -> str:
    """An event on a line of at most 72 columns."""
    line = f"{event.ms:10.3f} ms  {event.what}"
    if event.cpu >= 0:
        held = f"pages {event.cached}  pool {event.nr_emergency}  queued {event.queued}"
        line = f"{event.ms:10.3f} ms  {event.what:29} {held}"

    return line[:72].rstrip()
