# SPDX-License-Identifier: GPL-2.0-only
"""One scenario, one seed, one replication after another: the driver of the compiled engine."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.allocator import Failure
from krcsim.engine.calendar import FULL, STOPPED
from krcsim.engine.loop import GIVEN_SPELLS, NO_SPELL, RANDOM_SPELLS, compiled
from krcsim.engine.state import (BINS, COUNTERS, CPU, EVENT, GLOBAL, KRW, NODE, OUT, PENDING,
    PRODUCER, WAITER, replication_state)
from krcsim.kernel import ticks
from krcsim.remedy import HEAD_ALLOC
from krcsim.scenario import Scenario
from krcsim.values import KrcsimError

WINDOWS = ("boot", "steady")
TICK_PHASE_MS = 0.02  # a period of phase "tick" starts this long after a tick
MAX_WAITERS = 1 << 22
GROUPS = 16
STREAMS = ("r_spell", "r_gp", "r_foreign", "r_expedited")

class Stopped(Exception):
    """The run was asked to give up; nothing of it is kept."""

@dataclass(frozen=True)
class Replications:
    """Counters counts[r, window, counter] of replications first, first + 1, ... of a scenario.

    Histograms [group, window, bin] of waits, and of the latencies of calls that stalled or waited,
    are summed over the replications with the same number modulo GROUPS, to stay small.
    """

    counts: NDArray[np.float64]
    wait_hist: NDArray[np.int64]
    late_hist: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    def __add__(self, later: Replications) -> Replications:
        return Replications(np.concatenate([self.counts, later.counts]),
            self.wait_hist + later.wait_hist, self.late_hist + later.late_hist)

    def grouped(self, name: str, window: int) -> NDArray[np.float64]:
        """One counter in one window, summed over the histograms' groups."""
        x = self.of(name, window)
        return np.bincount(np.arange(len(x)) % GROUPS, x, GROUPS).astype(np.float64)

    def of(self, name: str, window: int) -> NDArray[np.float64]:
        """One counter in one window, a value a replication."""
        return np.asarray(self.counts[:, window, COUNTERS.index(name)])

@functools.cache
def kernel() -> Any:
    """The compiled engine; the first call of a new version compiles it (seconds)."""
    folder = Path(__file__).parent / "engine"
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return compiled(int.from_bytes(digest.digest()[:7], "big"))

def fill_parameters(g: Any, s: Scenario) -> None:
    """Write a scenario into the engine's parameter record, in ticks."""
    m, r, a, gp, w = s.machine, s.remedy, s.allocator, s.grace_period, s.workload
    hz = m.hz

    def tick(ms: float) -> float:
        return ticks(ms, hz)

    values: dict[str, Any] = dict(cpus=m.cpus, head_alloc=HEAD_ALLOC.index(r.head_alloc),
        array_path=r.array_path, noretry=r.page_class == "noretry", pool_cap=r.nr_emergency_objs,
        shared=r.cache_shared, cache_cap=r.nr_bkv_objs, to_worker=r.page_return == "worker",
        expedite=r.expedited_drain, rearm_left=r.rearm == "left", attach=r.attach_to_pending,
        drain=s.drain_jiffies, block=r.block_entries, closed=w.loop == "closed",
        producers=w.producers, bursty=w.arrivals in ("periodic", "bursts"), burst=w.burst,
        exp_gap=w.gap == "exponential", ticked=gp.kind == "ticks", rcu_expedited=gp.expedited,
        spell_kind=dict(none=NO_SPELL, schedule=GIVEN_SPELLS, exponential=RANDOM_SPELLS)[a.spells],
        stationary=a.start == "stationary", poisson=w.arrivals == "poisson",
        tick_phase=w.phase == "tick", nocb=m.nocb_share, work_delay=tick(m.work_delay_ms),
        single=w.single_share, vmalloc=w.vmalloc_share, base_rate=w.rate_hz / hz,
        period=tick(w.period_ms) * w.producers, on_mean=tick(w.on_ms), off_mean=tick(w.off_ms),
        call_cost=tick(w.call_instructions * m.instruction_ns * 1e-6),
        free_cost=tick(w.free_instructions * m.instruction_ns * 1e-6),
        stall_median=tick(a.stall_ms), stall_sigma=a.stall_sigma,
        exp_median=tick(gp.expedited_median_ms), exp_sigma=gp.expedited_sigma,
        invoke=gp.invoke_ticks(), warmup=tick(s.warmup_ms), horizon=tick(s.horizon_ms),
        spell_mean=tick(a.spell_ms), calm_mean=tick(a.calm_ms), phase=tick(TICK_PHASE_MS),
        tick_ms=1000.0 / hz)
    if w.arrivals == "onoff":
        values["base_rate"] *= (w.on_ms + w.off_ms) / w.on_ms
    for name, value in values.items():
        g[name] = value
    g["fail"] = [failures(a.calm), failures(a.spell)]

def failures(f: Failure) -> tuple[float, ...]:
    """The six probabilities in the order of GLOBAL.fail."""
    return f.resolved()

def schedule(s: Scenario, replication: int) -> NDArray[np.float64]:
    """Instants in ticks at which the given spells of a replication begin and end."""
    if not s.allocator.schedules:
        return np.array([np.inf])
    plan = s.allocator.schedules[replication % len(s.allocator.schedules)]
    times = [ticks(x, s.machine.hz) for pair in plan for x in pair]
    return np.array(times or [np.inf])

