# SPDX-License-Identifier: GPL-2.0-only
"""One run, and the ladder of replications on which every question climbs."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
import numpy as np
from numpy.typing import NDArray
from krcsim.engine.state import COUNTERS, EVENTS
from krcsim.kernel import milliseconds
from krcsim.measures import answers, window_ms
from krcsim.result import html_table
from krcsim.run import WINDOWS, Replications, event_log, replicate
from krcsim.scenario import Scenario, load_scenario
from krcsim.values import is_real, refuse

# replications on rung 0, doubled by each further one: answers depend on scenario, seed and rung
# only
FIRST_RUNG = 8
MAX_RUNG = 14
DEFAULT_RUNG = 10
BOUND_RUNG = 6  # without a single wait up to here the answer is a bound
PRECISION = 0.1
SEED = 20200404
_CHUNK = 4  # replications of one go; two processors share the first rung
Progress = Callable[[int, int], None]
Stop = NDArray[np.int64]
Have = dict[Scenario, Replications]  # what was run already


def replications_at(rung: int) -> int:
    """Replications on a rung of the ladder."""
    return FIRST_RUNG << rung


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def extend(
    scenario: Scenario,
    seed: int,
    have: Replications | None,
    total: int,
    *,
    every_call: bool = False,
    stop: Stop | None = None,
    workers: int | None = None,
    by_spell: int = 0,
) -> Replications:
    """Replications 0 .. total - 1, of which `have` are there already; with one worker in the
    caller's thread.
    """
    if have is not None and len(have) >= total:
        return have
    work = partial(replicate, scenario, seed, every_call=every_call, by_spell=by_spell)
    more = in_chunks(work, len(have or ()), total, stop, workers)
    return sum(more, have) if have is not None else sum(more[1:], more[0])


def in_chunks(
    work: Callable[..., Any], first: int, total: int, stop: Stop | None, workers: int | None
) -> list[Any]:
    """work(first, last, stop=...) for replications first .. total - 1, a few a go on threads, in
    their order.
    """
    if workers == 1:
        return [work(first, total, stop=stop)]
    halt = np.zeros(1, np.int64) if stop is None else stop
    firsts = range(first, total, _CHUNK)
    with ThreadPoolExecutor(max(1, min(workers or processors(), len(firsts)))) as pool:
        try:
            return list(
                pool.map(partial(work, stop=halt), firsts, (min(n + _CHUNK, total) for n in firsts))
            )
        except BaseException:  # Ctrl-C too: the threads would count on to the end otherwise
            halt[0] = 1
            raise


def climb(
    scenario: Scenario,
    seed: int,
    *,
    precision: float = PRECISION,
    max_rung: int = DEFAULT_RUNG,
    stop: Stop | None = None,
    have: Have | None = None,
    by_spell: int = 0,
    workers: int | None = None,
) -> Iterator[tuple[int, Replications]]:
    """Yield (rung, replications so far) until P(wait) is known to `precision`; `have` keeps them
    for later climbs.
    """
    have = {} if have is None else have
    window = 1 if by_spell or window_ms(scenario, 1) > 0 else 0
    for rung in range(max_rung + 1):
        runs, total = have.get(scenario), replications_at(rung)
        if runs is None or len(runs) <= total:
            runs = have[scenario] = extend(
                scenario, seed, runs, total, stop=stop, workers=workers, by_spell=by_spell
            )
            yield rung, runs
            e = answers(runs, scenario, window, ["p_wait"])["p_wait"]
            known = e.kind == "interval" and e.half_width <= precision
            if known or e.kind in ("bound", "none") and rung >= BOUND_RUNG:
                return


def check_study(seed: int, precision: float, max_rung: int) -> None:
    """Raise FieldError for a seed, a precision or a rung that cannot be used."""
    check_whole("seed", seed, 2**63 - 1, "give another seed")
    refuse(
        not (is_real(precision) and 0 < precision < 1),
        "precision",
        precision,
        "a number above 0 and below 1",
        "0.1 asks for a half width of 10 % of the value",
    )
    check_whole("max_rung", max_rung, MAX_RUNG, f"rung r has {FIRST_RUNG} * 2**r replications")


def check_whole(name: str, value: Any, most: int, remedy: str) -> None:
    """Raise FieldError unless a value is a whole number from 0 to `most`."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    refuse(
        not good,
        name,
        value,
        f"a whole number from 0 to {'2**63 - 1' if most >> 62 else most}",
        remedy,
    )


@dataclass(frozen=True)
class Run:
    """One run: its counters by window, its first events, and what made it."""

    counters: dict[str, dict[str, float]]
    events: tuple[tuple[float, int, str, float], ...]  # ms, CPU (-1: all), what, a value
    total_events: int
    scenario: Scenario
    seed: int
    replication: int

    def __repr__(self) -> str:
        """In a line what it is: there may be millions of events."""
        return (
            f"<Run: replication {self.replication} of seed {self.seed}, {self.total_events} events>"
        )

    def _repr_html_(self) -> str:
        """How a notebook shows it: what was counted in each window."""
        names = [
            name for name in COUNTERS if any(counters[name] for counters in self.counters.values())
        ]
        return html_table(
            ["window", *names],
            [[w, *(f"{c[name]:g}" for name in names)] for w, c in self.counters.items()],
        )


def simulate(
    scenario: Scenario | str,
    seed: int = SEED,
    *,
    replication: int = 0,
    events: int = 100_000,
    every_call: bool = False,
) -> Run:
    """One run with its event log (times in ms; dull calls leave no event); raises FieldError."""
    check_study(seed, PRECISION, 0)
    check_whole("replication", replication, 2**31, "choose another")
    check_whole("events", events, 10_000_000, "choose another")
    refuse(
        not isinstance(every_call, bool),
        "every_call",
        every_call,
        "true or false",
        "true takes calls one by one",
    )
    scenario = given(scenario)
    runs, log, total = event_log(scenario, seed, replication, events=events, every_call=every_call)
    rows = tuple(
        (
            milliseconds(float(e["at"]), scenario.machine.hz),
            int(e["cpu"]),
            EVENTS[int(e["code"])],
            float(e["value"]),
        )
        for e in log
    )
    counters = {w: {c: float(runs.of(c, i)[0]) for c in COUNTERS} for i, w in enumerate(WINDOWS)}
    return Run(counters, rows, total, scenario, seed, replication)


def given(scenario: Scenario | str) -> Scenario:
    """A scenario, or the one of that name or path."""
    return scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
