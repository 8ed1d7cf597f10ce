# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of sheaves: who is refused, and where objects are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, Estimate, effective, mean, ratio, share
from krcsim.results.quantity import Formula, Quantity
from krcsim.results.windows import rate, window_ms

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications


def _of_sheaves(runs: Replications, scenario: Scenario, window: int, formula: Formula) -> Estimate:
    """What a formula says, if the remedy has sheaves."""
    return formula(runs, scenario, window) if scenario.remedy.sheaves else NOTHING


def _share_of_single(
    runs: Replications, _scenario: Scenario, window: int, counter: str
) -> Estimate:
    calls = runs.of("single", window)
    return share(runs.of(counter, window), calls, effective(calls))


def _in_sheaves(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    calls = runs.of("single", window) + runs.of("double", window)
    return share(runs.of("sheaf_stored", window), calls, effective(calls))


def _sheaf_dwell(runs: Replications, _scenario: Scenario, window: int) -> Estimate:
    held = runs.of("filling_area", window) + runs.of("in_flight_area", window)
    return ratio(held, runs.of("sheaf_stored", window))


def _on_cpus(runs: Replications, scenario: Scenario, window: int) -> Estimate:
    elsewhere = ("filling_area", "in_flight_area", "batches_area")
    area = runs.of("area", window) - sum(runs.of(name, window) for name in elsewhere)
    return mean(area / window_ms(scenario, window))


# Of remedies with sheaves; where the deferred objects are, on average over time.
SHEAVES = tuple(
    Quantity(name, unit, words, partial(_of_sheaves, formula=formula))
    for name, unit, words, formula in (
        ("in_sheaves", "", "share of calls whose object a sheaf takes", _in_sheaves),
        (
            "p_wait_kind",
            "",
            "P(wait) with an object of a kind that no sheaf takes",
            partial(_share_of_single, counter="waits_kind"),
        ),
        (
            "p_wait_memory",
            "",
            "P(wait) for want of a new sheaf and of a page",
            partial(_share_of_single, counter="waits_memory"),
        ),
        (
            "sheaf_requests_hz",
            "requests/s",
            "new sheaves that calls ask for",
            partial(rate, counter="sheaf_requests", scale=1000.0),
        ),
        (
            "filling_objects",
            "objects",
            "in sheaves that are being filled",
            partial(rate, counter="filling_area"),
        ),
        (
            "in_flight_objects",
            "objects",
            "in full sheaves that wait",
            partial(rate, counter="in_flight_area"),
        ),
        ("on_cpu_objects", "objects", "in blocks and on lists of the CPUs", _on_cpus),
        (
            "in_batches_objects",
            "objects",
            "in batches and works",
            partial(rate, counter="batches_area"),
        ),
        ("sheaf_dwell_ms", "ms", "mean time of an object in a sheaf", _sheaf_dwell),
    )
)
