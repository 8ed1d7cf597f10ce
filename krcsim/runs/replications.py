# SPDX-License-Identifier: GPL-2.0-only
"""One scenario, one seed, one replication after another: the driver of the compiled engine."""

import functools
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.engine.calendar import FULL, STOPPED
from krcsim.engine.forks import compiled
from krcsim.engine.random_streams import BIG
from krcsim.engine.records import (
    BINS,
    COUNTERS,
    CPU,
    EVENT,
    GLOBAL,
    HELD,
    KRW,
    NODE,
    OUT,
    PRODUCER,
    TALLY,
    replication_state,
)
from krcsim.model.constants import PAGE_BYTES, SLUB_PAGES, WRAPPER_BYTES, ticks
from krcsim.model.remedy import HEAD_ALLOC
from krcsim.model.scenario import Scenario
from krcsim.runs.compiled_cache import whole

WINDOWS = ("boot", "steady")
TICK_PHASE_MS = 0.02  # a period of phase "tick" starts this long after a tick
MAX_WAITERS = 1 << 22
GROUPS = 16
Levels = Sequence[tuple[float, float]]


class Stopped(Exception):
    """The run was asked to give up; nothing of it is kept."""


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


def kernel() -> Any:
    """The compiled engine; the first call of a new version compiles it (seconds)."""
    with _LOADING:  # in one thread, for all
        return _kernel()


_LOADING = threading.Lock()


