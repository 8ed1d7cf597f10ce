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
from krcsim.engine.codes import FULL, HEAD_ALLOC, STOPPED
from krcsim.engine.entry_points import compiled
from krcsim.engine.random_streams import UNLIMITED
from krcsim.engine.records import (
    BINS,
    COUNTERS,
    CPU_STREAMS,
    KFREE_N_BATCHES,
    WORLD_STREAMS,
    Batch,
    Counters,
    Cpu,
    EventRecord,
    HeapNode,
    HeldCall,
    Producer,
    Tally,
    World,
    replication_state,
)
from krcsim.model.constants import PAGE_BYTES, SLUB_PAGES, WRAPPER_BYTES, ticks
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
    return whole(make, (numba.typeof(np.zeros(1, World.dtype)),))


def fill_parameters(g: Any, s: Scenario) -> None:
    """Write a scenario into the engine's parameter record, in ticks."""
    m, r, a, gp, w, mem = s.machine, s.remedy, s.allocator, s.grace_period, s.workload, s.memory
    batch, high = mem.pcp()
    values: dict[str, Any] = dict(
        nr_cpus=m.cpus,
        head_alloc=HEAD_ALLOC[r.head_alloc],
        has_array_path=r.array_path,
        asks_noretry=r.page_class == "noretry",
        pool_capacity=r.nr_emergency_objs,
        has_channel_caches=not r.cache_shared,
        cache_capacity=r.nr_bkv_objs,
        pages_go_to_worker=r.page_return == "worker",
        drains_list_at_once=r.expedited_drain,
        rearms_if_left=r.rearm == "left",
        attaches_to_pending=r.attach_to_pending,
        drain_jiffies=s.drain_jiffies,
        block_entries=r.block_entries,
        is_closed_loop=w.loop != "open",
        catches_up=w.loop == "catchup",
        reuse_capacity=SLUB_PAGES * w.slab_objects(),
        producers_per_cpu=w.producers,
        has_bursts=w.arrivals in ("periodic", "bursts"),
        burst_calls=w.burst,
        has_random_gaps=w.gap == "exponential",
        gps_on_ticks=gp.kind == "ticks",
        rcu_expedited=gp.expedited,
        p_offloaded=m.nocb_share,
        has_random_episodes=a.episodes == "exponential",
        starts_stationary=a.start == "stationary",
        is_poisson=w.arrivals == "poisson",
        starts_after_tick=w.phase == "tick",
        p_single=w.single_share,
        p_vmalloc=w.vmalloc_share,
        base_rate=w.rate_hz / m.hz,
        stall_sigma=a.stall_sigma,
        expedited_sigma=gp.expedited_sigma,
        invoke_delay=gp.invoke_ticks(),
        tick_ms=1000.0 / m.hz,
        failures=[a.calm.resolved(), a.episode.resolved()],
        has_page_memory=mem.pressure == "pages",
        has_refill_worker=r.refill,
        misses_are_eventful=mem.pressure == "pages" or r.refill,
        has_hog=mem.hog != "none",
        hog_mark=mem.hog_mark(),
        pcp_batch=batch,
        pcp_high=high,
        deferred_objects_count=mem.pressure == "pages" and mem.deferred_counts,
        object_bytes=w.object_bytes,
        slab_page_objects=PAGE_BYTES // WRAPPER_BYTES[m.arch],
        slab_pages_kept=mem.slab_pages,
        max_plan_calls=UNLIMITED,
    )
    values |= dict(
        zip(("free_pages_at_boot", "file_pages_at_boot"), mem.pages_at_boot(), strict=True)
    ) | {f"{name}_mark": pages for name, pages in mem.marks()._asdict().items()}
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
        expedited_median=gp.expedited_median_ms,
        warmup=s.warmup_ms,
        horizon=s.horizon_ms,
        episode_mean=a.episode_ms,
        calm_mean=a.calm_ms,
        phase=TICK_PHASE_MS,
        reader_section=gp.reader_ms,
        reader_gap=gp.reader_gap_ms,
        hog_sleep=mem.hog_ms,
        hog_lead=mem.lead_ms,
        reclaim_round=mem.round_instructions * m.instruction_ns * 1e-6,
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
            1 if rare is None else 2 + len(levels), World.dtype
        )  # a run, its fork, a copy a level
        self.tally, self.levels = (
            np.zeros(self.windows, Tally.dtype),
            np.array(levels, float).reshape(-1),
        )
        self.peaks = np.zeros(max(1, peaks))
        fill_parameters(self.template[0], s)
        for name, value in (rare or {}).items():
            self.template[name] = value
        self.template["level_count"], self.template["peak_capacity"] = len(levels), peaks
        cdf = np.diff(self.gp[1], prepend=0.0)
        self.template["gp_mean"] = float(np.sum(self.gp[0] * cdf))
        (
            self.template["takes_every_call"],
            self.template["log_capacity"],
            self.template["windows_by_episode"],
        ) = (
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
        prods = cpus * self.scenario.workload.producers if self.template["has_bursts"][0] else 1
        arrays = dict(
            cpus=np.zeros(cpus, Cpu.dtype),
            batches=np.zeros(KFREE_N_BATCHES * cpus, Batch.dtype),
            producers=np.zeros(prods, Producer.dtype),
            waiters=np.zeros(held_up, HeldCall.dtype),
            stalled=np.zeros(held_up + 1, HeldCall.dtype),
            heap=np.zeros(held_up + 1, HeapNode.dtype),
            tournament=np.full(2 * leaves, np.inf),
            counters=np.zeros(self.windows, Counters.dtype),
            wait_histogram=np.zeros((self.windows, BINS), np.int64),
            latency_histogram=np.zeros((self.windows, BINS), np.int64),
            log=np.zeros(max(1, self.log), EventRecord.dtype),
            stop=self.stop,
            tallies=self.tally,
            levels=self.levels,
            peaks=self.peaks,
            gp_lengths=np.ascontiguousarray(self.gp[0], np.float64),
            gp_cdf=np.ascontiguousarray(self.gp[1], np.float64),
        )
        arrays["heap"]["slot"] = np.arange(held_up + 1)
        for name, array in arrays.items():
            t[f"{name}_address"] = array.ctypes.data
        t["waiter_capacity"] = t["heap_capacity"] = held_up
        t["tournament_leaves"], t["gp_length_count"] = leaves, len(self.gp[0])
        return arrays

    def run(self, seed: int, replication: int) -> None:
        """One replication; starts over with larger arrays if too many callers are held up."""
        s, a, g = self.scenario, self.arrays, self.template.copy()
        plans = s.allocator.schedules or ((),)
        plan = plans[replication % len(plans)]
        switches = np.array([ticks(x, s.machine.hz) for pair in plan for x in pair] + [np.inf])
        g["schedule_address"] = switches.ctypes.data
        for name in (
            "cpus",
            "batches",
            "producers",
            "counters",
            "wait_histogram",
            "latency_histogram",
            "tallies",
        ):
            a[name][:] = np.zeros((), a[name].dtype)
        a["tournament"][:] = np.inf
        a["heap"]["slot"] = np.arange(len(a["heap"]))
        g["self_address"] = g.ctypes.data + World.dtype.itemsize * np.arange(len(g))
        cpus, r = a["cpus"], s.remedy
        streams = [(g[:1], name) for name in WORLD_STREAMS]
        streams += [(cpus, name) for name in CPU_STREAMS] + [(g[:1], "copy_stream")]
        for (record, name), state in zip(
            streams, replication_state(seed, replication, s.machine.cpus), strict=True
        ):
            record[name] = state.view(record[name].dtype)
        cpus["nr_emergency"], cpus["cached_pages"] = r.emergency_at_boot, r.cache_at_boot
        kernel()(g)
        self.end, self.logged, held_up = g[0], int(g["log_size"][0]), len(a["waiters"])
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
            counts[i - first] = self.arrays["counters"].view(np.float64).reshape(self.windows, -1)
            waits[i % GROUPS] += self.arrays["wait_histogram"]
            late[i % GROUPS] += self.arrays["latency_histogram"]
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
    tally = np.zeros((last - first, arena.windows, len(Tally.dtype.names or ())))
    runs, seen = [], []
    for i in range(first, last):
        runs.append(arena.runs(seed, i, i + 1))
        tally[i - first] = arena.tally.view(np.float64).reshape(arena.windows, -1)
        seen += arena.peaks[: int(arena.end["peak_count"])].tolist()
    return sum(runs[1:], runs[0]), tally, seen
