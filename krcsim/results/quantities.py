# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of a run: each quantity with all that is known of it, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from krcsim.engine.records import BIN_LO_MS, BINS
from krcsim.model.scenario import Scenario
from krcsim.results.cache_quantities import CACHES
from krcsim.results.certainty import harmless_calm
from krcsim.results.estimate import (
    NOTHING,
    Array,
    Estimate,
    effective,
    exact,
    mean,
    quantile,
    ratio,
    share,
    unseen,
)
from krcsim.results.outcomes import OUTCOMES
from krcsim.results.quantity import Formula as Formula
from krcsim.results.quantity import Quantity as Quantity
from krcsim.results.quantity import Wording as Wording
from krcsim.results.rcu_load import block_fill, callbacks_hz, dwell_ms, mean_bytes, peak_bytes
from krcsim.results.sheaf_quantities import SHEAVES
from krcsim.results.windows import callers as callers
from krcsim.results.windows import pressed_share as pressed_share
from krcsim.results.windows import rate
from krcsim.results.windows import window_ms as window_ms

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications

# With fewer episodes of pressure in all replications no interval is given: how long pressure lasts,
# and what it brings, would be said from next to none.
FEW_EPISODES = 5
EDGES_MS: Array = BIN_LO_MS * 2.0 ** (np.arange(BINS + 1) / 16.0)


_WAITS = Wording(
    noun="call",
    one="waits for a grace period",
    several="wait for a grace period",
    never="no call can wait for a grace period",
    kept="waits",
)


