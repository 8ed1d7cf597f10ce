# SPDX-License-Identifier: GPL-2.0-only
"""A rate of calls that changes in time, in pieces that repeat."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import KrcsimError
from krcsim.engine.codes import CODE
from krcsim.methods.construction import impossible
from krcsim.model.scenario import Scenario, as_dict, changed, from_dict
from krcsim.model.scenario_file import load_scenario
from krcsim.runs.replications import event_log, replicate
from krcsim.studies.ask import ask
from tests.engine.test_properties import examples
from tests.quick import mostly_slow
from validation.scenarios import random_scenario

STEPS = [[0, 1.0], [1000, 4.0], [1500, 0.0], [2500, 2.5]]  # over 4000 ms: 1 + 2 + 0 + 3.75 of 6.75
PERIOD_MS = 4000.0
LOADS = np.array([1.0, 2.0, 0.0, 3.75])
SHARES = LOADS / LOADS.sum()


def world(**workload: Any) -> Scenario:
    """No page and no rcu_head is ever had: each call waits."""
    fails = dict(page=1.0, head=1.0)
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=20_000.0,
            machine=dict(cpus=1),
            remedy=dict(base="A0"),
            allocator=dict(calm=fails, episode=fails, episodes="none", stall_ms=0.0),
            workload=dict(rate_hz=200.0, rate_changes=STEPS, rate_period_ms=PERIOD_MS) | workload,
        )
    )


def call_times(scenario: Scenario, seed: int = 1) -> np.ndarray[Any, Any]:
    """When calls wait, in ms: all of them do."""
    _, log, _ = event_log(scenario, seed, events=1 << 19)
    times = log["at"][log["code"] == CODE["wait begins"]]
    return np.asarray(times * 1000.0 / scenario.machine.hz)


def in_pieces(times_ms: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How many lie in each piece of the period."""
    edges = [start for start, _ in STEPS] + [PERIOD_MS]
    return np.histogram(times_ms % PERIOD_MS, edges)[0]


@pytest.mark.parametrize("every_call", [False, True])
def test_each_piece_has_its_share_of_the_calls_as_a_poisson_number(every_call: bool) -> None:
    """Counts in 200 replications of one period: mean and variance of each piece are the same."""
    short = changed(world(rate_hz=50.0), horizon_ms=PERIOD_MS)
    found = []
    for number, (start, _) in enumerate(STEPS):
        end = [start for start, _ in STEPS[1:]] + [PERIOD_MS]
        part = changed(short, horizon_ms=float(end[number]), warmup_ms=float(start))
        runs = replicate(part, 1, 0, 200, every_call=every_call)
        found.append(runs.of("single", 1))
    counts = np.array(found)
    mean = SHARES * 200.0
    assert np.all(counts[2] == 0)
    kept = mean > 0
    error = np.sqrt(mean[kept] / 200.0)
    assert np.all(np.abs(counts[kept].mean(axis=1) - mean[kept]) < 4.5 * error)
    # The variance of the sample variance of n numbers is about 2 / n of its square.
    ratio = counts[kept].var(axis=1, ddof=1) / mean[kept]
    assert np.all(np.abs(ratio - 1.0) < 4.5 * np.sqrt(2.0 / 199 + 1 / mean[kept] / 200))


def test_pieces_begin_anew_after_their_period_and_rate_hz_is_the_mean_over_it() -> None:
    times = np.concatenate([call_times(world(), seed) for seed in (1, 2)])
    mean = SHARES * 200.0 * 40.0
    assert np.all(np.abs(in_pieces(times) - mean) <= 4.5 * np.sqrt(mean))
    each = np.histogram(times, np.arange(0, 20_001, PERIOD_MS))[0]
    assert np.all(np.abs(each - 1600.0) <= 4.5 * 40.0)


@examples(40)
@given(st.integers(0, 59), st.integers(1, 10**6), st.integers(0, 2**32 - 1))
def test_pieces_of_one_rate_change_nothing_to_the_bit(number: int, rate: int, seed: int) -> None:
    plain = changed(random_scenario(number), horizon_ms=400.0)
    same = changed(
        plain,
        **{
            "workload.rate_changes": [[0, rate], [70.5, rate], [222, rate]],
            "workload.rate_period_ms": 333.3,
        },
    )
    one, other = (replicate(s, seed, 0, 1) for s in (plain, same))
    assert np.array_equal(one.counts, other.counts)


