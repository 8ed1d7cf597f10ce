# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of page caches: how full they are, what refills bring and the shrinker takes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, Array, Estimate, level
from krcsim.results.quantity import Quantity
from krcsim.results.windows import rate

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications


def cached_pages(runs: Replications, scenario: Scenario, window: int) -> Array:
    """The pages in the caches of all CPUs when a window ends, by replication."""
    moved = (
        ("pages_returned", 1.0),
        ("refill_pages", 1.0),
        ("cache_hits", -1.0),
        ("pages_shrunk", -1.0),
    )
    at_boot = scenario.remedy.cache_at_boot * _caches(scenario)
    changed = sum(
        sign * runs.of(name, earlier) for name, sign in moved for earlier in range(window + 1)
    )
    return np.asarray(at_boot + changed)


def _caches(scenario: Scenario) -> int:
    return scenario.machine.cpus * (1 if scenario.remedy.cache_shared else 2)


def cache_fill(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """How full the caches are at the end of a window; none where there are none, and asked by
    episode, where what came before the first one is not known.
    """
    room = _caches(scenario) * scenario.remedy.nr_bkv_objs
    if room == 0 or runs.counts.shape[1] != 2:
        return NOTHING
    return level(cached_pages(runs, scenario, window) / room)


CACHES = (
    Quantity(
        "cache_fill",
        "",
        "cached pages when the window ends, of those that the caches can hold",
        cache_fill,
    ),
    Quantity(
        "refilled_hz",
        "pages/s",
        "pages that refill workers bring into the caches of all CPUs",
        partial(rate, counter="refill_pages", scale=1000.0),
    ),
    Quantity(
        "shrunk_hz",
        "pages/s",
        "cached pages that the shrinker frees, of all CPUs",
        partial(rate, counter="pages_shrunk", scale=1000.0),
    ),
)
