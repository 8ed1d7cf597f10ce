# SPDX-License-Identifier: GPL-2.0-only
"""The refill worker of a CPU, for the twin: what starts it, when it runs, and for how many pages it
asks.
"""

from __future__ import annotations

import math
from typing import Any

from krcsim.model.remedy import Remedy


class RefillWorker:
    """krcp->page_cache_work: it is under way or not; `backs_off` is backoff_page_cache_fill."""

    def __init__(self, krcp: Any, order: Any) -> None:
        self.krcp, self.kernel, self.order = krcp, krcp.kernel, order
        self.remedy: Remedy = krcp.remedy
        self.under_way = self.backs_off = False
        self.turn = 0.0  # when the next turn of a worker that runs at once comes

    def missed(self, got_page: bool) -> None:
        """R44 and R50: A call that found no cached page has the answer to its own request."""
        kind, remedy = self.remedy.refill, self.remedy
        if kind == "none" or self.under_way or (got_page and kind != "any_miss"):
            return
        if kind == "e7" and remedy.nr_bkv_objs == 0:
            return
        clock, hz = self.kernel.clock, self.kernel.scenario.machine.hz
        if self.is_backing_off():
            jiffies = math.ceil(round(remedy.refill_backoff_ms * hz / 1000.0, 9))
            self.start(clock.timer(jiffies))
        elif remedy.refill_ms > 0.0:
            self.start(clock.now + self.kernel.ticks(remedy.refill_ms))
        else:
            self.run(late=False)

    def start(self, time: float) -> None:
        """R51 and R52: Let it run at that time."""
        self.under_way = True
        self.kernel.clock.call_at(time, self.order, lambda: self.run(late=True))

    def is_backing_off(self) -> bool:
        """R52 and R53: Whether a pass of reclaim was seen since it last ran, or goes on."""
        memory = self.kernel.memory
        if memory and self.kernel.scenario.memory.shrinker:
            memory.follow(self.kernel.clock.now)
            if memory.kswapd_passes or memory.kswapd:
                memory.kswapd_passes = 0
                self.kernel.shrink_count()
        return self.remedy.refill_backoff_ms > 0.0 and self.backs_off

    def run(self, late: bool) -> None:
        """R51 and R52: Ask for pages, for each cache in turn, and be done."""
        krcp = self.krcp
        most = 1 if self.is_backing_off() else self.remedy.nr_bkv_objs
        for cache in sorted({krcp.cache_of(channel) for channel in range(2)}):
            if not self.fill(cache, most, late):
                break
        self.kernel.window.add("refill_runs")
        self.under_way = self.backs_off = False

    def fill(self, cache: int, most: int, late: bool) -> bool:
        """R51: Fill one cache; False if a failed request ends the whole run."""
        krcp, kind = self.krcp, self.remedy.refill
        already = krcp.bkvcache[cache] if kind in ("any_miss", "e7") else 0
        for _ in range(already, most):
            self.kernel.window.add("refill_tries")
            if not self.page(late):
                if kind in ("e2", "e3"):
                    continue
                return False
            if krcp.bkvcache[cache] >= self.remedy.nr_bkv_objs:
                if self.kernel.memory:
                    self.kernel.memory.free_pages(krcp.pages, self.kernel.clock.now, 1)
                break
            krcp.bkvcache[cache] += 1
            self.kernel.window.add("refill_pages")
        return True

    def page(self, late: bool) -> bool:
        """R44 and R50: A page for the worker; in its turn, or late, it reclaims first."""
        kernel, memory, now = self.kernel, self.kernel.memory, self.kernel.clock.now
        pages = self.krcp.pages
        if not memory:
            odds = kernel.episode_odds if kernel.episode else kernel.calm_odds
            return bool(kernel.draws.refills.random() >= odds.page_noretry)
        if memory.page(pages, now, memory.marks.nowait):
            return True
        for_object = self.remedy.refill == "e2"
        if not late:
            turn = memory.stall_ticks(now, for_object)
            if now > self.turn + 2.0 * turn:
                self.turn = now + turn
                return False
            if now < self.turn:
                return False
            self.turn = now + 2.0 * turn
            self.krcp.refill_owes += turn
        memory.reclaim(now, for_object)
        return bool(memory.page(pages, now, memory.marks.nowait))
