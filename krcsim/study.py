# SPDX-License-Identifier: GPL-2.0-only
"""The user's verbs: simulate one run, compare remedies in one world, sweep a small grid.

Precision is sought on a fixed ladder of replications (8, 16, 32, ...), so that an answer depends on scenario, seed and
rung, and never on the clock or the number of threads.
"""
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
from krcsim.estimate import difference
from krcsim.kernel import milliseconds
from krcsim.measures import QUANTITIES, answers, p_wait, window_ms
from krcsim.remedy import THREAD, Remedy, named
from krcsim.result import BASE, Cell, Result
from krcsim.run import WINDOWS, Replications, event_log, replicate
from krcsim.scenario import Scenario, changed, toml_text
from krcsim.values import KrcsimError, is_real, refuse
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
Point = tuple[Cell, ...]

def replications_at(rung: int) -> int:
    """Replications on a rung of the ladder."""
    return FIRST_RUNG << rung

def extend(scenario: Scenario, seed: int, have: Replications | None, total: int, *,
        every_call: bool = False, stop: Stop | None = None, workers: int | None = None) -> Replications:
    """Replications 0 .. total - 1, of which `have` are there already."""
    parts = [] if have is None else [have]
    chunks = [(a, min(a + _CHUNK, total)) for a in range(len(have or ()), total, _CHUNK)]
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = min(workers or cpus or 1, len(chunks))
    halt = np.zeros(1, np.int64) if stop is None else stop

    def work(chunk: tuple[int, int]) -> Replications:
        return replicate(scenario, seed, *chunk, every_call=every_call, stop=halt)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            parts += pool.map(work, chunks)
        except BaseException:  # Ctrl-C too: the threads would count on to the end otherwise
            halt[0] = 1
            raise
    return sum(parts[1:], parts[0])

def main_window(s: Scenario) -> int:
    """The window that precision is sought in: steady state if there is any, else boot."""
    return 1 if window_ms(s, 1) > 0 else 0

def climb(scenario: Scenario, seed: int, *, precision: float = PRECISION, max_rung: int = DEFAULT_RUNG,
        stop: Stop | None = None) -> Iterator[tuple[int, Replications]]:
    """Yield (rung, replications so far) until P(wait) is known to `precision` or rungs end."""
    runs: Replications | None = None
    for rung in range(max_rung + 1):
        runs = extend(scenario, seed, runs, replications_at(rung), stop=stop)
        yield rung, runs
        e = p_wait(runs, scenario, main_window(scenario))
        known = e.kind == "interval" and e.half_width <= precision
        if known or e.kind in ("bound", "none") and rung >= BOUND_RUNG:
            return

def check_study(seed: int, precision: float, max_rung: int) -> None:
    """Raise FieldError for a seed, a precision or a rung that cannot be used."""
    _check_whole("seed", seed, 2**63 - 1, "2**63 - 1", "give another seed")
    refuse(not (is_real(precision) and 0 < precision < 1), "precision", precision,
        "a number above 0 and below 1", "0.1 asks for a half width of 10 % of the value")
    _check_whole("max_rung", max_rung, MAX_RUNG, str(MAX_RUNG), f"rung r has {FIRST_RUNG} * 2**r replications")

def _check_whole(name: str, value: Any, most: int, shown: str, remedy: str) -> None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    refuse(not good, name, value, f"a whole number from 0 to {shown}", remedy)

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
        _check_whole(name, value, most, str(most), "choose another")
    runs, log, total = event_log(scenario, seed, replication, events=events, every_call=every_call)
    rows = tuple((milliseconds(float(e["at"]), scenario.machine.hz), int(e["cpu"]),
        EVENTS[int(e["code"])], float(e["value"])) for e in log)
    counters = {w: {c: float(runs.of(c, i)[0]) for c in COUNTERS} for i, w in enumerate(WINDOWS)}
    return Run(counters, rows, total, scenario, seed, replication)

def compare(scenario: Scenario, remedies: dict[str, Remedy] | tuple[str, ...] | list[str] = THREAD,
        *, seed: int = SEED, precision: float = PRECISION, max_rung: int = DEFAULT_RUNG,
        command: str = "", progress: Progress | None = None, stop: Stop | None = None) -> Result:
    """Remedies in the same worlds: all quantities in both windows, and paired differences.

    `remedies`: names (`own` is the scenario's), or a dict of name -> Remedy. Raises KrcsimError.
    """
    table = remedies if isinstance(remedies, dict) else {
        name: scenario.remedy if name == "own" else named(name) for name in remedies}
    if not table:
        raise KrcsimError("remedies is empty; name at least one, for example A1,B,C-A1")
    points: dict[Point, Scenario] = {(k,): changed(scenario, remedy=r) for k, r in table.items()}
    return _study(scenario, (), points, seed, precision, max_rung, command, progress, stop)

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
    points: dict[Point, Scenario] = {}
    for combo in itertools.product(*over.values()):
        values = dict(zip(over, combo, strict=True))
        cells = (v if isinstance(v, (str, int, float)) else str(v) for v in map(values.get, names))
        points[str(values.get("remedy", "as given")), *cells] = changed(scenario, **values)
    return _study(scenario, names, points, seed, precision, max_rung, command, progress, stop)

def _study(scenario: Scenario, over: tuple[str, ...], points: dict[Point, Scenario], seed: int, precision: float,
        max_rung: int, command: str, progress: Progress | None, stop: Stop | None) -> Result:
    check_study(seed, precision, max_rung)
    rows: list[Point] = []
    kept: dict[Point, tuple[Replications, Scenario]] = {}
    rungs: dict[str, int] = {}
    for n, (key, s) in enumerate(points.items()):
        if progress:
            progress(n, len(points))
        *_, (rung, runs) = climb(s, seed, precision=precision, max_rung=max_rung, stop=stop)
        rungs[" ".join(map(str, key))] = rung
        rows += ((*key, WINDOWS[w], name, QUANTITIES[name].unit, e.value, e.lo, e.hi, e.kind,
            len(runs), rung) for w in range(2) for name, e in answers(runs, s, w).items())
        if not over:
            kept[key] = (runs, s)
    if progress:
        progress(len(points), len(points))
    import numba
    import krcsim
    versions = {"krcsim": krcsim.__version__, "numpy": np.__version__, "numba": numba.__version__,
        "python": platform.python_version()}
    return Result(("remedy", *over, *BASE), tuple(rows), tuple(_differences(kept)),
        {"command": command or "(called from Python)", "scenario": toml_text(scenario),
        "seed": seed, "rungs": rungs, "versions": versions})

def _differences(kept: dict[Point, tuple[Replications, Scenario]]) -> Iterator[Point]:
    """P(wait) and waiting time of each remedy minus the first one's, in the same worlds."""
    points = list(kept.items())
    for (key, (runs, s)), w in itertools.product(points[1:], range(2)):
        base, (runs0, _) = points[0]
        whole = np.full(len(runs), window_ms(s, w))
        for name, num, den, den0 in (("p_wait", "waits", runs.of("single", w), runs0.of("single", w)),
                ("blocked_ms_per_ms", "wait_ms", whole, whole)):
            d = difference(runs.of(num, w), den, runs0.of(num, w), den0)
            if d is not None and window_ms(s, w) > 0:
                yield (key[0], base[0], WINDOWS[w], name, d.value, d.lo, d.hi, d.pairing_saves)
