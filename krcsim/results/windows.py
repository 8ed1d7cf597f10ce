# SPDX-License-Identifier: GPL-2.0-only
"""What a share of time is a share of: the windows of a run, and its callers."""

from krcsim.model.scenario import Scenario


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
