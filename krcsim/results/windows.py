# SPDX-License-Identifier: GPL-2.0-only
"""The windows of a run: how long they last, who is in them, and how much of them is pressure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate, mean, ratio

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications


def window_ms(scenario: Scenario, window: int) -> float:
    """Length of a window in ms."""
    return scenario.warmup_ms if window == 0 else scenario.horizon_ms - scenario.warmup_ms


def callers(scenario: Scenario) -> int:
    """What a share of time is a share of: the producers of a closed loop, else the time itself."""
    return (
        scenario.machine.cpus * scenario.workload.producers
        if scenario.workload.loop == "closed"
        else 1
    )


def pressed_share(scenario: Scenario, window: int) -> float:
    """The expected share of the time of boot (0) or steady state (1) under pressure, by the law of
    the episodes.
    """
    allocator = scenario.allocator
    t0, t1 = ((0.0, scenario.warmup_ms), (scenario.warmup_ms, scenario.horizon_ms))[window]
    if allocator.episodes == "none" or t1 <= t0:
        return 0.0

    if allocator.episodes == "schedule":
        pressed_ms = [
            sum(max(0.0, min(end, t1) - max(start, t0)) for start, end in plan)
            for plan in allocator.schedules
        ]
        return sum(pressed_ms) / len(pressed_ms) / (t1 - t0)

    begin_rate = 1.0 / allocator.calm_ms
    end_rate = 1.0 / allocator.episode_ms
    pace = begin_rate + end_rate
    settled = begin_rate / pace
    if allocator.start == "stationary":
        return settled

    return settled * (1.0 - (math.exp(-pace * t0) - math.exp(-pace * t1)) / pace / (t1 - t0))


def rate(
    runs: Replications, scenario: Scenario, window: int, counter: str, scale: float = 1
) -> Estimate:
    """How often something happens, counted over the time that was simulated."""
    lost_ms = runs.of("lost_ms", window)
    if lost_ms.any():  # runs that ended with an OOM count as far as they went
        return ratio(scale * runs.of(counter, window), window_ms(scenario, window) - lost_ms)
    return mean(runs.of(counter, window) * (scale * (1.0 / window_ms(scenario, window))))
