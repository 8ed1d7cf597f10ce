# SPDX-License-Identifier: GPL-2.0-only
"""Several sizes of objects, for the twin: R111 and R112 of docs/model.md.

Each call draws its size before anything else is known of it, and what is deferred behind the
sheaves is a plain list of sizes, out of which works draw what they free.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from krcsim.model.scenario import Scenario

SIZE_COUNTERS = ("peak_bytes", "bytes_area")


class Sizes:
    """The sizes that objects have, and those of the deferred ones."""

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        self.bytes = [size for size, _ in scenario.workload.sizes]
        self.limits = np.cumsum([share for _, share in scenario.workload.sizes])
        self.several = len(self.bytes) > 1
        self.draws = np.random.default_rng((seed, replication, 111))
        self.which = np.random.default_rng((seed, replication, 112))
        self.behind: list[int] = []
        self.held = 0  # deferred bytes

    def of_call(self) -> int:
        """R111: The size of the object of a call."""
        if not self.several:
            return self.bytes[0]
        place = int(np.searchsorted(self.limits, self.draws.random(), side="right"))
        return self.bytes[min(place, len(self.bytes) - 1)]

    def defer(self, size: int, in_sheaf: bool) -> None:
        """R112: An object is deferred, in a sheaf or behind them."""
        self.held += size
        if not in_sheaf and self.several:
            self.behind.append(size)

    def free(self, objects: int, of_sheaf: int | None) -> Counter[int]:
        """R112: Objects are freed: of a sheaf of that size, or any of those behind; how many of
        each size they are.
        """
        if of_sheaf is not None:
            freed = Counter({of_sheaf: objects})
        elif not self.several:
            freed = Counter({self.bytes[0]: objects})
        else:
            freed = Counter(self.one_behind() for _ in range(objects))
        self.held -= sum(size * many for size, many in freed.items())
        return freed

    def one_behind(self) -> int:
        """R112: One of those behind, each as likely; the last one takes its place."""
        at = int(self.which.integers(len(self.behind)))
        self.behind[at], self.behind[-1] = self.behind[-1], self.behind[at]
        return self.behind.pop()
