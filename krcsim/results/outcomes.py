# SPDX-License-Identifier: GPL-2.0-only
"""How runs end under pressure: out of memory, recovered, or with calls that go on waiting. A run is
the unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, Array, Estimate, of_runs
from krcsim.results.feedback import has_feedback
from krcsim.results.quantity import Quantity, Wording
from krcsim.results.windows import callers, window_ms

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications

ALL_THE_TIME = 0.01  # of the window, in waits


def _runs_with_oom(runs: Replications, window: int) -> Array:
    """How often the OOM killer was invoked by the end of a window, by replication."""
    return np.asarray(sum(runs.of("ooms", earlier) for earlier in range(window + 1)))


def p_oom(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """Share of runs in which the OOM killer was invoked before the window ended, or its bound; a
    run is the unit. None where no request can invoke it.
    """
    return of_runs(_runs_with_oom(runs, window)) if has_feedback(scenario) else NOTHING


def p_run_waits(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    """Share of runs in which a call waits for a grace period, or its bound."""
    return of_runs(runs.of("waits", window))


def p_stuck(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """Share of runs that neither recover nor run out of memory, or its bound: their callers
    together spend more than a hundredth of the window in waits.
    """
    time_ms = window_ms(scenario, window) * callers(scenario)
    is_blocked = runs.of("wait_ms", window) > ALL_THE_TIME * time_ms
    return of_runs(is_blocked & (_runs_with_oom(runs, window) == 0))


def oom_if_page_fails(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    """Of the runs in which a page request of a call has failed by the end of a window, the share
    that ran out of memory by then, or its bound. None where no request can invoke the OOM killer.
    """
    failed = np.asarray(sum(runs.of("page_fail", earlier) for earlier in range(window + 1))) > 0
    if not has_feedback(scenario) or not failed.any():
        return NOTHING
    return of_runs(_runs_with_oom(runs, window)[failed])


OUTCOMES = (
    Quantity(
        "p_oom",
        "",
        "share of runs that run out of memory, from boot on",
        p_oom,
        label="P(OOM)",
        is_probability=True,
        column_by_window=True,
        wording=Wording(
            noun="run",
            one="runs out of memory",
            several="run out of memory",
            never="no run can run out of memory",
            kept="runs with an OOM",
        ),
    ),
    Quantity(
        "p_run_waits",
        "",
        "share of runs in which a call waits for a grace period",
        p_run_waits,
        is_probability=True,
    ),
    Quantity(
        "p_stuck",
        "",
        "share of runs that neither recover nor run out of memory: callers wait 1 % of the time",
        p_stuck,
        is_probability=True,
    ),
    Quantity(
        "oom_if_page_fails",
        "",
        "share of runs that run out of memory, of those in which a page request failed",
        oom_if_page_fails,
        is_probability=True,
    ),
)
