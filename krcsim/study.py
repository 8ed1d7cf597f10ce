# SPDX-License-Identifier: GPL-2.0-only
"""The user's verbs: simulate one run, compare remedies in one world, sweep a small grid.

Precision is sought on a fixed ladder of replications (8, 16, 32, ...), so that an answer depends
on scenario, seed and rung, and never on the clock or the number of threads.
"""

from __future__ import annotations

import itertools
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.state import COUNTERS, EVENTS
from krcsim.estimate import Estimate, difference
from krcsim.kernel import milliseconds
from krcsim.measures import QUANTITIES, answers, p_wait, window_ms
from krcsim.remedy import THREAD, Remedy, named
from krcsim.result import Cell, Result, columns, row_of
from krcsim.run import WINDOWS, Replications, event_log, replicate
from krcsim.scenario import Scenario, changed, toml_text
from krcsim.values import FieldError, KrcsimError

FIRST_RUNG = 8  # replications on rung 0; each further rung doubles them
MAX_RUNG = 14
DEFAULT_RUNG = 10
BOUND_RUNG = 6  # without a single wait up to here the answer is a bound
PRECISION = 0.1
SEED = 20200404
MAX_POINTS = 10_000
_CHUNK = 8

Progress = Callable[[int, int], None]
Stop = NDArray[np.int64]

def replications_at(rung: int) -> int:
    """Replications on a rung of the ladder."""
    return FIRST_RUNG << rung

def threads() -> int:
    """Threads a study uses: the CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

def extend(scenario: Scenario, seed: int, have: Replications | None, total: int, *,
        every_call: bool = False, stop: Stop | None = None, workers: int
        | None = None) -> Replications:
    """Replications 0 .. total - 1, of which `have` are there already."""
    done = 0 if have is None else len(have)
    chunks = [(a, min(a + _CHUNK, total)) for a in range(done, total, _CHUNK)]
    workers = min(workers or threads(), len(chunks))

    def work(chunk: tuple[int, int]) -> Replications:
        return replicate(scenario, seed, *chunk, every_call=every_call, stop=stop)

    if workers <= 1:
        parts = [work(c) for c in chunks]
    else:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(work, chunks))
    for part in parts:
        have = part if have is None else have + part
    assert have is not None
    return have

def main_window(s: Scenario) -> int:
    """The window that precision is sought in: steady state if there is any, else boot."""
    return 1 if window_ms(s, 1) > 0 else 0

def climb(scenario: Scenario, seed: int, *, precision: float = PRECISION,
        max_rung: int = DEFAULT_RUNG, stop: Stop | None = None, workers: int
        | None = None) -> Iterator[tuple[int, Replications]]:
    """Yield (rung, replications so far) until P(wait) is known to `precision` or rungs end."""
    runs: Replications | None = None
    for rung in range(max_rung + 1):
        runs = extend(scenario, seed, runs, replications_at(rung), stop=stop, workers=workers)
        yield rung, runs
        e = p_wait(runs, scenario, main_window(scenario))
        if e.kind == "interval" and e.half_width <= precision:
            return
        if e.kind in ("bound", "none") and rung >= BOUND_RUNG:
            return

def check_study(seed: int, precision: float, max_rung: int) -> None:
    """Raise FieldError for a seed, a precision or a rung that cannot be used."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise FieldError("seed", seed, "a whole number from 0 to 2**63 - 1", "give another seed")
    if not (isinstance(precision, (int, float)) and 0 < precision < 1):
        raise FieldError("precision", precision, "a number above 0 and below 1",
            "0.1 asks for a half width of 10 % of the value")
    if isinstance(max_rung, bool) or not isinstance(max_rung, int) or not 0 <= max_rung <= MAX_RUNG:
        raise FieldError("max_rung", max_rung, f"a whole number from 0 to {MAX_RUNG}",
            f"rung r has {FIRST_RUNG} * 2**r replications")

@dataclass(frozen=True)
class Run:
    """One run: its counters by window, its first events, and what made it."""

    counters: dict[str, dict[str, float]]
    events: tuple[tuple[float, int, str, float], ...]  # ms, CPU (-1: all), what, a value
    total_events: int
    scenario: Scenario
    seed: int
    replication: int

