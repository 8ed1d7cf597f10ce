# SPDX-License-Identifier: GPL-2.0-only
"""How runs end, and how full caches are: a run is the unit, and levels that all agree still have an
interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.engine.records import BINS, COUNTERS
from krcsim.model.scenario import Scenario, changed
from krcsim.results.cache_quantities import cache_fill, cached_pages
from krcsim.results.estimate import NOTHING, level, of_runs
from krcsim.results.outcomes import oom_if_page_fails, p_run_waits, p_stuck
from krcsim.results.rcu_load import block_fill
from krcsim.runs.replications import Replications, replicate

WORLD = changed(
    Scenario(),
    **{
        "warmup_ms": 0.0,
        "horizon_ms": 1000.0,
        "machine.cpus": 2,
        "memory.pressure": "pages",
        "memory.mib": 32.0,
        "memory.hog": "none",
        "workload.live_objects": 10,
    },
)
NO_BINS = np.zeros((1, 2, BINS), np.int64)


def runs_with(**counters: list[float]) -> Replications:
    """Replications whose steady window has these counts, one each."""
    counts = np.zeros((len(next(iter(counters.values()))), 2, len(COUNTERS)))
    for name, values in counters.items():
        counts[:, 1, COUNTERS.index(name)] = values
    return Replications(counts, NO_BINS, NO_BINS)


def test_a_run_is_stuck_if_its_callers_wait_a_hundredth_of_the_time_and_no_oom_comes() -> None:
    """10 ms of waits, of all callers together, are a hundredth of a second."""
    runs = runs_with(wait_ms=[0.0, 9.0, 11.0, 11.0] * 4, ooms=[0.0, 0.0, 0.0, 1.0] * 4)
    assert p_stuck(runs, WORLD, 1) == of_runs(np.arange(16) < 4)


def test_runs_in_which_no_page_failed_say_nothing_of_what_a_failed_page_means() -> None:
    runs = runs_with(page_fail=[0.0, 3.0, 3.0] * 8, ooms=[1.0, 1.0, 0.0] * 8)
    assert oom_if_page_fails(runs, WORLD, 1) == of_runs(np.arange(16) < 8)
    none = runs_with(page_fail=[0.0] * 8, ooms=[1.0] * 8)
    assert oom_if_page_fails(none, WORLD, 1) == NOTHING


def test_without_a_request_that_may_not_fail_a_failed_page_means_no_oom() -> None:
    runs = runs_with(page_fail=[3.0] * 8)
    assert oom_if_page_fails(runs, Scenario(), 1) == NOTHING


def test_runs_with_a_wait_are_counted_and_not_their_waits() -> None:
    runs = runs_with(waits=[0.0, 500.0] * 8)
    assert p_run_waits(runs, WORLD, 1) == of_runs(np.arange(16) < 8)


def test_levels_that_all_agree_have_the_interval_of_a_binomial_number() -> None:
    found = level(np.full(64, 0.5))
    assert found == of_runs(np.arange(64) < 32)
    assert level(np.zeros(64)).kind == "bound"


def test_levels_that_differ_have_the_interval_of_their_mean_within_0_and_1() -> None:
    found = level(np.array([1.0] * 15 + [0.9]))
    assert found.value == pytest.approx(0.99375)
    assert found.lo == pytest.approx(0.9804, abs=1e-3)
    assert found.hi == 1.0


def cached(**fields: Any) -> Scenario:
    """Two CPUs with five pages each, half of whose calls have two arguments and ask for none."""
    world = {
        "remedy": "E5",
        "workload.live_objects": 10,
        "workload.single_share": 0.5,
        "workload.arrivals": "bursts",
        "workload.burst": 2500,
    }
    return changed(WORLD, **(world | fields))


def test_a_cache_holds_what_works_and_workers_bring_less_what_calls_take() -> None:
    """Nothing is queued any more three drains after the last burst: all its pages are there."""
    scenario = cached(**{"workload.rate_hz": 500.0, "horizon_ms": 60_000.0})
    runs = replicate(scenario, 1, 0, 8)
    assert np.all(cached_pages(runs, scenario, 1) <= 10)
    assert np.all(cached_pages(runs, scenario, 1) >= 0)
    full = cache_fill(runs, scenario, 1)
    assert full.value is not None
    assert full.value > 0.5


def test_no_cache_has_no_fill() -> None:
    scenario = cached(**{"remedy.nr_bkv_objs": 0})
    assert cache_fill(replicate(scenario, 1, 0, 2), scenario, 1) == NOTHING


def test_pages_that_the_shrinker_takes_are_no_blocks() -> None:
    runs = runs_with(
        queued=[100.0, 300.0],
        pages_returned=[1.0, 3.0],
        pages_freed=[7.0, 7.0],
        pages_shrunk=[7.0, 7.0],
    )
    assert block_fill(runs, WORLD, 1).value == 100.0
