# SPDX-License-Identifier: GPL-2.0-only
"""Memory as pages, for the twin: free pages against watermarks, and who takes them or brings them
back.

Nothing here is an event: the pages move in straight lines, which are followed when somebody asks.
Time is in ticks. Not covered by the comparison of the two: a load that reads files during a head
start of the hog (`lead_ms`), and what is asked of memory between two looks of the engine (it takes
the pages of skipped calls when it counts them).
"""

from __future__ import annotations

import math

from krcsim.model.constants import PAGE_BYTES, WRAPPER_BYTES
from krcsim.model.scenario import Scenario

SWAP_CLUSTER_MAX = 32  # pages that a round of direct reclaim brings
MAX_RECLAIM_RETRIES = 16  # rounds that find nothing, before no_progress_loops is above it
SNAP = 1e-6  # pages; what is that close to a mark is on it


class CpuPages:
    """What a CPU keeps for itself: pages in its list, and free rcu_head objects in its slab
    pages.
    """

    def __init__(self, slab_objects: int) -> None:
        self.pcp = 0
        self.slab_objects = slab_objects


class Memory:
    """R37: One zone: every page is free, with the hog, page cache, in deferred objects, or with a
    CPU.
    """

    def __init__(self, scenario: Scenario) -> None:
        memory, machine = scenario.memory, scenario.machine
        self.memory, self.head_alloc = memory, scenario.remedy.head_alloc
        self.marks, self.hog_mark = memory.marks(), memory.hog_mark()
        self.batch, self.high = memory.pcp()
        self.free, self.file = memory.pages_at_boot()
        self.per_tick = 1.0 / machine.hz
        self.ticks = machine.hz / 1000.0  # in a millisecond
        self.objects_a_page = PAGE_BYTES // WRAPPER_BYTES[machine.arch]
        self.object_bytes = scenario.workload.object_bytes
        self.stall = scenario.allocator.stall_ms * self.ticks
        self.round = memory.round_instructions * machine.instruction_ns * 1e-6 * self.ticks
        self.hogged = 0.0
        self.in_objects = 0
        self.episode = self.kswapd = False
        self.kswapd_passes = 0  # that nobody has looked at yet
        self.hog_looks_at = 0.0
        self.now = 0.0

    def cpu_pages(self) -> CpuPages:
        """What a CPU has at boot."""
        return CpuPages(self.memory.slab_pages * self.objects_a_page)

    # ---- what goes on beside kfree_rcu()

    def flows(self) -> tuple[float, float, float]:
        """R40: Pages a tick, now: to the hog, read by the load, and brought back by kswapd."""
        memory = self.memory
        if self.free >= self.marks.full:
            self.kswapd = False
        elif self.free <= self.marks.low:
            self.kswapd_passes += not self.kswapd
            self.kswapd = True
        hog = memory.hog_pages_s if self.episode and memory.hog != "none" else 0.0
        if hog and self.now >= self.hog_looks_at and self.free <= self.hog_mark:
            self.hog_looks_at = self.now + memory.hog_ms * self.ticks
        if self.now < self.hog_looks_at:
            hog = 0.0
        wanted = memory.load_pages_s if self.episode else 0.0
        back = memory.kswapd_pages_s if self.kswapd else 0.0
        if self.file == 0.0:
            back = min(back, wanted)  # only what has just been read
        load = wanted if self.free > self.marks.nowait else min(wanted, back)
        return hog * self.per_tick, load * self.per_tick, back * self.per_tick

    def follow(self, to: float) -> None:
        """R40: Let hog, load and kswapd go on until `to`, from mark to mark."""
        levels = (0.0, self.hog_mark, *self.marks)
        while self.now < to:
            hog, load, back = self.flows()
            pace, then = back - load - hog, to
            if self.now < self.hog_looks_at:
                then = min(then, self.hog_looks_at)
            if back > load:
                then = min(then, self.now + self.file / (back - load))
            for level in levels:
                if pace * (level - self.free) > 0.0:
                    then = min(then, self.now + (level - self.free) / pace)
            then = max(then, math.nextafter(self.now, math.inf))
            span, self.now = then - self.now, then
            self.free += pace * span
            self.hogged += hog * span
            self.file = self.snapped(self.file + (load - back) * span, (0.0,))
            self.free = self.snapped(self.free, levels)

    @staticmethod
    def snapped(pages: float, levels: tuple[float, ...]) -> float:
        """The level that a number of pages has come to, or the number itself."""
        return next((level for level in levels if abs(pages - level) < SNAP), pages)

    def episode_begins(self, now: float) -> None:
        """R40: The hog starts, with its head start if this is the begin of the run."""
        self.follow(now)
        self.episode = True
        self.hog_looks_at = now
        if now == 0.0:
            self.hog_looks_at = self.now = -self.memory.lead_ms * self.ticks

    def episode_ends(self, now: float) -> None:
        """R40: The hog gives back all it has."""
        self.follow(now)
        self.episode = False
        self.free, self.hogged = self.free + self.hogged, 0.0

    # ---- what kfree_rcu() takes and gives

    def page(self, cpu: CpuPages, now: float, mark: float) -> bool:
        """R39: A page, if more than `mark` are free; it comes from the list of the CPU."""
        self.follow(now)
        if self.free <= mark or self.free < 1.0:
            return False
        if cpu.pcp == 0:
            cpu.pcp = min(self.batch, math.floor(self.free))
            self.free -= cpu.pcp
        cpu.pcp -= 1
        return True

    def free_pages(self, cpu: CpuPages, now: float, pages: int) -> None:
        """R39: Pages go to the list of the CPU, and what it holds above its limit to the zone."""
        self.follow(now)
        cpu.pcp += pages
        if cpu.pcp > self.high:
            batches = math.ceil((cpu.pcp - self.high) / self.batch)
            cpu.pcp -= batches * self.batch
            self.free += batches * self.batch

    def defer(self, now: float, objects: int) -> None:
        """R43: So many objects are deferred now, one more than before: they hold pages, taken down
        to min.
        """
        self.follow(now)
        more = min(
            self.pages_of(objects) - self.in_objects, math.floor(self.free - self.marks.nowait)
        )
        if self.memory.deferred_counts and more > 0:
            self.free -= more
            self.in_objects += more

    def kfree(self, now: float, objects: int) -> None:
        """R43: So many are left after some have been freed: pages that they do not hold
        are free.
        """
        self.follow(now)
        left = min(self.in_objects, self.pages_of(objects))
        self.free += self.in_objects - left
        self.in_objects = left

    def pages_of(self, objects: int) -> int:
        """R43: The slab pages of so many objects."""
        return -(-objects * self.object_bytes // PAGE_BYTES)

    def rcu_head(self, cpu: CpuPages, now: float) -> bool:
        """R41: An rcu_head object: from the slab pages of the CPU, or with a new one."""
        if cpu.slab_objects > 0:
            cpu.slab_objects -= 1
            return True
        return self.slab_page(
            cpu, now, self.marks.high if self.head_alloc == "tryhard" else self.marks.atomic
        )

    def slab_page(self, cpu: CpuPages, now: float, mark: float) -> bool:
        """R41: A page of rcu_head objects, one of which is taken."""
        if not self.page(cpu, now, mark):
            return False
        cpu.slab_objects += self.objects_a_page - 1
        return True

    def wrappers_freed(self, cpu: CpuPages, now: float, wrappers: int) -> None:
        """R41: Wrappers go back to the slab pages of the CPU, which keeps a few whole ones."""
        cpu.slab_objects += wrappers
        pages = cpu.slab_objects // self.objects_a_page - self.memory.slab_pages
        if pages > 0:
            cpu.slab_objects -= pages * self.objects_a_page
            self.free_pages(cpu, now, pages)

    # ---- direct reclaim

    def sleeping_mark(self) -> float:
        """R38: The mark that an object's request has to pass after its stall."""
        return self.marks.high if self.head_alloc == "tryhard" else self.marks.nowait

    def missing(self, for_object: bool) -> float:
        """R42: Pages that a stall has to bring."""
        return (
            max(SWAP_CLUSTER_MAX, self.sleeping_mark() - self.free + 1.0)
            if for_object
            else SWAP_CLUSTER_MAX
        )

    def stall_ticks(self, now: float, for_object: bool) -> float:
        """R42: The median length of a stall that begins now."""
        self.follow(now)
        if self.file > 0.0:
            return math.ceil(self.missing(for_object) / SWAP_CLUSTER_MAX) * self.stall
        if not for_object:
            return self.round
        return (2 + MAX_RECLAIM_RETRIES if self.free >= self.marks.atomic else 2) * self.round

    def reclaim(self, now: float, for_object: bool) -> None:
        """R42: A stall ends: what it found in the page cache is free."""
        self.follow(now)
        found = min(self.missing(for_object), self.file)
        self.file -= found
        self.free += found
