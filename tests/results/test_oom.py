# SPDX-License-Identifier: GPL-2.0-only
"""Runs with an OOM have the interval of a binomial number; a run-away is said as such."""

from __future__ import annotations

import numpy as np
import pytest

from krcsim.model.scenario import Scenario, changed
from krcsim.model.unused_fields import unused_fields
from krcsim.results.estimate import of_runs
from krcsim.results.feedback import gain_if_all_wait, run_sentences, scenario_notes
from krcsim.studies.ask import ask
from krcsim.studies.simulate import simulate

WORLD = changed(
    Scenario(),
    **{
        "warmup_ms": 0.0,
        "horizon_ms": 1000.0,
        "remedy": "A0",
        "remedy.array_path": False,
        "remedy.head_alloc": "none",
        "allocator.episodes": "none",
        "grace_period.kind": "fixed",
        "grace_period.mean_ms": 40.0,
        "memory.pressure": "pages",
        "memory.mib": 32.0,
        "memory.free_mib": 2.0,
        "machine.cpus": 1,
        "memory.hog": "none",
        "workload.live_objects": 100,
        "workload.object_bytes": 4096,
        "workload.growth_pages_s": 50.0,
        "workload.rate_hz": 500.0,
    },
)


def runs(seen: int, of: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """So many of all replications met it."""
    return (np.arange(of) < seen).astype(float)


def test_no_run_with_an_oom_is_an_upper_bound() -> None:
    found = of_runs(runs(0, 100))
    assert (found.kind, found.value, found.lo) == ("bound", None, 0.0)
    assert found.hi == pytest.approx(1.0 - 0.001 ** (1 / 100))


def test_three_runs_in_a_hundred_have_the_interval_of_clopper_and_pearson() -> None:
    found = of_runs(runs(3, 100))
    assert (found.value, found.kind) == (0.03, "interval")
    assert (found.lo, found.hi) == pytest.approx((0.00623, 0.0852), rel=0.01)


def test_one_run_says_the_order_of_magnitude() -> None:
    assert of_runs(runs(1, 100)).kind == "rough"


def test_if_all_runs_met_it_there_is_a_lower_limit() -> None:
    found = of_runs(runs(8, 8))
    assert (found.value, found.hi) == (1.0, 1.0)
    assert found.lo == pytest.approx(0.001 ** (1 / 8))


def test_the_loop_gain_is_what_grows_in_a_wait_over_what_it_gives_back() -> None:
    """50 pages/s in 1.5 grace periods of 40 ms: 3 pages; an object gives back one."""
    assert gain_if_all_wait(WORLD) == pytest.approx(3.0)
    small = changed(WORLD, **{"workload.object_bytes": 1024, "memory.release": 0.5})
    assert gain_if_all_wait(small) == pytest.approx(3.0 / 0.5 * 4)


@pytest.mark.parametrize(("growth_pages_s", "words"), [(50.0, "a run-away"), (5.0, "recovers")])
def test_show_says_what_is_a_run_away(growth_pages_s: float, words: str) -> None:
    scenario = changed(WORLD, **{"workload.growth_pages_s": growth_pages_s})
    assert words in scenario_notes(scenario)[0]


def test_a_scenario_without_feedback_has_no_notes() -> None:
    assert scenario_notes(Scenario()) == []
    assert run_sentences(Scenario(), {}) == []


def test_simulate_says_a_run_away_and_when_memory_was_out() -> None:
    sentence = simulate(WORLD, events=10).sentence
    assert "a run-away" in sentence
    assert "out of memory after" in sentence


def test_ask_says_within_what_time_runs_are_out_of_memory() -> None:
    found = ask(WORLD, "p_oom", max_runs=8)
    assert found.estimate.value == 1.0
    assert "within 1 s" in repr(found)


def test_fields_without_effect_are_said() -> None:
    unused = unused_fields(WORLD)
    assert {"memory.release", "memory.oom_ms", "memory.priority"} <= set(unused)
    assert "workload.live_objects" in unused_fields(Scenario())
