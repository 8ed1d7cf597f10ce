# SPDX-License-Identifier: GPL-2.0-only
"""Who wakes a caller that waits, by kernel version: lengths of waits against pencil and paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import event_log, replicate

STEADY = 1
TICK_MS = 4.0  # HZ=250
MODES = pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])
BY_GP = {"remedy.wake": "gp", "remedy.own_cpu": True}


def world(**fields: Any) -> Scenario:
    """One CPU at HZ=250 whose calls all have one argument and find neither page nor rcu_head."""
    plain = from_dict(
        dict(
            warmup_ms=100.0,
            horizon_ms=10_100.0,
            machine=dict(cpus=1, hz=250),
            remedy=dict(base="E1", array_path=False, cache_at_boot=0),
            allocator=dict(episodes="none", stall_ms=0.0),
            workload=dict(rate_hz=10_000.0, arrivals="poisson", loop="closed"),
        )
    )
    return changed(plain, **fields)


def mean_wait_ticks(scenario: Scenario, every_call: bool) -> float:
    """The mean length of a wait."""
    runs = replicate(scenario, 3, 0, 2, every_call=every_call)
    waits, length = (runs.of(name, STEADY).sum() for name in ("waits", "wait_ms"))
    assert waits > 100
    return float(length / waits) / TICK_MS


@MODES
@pytest.mark.parametrize(
    ("wake", "own_cpu", "expected"),
    [("callback", False, 3.0), ("gp", False, 1.0), ("callback", True, 2.0), ("gp", True, 0.0)],
)
def test_a_caller_alone_on_one_cpu_waits_three_two_one_or_no_tick(
    wake: str, own_cpu: bool, expected: float, every_call: bool
) -> None:
    """v6.12 as it comes and with rcu_normal_wake_from_gp; v7.3 without and with it."""
    scenario = world(**{"remedy.wake": wake, "remedy.own_cpu": own_cpu}, horizon_ms=1100.0)
    assert mean_wait_ticks(scenario, every_call) == pytest.approx(expected, abs=0.06)


@MODES
@pytest.mark.parametrize(("hz", "expected"), [(250, 4.0), (100, 4.0), (1000, 8.0)])
def test_callers_on_two_cpus_wait_for_two_first_scans_each(
    hz: int, expected: float, every_call: bool
) -> None:
    """Each comes back while the grace period of the other runs, and needs the next one."""
    scenario = world(**BY_GP | {"machine.cpus": 2, "machine.hz": hz})
    ticks = mean_wait_ticks(scenario, every_call) * TICK_MS * hz / 1000.0
    assert ticks == pytest.approx(expected, abs=0.1)


def test_where_all_cpus_are_busy_two_ticks_are_enough_at_any_rate_of_ticks() -> None:
    scenario = world(**BY_GP | {"machine.cpus": 2, "machine.hz": 1000, "grace_period.busy": True})
    ticks = mean_wait_ticks(scenario, False) * TICK_MS
    assert ticks == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(("own_cpu", "expected"), [(False, 3.0), (True, 2.0)])
def test_a_batch_waits_for_its_callback_whoever_wakes_callers(
    own_cpu: bool, expected: float
) -> None:
    """From the monitor to the work, where no caller waits."""
    scenario = world(
        **{
            "remedy.wake": "gp",
            "remedy.own_cpu": own_cpu,
            "workload.single_share": 0.0,
            "workload.rate_hz": 20.0,
        }
    )
    _, log, _ = event_log(scenario, 3, events=10_000)
    queued = log["at"][log["code"] == CODE["batch queued"]]
    begun = log["at"][log["code"] == CODE["work starts"]]
    assert len(begun) > 50
    assert begun - queued[: len(begun)] == pytest.approx(np.full(len(begun), expected))


def test_a_grace_period_of_a_waiter_does_not_serve_a_callback_of_the_same_tick() -> None:
    """RCU knows of the callback on the next tick only: no batch is back sooner than in two."""
    scenario = world(
        **BY_GP
        | {"workload.single_share": 0.5, "workload.loop": "open", "remedy.expedited_drain": True}
    )
    _, log, _ = event_log(scenario, 3, events=200_000)
    queued = log["at"][log["code"] == CODE["batch queued"]]
    begun = log["at"][log["code"] == CODE["work starts"]]
    ends = log["at"][log["code"] == CODE["grace period ends"]]
    assert np.any(queued != np.floor(queued))  # within a tick, where grace periods of waiters end
    assert np.any(ends != np.floor(ends))
    since = np.array([at - queued[queued < at][-1] for at in begun if np.any(queued < at)])
    last_two = np.array([np.floor(at) - np.floor(queued[queued < at][-1]) for at in begun])
    assert len(since) > 50
    assert last_two.min() >= 2


def one_a_ms(gp_ms: float, **fields: Any) -> Scenario:
    """A caller each ms, of which each waits; grace periods of that length start at once."""
    plain = world(
        **{
            "remedy.wake": "gp",
            "workload.loop": "open",
            "workload.arrivals": "periodic",
            "workload.rate_hz": 1000.0,
            "grace_period.kind": "fixed",
            "grace_period.mean_ms": gp_ms,
            "workload.wake_instructions": 0,
            "workload.call_instructions": 0,
        }
    )
    return changed(plain, **fields)


def test_the_kthread_wakes_the_five_newest_and_a_work_the_others() -> None:
    """A grace period of 12.5 ms has the callers of the one before: 12 or 13."""
    scenario = one_a_ms(12.5, **{"remedy.wake_work_ms": 0.3, "horizon_ms": 1100.0})
    _, log, _ = event_log(scenario, 3, events=10_000)
    at_ms = log["at"] * TICK_MS
    woken = at_ms[log["code"] == CODE["wait ends"]]
    lengths = log["value"][log["code"] == CODE["wait ends"]]
    for end in at_ms[log["code"] == CODE["grace period ends"]][1:-1]:
        at_end = lengths[np.isclose(woken, end, atol=1e-6)]
        later = lengths[np.isclose(woken, end + 0.3, atol=1e-6)]
        assert len(at_end) == 5
        assert len(later) in (7, 8)
        assert max(at_end) < min(later)


def test_the_caller_that_makes_it_64_closes_the_latch_for_those_after_it() -> None:
    scenario = one_a_ms(500.0, warmup_ms=0.0, horizon_ms=90.5)
    runs = replicate(scenario, 3, 0, 1)
    waits = runs.of("waits", STEADY)[0]
    assert waits in (90, 91)  # by the phase of the first
    assert runs.of("waits_latched", STEADY)[0] == waits - 64


def test_the_latch_opens_when_the_last_of_the_list_has_woken() -> None:
    """Grace periods of 40 ms: 64 callers fill the list within two; later it is empty again."""
    runs = replicate(one_a_ms(40.0, warmup_ms=0.0, horizon_ms=4000.0), 3, 0, 1)
    latched, waits = (float(runs.of(name, STEADY)[0]) for name in ("waits_latched", "waits"))
    assert 0.2 < latched / waits < 0.8


def test_callbacks_have_no_list_and_no_latch() -> None:
    scenario = one_a_ms(500.0, **{"remedy.wake": "callback"})
    assert replicate(scenario, 3, 0, 1).of("waits_latched", STEADY)[0] == 0


def test_given_lengths_stay_what_they_are() -> None:
    scenario = world(**BY_GP | {"grace_period.mean_ms": 20.0, "machine.cpus": 2})
    same = changed(scenario, **{"remedy.own_cpu": False})
    found = [replicate(one, 3, 0, 2).counts for one in (scenario, same)]
    assert np.array_equal(*found)
