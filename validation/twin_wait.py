# SPDX-License-Identifier: GPL-2.0-only
"""The twin's list of the grace-period kthread: who is on it, and when they wake (R60 and R61 of
docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

AT_ONCE = 5  # waiters that the kthread wakes itself
LATCH = 64


@dataclass
class Listed:
    """R60: A waiter on the list: the grace period that it needs, and how it is woken."""

    need: int
    wake: Callable[[float], object]


@dataclass
class WaitList:
    """R60 and R61: struct rcu_state.srs_next: the list, and the latch that closes it."""

    work_delay: float
    waiters: list[Listed] = field(default_factory=list)
    in_flight: int = 0
    latched: bool = False

    def add(self, need: int, wake: Callable[[float], object]) -> None:
        """R61: One more on the list; the 64th in flight closes the latch."""
        self.waiters.append(Listed(need, wake))
        self.in_flight += 1
        if self.in_flight == LATCH:
            self.latched = True

    def leave(self) -> None:
        """R61: A waiter has woken; with the last the latch opens."""
        self.in_flight -= 1
        if not self.in_flight:
            self.latched = False

    def serve(self, done: int, now: float) -> None:
        """R60: Grace period `done` has ended: of its waiters the newest wake now, the others by a
        work; the newest first.
        """
        served = [waiter for waiter in self.waiters if waiter.need <= done]
        self.waiters = [waiter for waiter in self.waiters if waiter.need > done]
        for place, waiter in enumerate(reversed(served)):
            waiter.wake(now if place < AT_ONCE else now + self.work_delay)