def simulate(scenario: Scenario, seed: int = SEED, *, replication: int = 0, events: int = 100_000,
        every_call: bool = False) -> Run:
    """One run with its event log (times in ms; dull calls leave no event); raises FieldError."""
    check_study(seed, PRECISION, 0)
    for name, value, most in (("replication", replication, 2**31), ("events", events, 10_000_000)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise FieldError(name, value, f"a whole number from 0 to {most}", "choose another")
    runs, log, total = event_log(scenario, seed, replication, events=events, every_call=every_call)
    hz = scenario.machine.hz
    rows = tuple((milliseconds(float(e["at"]), hz), int(e["cpu"]), EVENTS[int(e["code"])],
        float(e["value"])) for e in log)
    counters = {w: {c: float(runs.of(c, i)[0]) for c in COUNTERS} for i, w in enumerate(WINDOWS)}
    return Run(counters, rows, total, scenario, seed, replication)

def compare(scenario: Scenario, remedies: dict[str, Remedy] | tuple[str, ...] | list[str] = THREAD,
        *, seed: int = SEED, precision: float = PRECISION, max_rung: int = DEFAULT_RUNG,
        command: str = "", progress: Progress | None = None, stop: Stop | None = None) -> Result:
    """Remedies in the same worlds: all quantities in both windows, and paired differences.

    `remedies`: names (`own` is the scenario's), or a dict of name -> Remedy. Raises KrcsimError.
    """
    table = remedies if isinstance(remedies, dict) else _named(remedies, scenario)
    if not table:
        raise KrcsimError("remedies is empty; name at least one, for example A1,B,C-A1")
    points: dict[tuple[Cell, ...], Scenario] = {(name,): changed(scenario, remedy=r) for name,
        r in table.items()}
    return _study(scenario, ("remedy",), points, seed, precision, max_rung, command, progress, stop)

def _named(names: tuple[str, ...] | list[str], scenario: Scenario) -> dict[str, Remedy]:
    return {n: scenario.remedy if n == "own" else named(n) for n in names}

def sweep(scenario: Scenario, over: Mapping[str, list[Any] | tuple[Any, ...]], *, seed: int = SEED,
        precision: float = PRECISION, max_rung: int = DEFAULT_RUNG, command: str = "",
        progress: Progress | None = None, stop: Stop | None = None) -> Result:
    """All combinations of values of dotted fields; `remedy` takes names. An empty grid is one run.

    Raises KrcsimError for a field that does not exist or a value that does not fit.
    """
    size = int(np.prod([len(v) for v in over.values()], dtype=float)) if over else 1
    if size > MAX_POINTS:
        raise KrcsimError(f"the grid has {size} points; allowed: up to {MAX_POINTS}; thin it out")
    if size == 0:
        empty = next(k for k, v in over.items() if not v)
        raise KrcsimError(f"{empty} has no value to sweep over; give at least one")
    names = tuple(k for k in over if k != "remedy")
    points: dict[tuple[Cell, ...], Scenario] = {}
    for combo in itertools.product(*over.values()):
        values = dict(zip(over, combo, strict=True))
        remedy = str(values.get("remedy", "as given"))
        key = (remedy, *(v if isinstance(v, (str, int, float)) else str(v) for v in (
            values[k] for k in names)))
        points[key] = changed(scenario, **values)
    return _study(scenario, ("remedy", *names), points, seed, precision, max_rung, command,
        progress, stop)

def _study(scenario: Scenario, parameters: tuple[str, ...],
        points: dict[tuple[Cell, ...], Scenario], seed: int, precision: float, max_rung: int,
        command: str, progress: Progress | None, stop: Stop | None) -> Result:
    check_study(seed, precision, max_rung)
    rows: list[tuple[Cell, ...]] = []
    kept: dict[tuple[Cell, ...], tuple[Replications, Scenario]] = {}
    rungs: dict[str, int] = {}
    for n, (key, s) in enumerate(points.items()):
        if progress:
            progress(n, len(points))
        *_, (rung, runs) = climb(s, seed, precision=precision, max_rung=max_rung, stop=stop)
        rungs[" ".join(map(str, key))] = rung
        rows += table_rows(key, s, runs, rung)
        if len(parameters) == 1:
            kept[key] = (runs, s)
    if progress:
        progress(len(points), len(points))
    return Result(columns(parameters), tuple(rows), tuple(_differences(kept)),
        provenance(scenario, seed, rungs, command))

def table_rows(key: tuple[Cell, ...], s: Scenario, runs: Replications,
        rung: int) -> list[tuple[Cell, ...]]:
    """The rows of one point of a result: each window, each quantity."""
    return [row_of(key, WINDOWS[w], name, QUANTITIES[name].unit, e, len(runs), rung)
        for w in range(2) for name, e in answers(runs, s, w).items()]

def _differences(kept: dict[tuple[Cell, ...], tuple[Replications, Scenario]]) -> Iterator[
        tuple[Cell, ...]]:
    """P(wait) and waiting time of each remedy minus the first one's, in the same worlds."""
    if not kept:
        return
    base, (runs0, s0) = next(iter(kept.items()))
    for key, (runs, s) in list(kept.items())[1:]:
        for w in range(2):
            if window_ms(s, w) <= 0:
                continue
            whole = np.full(len(runs), window_ms(s, w))
            for name, num, den, den0 in (("p_wait", "waits", runs.of("single", w),
                    runs0.of("single", w)), ("blocked_ms_per_ms", "wait_ms", whole,
                    np.full(len(runs0), window_ms(s0, w)))):
                d = difference(runs.of(num, w), den, runs0.of(num, w), den0)
                if d is not None:
                    yield (key[0], base[0], WINDOWS[w], name, d.value, d.lo, d.hi, d.pairing_saves)

def provenance(scenario: Scenario, seed: int, rungs: dict[str, int], command: str) -> dict[str,
        Any]:
    """What makes a result again: command, scenario as TOML, seed, rungs, versions."""
    import numba

    import krcsim

    return {"command": command or "(called from Python)", "scenario": toml_text(scenario),
        "seed": seed, "rungs": rungs, "versions": {"krcsim": krcsim.__version__,
        "numpy": np.__version__, "numba": numba.__version__, "python": platform.python_version()}}

def answer(scenario: Scenario, seed: int, rung: int, *, stop: Stop | None = None) -> Estimate:
    """P(wait) of the main window on one rung: what a slider shows first."""
    runs = extend(scenario, seed, None, replications_at(rung), stop=stop)
    return p_wait(runs, scenario, main_window(scenario))