@functools.cache
def _kernel() -> Any:
    sources = sorted((Path(__file__).parents[1] / "engine").glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()
    make = functools.partial(compiled, int.from_bytes(digest[:7], "big"))
    return whole(make, (numba.typeof(np.zeros(1, GLOBAL)),))


def fill_parameters(g: Any, s: Scenario) -> None:
    """Write a scenario into the engine's parameter record, in ticks."""
    m, r, a, gp, w, mem = s.machine, s.remedy, s.allocator, s.grace_period, s.workload, s.memory
    batch, high = mem.pcp()
    values: dict[str, Any] = dict(
        cpus=m.cpus,
        head_alloc=HEAD_ALLOC.index(r.head_alloc),
        array_path=r.array_path,
        noretry=r.page_class == "noretry",
        pool_cap=r.nr_emergency_objs,
        own_cache=not r.cache_shared,
        cache_cap=r.nr_bkv_objs,
        to_worker=r.page_return == "worker",
        expedite=r.expedited_drain,
        rearm_left=r.rearm == "left",
        attach=r.attach_to_pending,
        drain=s.drain_jiffies,
        block=r.block_entries,
        closed=w.loop != "open",
        catchup=w.loop == "catchup",
        reuse=SLUB_PAGES * w.slab_objects(),
        producers=w.producers,
        bursty=w.arrivals in ("periodic", "bursts"),
        burst=w.burst,
        exp_gap=w.gap == "exponential",
        ticked=gp.kind == "ticks",
        rcu_expedited=gp.expedited,
        nocb=m.nocb_share,
        random_episodes=a.episodes == "exponential",
        stationary=a.start == "stationary",
        poisson=w.arrivals == "poisson",
        tick_phase=w.phase == "tick",
        single=w.single_share,
        vmalloc=w.vmalloc_share,
        base_rate=w.rate_hz / m.hz,
        stall_sigma=a.stall_sigma,
        exp_sigma=gp.expedited_sigma,
        invoke=gp.invoke_ticks(),
        tick_ms=1000.0 / m.hz,
        fail=[a.calm.resolved(), a.episode.resolved()],
        pages=mem.pressure == "pages",
        refill=r.refill,
        no_dull=mem.pressure == "pages" or r.refill,
        hog=mem.hog != "none",
        hog_mark=mem.hog_mark(),
        pcp_batch=batch,
        pcp_high=high,
        counts=mem.pressure == "pages" and mem.deferred_counts,
        object_bytes=w.object_bytes,
        slab_objs=PAGE_BYTES // WRAPPER_BYTES[m.arch],
        slab_kept=mem.slab_pages,
        look=BIG,
    )
    values |= (
        dict(zip(("free_at_boot", "file_at_boot"), mem.pages_at_boot(), strict=True))
        | mem.marks()._asdict()
    )
    pages_s = dict(
        hog_rate=mem.hog_pages_s, load_rate=mem.load_pages_s, kswapd_rate=mem.kswapd_pages_s
    )
    values |= {name: x / m.hz for name, x in pages_s.items()}
    ms = dict(
        work_delay=m.work_delay_ms,
        period=w.period_ms,
        on_mean=w.on_ms,
        off_mean=w.off_ms,
        stall_median=a.stall_ms,
        exp_median=gp.expedited_median_ms,
        warmup=s.warmup_ms,
        horizon=s.horizon_ms,
        episode_mean=a.episode_ms,
        calm_mean=a.calm_ms,
        phase=TICK_PHASE_MS,
        reader=gp.reader_ms,
        reader_gap=gp.reader_gap_ms,
        hog_sleep=mem.hog_ms,
        lead=mem.lead_ms,
        round=mem.round_instructions * m.instruction_ns * 1e-6,
    )
    ms |= w.costs_ms(m.instruction_ns)
    for name, value in (values | {name: ticks(x, m.hz) for name, x in ms.items()}).items():
        g[name] = value
    g["period"] *= w.producers
    if w.arrivals == "onoff":
        g["base_rate"] *= (w.on_ms + w.off_ms) / w.on_ms


class _Arena:
    """The arrays of a run, made once and wiped for each replication."""

    def __init__(
        self,
        s: Scenario,
        every_call: bool,
        log: int,
        stop: NDArray[np.int64] | None = None,
        by_episode: int = 0,
        rare: Any = None,
        levels: Any = (),
        peaks: int = 0,
    ) -> None:
        self.scenario, self.log, self.windows = s, log, max(2, by_episode + 1)
        self.stop = np.zeros(1, np.int64) if stop is None else stop
        self.gp = s.grace_period.table(s.machine.hz, s.machine.cpus)
        self.template = np.zeros(
            1 if rare is None else 2 + len(levels), GLOBAL
        )  # a run, its fork, a copy a level
        self.tally, self.levels = np.zeros(self.windows, TALLY), np.array(levels, float).reshape(-1)
        self.peaks = np.zeros(max(1, peaks))
        fill_parameters(self.template[0], s)
        for name, value in (rare or {}).items():
            self.template[name] = value
        self.template["levels"], self.template["peaks_cap"] = len(levels), peaks
        cdf = np.diff(self.gp[1], prepend=0.0)
        self.template["gp_mean"] = float(np.sum(self.gp[0] * cdf))
        self.template["every_call"], self.template["log_cap"], self.template["by_episode"] = (
            every_call,
            log,
            by_episode,
        )
        self.room(1 << 12)

    def room(self, held_up: int) -> None:
        """Make the arrays, with room for that many held-up callers."""
        self.all_arrays = [self.arrays_of(world, held_up) for world in self.template]
        self.arrays = self.all_arrays[0]

    def arrays_of(self, t: Any, held_up: int) -> dict[str, NDArray[Any]]:
        """The arrays of a world."""
        cpus = self.scenario.machine.cpus
        leaves = max(2, 1 << (cpus - 1).bit_length())
        prods = cpus * self.scenario.workload.producers if self.template["bursty"][0] else 1
        arrays = dict(
            cpus=np.zeros(cpus, CPU),
            krw=np.zeros(2 * cpus, KRW),
            prods=np.zeros(prods, PRODUCER),
            waiters=np.zeros(held_up, HELD),
            pending=np.zeros(held_up + 1, HELD),
            nodes=np.zeros(held_up + 1, NODE),
            tree=np.full(2 * leaves, np.inf),
            out=np.zeros(self.windows, OUT),
            wait_hist=np.zeros((self.windows, BINS), np.int64),
            late_hist=np.zeros((self.windows, BINS), np.int64),
            log=np.zeros(max(1, self.log), EVENT),
            stop=self.stop,
            tally=self.tally,
            levels=self.levels,
            peaks=self.peaks,
            gp_ticks=np.ascontiguousarray(self.gp[0], np.float64),
            gp_cdf=np.ascontiguousarray(self.gp[1], np.float64),
        )
        arrays["nodes"]["slot"] = np.arange(held_up + 1)
        for name, array in arrays.items():
            t[f"p_{name}"] = array.ctypes.data
        t["wait_cap"] = t["heap_cap"] = held_up
        t["leaves"], t["gp_n"] = leaves, len(self.gp[0])
        return arrays

    def run(self, seed: int, replication: int) -> None:
        """One replication; starts over with larger arrays if too many callers are held up."""
        s, a, g = self.scenario, self.arrays, self.template.copy()
        plans = s.allocator.schedules or ((),)
        plan = plans[replication % len(plans)]
        switches = np.array([ticks(x, s.machine.hz) for pair in plan for x in pair] + [np.inf])
        g["p_schedule"] = switches.ctypes.data
        for name in ("cpus", "krw", "prods", "out", "wait_hist", "late_hist", "tally"):
            a[name][:] = np.zeros((), a[name].dtype)
        a["tree"][:] = np.inf
        a["nodes"]["slot"] = np.arange(len(a["nodes"]))
        g["p_self"] = g.ctypes.data + GLOBAL.itemsize * np.arange(len(g))
        cpus, r = a["cpus"], s.remedy
        streams = [(g[:1], name) for name in ("r_episode", "r_gp", "r_foreign", "r_expedited")]
        streams += [(cpus, name) for name in ("arrivals", "marks", "stalls")] + [(g[:1], "r_fork")]
        for (record, name), state in zip(
            streams, replication_state(seed, replication, s.machine.cpus), strict=True
        ):
            record[name] = state.view(record[name].dtype)
        cpus["nr_emergency"], cpus["cache"] = r.emergency_at_boot, r.cache_at_boot
        kernel()(g)
        self.end, self.logged, held_up = g[0], int(g["log_n"][0]), len(a["waiters"])
        if g["error"][0] == STOPPED:
            raise Stopped
        if g["error"][0] == FULL:
            if held_up >= MAX_WAITERS:
                raise KrcsimError(
                    f"more than {MAX_WAITERS} callers are held up at once at workload.rate_hz = "
                    f"{s.workload.rate_hz:g} calls/s per CPU; lower rate or pressure, or set "
                    'workload.loop = "closed"'
                )
            self.room(8 * held_up)
            self.run(seed, replication)

    def runs(self, seed: int, first: int, last: int) -> Replications:
        """Replications first .. last - 1."""
        counts = np.zeros((last - first, self.windows, len(COUNTERS)))
        waits, late = np.zeros((2, GROUPS, self.windows, BINS), np.int64)
        for i in range(first, last):
            self.run(seed, i)
            counts[i - first] = self.arrays["out"].view(np.float64).reshape(self.windows, -1)
            waits[i % GROUPS] += self.arrays["wait_hist"]
            late[i % GROUPS] += self.arrays["late_hist"]
        for name in ("area", "episode_ms"):
            counts[:, :, COUNTERS.index(name)] *= 1000.0 / self.scenario.machine.hz
        return Replications(counts, waits, late)


def replicate(
    scenario: Scenario,
    seed: int,
    first: int,
    last: int,
    *,
    every_call: bool = False,
    stop: NDArray[np.int64] | None = None,
    by_episode: int = 0,
) -> Replications:
    """Replications first .. last - 1 of a scenario, one thread; number i depends on (seed, i) only.

    `every_call` takes calls one by one (the oracle); a nonzero stop[0] raises Stopped soon. With
    `by_episode` = n each of the first n episodes begins a window, instead of the steady state.
    """
    return _Arena(scenario, every_call, 0, stop, by_episode).runs(seed, first, last)


def event_log(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    *,
    events: int,
    every_call: bool = False,
    by_episode: int = 0,
) -> tuple[Replications, NDArray[Any], int]:
    """One replication, its first `events` events (dtype EVENT, `at` in ticks; none of dull calls),
    and their number.
    """
    arena = _Arena(scenario, every_call, events, None, by_episode)
    runs = arena.runs(seed, replication, replication + 1)
    return runs, arena.arrays["log"][: min(arena.logged, events)].copy(), arena.logged


def warm_up() -> None:
    """Compile (or load) the engine; takes seconds once per version, so do it in a thread."""
    replicate(Scenario(warmup_ms=0.0, horizon_ms=1.0), 0, 0, 1)


def rare_runs(
    scenario: Scenario,
    seed: int,
    first: int,
    last: int,
    how: dict[str, float],
    levels: Levels = (),
    peaks: int = 0,
    stop: NDArray[np.int64] | None = None,
    by_episode: int = 0,
) -> tuple[Replications, NDArray[np.float64], list[float]]:
    """Replications first .. last - 1 with forks; what these found: tally[replication, window,
    field]; peaks of danger.

    `levels`: of danger, each with the number of copies that go on there. `by_episode`: as for
    replicate(), but of a run that is split only the tally is right by episode, and the counters are
    not.
    """
    arena = _Arena(scenario, False, 0, stop, by_episode, how, levels, peaks)
    tally = np.zeros((last - first, arena.windows, len(TALLY.names or ())))
    runs, seen = [], []
    for i in range(first, last):
        runs.append(arena.runs(seed, i, i + 1))
        tally[i - first] = arena.tally.view(np.float64).reshape(arena.windows, -1)
        seen += arena.peaks[: int(arena.end["peaks_n"])].tolist()
    return sum(runs[1:], runs[0]), tally, seen