@pytest.mark.parametrize("gap", ["fixed", "exponential"])
@pytest.mark.parametrize("burst", [1, 5])
def test_bursts_come_at_the_pace_of_each_piece(gap: str, burst: int) -> None:
    kind = "bursts" if burst > 1 else "periodic"
    times = call_times(world(arrivals=kind, burst=burst, gap=gap))
    found, mean = in_pieces(times), SHARES * 200.0 * 20.0
    spread = 4.5 * np.sqrt(mean * burst) if gap == "exponential" else 6.0 * burst * np.ones(4)
    assert np.all(np.abs(found - mean) <= spread + burst)  # a burst may go on behind its piece


def test_fixed_gaps_are_as_long_as_the_rate_of_their_piece_says() -> None:
    times = call_times(world(arrivals="periodic", rate_hz=100.0, phase="tick"))
    inside = times[(times > 10.0) & (times < 990.0)]
    factor = 1.0 * PERIOD_MS / (LOADS.sum() * 1000.0)
    assert np.allclose(np.diff(inside), 10.0 / factor, atol=0.01)
    assert not np.any((times % PERIOD_MS > 1510.0) & (times % PERIOD_MS < 2500.0))


def test_on_phases_have_the_rate_of_their_piece() -> None:
    times = np.concatenate([call_times(world(arrivals="onoff"), seed) for seed in (1, 2, 3)])
    mean = SHARES * 200.0 * 60.0
    # Phases of 10 ms each: variance over mean is 1 + 10 ms * rate (trace/arrivals.py).
    spread = 1.0 + 0.01 * 200.0 * 4.0 * PERIOD_MS / (LOADS.sum() * 1000.0)
    found = in_pieces(times)
    assert found[2] == 0
    assert np.all(np.abs(found - mean) <= 4.5 * np.sqrt(spread * mean))


def test_a_closed_caller_is_silent_in_a_piece_of_rate_0() -> None:
    times = call_times(world(loop="closed", producers=3))
    within = times % PERIOD_MS
    assert not np.any((within > 1500.0) & (within < 2500.0))
    assert len(times) > 500


def test_a_run_behind_its_warm_up_has_the_calls_of_its_own_time() -> None:
    """A window of a whole period has the mean rate, wherever it begins."""
    late = changed(world(), warmup_ms=1300.0, horizon_ms=1300.0 + PERIOD_MS)
    counts = replicate(late, 3, 0, 100).of("single", 1)
    assert abs(counts.mean() - 800.0) < 4.5 * math.sqrt(800.0 / 100)


def test_shares_of_cpus_and_pieces_of_time_multiply() -> None:
    both = changed(world(), **{"machine.cpus": 2, "workload.cpu_shares": [3.0, 1.0]})
    _, log, _ = event_log(both, 5, events=1 << 19)
    waits = log[log["code"] == CODE["wait begins"]]
    cpus = np.bincount(waits["cpu"], minlength=2)
    assert abs(cpus[0] - 6000.0) < 4.5 * math.sqrt(6000.0)
    busy = in_pieces(waits["at"][waits["cpu"] == 1] * 1000.0 / both.machine.hz)
    mean = SHARES * 2000.0
    assert np.all(np.abs(busy - mean) <= 4.5 * np.sqrt(mean))


@pytest.mark.parametrize("arrivals", ["poisson", "periodic"])
def test_allocations_go_with_the_calls_where_their_rate_is_not_given(arrivals: str) -> None:
    """Where nothing is freed to a sheaf each refill of a main sheaf serves so many allocations."""
    sheaves = {
        "remedy.sheaves": True,
        "remedy.sheaf_entries": 5,
        "workload.sheaf_share": 0.0,
        "workload.arrivals": arrivals,
        "warmup_ms": 1500.0,
        "horizon_ms": 2500.0,
    }
    quiet = changed(world(), **sheaves)
    assert replicate(quiet, 1, 0, 20).of("slab_refills", 1).sum() == 0
    steady = changed(quiet, **{"workload.reuse_hz": 200.0})
    refills = replicate(steady, 1, 0, 20).of("slab_refills", 1)
    assert abs(refills.mean() - 40.0) < 3.0
    whole = changed(quiet, warmup_ms=0.0, horizon_ms=20_000.0)
    assert abs(replicate(whole, 1, 0, 20).of("slab_refills", 1).mean() - 800.0) < 30.0


