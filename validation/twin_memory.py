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
from collections.abc import Mapping

from krcsim.model.constants import PAGE_BYTES, WRAPPER_BYTES
from krcsim.model.memory import PAGES_PER_MIB
from krcsim.model.scenario import Scenario
from validation.twin_feedback import MAX_RECLAIM_RETRIES, SharedReclaim, Slabs

SWAP_CLUSTER_MAX = 32  # pages that a round of direct reclaim brings
SNAP = 1e-6  # pages; what is that close to a mark is on it


class CpuPages:
    """What a CPU keeps for itself: pages in its list, and free rcu_head objects in its slab
    pages.
    """

    def __init__(self, slab_objects: int, places: dict[int, int]) -> None:
        self.pcp = 0
        self.slab_objects = slab_objects
        self.places = places  # by size, for objects that callers allocate


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
        self.stall = scenario.allocator.stall_ms * self.ticks
        self.round = memory.round_instructions * machine.instruction_ns * 1e-6 * self.ticks
        self.hogged = 0.0
        self.in_objects = 0
        self.episode = self.kswapd = False
        self.kswapd_passes = 0  # that nobody has looked at yet
        self.hog_looks_at = 0.0
        self.now = 0.0
        self.others = memory.mib * PAGES_PER_MIB - self.free - self.file
        self.allocates = scenario.workload.live_objects > 0
        self.slabs = {
            size: Slabs(scenario, size, live)
            for (size, _), live in zip(
                scenario.workload.sizes, scenario.workload.live_of_sizes(), strict=True
            )
        }
        self.all_leave = all(one.leaves == 1.0 for one in self.slabs.values())
        self.shared = SharedReclaim(memory.reclaim_pages_s * self.per_tick)
        self.grows = scenario.workload.growth_pages_s * self.per_tick * self.allocates
        self.waiting = 0
        self.grown = self.kept_part = 0.0
        self.asked = self.released = self.reclaimed = 0.0  # pages, to be counted
        self.killed_at = math.inf  # when the pages of a killed task are free
        self.oom_at = math.inf  # when what grows will have found nothing for too long
        self.ooms, self.dead = 0, False

    def cpu_pages(self) -> CpuPages:
        """R81 and R115: What a CPU has at boot."""
        places = {}
        for size, one in self.slabs.items() if self.allocates else ():
            slabs = one.boot_slabs()
            self.free -= slabs * one.pages
            places[size] = slabs * one.in_a_page - one.live
        return CpuPages(self.memory.slab_pages * self.objects_a_page, places)

    # ---- what goes on beside kfree_rcu()

    def flows(self) -> tuple[float, float, float, float]:
        """R40 and R83: Pages a tick, now: to the hog, read by the load, brought back by reclaim,
        and what grows while calls wait.
        """
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
        hog, load, back = hog * self.per_tick, load * self.per_tick, back * self.per_tick
        wants = grows = self.grows * self.waiting
        direct = 0.0
        if self.free <= self.marks.nowait:
            grows = min(wants, max(0.0, back - load))
            if self.file > 0.0:
                direct = min(wants - grows, self.shared.pace or math.inf)
        grows += direct
        self.starves = direct == 0.0 and grows < wants
        return hog, load, back + direct, grows

    def patience(self) -> float:
        """R86: Until when what grows goes on without a page; then comes the OOM killer."""
        if self.now >= self.oom_at:
            self.out_of_memory(self.now)
            self.oom_at = math.inf
        if self.killed_at < math.inf or self.dead:
            return math.inf
        if math.isinf(self.oom_at):
            self.oom_at = self.now + MAX_RECLAIM_RETRIES * self.round
        return self.oom_at

    def follow(self, to: float) -> None:
        """R40: Let hog, load and kswapd go on until `to`, from mark to mark."""
        levels = (0.0, self.hog_mark, *self.marks)
        while self.now < to:
            hog, load, back, grows = self.flows()
            pace, then = back - load - hog - grows, to
            if self.starves:
                then = min(then, self.patience())
            else:
                self.oom_at = math.inf
            then = min(then, self.killed_at)
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
            self.grown += grows * span
            self.file = self.snapped(self.file + (load - back) * span, (0.0,))
            self.free = self.snapped(self.free, levels)
            if self.now >= self.killed_at:
                self.end_of_kill()

    def end_of_kill(self) -> None:
        """R86: The pages of the killed task are free: of those that grew, then of others."""
        self.killed_at = math.inf
        left = self.memory.oom_frees_mib * PAGES_PER_MIB
        for name in ("grown", "others"):
            pages = min(left, getattr(self, name))
            setattr(self, name, getattr(self, name) - pages)
            self.free += pages
            left -= pages

    def out_of_memory(self, now: float) -> None:
        """R86: Kill a task, unless one is just being killed; without one the run is dead."""
        if self.killed_at < math.inf or self.dead:
            return
        self.ooms += 1
        self.dead = not self.memory.oom_frees_mib or self.grown + self.others < 1.0
        if not self.dead:
            self.killed_at = now + self.memory.oom_ms * self.ticks

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
        self.asked += 1
        return True

    def free_pages(self, cpu: CpuPages, now: float, pages: int) -> None:
        """R39: Pages go to the list of the CPU, and what it holds above its limit to the zone."""
        self.follow(now)
        self.released += pages
        cpu.pcp += pages
        if cpu.pcp > self.high:
            batches = math.ceil((cpu.pcp - self.high) / self.batch)
            cpu.pcp -= batches * self.batch
            self.free += batches * self.batch

    def defer(self, now: float, held: int) -> None:
        """R43 and R114: So many bytes are deferred now, an object more than before: they hold
        pages, taken down to min.
        """
        self.follow(now)
        more = min(self.pages_of(held) - self.in_objects, math.floor(self.free - self.marks.nowait))
        if self.memory.deferred_counts and more > 0 and not self.allocates:
            self.free -= more
            self.in_objects += more

    def kfree(self, now: float, left: int, freed: Mapping[int, int]) -> None:
        """R43, R80 and R114: So many bytes are left, without those that were freed: of the pages
        that no object holds any more a share is free, the rest has room for the next objects.
        """
        self.follow(now)
        gone = sum(size * many for size, many in freed.items())
        leaves = sum(self.slabs[size].leaves * size * many for size, many in freed.items()) / gone
        held = min(self.in_objects, self.pages_of(left + gone))
        unheld = held - min(self.in_objects, self.pages_of(left))
        self.kept_part += leaves * unheld
        free = math.floor(self.kept_part)
        self.kept_part -= free
        self.free += free
        if not self.all_leave:
            self.released += free
        self.in_objects -= free

    # ---- objects that callers allocate

    def new_object(self, cpu: CpuPages, now: float, size: int) -> bool:
        """R81 and R83: A place for an object: in the slab pages of the CPU, in pages that grew, or
        in free pages above min.
        """
        if cpu.places[size] == 0:
            self.follow(now)
            pages = self.slabs[size].pages
            if self.grown >= pages:
                self.grown -= pages
            elif self.free - self.marks.nowait >= pages:
                self.free -= pages
            else:
                return False
            cpu.places[size] = self.slabs[size].in_a_page
        cpu.places[size] -= 1
        return True

    def free_objects(self, cpu: CpuPages, now: float, freed: Mapping[int, int]) -> None:
        """R80 and R115: Objects are freed on a CPU: whole slab pages are free, and there are new
        places.
        """
        self.follow(now)
        for size, objects in freed.items():
            slabs = self.slabs[size]
            self.free += slabs.whole_slabs(objects) * slabs.pages
            cpu.places[size] += slabs.places(objects)
            self.released += slabs.released(objects)

    def waits(self, now: float, more: int) -> None:
        """R83: One call more waits, or one less."""
        self.follow(now)
        self.waiting += more

    @staticmethod
    def pages_of(held: int) -> int:
        """R43: The slab pages of so many bytes of objects."""
        return -(-held // PAGE_BYTES)

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

    def reclaim(self, now: float, for_object: bool, is_stall: bool = True) -> float:
        """R42 and R85: A stall ends: what it found in the page cache is free."""
        self.follow(now)
        found = min(self.missing(for_object), self.file)
        if is_stall:
            found = self.shared.leave(now, found)
            self.reclaimed += found
        self.file -= found
        self.free += found
        return found
