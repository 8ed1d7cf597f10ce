# SPDX-License-Identifier: GPL-2.0-only
"""Replications of a scenario: plain, with an event log, or with importance sampling."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.records import BINS, COUNTERS, Tally
from krcsim.model.scenario import Scenario
from krcsim.runs.arena import Arena, Levels, Stop, Stopped
from krcsim.runs.engines import (
    Version,
    compile_in_background,
    compile_seconds,
    engine,
    is_compiled,
)

__all__ = [
    "WINDOWS",
    "Levels",
    "Replications",
    "Stopped",
    "compile_the_rest",
    "event_log",
    "rare_runs",
    "replicate",
    "seconds_to_compile",
    "warm_up",
]

WINDOWS = ("boot", "steady")
GROUPS = 16
TIMES = (
    "area",
    "episode_ms",
    "lost_ms",
    "filling_area",
    "in_flight_area",
    "batches_area",
    "bytes_area",
)  # counters


@dataclass(frozen=True)
class Replications:
    """counts[replication, window, counter]; histograms of waits, and of latencies of calls that
    stalled or waited.

    To stay small, histograms [replication % GROUPS, window, bin] are sums over replications.
    """

    counts: NDArray[np.float64]
    wait_hist: NDArray[np.int64]
    late_hist: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    def __add__(self, later: "Replications") -> "Replications":
        return Replications(
            np.concatenate([self.counts, later.counts]),
            self.wait_hist + later.wait_hist,
            self.late_hist + later.late_hist,
        )

    def of(self, name: str, window: int) -> NDArray[np.float64]:
        """One counter in one window, a value a replication."""
        return np.asarray(self.counts[:, window, COUNTERS.index(name)])


def replicate(
    scenario: Scenario,
    seed: int,
    first: int,
    last: int,
    *,
    every_call: bool = False,
    stop: Stop | None = None,
    by_episode: int = 0,
) -> Replications:
    """Replications first .. last - 1 of a scenario, one thread; number i depends on (seed, i) only.

    `every_call` takes calls one by one (the oracle); a nonzero stop[0] raises Stopped soon. With
    `by_episode` = n each of the first n episodes begins a window, instead of the steady state.
    """
    arena = Arena(scenario, every_call=every_call, stop=stop, by_episode=by_episode)
    return _collect(arena, seed, first, last)


def event_log(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    *,
    events: int,
    every_call: bool = False,
    by_episode: int = 0,
) -> tuple[Replications, NDArray[np.void], int]:
    """One replication, its first `events` events (dtype EventRecord, `at` in ticks; none of
    uneventful calls), and their number.
    """
    arena = Arena(scenario, every_call=every_call, log=max(1, events), by_episode=by_episode)
    runs = _collect(arena, seed, replication, replication + 1)
    return runs, arena.arrays["log"][: min(arena.logged, events)].copy(), arena.logged


def rare_runs(
    scenario: Scenario,
    seed: int,
    first: int,
    last: int,
    how: dict[str, float],
    levels: Levels = (),
    peaks: int = 0,
    stop: Stop | None = None,
    by_episode: int = 0,
) -> tuple[Replications, NDArray[np.float64], list[float]]:
    """Replications first .. last - 1 with biased copies; what these found: tally[replication,
    window, field]; peaks of danger.

    `levels`: of danger, each with the number of copies that go on there. `by_episode`: as for
    replicate(), but of a run that is split only the tally is right by episode, and the counters are
    not.
    """
    arena = Arena(
        scenario, stop=stop, by_episode=by_episode, copies=how, levels=levels, peaks=peaks
    )
    tally = np.zeros((last - first, arena.windows, len(Tally.dtype.names or ())))
    seen: list[float] = []

    def keep(i: int) -> None:
        tally[i - first] = arena.tally.view(np.float64).reshape(arena.windows, -1)
        seen.extend(arena.peaks[: int(arena.end["peak_count"])].tolist())

    return _collect(arena, seed, first, last, keep), tally, seen


def _collect(
    arena: Arena, seed: int, first: int, last: int, after: Callable[[int], None] | None = None
) -> Replications:
    """Run replications first .. last - 1 and collect what they counted; after each, after(i)."""
    counts = np.zeros((last - first, arena.windows, len(COUNTERS)))
    waits = np.zeros((GROUPS, arena.windows, BINS), np.int64)
    latencies = np.zeros((GROUPS, arena.windows, BINS), np.int64)
    for i in range(first, last):
        arena.run(seed, i)
        counts[i - first] = arena.arrays["counters"].view(np.float64).reshape(arena.windows, -1)
        waits[i % GROUPS] += arena.arrays["wait_histogram"]
        latencies[i % GROUPS] += arena.arrays["latency_histogram"]
        if after:
            after(i)

    for name in TIMES:  # from ticks to ms
        counts[:, :, COUNTERS.index(name)] *= 1000.0 / arena.scenario.machine.hz
    return Replications(counts, waits, latencies)


# ---- compiling


def warm_up(scenario: Scenario | None = None, *, rare: bool = False) -> None:
    """Compile or load the engine that a scenario needs, the default one if none is given; it may
    take seconds, so do it in a thread.
    """
    engine(_version(scenario or Scenario(), rare=rare))


def seconds_to_compile(scenario: Scenario, *, rare: bool = False) -> float:
    """About how many seconds the first run of a scenario waits for its engine to be compiled; 0 if
    it is there. `rare`: of a run with importance sampling.
    """
    version = _version(scenario, rare=rare)
    return 0.0 if is_compiled(version) else compile_seconds(version)


def compile_the_rest(scenario: Scenario) -> None:
    """Begin to compile, in a process of its own, what later answers about a scenario may need; to
    be called after the first one.
    """
    compile_in_background(*(_version(scenario, rare=rare) for rare in (False, True)))


def _version(scenario: Scenario, *, rare: bool) -> Version:
    return Arena(scenario, copies={} if rare else None).version
