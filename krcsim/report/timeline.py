# SPDX-License-Identifier: GPL-2.0-only
"""One episode of pressure on one CPU, event by event: what was held, who waited, which rule
fired.
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

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole
from krcsim.engine.codes import EVENTS
from krcsim.model.constants import milliseconds
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import data_folder, given
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
LEFT = 0.19  # where the lanes begin, in parts of a picture's width
ROOM = 2_000_000  # events
_BLUE, _RED, _GREEN, _ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"


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


COLUMNS = tuple(f.name for f in fields(Event))


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
    def waits(self) -> tuple[Event, ...]:
        """The waits of the CPU that began in the episode."""
        return tuple(
            e
            for e in self.events
            if e.what == "wait begins" and self.begin_ms <= e.ms <= self.end_ms
        )

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
    """Episode `number` (from 1) of a replication, seen from a CPU; raises KrcsimError where there
    is none.
    """
    check_study(seed)
    for name, value in (("replication", replication), ("number", number), ("cpu", cpu)):
        check_whole(name, value, 2**31, "choose another")
    s = given(scenario)
    s = changed(s, remedy=remedy) if remedy else s
    refuse(
        not 0 <= cpu < s.machine.cpus,
        "cpu",
        cpu,
        f"0 to {s.machine.cpus - 1}",
        "choose a CPU of the scenario",
    )
    _, log, _ = event_log(s, seed, replication, events=ROOM)
    begins, ends = (
        log[log["code"] == EVENTS.index(f"episode {what}")]["at"] for what in ("begins", "ends")
    )
    if not 1 <= number <= len(begins):
        raise KrcsimError(
            f"this run of {s.horizon_ms:g} ms has {len(begins)} episodes, so none with number "
            f"{number}; "
            "choose another, or raise horizon_ms"
        )
    hz = s.machine.hz
    begin = milliseconds(float(begins[number - 1]), hz)
    end = milliseconds(float(ends[number - 1]), hz) if number <= len(ends) else s.horizon_ms
    margin = max(60.0, 0.12 * (end - begin))
    near = (log["at"] >= (begin - margin) * hz / 1000) & (log["at"] <= (end + margin) * hz / 1000)
    log = log[near & ((log["cpu"] == cpu) | (log["cpu"] < 0))]
    events = tuple(
        Event(
            milliseconds(float(e["at"]), hz),
            int(e["cpu"]),
            EVENTS[e["code"]],
            float(e["value"]),
            *(int(e[name]) for name in COLUMNS[4:]),
        )
        for e in log
    )
    return Episode(s, seed, replication, number, cpu, begin, end, margin, events)


@cache
def rules() -> dict[str, dict[str, str]]:
    """The rule of the kernel behind each kind of event: `rule` in words, `symbol` where it
    stands.
    """
    return tomllib.loads((data_folder() / "rules.toml").read_text(encoding="utf-8"))


def story(episode: Episode) -> str:
    """The episode in a sentence: its length, what failed, who waited."""
    count = Counter(e.what for e in episode.events if episode.begin_ms <= e.ms <= episode.end_ms)
    lengths = [e.value for e in episode.events if e.what == "wait ends"]
    mean = f", {sum(lengths) / len(lengths):.3g} ms on average" if lengths else ""
    waited = f"{len(episode.waits)} callers waited{mean}"
    return (
        f"Episode {episode.number} on CPU {episode.cpu}: {episode.end_ms - episode.begin_ms:.4g} "
        "ms, "
        f"{count['page from cache']} pages came from the cache, {count['rcu_head from pool']} "
        "objects from the pool, "
        f"{count['reclaim stall']} callers stalled in reclaim; {waited}."
    )


def csv_of(episode: Episode, about: Mapping[str, Any]) -> str:
    """The events drawn, a row each, under comment lines that say where they come from."""
    head = [f"# {line}" for k, v in about.items() for line in f"{k}: {v}".splitlines()]
    rows = [
        ",".join(
            f"{getattr(e, c):.9g}" if c in ("ms", "value") else str(getattr(e, c)) for c in COLUMNS
        )
        for e in episode.events
    ]
    return "\n".join([*head, ",".join(COLUMNS), *rows, ""])


def whole(episode: Episode) -> tuple[float, float]:
    """From a margin before the episode to a margin behind it, in ms."""
    return episode.begin_ms - episode.margin_ms, episode.end_ms + episode.margin_ms


def frame(ax: Axes, *, episode: Episode, span: tuple[float, float]) -> None:
    """Draw a span (ms) of the episode: a lane each for what was held, in flight and held up."""
    left, right = span
    ax.get_figure(root=True).subplots_adjust(left=LEFT)  # type: ignore[union-attr]
    own = [e for e in episode.events if e.cpu >= 0]
    ax.axvspan(episode.begin_ms, episode.end_ms, color="#888888", alpha=0.15, lw=0)
    tops = {
        "on the list": max([1, *(e.listed for e in own)]),
        "pool": max(1, episode.scenario.remedy.nr_emergency_objs),
        "in blocks": max([1, *(e.queued - e.listed for e in own)]),
        "page cache": max([1, *(e.cached for e in own)]),
    }
    get: dict[str, Any] = {
        "page cache": lambda e: e.cached,
        "pool": lambda e: e.nr_emergency,
        "in blocks": lambda e: e.queued - e.listed,
        "on the list": lambda e: e.listed,
    }
    for name, top in tops.items():
        lane, x = LANES.index(name), [e.ms for e in own]
        y = [lane + 0.1 + 0.75 * get[name](e) / top for e in own]
        held = name in ("pool", "page cache")  # levels keep; what is queued grows from call to call
        colour = _ORANGE if held else _BLUE
        if held:
            ax.step(x, y, where="post", color=colour, lw=1.2)
        else:
            ax.plot(*_sawtooth(own, x, y, lane + 0.1), color=colour, lw=1.2)
        ax.text(right, lane + 0.8, f"{top} ", fontsize=6.5, ha="right", va="top", color=colour)
    for lane, bars, colour, hatch in _bars(episode, left, right):
        ax.broken_barh(
            [(a, b - a) for a, b in bars],
            (lane + 0.15, 0.6),
            facecolors=colour,
            edgecolor="white",
            hatch=hatch,
            lw=0.4,
        )
    ax.set(
        xlim=(left, right),
        ylim=(0, len(LANES)),
        xlabel="ms since boot (grey: the episode of pressure)",
    )
    ax.set_yticks([n + 0.45 for n in range(len(LANES))], LANES, fontsize=8)
    ax.hlines(range(1, len(LANES)), left, right, color="#bbbbbb", lw=0.5)


def _sawtooth(
    own: list[Event], x: list[float], y: list[float], foot: float
) -> tuple[list[float], list[float]]:
    """Points of what is queued: it grows with the calls, and falls when a batch takes it; none
    without an event.
    """
    xs, ys = [], []
    for e, at, now, following in zip(own, x, y, [*y[1:], foot][: len(y)], strict=True):
        taken = e.what in ("batch queued", "joined a pending batch")
        xs += [at, at] if taken else [at]
        ys += [now, foot if following < now else now] if taken else [now]
    return xs, ys


def _bars(
    episode: Episode, left: float, right: float
) -> list[tuple[int, list[tuple[float, float]], str, str]]:
    """Lane, (start, end) pairs, colour and hatch of what lasts."""
    lane = {name: n for n, name in enumerate(LANES)}
    waits = _paired(episode, "wait begins", "wait ends", left, right)
    stalls = [(e.ms, e.ms + e.value) for e in episode.events if e.what == "reclaim stall"]
    return [
        (lane["waiting callers"], waits, _RED, ""),
        (lane["stalls"], stalls, _ORANGE, "..."),
        (
            lane["grace periods"],
            _paired(episode, "grace period starts", "grace period ends", left, right),
            _GREEN,
            "",
        ),
        (
            lane["batches"],
            _paired(episode, "batch queued", "work starts", left, right),
            "#56B4E9",
            "///",
        ),
        (lane["batches"], _paired(episode, "work starts", "work ends", left, right), _BLUE, ""),
    ]


def _paired(
    episode: Episode, first: str, last: str, left: float, right: float
) -> list[tuple[float, float]]:
    """Spans from each `first` to its `last`, first come first served; cut off at the edges."""
    begun: list[float] = []
    spans = []
    for e in episode.events:
        if e.what == first:
            begun.append(e.ms)
        elif e.what == last:
            spans.append((begun.pop(0) if begun else left, e.ms))
    return spans + [(at, right) for at in begun]


@plain()
def episode_figure(episode: Episode, title: str, foot: str) -> Figure:
    """A whole figure: the episode, its story above, where it comes from at the foot."""
    fig, ax = blank(title, foot)
    frame(ax, episode=episode, span=whole(episode))
    return fig


def text_of(episode: Episode, command: str, most: int = 40) -> str:
    """The episode as plain text for a list: the story, the events up to its first waits, the
    command.
    """
    first = next((k for k, e in enumerate(episode.events) if e.what == "wait begins"), 0)
    shown = episode.events[max(0, first - most // 2) : max(0, first - most // 2) + most]
    rows = [
        f"{e.ms:10.3f} ms  {e.what:29} pages {e.cached}  pool {e.nr_emergency}  queued {e.queued}"
        if e.cpu >= 0
        else f"{e.ms:10.3f} ms  {e.what}"
        for e in shown
    ]
    return (
        "\n".join(
            [
                *textwrap.wrap("krcsim: " + story(episode), 72),
                "",
                *(row[:72].rstrip() for row in rows),
                "",
                "Made with:",
                command,
            ]
        )
        + "\n"
    )
