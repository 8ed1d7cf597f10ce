# SPDX-License-Identifier: GPL-2.0-only
"""Feedback on memory, for the twin: objects that callers allocate and free, reclaim that they
share, and OOM.

Plain book-keeping in pages and ticks; what changes free pages is done by who owns them
(twin_memory.py).
"""

from __future__ import annotations

import math
from typing import Any

from krcsim.model.constants import PAGE_BYTES
from krcsim.model.scenario import Scenario

MAX_RECLAIM_RETRIES = 16  # rounds that find nothing, before no_progress_loops is above it


class Slabs:
    """R80, R81 and R115: the slab pages of the objects of one size that callers allocate."""

    def __init__(self, scenario: Scenario, size: int, live: int) -> None:
        workload = scenario.workload
        self.live = live
        self.large = size >= PAGE_BYTES
        self.in_a_page = max(1, PAGE_BYTES // size)
        self.pages = math.ceil(size / PAGE_BYTES)
        self.leaves = 1.0
        if not self.large:
            v = workload.vmalloc_share
            self.leaves = v * 1.0 + (1.0 - v) * scenario.memory.release
        self.left = self.stayed = 0.0

    def boot_slabs(self) -> int:
        """R81: slab pages (or objects of several pages) of a CPU at boot."""
        return math.ceil(self.live / self.in_a_page)

    def whole_slabs(self, objects: int) -> int:
        """R80: how many slab pages are free as a whole, now that so many objects are freed."""
        self.left += self.leaves * objects
        whole = math.floor(self.left) // self.in_a_page
        self.left -= whole * self.in_a_page
        return whole

    def places(self, objects: int) -> int:
        """R80: places that the next objects find, now that so many are freed."""
        self.stayed += objects - self.leaves * objects
        places = math.floor(self.stayed)
        self.stayed -= places
        return places

    def released(self, objects: int) -> float:
        """R87: pages that so many freed objects give back, in parts of a page."""
        return self.leaves * objects * self.pages / self.in_a_page


class SharedReclaim:
    """R85: what all stalls under way find together, at a pace that does not grow with them."""

    def __init__(self, pace: float) -> None:
        self.pace = pace  # pages a tick; 0: each finds what it wants
        self.stalls = 0
        self.basket = 0.0
        self.seen = 0.0

    def fill(self, now: float) -> None:
        """What has been found up to now."""
        if self.stalls:
            self.basket += self.pace * (now - self.seen)
        self.seen = now

    def enter(self, now: float) -> None:
        """A stall begins."""
        self.fill(now)
        self.stalls += 1

    def leave(self, now: float, wanted: float) -> float:
        """A stall ends: what it takes with it."""
        self.fill(now)
        self.stalls -= 1
        taken = min(wanted, self.basket) if self.pace else wanted
        self.basket = self.basket - taken if self.stalls else 0.0
        return taken


class Shrinker:
    """R88 and R89: the shrinker of kfree_rcu() and what passes have left to later ones."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.later = 0
        self.asked = False

    def freeable(self) -> int:
        """R88: What could be freed, on all CPUs."""
        krcps: list[Any] = [cpu.krcp for cpu in self.kernel.cpus]
        objects: int = sum(
            sum(krcp.channels[0]) + sum(krcp.channels[1]) + len(krcp.channels[2]) for krcp in krcps
        )
        return objects + (sum(self.cached(krcp) for krcp in krcps) if self.empties() else 0)

    def cached(self, krcp: Any) -> int:
        """The pages in the caches of a CPU."""
        return int(sum(krcp.bkvcache[: 1 if krcp.remedy.cache_shared else 2]))

    def empties(self) -> bool:
        """R89 and R110: Whether the kernel is one of those that empty their caches."""
        remedy = self.kernel.scenario.remedy
        return bool(remedy.refill_backoff_ms > 0.0 or remedy.shrinks_cache)

    def shrink(self) -> None:
        """R88: A pass comes to the scan."""
        self.asked = False
        if self.kernel.window is self.kernel.after:
            return
        there, shift = self.freeable(), self.kernel.scenario.memory.priority
        new = (there >> shift) * 2
        amount = min(there * 2, new + (self.later >> shift))
        if there and (amount >= 128 or amount >= there):
            self.later = 0
            for cpu in self.kernel.cpus:
                self.scan(cpu.krcp)
        else:
            self.later = min(there * 2, self.later + new)

    def scan(self, krcp: Any) -> None:
        """R89: Empty the caches of a CPU, and run its monitor; its timer may stay."""
        kernel = self.kernel
        kernel.window.add("scans")
        if self.empties():
            pages = self.cached(krcp)
            krcp.bkvcache = [0, 0]
            kernel.window.add("pages_freed", pages)
            kernel.window.add("pages_shrunk", pages)
            kernel.memory.free_pages(krcp.pages, kernel.clock.now, pages)
        timer = krcp.monitor
        had, jiffies = timer.time if timer.pending else math.inf, timer.expires
        if any(krcp.channels) and (self.empties() or timer.pending):
            timer.pending = False
            krcp.kfree_rcu_monitor()
            set_to = timer.time if timer.pending else math.inf
            if self.empties() and had < set_to:
                timer.at(had)
                timer.expires = jiffies