def p_wait(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call, or its upper bound when no wait was seen.

    Where no call made in calm can wait and none under pressure was seen to, the bound is that of
    calls under pressure times the share of calls that are made there: of random call times that of
    time, by the law of the episodes.
    """
    waits = runs.of("waits", window)
    calls = runs.of("single", window)
    if float(waits.sum()) > 0.0 or not harmless_calm(scenario):
        return share(waits, calls, effective(calls))

    if float(calls.sum()) <= 0.0:
        return NOTHING

    whole_windows = runs.counts.shape[1] == 2  # else episode by episode
    part = pressed_share(scenario, window) if whole_windows else 1.0
    return unseen(_units_in_episodes(runs, window), part)


def p_wait_episode(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call made in an episode, or its bound."""
    return share(
        runs.of("waits_episode", window),
        runs.of("single_episode", window),
        _units_in_episodes(runs, window),
    )


def p_episode(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """Share of episodes in which a call on any CPU waited, or its bound."""
    episodes = runs.of("episodes", window)
    # As _units_in_episodes(): the long ones decide.
    return share(runs.of("episodes_waited", window), episodes, float(episodes.sum()) / 2.0)


def _units_in_episodes(runs: Replications, window: int) -> float:
    """How many independent episodes of equal weight the calls made under pressure came from.

    A run has no more of them than calls; and m episodes of random (exponential) length weigh as
    much as m/2 equal ones, since most calls come in the long ones.
    """
    calls = runs.of("single_episode", window)
    episodes = runs.of("episodes", window)
    called = calls > 0
    if not called.any():
        return 0.0

    units = np.maximum(1.0, np.minimum(calls, episodes) / 2.0)
    return float(calls.sum()) ** 2 / float((calls[called] ** 2 / units[called]).sum())


def _share_of_time(runs: Replications, scenario: Scenario, window: int, counter: str) -> Estimate:
    time_ms = window_ms(scenario, window) * callers(scenario)
    lost_ms = runs.of("lost_ms", window) * callers(scenario)
    return ratio(runs.of(counter, window), np.full(len(runs), time_ms) - lost_ms)


def _loop_gain(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    if scenario.memory.pressure != "pages" or scenario.workload.live_objects == 0:
        return NOTHING
    return ratio(runs.of("pages_asked", window), runs.of("pages_released", window))


def _listed(runs: Replications, window: int) -> Estimate:
    calls = runs.of("single", window) + runs.of("double", window)
    return share(runs.of("list_pushes", window), calls, effective(calls))


def _wait_quantile(runs: Replications, scenario: Scenario, window: int, q: float) -> Estimate:
    return quantile(runs.wait_hist[:, window], EDGES_MS, q, np.zeros(len(runs.wait_hist)), 0.0)


def _call_quantile(runs: Replications, scenario: Scenario, window: int, q: float) -> Estimate:
    late = runs.late_hist[:, window]
    call_ms = scenario.workload.call_instructions * scenario.machine.instruction_ns * 1e-6
    groups = np.arange(len(runs)) % len(late)
    calls = np.bincount(groups, runs.of("single", window), len(late))
    return quantile(late, EDGES_MS, q, calls - late.sum(axis=1), call_ms)


_ALL = (
    Quantity(
        "p_wait",
        "",
        "P(wait) per single-argument call",
        p_wait,
        label="P(wait)",
        is_probability=True,
        falls_with_reserve=True,
        asked_by_episode=True,
        column_by_window=True,
        sums=("waits", "single"),
        wording=_WAITS,
    ),
    Quantity(
        "p_wait_episode",
        "",
        "P(wait) per single-argument call made in an episode",
        p_wait_episode,
        is_probability=True,
        falls_with_reserve=True,
        of_episode=True,
        asked_by_episode=True,
        column_by_episode=True,
        sums=("waits_episode", "single_episode"),
        wording=replace(_WAITS, kept="waits under pressure", when="in an episode of pressure"),
    ),
    Quantity(
        "p_episode",
        "",
        "share of episodes with a wait on any CPU",
        p_episode,
        is_probability=True,
        falls_with_reserve=True,
        of_episode=True,
        asked_by_episode=True,
        column_by_window=True,
        column_by_episode=True,
        wording=Wording(
            noun="episode",
            one="has a call that waits",
            several="have calls that wait",
            never="no episode can have a call that waits",
            kept="episodes with a wait",
        ),
    ),
    Quantity(
        "blocked",
        "",
        "time blocked in grace-period waits",
        partial(_share_of_time, counter="wait_ms"),
        falls_with_reserve=True,
        column_by_window=True,
        sums=("wait_ms", ""),
    ),
    Quantity(
        "stalled",
        "",
        "time blocked in reclaim stalls",
        partial(_share_of_time, counter="stall_ms"),
        column_by_window=True,
    ),
    Quantity(
        "wait_ms",
        "ms",
        "mean wait",
        lambda runs, scenario, window: ratio(runs.of("wait_ms", window), runs.of("waits", window)),
        asked_by_episode=True,
        column_by_window=True,
        column_by_episode=True,
    ),
    Quantity(
        "stall_ms",
        "ms",
        "mean stall in reclaim",
        lambda runs, scenario, window: ratio(
            runs.of("stall_ms", window), runs.of("stalls", window)
        ),
    ),
    Quantity("wait_p50_ms", "ms", "median wait", partial(_wait_quantile, q=0.5)),
    Quantity("wait_p99_ms", "ms", "99th percentile of waits", partial(_wait_quantile, q=0.99)),
    Quantity("call_p99_ms", "ms", "99th percentile of a call", partial(_call_quantile, q=0.99)),
    Quantity("call_p999_ms", "ms", "99.9th percentile of a call", partial(_call_quantile, q=0.999)),
    Quantity(
        "list_share",
        "",
        "share of calls queued on the list",
        lambda runs, scenario, window: _listed(runs, window),
        asked_by_episode=True,
        wording=Wording(
            noun="call",
            one="is queued on the list",
            several="are queued on the list",
            never="no call is queued on the list",
            kept="calls on the list",
        ),
    ),
    Quantity(
        "peak_objects",
        "objects",
        "most deferred objects",
        lambda runs, scenario, window: mean(runs.of("peak", window)),
    ),
    Quantity(
        "peak_bytes",
        "bytes",
        "most deferred bytes",
        peak_bytes,
    ),
    Quantity(
        "mean_objects", "objects", "deferred objects on average", partial(rate, counter="area")
    ),
    Quantity(
        "mean_bytes",
        "bytes",
        "deferred bytes on average",
        mean_bytes,
    ),
    Quantity(
        "dwell_ms",
        "ms",
        "mean time from a call until its object is free",
        dwell_ms,
    ),
    Quantity(
        "block_fill",
        "pointers",
        "pointers in a block when it is freed, on average",
        block_fill,
    ),
    Quantity(
        "callbacks_hz",
        "callbacks/s",
        "RCU callbacks of batches, full sheaves and callers that wait, of all CPUs",
        callbacks_hz,
    ),
    Quantity(
        "early_frees_hz",
        "objects/s",
        "objects freed before their grace period",
        partial(rate, counter="early_frees", scale=1000.0),
    ),
    Quantity(
        "gps_hz", "GP/s", "grace periods that ended", partial(rate, counter="gps", scale=1000.0)
    ),
    Quantity(
        "ready_share",
        "",
        "share of freed objects that the monitor found ready",
        lambda runs, scenario, window: ratio(
            runs.of("ready_records", window), runs.of("freed", window)
        ),
    ),
    Quantity(
        "calls_hz",
        "calls/s",
        "single-argument calls of all CPUs",
        partial(rate, counter="single", scale=1000.0),
    ),
    Quantity(
        "queued_hz",
        "objects/s",
        "objects that calls queue, of all CPUs",
        partial(rate, counter="queued", scale=1000.0),
    ),
    *OUTCOMES,
    Quantity(
        "loop_gain",
        "",
        "loop gain: pages asked for while one comes back; above 1 a run-away",
        _loop_gain,
        column_by_window=True,
    ),
    Quantity(
        "pages_per_stall",
        "pages",
        "what a stall in reclaim finds",
        lambda runs, scenario, window: ratio(
            runs.of("pages_reclaimed", window), runs.of("stalls", window)
        ),
    ),
    Quantity(
        "failed_allocations_hz",
        "objects/s",
        "objects that callers asked for in vain",
        partial(rate, counter="failed_allocations", scale=1000.0),
    ),
    Quantity(
        "drains_hz",
        "drains/s",
        "drains of all CPUs",
        partial(rate, counter="drains", scale=1000.0),
    ),
    Quantity(
        "refills_hz",
        "runs/s",
        "runs of the refill workers of all CPUs",
        partial(rate, counter="refill_runs", scale=1000.0),
    ),
    Quantity(
        "bytes_at_boot",
        "bytes",
        "reserve per CPU at boot",
        lambda runs, scenario, window: exact(scenario.bytes_at_boot()),
        asked_by_episode=True,
        column_by_window=True,
        column_by_episode=True,
    ),
    Quantity(
        "bytes_at_full",
        "bytes",
        "reserve per CPU when full",
        lambda runs, scenario, window: exact(scenario.bytes_at_full()),
        asked_by_episode=True,
        column_by_window=True,
        column_by_episode=True,
    ),
    Quantity(
        "bytes_added",
        "bytes",
        "reserve per CPU when full, beyond what the plain code keeps",
        lambda runs, scenario, window: exact(scenario.bytes_added()),
        asked_by_episode=True,
    ),
    *CACHES,
    *SHEAVES,
)
QUANTITIES = {quantity.name: quantity for quantity in _ALL}
SUMS = {name: quantity.sums for name, quantity in QUANTITIES.items() if quantity.sums}


def label(name: str) -> str:
    """A quantity in the head of a table or on an axis: P(wait), or its name."""
    return QUANTITIES[name].label or name


def wording_of(name: str) -> Wording:
    """How a quantity is counted in a sentence; raises ValueError for one that is not."""
    wording = QUANTITIES[name].wording
    if wording is None:
        raise ValueError(f"{name} is not counted")
    return wording


def columns_of_tables(by_episode: bool) -> tuple[str, ...]:
    """The quantities that a table of results shows, by window or episode by episode."""
    return tuple(
        name
        for name, quantity in QUANTITIES.items()
        if (quantity.column_by_episode if by_episode else quantity.column_by_window)
    )


def asked_by_episode() -> tuple[str, ...]:
    """The quantities that are asked episode by episode."""
    return tuple(name for name, quantity in QUANTITIES.items() if quantity.asked_by_episode)


def falling_with_reserve() -> tuple[str, ...]:
    """The quantities that fall as a reserve grows, for which a size can be asked."""
    return tuple(name for name, quantity in QUANTITIES.items() if quantity.falls_with_reserve)


def compared_sums(by_episode: bool) -> dict[str, tuple[str, str]]:
    """The sums of the quantities whose differences between remedies a result holds."""
    return {name: sums for name, sums in SUMS.items() if QUANTITIES[name].of_episode == by_episode}


def answers(
    runs: Replications, scenario: Scenario, window: int, names: Iterable[str] = QUANTITIES
) -> dict[str, Estimate]:
    """The named quantities of a window (all of them if left out); none if the window has no
    length.
    """
    if window_ms(scenario, window) <= 0:
        return {}
    few_episodes = (
        scenario.allocator.episodes == "exponential"
        and float(runs.of("episodes", window).sum()) < FEW_EPISODES
    )
    found = {name: QUANTITIES[name].get(runs, scenario, window) for name in names}
    return {
        name: without_interval(estimate) if few_episodes else estimate
        for name, estimate in found.items()
    }


def without_interval(estimate: Estimate) -> Estimate:
    """An estimate as a hint only; bounds and exact numbers stay."""
    return (
        replace(estimate, lo=None, hi=None, kind="rough")
        if estimate.kind in ("interval", "rough")
        else estimate
    )
