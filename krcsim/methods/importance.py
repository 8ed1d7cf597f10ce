# SPDX-License-Identifier: GPL-2.0-only
"""Importance sampling: copies of a run whose random draws are biased towards waits
(krcsim/engine/forks.py), and how far they are biased.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.records import TALLY
from krcsim.methods.plain import events_of
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Array
from krcsim.results.quantities import harmless_calm
from krcsim.runs.replications import Replications

FIELDS = TALLY.names or ()
LONGEST_REPEAT = 16  # copies of one place at most


@dataclass(frozen=True)
class CopiedRuns:
    """Replications with biased copies: the runs themselves, and what the copies sum up.

    tally: by replication, window and field of TALLY; split: whether the runs were split at levels
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

    choice: that trouble is a hit, so that a pool is often emptied in a row; least: that a call is
    trouble, so that as many hits come before wrappers return; most: the logarithm of a weight above
    which nothing is biased; share: of the places that are copied, calm_share: of those in calm,
    where waits are fewer still; repeat: the copies of a place.
    """
    machine, remedy, workload = scenario.machine, scenario.remedy, scenario.workload
    pool = remedy.nr_emergency_objs
    rate_hz = workload.rate_hz
    if workload.arrivals == "onoff":  # while calls come at all
        rate_hz *= (workload.on_ms + workload.off_ms) / workload.on_ms

    drain_ticks = 1.25 * scenario.drain_jiffies + 5.0
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
    choice = max(low, 1 - slack / (pool + 1 + slack))
    least = min(0.9, (pool + 2) / max(calls, 1e-9))

    batches = machine.cpus * scenario.horizon_ms / 1000.0 * machine.hz / scenario.drain_jiffies
    share = (1.0 if machine.cpus <= 4 else min(1.0, 1e4 / workload.rate_hz)) / machine.cpus
    if remedy.array_path and remedy.nr_bkv_objs > 0 and chances <= 1:
        # Few places lie between two cached pages, and not for long.
        choice = max(choice, 0.97)
        least = max(least, min(0.36, 2 * least))
        share = min(1.0, 4 * share)

    return dict(
        rare=1,
        choice=choice,
        least=least,
        most=5.0,
        calm_share=0.0 if harmless_calm(scenario) else 0.1,
        share=share,
        repeat=max(1, min(LONGEST_REPEAT, int(300 / batches))),
    )
