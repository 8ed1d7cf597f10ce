# SPDX-License-Identifier: GPL-2.0-only
"""One episode of pressure as one CPU saw it: its events, what was held then, and how many calls
were made.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from typing import Any

from krcsim.base.csv_text import comment_lines, csv_text, nine_digits
from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole
from krcsim.engine.codes import EVENTS
from krcsim.model.constants import milliseconds
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import data_folder, given
from krcsim.runs.ladder import SEED, check_study
from krcsim.runs.replications import WINDOWS, event_log

MOST_EVENTS = 2_000_000  # of a run, that are looked through
# Calm before and after an episode that is shown, too.
LEAST_MARGIN_MS = 60.0
MARGIN_SHARE = 0.12  # of the length of the episode
SHORTEST_RUN_MS = 1e-3  # no scenario has a shorter one

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

    @property
    def in_blocks(self) -> int:
        """Pointers queued in blocks."""
        return self.queued - self.listed


COLUMNS = tuple(field.name for field in fields(Event))
HELD = COLUMNS[COLUMNS.index("nr_emergency") :]  # what a CPU held


@dataclass(frozen=True)
class Episode:
    """An episode of one replication as one CPU saw it, with `margin_ms` before and after.

    calls: those made in the episode, on all CPUs; all_waits: waits that began in it, on all CPUs.
    """

    scenario: Scenario
    seed: int
    replication: int
    number: int
    cpu: int
    begin_ms: float
    end_ms: float
    margin_ms: float
    events: tuple[Event, ...]
    calls: int
    all_waits: int

    @property
    def span(self) -> Span:
        """Begin and end of what is shown: the episode with its margin, as far as the run goes."""
        end_ms = min(self.end_ms + self.margin_ms, self.scenario.horizon_ms)
        return max(0.0, self.begin_ms - self.margin_ms), end_ms

    @property
    def waits(self) -> tuple[Event, ...]:
        """The waits of the CPU that began in the episode."""
        return tuple(event for event in self.within() if event.what == "wait begins")

    @cached_property
    def wait_lengths_ms(self) -> dict[Event, float]:
        """How long each wait lasts, by the event that begins it, where its end is seen, too.

        A wait's end knows its length, and its begin does not: each end goes with the begin that
        fits best.
        """
        begins = [event for event in self.events if event.what == "wait begins"]
        found: dict[Event, float] = {}
        for end in (event for event in self.events if event.what == "wait ends"):
            began_ms = end.ms - end.value
            if began_ms >= self.span[0] and begins:
                nearest = min(begins, key=lambda event: abs(event.ms - began_ms))
                begins.remove(nearest)
                found[nearest] = end.value
        return found

    def within(self) -> tuple[Event, ...]:
        """The events of the episode itself, without those of the margin."""
        return tuple(event for event in self.events if self.begin_ms <= event.ms <= self.end_ms)

    def __repr__(self) -> str:
        """The episode in a sentence."""
        from krcsim.report.episode_words import story

        return f"<Episode: {story(self)}>"

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        from krcsim.report.style import written

        from krcsim.report.timeline import episode_figure

        return written(episode_figure(self), "png")


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
    near = _between(log, begin - margin, end + margin, scenario)
    seen = log[near & ((log["cpu"] == cpu) | (log["cpu"] < 0))]
    waits = _between(log, begin, end, scenario) & (log["code"] == EVENTS.index("wait begins"))
    return Episode(
        scenario,
        seed,
        replication,
        number,
        cpu,
        begin,
        end,
        margin,
        tuple(_event(entry, scenario.machine.hz) for entry in seen),
        calls=_calls_until(scenario, seed, replication, end)
        - _calls_until(scenario, seed, replication, begin),
        all_waits=int(waits.sum()),
    )


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


def _between(log: Any, first_ms: float, last_ms: float, scenario: Scenario) -> Any:
    """Which entries of a log lie between two times."""
    at_ms = log["at"] * 1000.0 / scenario.machine.hz
    return (at_ms >= first_ms) & (at_ms <= last_ms)


def _calls_until(scenario: Scenario, seed: int, replication: int, ms: float) -> int:
    """Calls made in episodes before a time, on all CPUs: the same run, ended there.

    The log has no entry for a call that only appends, so that they cannot be counted in it.
    """
    if ms < SHORTEST_RUN_MS:
        return 0

    shorter = replace(scenario, horizon_ms=ms, warmup_ms=min(scenario.warmup_ms, ms))
    runs, _, _ = event_log(shorter, seed, replication, events=1)  # of the engine that is compiled
    counters = ("single_episode", "double_episode")
    windows = range(len(WINDOWS))
    return round(sum(float(runs.of(name, n)[0]) for name in counters for n in windows))


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
