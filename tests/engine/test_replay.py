# SPDX-License-Identifier: GPL-2.0-only
"""Calls of a recording: pencil and paper, and what must hold whatever was recorded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.engine.codes import CODE
from krcsim.engine.records import COUNTERS
from krcsim.model.calls import RecordedCalls, counted_calls, timed_calls
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.model.scenario_file import load_scenario
from krcsim.runs.replications import event_log, replicate
from krcsim.studies.ask import ask
from tests.engine.test_properties import examples
from validation import twin
from validation.scenarios import replay_scenario

BOOT, STEADY = 0, 1
EVENTS = COUNTERS.index("events")
GRACE_MS = 10.0


def world(calls: RecordedCalls, warmup_ms: float = 0.0, **more: Any) -> Scenario:
    """No page and no rcu_head is ever had, and a grace period takes 10 ms: each call waits."""
    fails = dict(page=1.0, head=1.0)
    own = from_dict(
        dict(
            warmup_ms=warmup_ms,
            horizon_ms=more.pop("horizon_ms", calls.length_ms),
            machine=dict(cpus=len(calls.cpus)),
            remedy=dict(base="A0"),
            allocator=dict(calm=fails, episode=fails, episodes="none", stall_ms=0.0),
            grace_period=dict(kind="fixed", mean_ms=GRACE_MS),
            workload=dict(arrivals="replay", calls=calls),
        )
    )
    return changed(own, **{name.replace("__", "."): value for name, value in more.items()})


def begins_of(scenario: Scenario, seed: int = 1) -> list[float]:
    """When calls begin to wait, in ms."""
    _, log, _ = event_log(scenario, seed, events=10_000)
    at = log["at"][log["code"] == CODE["wait begins"]]
    return [float(x) * 1000.0 / scenario.machine.hz for x in at]


def test_a_call_comes_when_it_came_and_waits_for_the_grace_period_that_is_its_own() -> None:
    """The first starts one; the second, 2 ms later, needs the next; the third finds none."""
    scenario = world(timed_calls([[1.0, 3.0, 40.0]], 60.0))
    assert begins_of(scenario) == pytest.approx([1.0, 3.0, 40.0])
    runs = replicate(scenario, 1, 0, 1)
    assert runs.of("wait_ms", STEADY)[0] == pytest.approx(10.0 + 18.0 + 10.0)


def test_each_cpu_makes_its_own_calls() -> None:
    scenario = world(timed_calls([[5.0], [], [2.0, 50.0]], 60.0))
    _, log, _ = event_log(scenario, 1, events=1000)
    waits = log[log["code"] == CODE["wait begins"]]
    assert [int(cpu) for cpu in waits["cpu"]] == [2, 0, 2]


def test_a_recording_that_repeats_begins_anew_with_the_same_times() -> None:
    calls = counted_calls([[2, 0, 1]], 10.0, repeat=True)
    found = begins_of(world(calls, horizon_ms=95.0))
    first = np.array(found[:3])
    assert len(found) == 9 + np.sum(first < 5.0)
    for turn in range(3):
        assert found[3 * turn : 3 * turn + 3] == pytest.approx(first + 30.0 * turn)


def test_calls_of_a_cell_are_uniform_in_it() -> None:
    """Of 5 in [10, 20) ms those before 13 ms are binomial: mean 1.5, variance 1.05."""
    scenario = world(counted_calls([[0, 5]], 10.0), warmup_ms=13.0)
    runs = replicate(scenario, 3, 0, 4000)
    before = runs.of("single", BOOT)
    assert np.all(before + runs.of("single", STEADY) == 5)
    assert abs(before.mean() - 1.5) < 4.0 * math.sqrt(1.05 / 4000)
    assert before.var() == pytest.approx(1.05, rel=0.1)


def test_the_last_cell_ends_with_the_recording() -> None:
    found = [begins_of(world(counted_calls([[0, 3]], 10.0, 12.0)), seed) for seed in range(50)]
    times = np.concatenate(found)
    assert len(times) == 150
    assert times.min() >= 10.0
    assert times.max() < 12.0
    assert times.max() > 11.8


def test_all_remedies_see_calls_at_the_same_times() -> None:
    calls = counted_calls([[4, 0, 9], [1, 1, 1]], 10.0)
    one = world(calls)
    other = world(calls, remedy__wake="gp", grace_period__mean_ms=3.0, workload__vmalloc_share=0.5)
    assert begins_of(one) == begins_of(other)
    assert begins_of(one) != begins_of(one, seed=2)


def test_deferred_objects_are_counted_over_time_to_the_digit() -> None:
    """Three calls into a block: they are there until the drain, and a grace period longer."""
    scenario = world(
        timed_calls([[1.0, 2.5, 7.0]], 100.0),
        allocator__calm__page=0.0,
        workload__free_instructions=0.0,
        remedy__array_path=True,
        remedy__drain_jiffies=3,
    )
    runs = replicate(scenario, 1, 0, 1)
    back_ms = 16.0 + GRACE_MS  # the timer of the first call: tick 0, and 3 + 1 ticks of 4 ms
    assert runs.of("area", STEADY)[0] == pytest.approx(3 * back_ms - (1.0 + 2.5 + 7.0))


GAPS = st.lists(st.sampled_from([0.0, 0.001, 0.1, 1.0, 4.0, 13.7]), min_size=1, max_size=120)


@examples(200)
@given(st.lists(GAPS, min_size=1, max_size=3), st.booleans(), st.integers(0, 7))
def test_where_nothing_is_drawn_skipping_counts_what_every_call_counts(
    gaps: list[list[float]], repeat: bool, kind: int
) -> None:
    times = [np.cumsum(one) for one in gaps]
    length_ms = max(float(one[-1]) for one in times) + 1.0
    scenario = world(
        timed_calls(times, length_ms, repeat=repeat),
        warmup_ms=0.3 * length_ms,
        horizon_ms=2.7 * length_ms if repeat else length_ms,
        remedy__array_path=kind % 2 == 0,
        remedy__block_entries=3,
        remedy__expedited_drain=kind % 3 == 0,
        remedy__nr_bkv_objs=1,
        remedy__ready_blocks=kind == 6,
        allocator__calm__page=1.0 * (kind == 0),
        allocator__calm__head=1.0 * (kind > 3),
        workload__vmalloc_share=1.0 * (kind == 5),
    )
    skip, every = (replicate(scenario, 1, 0, 1, every_call=each) for each in (False, True))
    assert np.allclose(
        np.delete(skip.counts, EVENTS, axis=2), np.delete(every.counts, EVENTS, axis=2), rtol=1e-9
    )
    assert np.array_equal(skip.wait_hist, every.wait_hist)


@examples(60)
@given(st.integers(0, 9999), st.integers(0, 2**32 - 1))
def test_every_recorded_call_is_made_once_in_each_turn(number: int, seed: int) -> None:
    scenario = changed(
        replay_scenario(number), **{"memory.pressure": "injected", "workload.live_objects": 0}
    )
    calls = scenario.workload.calls
    assert calls is not None
    scenario = changed(
        scenario,
        warmup_ms=0.4 * calls.length_ms,
        horizon_ms=calls.length_ms * (3 if calls.repeat else 1),
    )
    runs = replicate(scenario, seed, 0, 2)
    made = sum(runs.of(kind, window) for kind in ("single", "double") for window in (0, 1))
    assert np.all(made == calls.total * (3 if calls.repeat else 1))


def test_the_twin_makes_the_calls_of_exact_times_in_the_same_windows() -> None:
    scenario = world(timed_calls([[1.0, 3.0, 40.0], [2.0, 3.0]], 60.0), warmup_ms=30.0)
    runs, other = replicate(scenario, 1, 0, 1), twin.run(scenario, 1)
    for window, name in enumerate(("boot", "steady")):
        for counter in ("single", "waits", "wait_ms"):
            assert runs.of(counter, window)[0] == pytest.approx(other[name][counter]), counter


PAIRS = timed_calls([np.add.outer(200.0 * np.arange(50), [1.0, 2.0]).ravel()], 10_000.0)


@pytest.mark.parametrize("method", ["skipping", "rare"])
def test_a_pool_of_one_and_calls_in_pairs_wait_with_the_chance_of_two_failures(
    method: str,
) -> None:
    """Pairs are far apart, so that the object is back: a call waits if both of a pair fail."""
    p_fails = 0.02 if method == "rare" else 0.3
    scenario = world(
        PAIRS,
        remedy__nr_emergency_objs=1,
        remedy__emergency_at_boot=1,
        remedy__head_alloc="atomic",
        allocator__calm__head=p_fails,
    )
    found = ask(scenario, "p_wait", method=method, window="steady")
    assert found.estimate.lo is not None
    assert found.estimate.hi is not None
    assert found.estimate.lo <= p_fails**2 / 2 <= found.estimate.hi
    assert found.estimate.value == pytest.approx(p_fails**2 / 2, rel=0.2)


def test_pages_that_never_run_out_are_proved_for_a_recording() -> None:
    few = timed_calls([np.arange(0.0, 2000.0, 20.0)], 2000.0)
    scenario = world(
        few,
        remedy__array_path=True,
        remedy__nr_bkv_objs=3,
        remedy__cache_at_boot=3,
        remedy__block_entries=50,
        remedy__expedited_drain=False,
        grace_period__kind="ticks",
        grace_period__mean_ms=None,
    )
    assert ask(scenario, "p_wait").method == "by construction"
    crowded = timed_calls([[*np.arange(0.0, 2000.0, 20.0), *np.linspace(900, 901, 60)]], 2000.0)
    assert (
        ask(changed(scenario, **{"workload.calls": crowded}), "p_wait").method != "by construction"
    )


def test_reuse_of_sheaves_goes_at_the_rate_of_the_recording() -> None:
    calls = timed_calls([np.arange(0.0, 1000.0, 2.0)], 1000.0)
    scenario = world(calls, remedy__sheaves=True)
    assert scenario.workload.rate_hz == pytest.approx(500.0)
    assert scenario.reuse_hz == pytest.approx(500.0)


def test_a_recording_in_a_preset_makes_as_many_calls_as_its_rate_says() -> None:
    counts = np.random.default_rng(5).poisson(20.0, (4, 300))
    calls = counted_calls(counts, 10.0)
    scenario = changed(
        load_scenario("thread-as-posted"),
        **{
            "workload.arrivals": "replay",
            "workload.calls": calls,
            "warmup_ms": 0.0,
            "horizon_ms": 3000.0,
        },
    )
    runs = replicate(scenario, 1, 0, 2)
    made = runs.of("single", STEADY) + runs.of("double", STEADY)
    assert np.all(made == counts.sum())
