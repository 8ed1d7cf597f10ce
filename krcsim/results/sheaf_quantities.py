# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of remedies with sheaves: who waits and why, and where the deferred
objects are, on average over time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, Estimate, effective, mean, ratio, share
from krcsim.results.windows import window_ms

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications

Formula = Callable[["Replications", Scenario, int], Estimate]
AREAS = ("filling_area", "in_flight_area", "batches_area")  # objects apart from those on the CPUs


def _in_sheaves(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    calls = runs.of("single", window) + runs.of("double", window)
    return share(runs.of("sheaf_stored", window), calls, effective(calls))


def _of_single(runs: Replications, _scenario: Scenario, window: int, counter: str) -> Estimate:
    calls = runs.of("single", window)
    return share(runs.of(counter, window), calls, effective(calls))


def _in_time(
    runs: Replications, scenario: Scenario, window: int, counter: str, scale: float = 1.0
) -> Estimate:
    return mean(runs.of(counter, window) * (scale / window_ms(scenario, window)))


def _on_cpus(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    elsewhere = sum(runs.of(name, window) for name in AREAS)
    return mean((runs.of("area", window) - elsewhere) / window_ms(scenario, window))


def _dwell(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    held = runs.of("filling_area", window) + runs.of("in_flight_area", window)
    return ratio(held, runs.of("sheaf_stored", window))


_ROWS: tuple[tuple[str, str, str, Formula], ...] = (
    ("in_sheaves", "", "share of calls whose object a sheaf takes", _in_sheaves),
    (
        "p_wait_kind",
        "",
        "P(wait) with an object of a kind that no sheaf takes",
        partial(_of_single, counter="waits_kind"),
    ),
    (
        "p_wait_memory",
        "",
        "P(wait) for want of a new sheaf and of a page",
        partial(_of_single, counter="waits_memory"),
    ),
    (
        "sheaf_requests_hz",
        "requests/s",
        "new sheaves that calls ask for",
        partial(_in_time, counter="sheaf_requests", scale=1000.0),
    ),
    (
        "filling_objects",
        "objects",
        "in sheaves that are being filled",
        partial(_in_time, counter="filling_area"),
    ),
    (
        "in_flight_objects",
        "objects",
        "in full sheaves that wait",
        partial(_in_time, counter="in_flight_area"),
    ),
    ("on_cpu_objects", "objects", "in blocks and on lists of the CPUs", _on_cpus),
    (
        "in_batches_objects",
        "objects",
        "in batches and works",
        partial(_in_time, counter="batches_area"),
    ),
    ("sheaf_dwell_ms", "ms", "mean time of an object in a sheaf", _dwell),
)


def _if_any(runs: Replications, scenario: Scenario, window: int, formula: Formula) -> Estimate:
    """What a formula says, if the remedy has sheaves."""
    return formula(runs, scenario, window) if scenario.remedy.sheaves else NOTHING


# Name, unit, words and formula of each.
OF_SHEAVES = tuple(
    (name, unit, words, partial(_if_any, formula=formula)) for name, unit, words, formula in _ROWS
)