def test_a_proof_looks_at_the_busiest_piece() -> None:
    kept = {
        "remedy.array_path": True,
        "remedy.nr_bkv_objs": 3,
        "remedy.cache_at_boot": 3,
        "remedy.expedited_drain": False,
        "remedy.block_entries": 100,
    }
    changing = changed(world(), **kept)
    proof = impossible(changed(changing, **{"workload.rate_changes": None}))
    busy = impossible(changing)
    assert proof is not None
    assert busy is None or busy.bound > proof.bound


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (dict(rate_changes=[[5, 1.0]]), "workload.rate_changes is (5.0, 1.0); allowed: up to"),
        (dict(rate_changes=[[0, 1.0], [0, 2.0]]), "workload.rate_changes is (0.0, 2.0)"),
        (dict(rate_changes=[[0, 0.0], [9, 0]]), "workload.rate_changes is ((0.0, 0.0), (9.0, 0.0"),
        (dict(rate_changes=[[0, -1.0]]), "workload.rate_changes is (0.0, -1.0)"),
        (dict(rate_changes=[[0, math.nan]]), "workload.rate_changes is (0.0, nan)"),
        (dict(rate_changes=[[0, 1.0, 2.0]]), "workload.rate_changes is (0.0, 1.0, 2.0)"),
        (dict(rate_changes=[[0, 1]], rate_period_ms=0), "workload.rate_period_ms is 0"),
        (dict(rate_changes=[[i, 1] for i in range(1001)]), "workload.rate_changes is '1001 pairs'"),
        (dict(rate_period_ms=2500.0), "workload.rate_period_ms is 2500.0; allowed: above 2500 ms"),
        (dict(rate_period_ms=None), "workload.rate_period_ms is None; allowed: above 2500 ms"),
        (dict(rate_changes=[]), "workload.rate_period_ms is 4000.0; allowed: left out"),
        (dict(rate_hz=6e6), "workload.rate_hz is 14222222.2"),
    ],
)
def test_changes_that_cannot_be_are_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(KrcsimError) as refusal:
        world(**more)
    assert str(refusal.value).startswith(words)


def test_a_recording_has_its_own_times() -> None:
    calls = dict(length_ms=100.0, cell_ms=10.0, cpus=["1 2 3"])
    with pytest.raises(KrcsimError, match="left out where calls are replayed"):
        from_dict(
            dict(
                horizon_ms=100.0,
                warmup_ms=0.0,
                machine=dict(cpus=1),
                workload=dict(
                    arrivals="replay", calls=calls, rate_changes=STEPS, rate_period_ms=PERIOD_MS
                ),
            )
        )


def test_a_scenario_keeps_its_pieces_and_loses_them_with_their_period() -> None:
    kept = world()
    assert from_dict(as_dict(kept)) == kept
    plain = changed(kept, **{"workload.rate_changes": None})
    assert plain.workload.rate_period_ms is None
    assert "rate_changes" not in as_dict(plain)["workload"]


@pytest.mark.parametrize("arrivals", mostly_slow(["poisson", "onoff", "bursts"], "onoff"))
def test_importance_sampling_says_the_same_as_plain_runs(arrivals: str) -> None:
    pool = {"remedy.nr_emergency_objs": 2, "remedy.emergency_at_boot": 2}
    changing = changed(
        load_scenario("thread-as-posted"),
        **{
            "remedy": "A1",
            "workload.arrivals": arrivals,
            "workload.burst": 4 if arrivals == "bursts" else 1,
            "workload.rate_changes": [[0, 1], [700, 4], [1100, 0], [1500, 2.5]],
            "workload.rate_period_ms": 2300.0,
            **pool,
        },
    )
    plain, rare = (
        ask(changing, method=method, precision=0.1, budget=1e7).estimate
        for method in ("skipping", "rare")
    )
    logs = [np.log([e.lo, e.value, e.hi]) for e in (plain, rare) if e.lo and e.value and e.hi]
    assert len(logs) == 2
    errors = [(high - low) / 3.92 for low, _, high in logs]
    assert abs(logs[0][1] - logs[1][1]) < 4.5 * math.hypot(*errors)
