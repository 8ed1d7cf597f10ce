# SPDX-License-Identifier: GPL-2.0-only
"""Importance sampling: copies of a run whose random draws are biased towards waits
(krcsim/engine/biased_copies.py), and how far they are biased.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.records import Tally
from krcsim.methods.plain import events_of
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Array
from krcsim.results.quantities import harmless_calm
from krcsim.runs.replications import Replications

FIELDS = Tally.dtype.names or ()
MOST_COPIES = 16  # copies of one place at most


@dataclass(frozen=True)
class CopiedRuns:
    """Replications with biased copies: the runs themselves, and what the copies sum up.

    tally: by replication, window and field of Tally; split: whether the runs were split at levels
    of danger.
    """

    runs: Replications
    tally: NDArray[np.float64]
    split: bool = False

    def of(self, name: str, window: int) -> Array:
        """What the copies of each replication sum up to in a window."""
        return np.asarray(self.tally[:, window, FIELDS.index(name)])

    def events(self) -> float:
        """Events handled, those of copies included."""
        return float(self.tally[:, :, FIELDS.index("events")].sum() + events_of(self.runs))

    def each(self, name: str) -> Array:
        """What the copies of each replication sum up to in all windows."""
        return np.asarray(self.tally[:, :, FIELDS.index(name)].sum(axis=1))


def bias(scenario: Scenario) -> dict[str, float]:
    """How a copy's random draws are biased: any bias is right, this one is cheap.

    p_hit_biased: that an eventful call is a hit, so that a pool is often emptied in a row;
    p_eventful_biased: that a call is eventful, so that as many hits come before wrappers return;
    max_log_ratio: the logarithm of a weight above which nothing is biased; p_copy_at_place: of the
    places that are copied, p_copy_in_calm: of those in calm, where waits are fewer still;
    copies_per_place: the copies of a place.
    """
    machine, remedy, workload = scenario.machine, scenario.remedy, scenario.workload
    pool = remedy.nr_emergency_objs
    rate_hz = workload.rate_hz
    if workload.arrivals == "onoff":  # while calls come at all
        rate_hz *= (workload.on_ms + workload.off_ms) / workload.on_ms

    drain_ticks = 1.25 * scenario.drain_jiffies + 5.0
    if remedy.drain_full:
        block = remedy.block_entries * machine.hz / rate_hz
        drain_ticks = min(drain_ticks, block + 5.0)
    life = 6.0 if remedy.expedited_drain else drain_ticks  # ticks until wrappers return
    calls = rate_hz * workload.single_share / machine.hz * drain_ticks
    # Chances to find a page before wrappers return: so many times may chance fail, and the pool be
    # emptied all the same.
    chances = rate_hz * workload.single_share / machine.hz * life / remedy.block_entries

    if chances > 3:
        low = 0.0
    elif chances > 1:
        low = 0.6
    else:
        low = 0.9 if remedy.expedited_drain else 0.8
    slack = max(1.0, chances if remedy.expedited_drain else min(2.0, chances))
    p_hit = max(low, 1 - slack / (pool + 1 + slack))
    p_eventful = min(0.9, (pool + 2) / max(calls, 1e-9))

    batches = machine.cpus * scenario.horizon_ms / 1000.0 * machine.hz / scenario.drain_jiffies
    p_copy = (1.0 if machine.cpus <= 4 else min(1.0, 1e4 / workload.rate_hz)) / machine.cpus
    if remedy.array_path and remedy.nr_bkv_objs > 0 and chances <= 1:
        # Few places lie between two cached pages, and not for long.
        p_hit = max(p_hit, 0.97)
        p_eventful = max(p_eventful, min(0.36, 2 * p_eventful))
        p_copy = min(1.0, 4 * p_copy)

    return dict(
        makes_copies=1,
        p_hit_biased=p_hit,
        p_eventful_biased=p_eventful,
        max_log_ratio=5.0,
        p_copy_in_calm=0.0 if harmless_calm(scenario) else 0.1,
        p_copy_at_place=p_copy,
        copies_per_place=max(1, min(MOST_COPIES, int(300 / batches))),
    )
