# SPDX-License-Identifier: GPL-2.0-only
"""The arrays of a run: made once, wiped for each replication, and passed to the engine by
address.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.engine.call_records import HeldCall, Producer
from krcsim.engine.codes import FULL, STOPPED
from krcsim.engine.records import (
    BINS,
    KFREE_N_BATCHES,
    Batch,
    Counters,
    Cpu,
    EventRecord,
    HeapNode,
    Tally,
    World,
)
from krcsim.engine.seeds import CPU_STREAMS, WORLD_STREAMS, replication_state
from krcsim.engine.sheaf_records import Barn, CpuSheaves
from krcsim.engine.size_records import ObjectSize
from krcsim.model.constants import ticks
from krcsim.model.scenario import Scenario
from krcsim.runs.engines import engine, version_for
from krcsim.runs.parameters import parameters_of, sizes_of
from krcsim.runs.rate_pieces import rate_pieces
from krcsim.runs.recorded_calls import recorded_calls

FIRST_WAITERS = 1 << 12
MAX_WAITERS = 1 << 22

Levels = Sequence[tuple[float, float]]  # of danger, each with the number of copies that go on there
Stop = NDArray[np.int64]

WIPED = (
    "cpus",
    "sizes",
    "pcs",
    "barns",
    "batches",
    "producers",
    "counters",
    "wait_histogram",
    "latency_histogram",
    "tallies",
)


class Stopped(Exception):
    """The run was asked to give up; nothing of it is kept."""


class Arena:
    """The arrays for runs of a scenario, one replication after another.

    `every_call`: calls are taken one by one; `log`: events that are kept; `stop`: nonzero stop[0]
    raises Stopped soon; `by_episode`: that many episodes begin a window each; `copies`: fields of
    importance sampling, or None for plain runs; `levels` of danger at which a run is split;
    `peaks`: how many measures of danger are kept.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        every_call: bool = False,
        log: int = 0,
        stop: Stop | None = None,
        by_episode: int = 0,
        copies: Mapping[str, float] | None = None,
        levels: Levels = (),
        peaks: int = 0,
    ) -> None:
        self.scenario = scenario
        self.log = log
        self.windows = max(2, by_episode + 1)
        self.stop = np.zeros(1, np.int64) if stop is None else stop
        self.tally = np.zeros(self.windows, Tally.dtype)
        self.levels = np.array(levels, float).reshape(-1)
        self.peaks = np.zeros(max(1, peaks))
        self.gp_lengths, self.gp_cdf = scenario.grace_periods()
        p_lengths = np.diff(self.gp_cdf, prepend=0.0)

        # A run; with importance sampling, also its biased copy, and a copy for each level.
        self.template = np.zeros(1 if copies is None else 2 + len(levels), World.dtype)
        values = parameters_of(scenario) | dict(copies or {})
        values |= dict(
            gp_mean=float(np.sum(self.gp_lengths * p_lengths)),
            takes_every_call=every_call,
            log_capacity=log,
            windows_by_episode=by_episode,
            level_count=len(levels),
            peak_capacity=peaks,
        )
        for name, value in values.items():
            *records, field = name.split(".")
            record = self.template[records[0]] if records else self.template
            record[field] = value

        self.recorded = recorded_calls(scenario)
        self.rate_pieces = rate_pieces(scenario)
        self.rate_shares = scenario.workload.rates_of_cpus(scenario.machine.cpus)
        self.reuse_shares = scenario.reuse_of_cpus()
        self.sizes = sizes_of(scenario)
        self.version = version_for(self.template)
        self.make_room(FIRST_WAITERS)

    def make_room(self, held_up: int) -> None:
        """Make the arrays, with room for that many held-up callers."""
        self.all_arrays = [self.arrays_of(world, held_up) for world in self.template]
        self.arrays = self.all_arrays[0]
        # As bytes: numpy fills and copies records a field at a time.
        self.wiped = [self.arrays[name].reshape(-1).view(np.uint8) for name in WIPED]
        self.slots = np.arange(held_up + 1)

    def arrays_of(self, world: Any, held_up: int) -> dict[str, NDArray[Any]]:
        """The arrays of a world; their addresses are written into it."""
        cpus = self.scenario.machine.cpus
        leaves = max(2, 1 << (cpus - 1).bit_length())
        producers = cpus * self.scenario.workload.producers if world["has_bursts"] else 1
        arrays = dict(
            cpus=np.zeros(cpus, Cpu.dtype),
            sizes=np.zeros(int(world["nr_sizes"]), ObjectSize.dtype),
            pcs=np.zeros(cpus * int(world["nr_sizes"]), CpuSheaves.dtype),
            barns=np.zeros(int(world["kmem_cache"]["nr_nodes"] * world["nr_caches"]), Barn.dtype),
            batches=np.zeros(KFREE_N_BATCHES * cpus, Batch.dtype),
            producers=np.zeros(producers, Producer.dtype),
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
            call_times=self.recorded.times,
            recorded_cells=self.recorded.cells,
            rate_pieces=self.rate_pieces,
            gp_lengths=np.ascontiguousarray(self.gp_lengths, np.float64),
            gp_cdf=np.ascontiguousarray(self.gp_cdf, np.float64),
        )
        arrays["heap"]["slot"] = np.arange(held_up + 1)

        for name, array in arrays.items():
            world[f"{name}_address"] = array.ctypes.data
        world["waiter_capacity"] = world["heap_capacity"] = held_up
        world["tournament_leaves"] = leaves
        world["gp_length_count"] = len(self.gp_lengths)
        return arrays

    def wipe(self, worlds: NDArray[Any], seed: int, replication: int) -> None:
        """Set the arrays, and the random streams, to the begin of a replication."""
        arrays = self.arrays
        for array in self.wiped:
            array[:] = 0
        arrays["tournament"][:] = np.inf
        arrays["heap"]["slot"] = self.slots

        cpus = arrays["cpus"]
        cpus["nr_emergency"] = self.scenario.remedy.emergency_at_boot
        cpus["cached_pages"] = self.scenario.remedy.cache_at_boot
        for name, places in self.recorded.of_cpu.items():
            cpus[name] = places
        cpus["rate_share"] = self.rate_shares
        cpus["reuse_share"] = self.reuse_shares
        cpus["first_pcs"] = np.arange(len(cpus)) * len(arrays["sizes"])
        for name, values in self.sizes.items():
            arrays["sizes"][name] = values

        streams = [(worlds[:1], name) for name in WORLD_STREAMS]
        streams += [(cpus, name) for name in CPU_STREAMS]
        streams += [(worlds[:1], "copy_stream")]
        states = replication_state(seed, replication, len(cpus))
        for (record, name), state in zip(streams, states, strict=True):
            record[name] = state.view(record[name].dtype)

    def run(self, seed: int, replication: int) -> None:
        """One replication; starts over with larger arrays if too many callers are held up."""
        worlds = self.template.view(np.uint8).copy().view(World.dtype)
        worlds["self_address"] = worlds.ctypes.data + World.dtype.itemsize * np.arange(len(worlds))
        switches = self.switches_of(replication)
        worlds["schedule_address"] = switches.ctypes.data
        self.wipe(worlds, seed, replication)

        engine(self.version)(worlds)

        self.end = worlds[0]
        self.logged = int(self.end["log_size"])
        if self.end["error"] == STOPPED:
            raise Stopped
        if self.end["error"] == FULL:
            self.make_more_room()
            self.run(seed, replication)

    def switches_of(self, replication: int) -> NDArray[np.float64]:
        """When pressure begins and ends in a replication by a given schedule, ticks; then never."""
        schedules = self.scenario.allocator.schedules or ((),)
        schedule = schedules[replication % len(schedules)]
        times_ms = [time_ms for episode in schedule for time_ms in episode]
        return np.array([ticks(x, self.scenario.machine.hz) for x in times_ms] + [np.inf])

    def make_more_room(self) -> None:
        """Eight times as many held-up callers; raises KrcsimError if that is too many."""
        held_up = len(self.arrays["waiters"])
        if held_up >= MAX_WAITERS:
            raise KrcsimError(
                f"more than {MAX_WAITERS} callers are held up at once at workload.rate_hz = "
                f"{self.scenario.workload.rate_hz:g} calls/s per CPU; lower rate or pressure, or "
                'set workload.loop = "closed"'
            )
        self.make_room(8 * held_up)