class _Arena:
    """The arrays of a run, made once and wiped for each replication."""

    def __init__(self, s: Scenario, every_call: bool, log: int, stop: NDArray[np.int64]) -> None:
        self.scenario, self.every_call, self.log = s, every_call, log
        self.stop = stop
        leaves = 1
        while leaves < s.machine.cpus:
            leaves *= 2
        self.leaves = max(2, leaves)
        self.gp = s.grace_period.table(s.machine.hz, s.machine.cpus)
        self.template = np.zeros(1, GLOBAL)
        fill_parameters(self.template[0], s)
        self.template["every_call"] = every_call
        self.template["log_cap"] = log
        self.room(1 << 12)

    def room(self, held_up: int) -> None:
        """Make the arrays, with room for that many held-up callers."""
        s = self.scenario
        self.size = held_up
        cpus, prods = s.machine.cpus, s.workload.producers
        bursty = s.workload.arrivals in ("periodic", "bursts")
        self.arrays = dict(cpus=np.zeros(cpus, CPU), krw=np.zeros(2 * cpus, KRW),
            prods=np.zeros(cpus * prods if bursty else 1, PRODUCER),
            waiters=np.zeros(held_up, WAITER), pending=np.zeros(held_up + 1, PENDING),
            nodes=np.zeros(held_up + 1, NODE), tree=np.full(2 * self.leaves, np.inf),
            out=np.zeros(2, OUT), wait_hist=np.zeros((2, BINS), np.int64),
            late_hist=np.zeros((2, BINS), np.int64), log=np.zeros(max(1, self.log), EVENT),
            gp_ticks=np.ascontiguousarray(self.gp[0], np.float64),
            gp_cdf=np.ascontiguousarray(self.gp[1], np.float64), stop=self.stop)
        t = self.template
        for name, array in self.arrays.items():
            t[f"p_{name}"] = array.ctypes.data
        t["wait_cap"] = t["heap_cap"] = held_up
        t["leaves"], t["gp_n"] = self.leaves, len(self.gp[0])

    def run(self, seed: int, replication: int) -> dict[str, NDArray[Any]]:
        """One replication; grows the arrays and starts over if too many callers are held up."""
        s = self.scenario
        switches = schedule(s, replication)
        while True:
            a = self.arrays
            g = self.template.copy()
            g["p_schedule"], g["sched_n"] = switches.ctypes.data, len(switches)
            for name in ("cpus", "krw", "prods", "out", "wait_hist", "late_hist"):
                a[name][:] = np.zeros((), a[name].dtype)
            a["tree"][:] = np.inf
            a["nodes"]["slot"] = np.arange(len(a["nodes"]))
            words = replication_state(seed, replication, s.machine.cpus)
            for name, four in zip(STREAMS, words[:4], strict=True):
                g[name] = four.view(g[name].dtype)
            for name, many in zip(("arrivals", "marks", "stalls"), words[4:], strict=True):
                a["cpus"][name] = many.view(a["cpus"][name].dtype)
            a["cpus"]["nr_emergency"] = s.remedy.emergency_at_boot
            a["cpus"]["cache0"] = s.remedy.cache_at_boot
            a["cpus"]["cache1"] = 0 if s.remedy.cache_shared else s.remedy.cache_at_boot
            kernel()(g)
            error = int(g["error"][0])
            if error == STOPPED:
                raise Stopped
            if error != FULL:
                return {**a, "g": g}
            if self.size >= MAX_WAITERS:
                raise KrcsimError(f"more than {MAX_WAITERS} callers are held up at once at "
                    f"workload.rate_hz = {s.workload.rate_hz:g} calls/s per CPU; "
                    'lower the rate or the pressure, or set workload.loop = "closed"')
            self.room(8 * self.size)

def replicate(scenario: Scenario, seed: int, first: int, last: int, *, every_call: bool = False,
        stop: NDArray[np.int64] | None = None) -> Replications:
    """Replications first .. last - 1 of a scenario, one thread; number i depends on (seed, i) only.

    `every_call` takes calls one by one (the oracle); a nonzero stop[0] raises Stopped soon.
    """
    arena = _Arena(scenario, every_call, 0, np.zeros(1, np.int64) if stop is None else stop)
    n = last - first
    counts = np.zeros((n, 2, len(COUNTERS)))
    wait_hist = np.zeros((GROUPS, 2, BINS), np.int64)
    late_hist = np.zeros((GROUPS, 2, BINS), np.int64)
    tick_ms = 1000.0 / scenario.machine.hz
    for r in range(n):
        w = arena.run(seed, first + r)
        counts[r] = w["out"].view(np.float64).reshape(2, -1)
        wait_hist[(first + r) % GROUPS] += w["wait_hist"]
        late_hist[(first + r) % GROUPS] += w["late_hist"]
    counts[:, :, COUNTERS.index("area")] *= tick_ms
    return Replications(counts, wait_hist, late_hist)

def event_log(scenario: Scenario, seed: int, replication: int = 0, *, events: int,
        every_call: bool = False) -> tuple[Replications, NDArray[Any], int]:
    """One replication, its first `events` events (dtype EVENT, `at` in ticks), and how many it had.

    Dull calls leave no event of their own, in either mode.
    """
    arena = _Arena(scenario, every_call, events, np.zeros(1, np.int64))
    w = arena.run(seed, replication)
    counts = w["out"].view(np.float64).reshape(1, 2, -1).copy()
    counts[:, :, COUNTERS.index("area")] *= 1000.0 / scenario.machine.hz
    hists = []
    for name in ("wait_hist", "late_hist"):
        hist = np.zeros((GROUPS, 2, BINS), np.int64)
        hist[replication % GROUPS] = w[name]
        hists.append(hist)
    total = int(w["g"]["log_n"][0])
    return Replications(counts, *hists), w["log"][: min(total, events)].copy(), total

def warm_up() -> None:
    """Compile (or load) the engine; takes seconds once per version, so do it in a thread."""
    kernel()
    small = Scenario(warmup_ms=0.0, horizon_ms=1.0)
    replicate(small, 0, 0, 1)
