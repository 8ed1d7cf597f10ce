# SPDX-License-Identifier: GPL-2.0-only
"""Sheaves in the twin: R66 to R72 of docs/model.md, one pointer and one allocation after another.

It shares with the compiled engine only the values of a scenario. A sheaf here is the number of
pointers or objects in it; None stands for no sheaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from krcsim.model.scenario import Scenario
from validation.twin_replay import rate_of

if TYPE_CHECKING:
    from validation.twin import Call, Cpu, Kernel, Steps

SHEAF_COUNTERS = (
    "sheaf_stored",
    "refused_kind",
    "refused_memory",
    "sheaf_requests",
    "sheaves_full",
    "sheaves_to_barn",
    "sheaves_flushed",
    "slab_refills",
    "waits_kind",
    "waits_memory",
    "filling_area",
    "in_flight_area",
    "batches_area",
    "in_flight_peak",
)
PAGE = 4096  # bytes
VMALLOC = 1  # the channel
LARGEST_IN_SLAB = 8192  # bytes; kmalloc() takes larger objects as pages


def capacity(scenario: Scenario, size: int) -> int:
    """R66: C, as given or by the size of an object; 0 without sheaves."""
    remedy = scenario.remedy
    if not remedy.sheaves:
        return 0
    if remedy.sheaf_entries:
        return remedy.sheaf_entries
    if size >= 4096:
        return 4
    if size >= 1024:
        return 12
    return 28 if size >= 256 else 60


@dataclass
class Barn:
    """struct node_barn: the sheaves of a node, and the objects in its slab lists of sheaves."""

    full: int = 0
    empty: int = 0
    slab_objects: int = 0


class Caches:
    """All caches, one for each size of objects that has one (R113), and how many objects are in
    which place.
    """

    def __init__(self, kernel: Kernel, seed: int, replication: int) -> None:
        scenario = kernel.scenario
        self.kernel, self.scenario = kernel, scenario
        self.draws = np.random.default_rng((seed, replication, 66))
        self.allocation_draws = np.random.default_rng((seed, replication, 70))
        self.of_size = {
            size: Cache(self, size, share)
            for size, share in scenario.workload.sizes
            if size <= LARGEST_IN_SLAB
        }
        self.filling = self.in_flight = self.batched = 0

    def account(self, ms: float) -> None:
        """R72: Bring the areas up to now; what is where has been so for that time."""
        counts = self.kernel.window.counts
        counts["filling_area"] += self.filling * ms
        counts["in_flight_area"] += self.in_flight * ms
        counts["batches_area"] += self.batched * ms
        counts["in_flight_peak"] = max(counts["in_flight_peak"], self.in_flight)

    def batch(self, objects: int) -> None:
        """R72: Objects have moved into a batch, or if negative a work has freed them."""
        self.kernel.account()
        self.batched += objects


class Cache:
    """The cache of one size of objects, with its barns."""

    def __init__(self, caches: Caches, size: int, share: float) -> None:
        scenario = caches.scenario
        self.caches, self.size, self.share = caches, size, share
        self.kernel, self.scenario, self.remedy = caches.kernel, scenario, scenario.remedy
        self.capacity = capacity(scenario, size)
        self.node_cpus = scenario.machine.node_cpus or scenario.machine.cpus
        nodes = -(-scenario.machine.cpus // self.node_cpus)
        wanted = 32 + 8 * self.capacity
        slot = next(s for s in (64, 128, 256, 512, 1024, 2048, 4096, 1 << 20) if s >= wanted)
        self.page_sheaves = max(1, PAGE // slot)
        self.kept_objects = scenario.memory.slab_pages * self.page_sheaves
        self.barns = [Barn(slab_objects=self.kept_objects) for _ in range(nodes)]


class CpuSheaves:
    """The sheaves of a CPU, of all caches."""

    def __init__(self, caches: Caches, cpu: Cpu, number: int) -> None:
        self.caches, self.kernel = caches, caches.kernel
        self.of_size = {
            size: Sheaves(cache, self, cpu, number) for size, cache in caches.of_size.items()
        }
        self.first_lazy: object = None

    def take(self, call: Call) -> bool:
        """R66, R67 and R113: Whether a sheaf takes the object of a call."""
        scenario = self.caches.scenario
        u_share, u_sheaf = self.caches.draws.random(2)
        takes = scenario.workload.sheaf_share
        if scenario.remedy.sheaf_caches == "opted_in":
            takes *= scenario.workload.opted_in_share
        if call.channel == VMALLOC or call.size not in self.of_size or u_share >= takes:
            call.window.add("refused_kind")
            return False
        return self.of_size[call.size].take(call, u_sheaf)

    def free(self, size: int) -> None:
        """R70: A caller frees its object itself."""
        self.of_size[size].free()

    def one_is_lazy(self) -> None:
        """R68: A full sheaf may ask for its grace period later, when the first of all has waited
        for its time.
        """
        from validation.twin import Order

        kernel, lazy_ms = self.kernel, self.caches.scenario.grace_period.lazy_ms
        if lazy_ms == 0.0:
            self.ask()
        elif self.first_lazy is None:
            mine = self.first_lazy = object()
            until = kernel.clock.now + kernel.ticks(lazy_ms)
            kernel.clock.call_at(until, Order.MONITOR, lambda: self.ask_if(mine))

    def ask_if(self, first_lazy: object) -> None:
        """R68: The first of the lazy sheaves has waited for its time, if it has not asked yet."""
        if first_lazy is self.first_lazy:
            self.ask()

    def ask(self) -> None:
        """R68: All full sheaves that have not asked for a grace period do, for the same one."""
        self.first_lazy = None
        for sheaves in self.of_size.values():
            sheaves.ask()


class Sheaves:
    """struct slub_percpu_sheaves: the sheaves of a cache on a CPU."""

    def __init__(self, cache: Cache, of_cpu: CpuSheaves, cpu: Cpu, number: int) -> None:
        self.cache, self.kernel, self.cpu, self.of_cpu = cache, cache.kernel, cpu, of_cpu
        node = number // cache.node_cpus
        self.barn = cache.barns[node]
        self.first_cpu = node * cache.node_cpus
        self.rcu_free: int | None = None
        self.spare: int | None = None
        self.main = 0
        self.lazy = 0  # full sheaves that have not asked yet
        reuse = cache.scenario.workload.reuse_hz
        self.reuse_hz = reuse or 0.0
        if reuse is None:
            self.reuse_hz = cache.scenario.workload.rate_hz * rate_of(cache.scenario, number)
        self.reuse_hz *= cache.share
        if self.reuse_hz > 0.0:
            self.kernel.clock.process(self.allocations())

    def take(self, call: Call, u_sheaf: float) -> bool:
        """R67: Whether the sheaf takes the object of a call of its kind."""
        if self.rcu_free is None and not self.find_sheaf(call, u_sheaf):
            call.refused_for_memory = True
            call.window.add("refused_memory")
            return False
        assert self.rcu_free is not None
        call.window.add("sheaf_stored")
        self.kernel.defer(call.size, in_sheaf=True)
        self.cache.caches.filling += 1
        self.rcu_free += 1
        if self.rcu_free == self.cache.capacity:
            self.detach(call)
        return True

    def find_sheaf(self, call: Call, u_sheaf: float) -> bool:
        """R67: A sheaf to fill: the empty spare, an empty one of the barn, or a new one."""
        if self.spare == 0:
            self.spare = None
        elif self.barn.empty > 0:
            self.barn.empty -= 1
        else:
            call.window.add("sheaf_requests")
            if not self.new_sheaf(call, u_sheaf):
                return False
        self.rcu_free = 0
        return True

    def new_sheaf(self, call: Call, u_sheaf: float) -> bool:
        """R67 and R71: Whether there is memory for a new sheaf: by chance, or as pages."""
        memory, pages = self.kernel.memory, self.cpu.krcp.pages
        if memory is None or pages is None:
            return u_sheaf >= call.odds.sheaf
        if self.barn.slab_objects == 0:
            if not memory.page(pages, self.kernel.clock.now, memory.marks.nowait):
                return False
            self.barn.slab_objects = self.cache.page_sheaves
        self.barn.slab_objects -= 1
        return True

    def detach(self, call: Call) -> None:
        """R68: The sheaf is full: it waits for a grace period, for which it may ask later."""
        call.window.add("sheaves_full")
        self.rcu_free = None
        self.cache.caches.filling -= self.cache.capacity
        self.cache.caches.in_flight += self.cache.capacity
        self.kernel.account()
        self.lazy += 1
        self.of_cpu.one_is_lazy()

    def ask(self) -> None:
        """R68: Its full sheaves ask for their grace period."""
        from validation.twin import Order

        sheaves, self.lazy = self.lazy, 0
        if sheaves:
            self.kernel.rcu.ask(Order.SHEAF, 0.0, lambda: self.come_back(sheaves))

    def come_back(self, sheaves: int) -> None:
        """R69: The grace period of so many full sheaves is over."""
        for _ in range(sheaves):
            self.free_full()

    def free_full(self) -> None:
        """R69: A full sheaf goes to the barn, or its objects are flushed."""
        cache, kernel, barn = self.cache, self.kernel, self.barn
        kernel.kfree(cache.capacity, self.cpu, of_sheaf=cache.size)
        cache.caches.in_flight -= cache.capacity
        if barn.full < cache.remedy.barn_full:
            barn.full += 1
            kernel.window.add("sheaves_to_barn")
            return
        kernel.window.add("sheaves_flushed")
        if barn.empty < cache.remedy.barn_empty:
            barn.empty += 1
        else:
            self.free_sheaf()

    def free_sheaf(self) -> None:
        """R71: A sheaf is gone: its memory goes back to its slab lists, and what is too much there
        to the free pages.
        """
        memory = self.kernel.memory
        if memory is None:
            return
        self.barn.slab_objects += 1
        if self.barn.slab_objects >= self.cache.kept_objects + self.cache.page_sheaves:
            self.barn.slab_objects -= self.cache.page_sheaves
            first = self.kernel.cpus[self.first_cpu]
            pages: Any = first.krcp.pages
            memory.free_pages(pages, self.kernel.clock.now, 1)

    def allocations(self) -> Steps:
        """R70 and R109: Allocations of the cache, one after another."""
        from validation.twin import Order

        kernel, draws = self.kernel, self.cache.caches.allocation_draws
        gap = self.cache.scenario.machine.hz / self.reuse_hz
        workload = self.cache.scenario.workload
        regular = workload.arrivals in ("periodic", "bursts")
        with_calls = workload.reuse_hz is None
        number = 0
        while kernel.clock.now < kernel.horizon:
            begin, load = (0.0, number * gap) if regular else (kernel.clock.now, None)
            if load is None:
                load = draws.exponential(gap)
            at = self.cpu.course.later(begin, load) if with_calls else begin + load
            yield kernel.clock.at(at, Order.ALLOCATION)
            self.allocate()
            number += 1

    def allocate(self) -> None:
        """R70: An allocation takes an object, of another main sheaf if this one is empty."""
        if self.main == 0:
            self.fetch_objects()
        self.main -= 1

    def fetch_objects(self) -> None:
        """R70: The main sheaf is empty: the spare, a full one of the barn, or slab pages."""
        self.main = self.cache.capacity
        if self.spare:
            self.spare = 0
        elif self.barn.full > 0:
            self.barn.full -= 1
            self.barn.empty += 1
        else:
            self.kernel.window.add("slab_refills")
            if self.spare is None:
                self.barn.empty = max(0, self.barn.empty - 1)
                self.spare = 0

    def free(self) -> None:
        """R70: A caller frees its object itself, into the main sheaf."""
        if self.main == self.cache.capacity:
            self.make_room()
        self.main += 1

    def make_room(self) -> None:
        """R70: The main sheaf is full, and changes places with an empty one."""
        self.main = 0
        barn = self.barn
        if self.spare is None:
            barn.empty = max(0, barn.empty - 1)
            self.spare = self.cache.capacity
        elif self.spare == 0:
            self.spare = self.cache.capacity
        elif barn.full < self.cache.remedy.barn_full:
            barn.full += 1
            barn.empty = max(0, barn.empty - 1)
