# SPDX-License-Identifier: GPL-2.0-only
"""When the monitor of a CPU runs, for the twin: the timer of a delayed work, which may be brought
forward.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from krcsim.model.remedy import Remedy


class MonitorTimer:
    """R22 and R23: krcp->monitor_work, a delayed work that is pending or not."""

    def __init__(self, clock: Any, order: Any, run: Callable[[], None]) -> None:
        self.clock, self.order, self.run = clock, order, run
        self.pending = False
        self.expires = math.inf  # timer.expires, before the wheel rounds it up
        self.set_times = 0  # of earlier settings nothing happens

    def set(self, jiffies: int) -> None:
        """R23: Let it run after so many jiffies, whatever it was set to before."""
        self.expires = math.floor(self.clock.now) + jiffies
        self.at(self.clock.timer(jiffies))

    def at(self, time: float) -> None:
        """Let it run at that time."""
        self.pending = True
        self.set_times += 1
        setting = self.set_times
        self.clock.call_at(time, self.order, lambda: self.fire(setting))

    def fire(self, setting: int) -> None:
        """Let it run, if it was not set anew meanwhile."""
        if self.pending and setting == self.set_times:
            self.pending = False
            self.run()

    def bring_forward(self, jiffies: int) -> None:
        """R49: Set it to so many jiffies if it would expire later."""
        if jiffies < self.expires - math.floor(self.clock.now):
            self.set(jiffies)


def drain_delay(remedy: Remedy, hz: int, queued: int) -> int:
    """R22 and R49: The jiffies for which the monitor is set with so many objects queued."""
    if remedy.drain_full and queued >= remedy.block_entries:
        return 1
    if remedy.drain_ms > 0:
        return math.ceil(round(remedy.drain_ms * hz / 1000.0, 9))
    return remedy.drain_jiffies or max(1, hz // 50)


def asks_for_page(remedy: Remedy, single: bool) -> bool:
    """R46 and R47: Whether a call of that kind asks the allocator for a page."""
    return remedy.page_class != "cache" if single else remedy.double_page


def comes_again(rearm: str, queued: bool, left_between: bool, left: bool) -> bool:
    """R26 and R48: Whether the monitor is set again after its run.

    `queued`: something moved into a batch; `left_between`: something was left after the look at
    either batch; `left`: after both.
    """
    return {"unqueued": not queued, "left": left_between, "rest": left}[rearm]
