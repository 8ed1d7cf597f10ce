# SPDX-License-Identifier: GPL-2.0-only
"""What deferred objects cost: the time until they are free, and the callbacks that RCU invokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate, mean, ratio
from krcsim.results.windows import rate, window_ms

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications


def dwell_ms(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    """By Little's law: the time of all deferred objects, and of callers that wait, a call."""
    held_ms = runs.of("area", window) + runs.of("wait_ms", window)
    return ratio(held_ms, runs.of("queued", window) + runs.of("waits", window))


def callbacks_hz(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """A batch has one callback, and so has a full sheaf, and a caller that waits unless the
    grace-period kthread wakes it or its grace period is expedited.
    """
    callbacks = runs.of("batches", window) + runs.of("sheaves_full", window)
    if scenario.remedy.wake == "gp":
        callbacks = callbacks + runs.of("waits_latched", window)
    elif not scenario.grace_period.expedited:
        callbacks = callbacks + runs.of("waits", window)
    return mean(callbacks * (1000.0 / window_ms(scenario, window)))


def peak_bytes(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """Of several sizes as counted, which need not be when most objects are deferred."""
    if scenario.workload.object_sizes:
        return mean(runs.of("peak_bytes", window))
    return mean(runs.of("peak", window) * scenario.workload.object_bytes)


def mean_bytes(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """Of several sizes as counted: where sheaves hold objects longer, which ones depends on the
    size.
    """
    if scenario.workload.object_sizes:
        return rate(runs, scenario, window, "bytes_area")
    return rate(runs, scenario, window, "area", scenario.workload.object_bytes)


def block_fill(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    """Each block that a work has freed gives its page back, to a cache or to the allocator (to
    which the shrinker gives cached ones, too).
    """
    elsewhere = runs.of("list_pushes", window) + runs.of("sheaf_stored", window)
    in_blocks = runs.of("queued", window) - elsewhere
    freed = runs.of("pages_freed", window) - runs.of("pages_shrunk", window)
    return ratio(in_blocks, runs.of("pages_returned", window) + freed)
