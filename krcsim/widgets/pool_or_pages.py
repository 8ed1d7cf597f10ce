# SPDX-License-Identifier: GPL-2.0-only
"""Pool or pages: P(wait) over the bytes per CPU that a reserve costs."""

from dataclasses import replace

from krcsim.model.scenario import Scenario
from krcsim.widgets.controls import POOL_OR_PAGES
from krcsim.widgets.remedies_compared import RemediesCompared

FEW_CPUS = 16  # up to which a run may be long
LONGEST_MS = 10_000.0  # of a run of up to four CPUs; more CPUs make more events


class PoolOrPages(RemediesCompared):
    """P(wait) with a pool of N objects against P pages, over the bytes per CPU that they cost."""

    name = POOL_OR_PAGES
    remedies = "curve"

    def fitted(self, scenario: Scenario) -> Scenario:
        """With a horizon of a few episodes, fewer where many CPUs make many events."""
        allocator, cpus = scenario.allocator, scenario.machine.cpus
        if allocator.episodes != "exponential":  # its horizon is as long as it was given
            return scenario

        cycle_ms = allocator.episode_ms + allocator.calm_ms
        least_ms = 2.0 * cycle_ms if cpus <= FEW_CPUS else cycle_ms
        wanted_ms = min(4.0 * cycle_ms, LONGEST_MS / max(1.0, cpus / 4))
        span_ms = max(least_ms, wanted_ms)
        return replace(scenario, horizon_ms=round(scenario.warmup_ms + span_ms, 3))
