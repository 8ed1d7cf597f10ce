# SPDX-License-Identifier: GPL-2.0-only
"""Worlds simple enough for a closed form: pools, pages and waits against pencil and paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.scenario import Scenario, from_dict
from krcsim.runs.replications import event_log, replicate

STEADY = 1
TICK_MS = 4.0  # HZ=250
DRAIN_MS = 24.0  # armed just after a tick: six ticks
GRACE_MS = 12.0  # one CPU: three ticks
FAILS_EVERYTHING = dict(page=1.0, head=1.0)


def exhausted(
    remedy: dict[str, Any],
    workload: dict[str, Any],
    *,
    grace_period: dict[str, Any] | None = None,
    warmup_ms: float = 0.0,
    length_ms: float = 10_000.0,
) -> Scenario:
    """One CPU on which no page and no rcu_head can be had from time 0 on."""
    return from_dict(
        dict(
            warmup_ms=warmup_ms,
            horizon_ms=warmup_ms + length_ms,
            machine=dict(cpus=1, hz=250, instruction_ns=8.0),
            remedy=dict(base="A1", expedited_drain=False, rearm="left") | remedy,
            allocator=dict(
                episodes="schedule",
                schedules=[[0.0, math.inf]],
                episode=FAILS_EVERYTHING,
                stall_ms=0.0,
            ),
            grace_period=grace_period or {},
            workload=workload,
        )
    )


@pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])
@pytest.mark.parametrize("array_path", [False, True], ids=["no-blocks", "pages-fail"])
@pytest.mark.parametrize("rate_hz", [10.0, 100.0, 1000.0])
def test_a_pool_of_one_is_a_server_that_is_busy_while_its_object_is_away(
    rate_hz: float, array_path: bool, every_call: bool
) -> None:
    """Poisson arrivals see time averages: P(wait) = l*h / (1 + l*h), h the mean time away."""
    scenario = exhausted(
        dict(array_path=array_path, nr_emergency_objs=1, emergency_at_boot=1),
        dict(arrivals="poisson", rate_hz=rate_hz),
        warmup_ms=200.0,
        length_ms=20_000.0,
    )
    runs = replicate(scenario, 11, 0, 30, every_call=every_call)
    p = runs.of("waits", STEADY) / runs.of("single", STEADY)
    away_ms = runs.of("area", STEADY).sum() / runs.of("pool_hits", STEADY).sum()
    load = rate_hz / 1000.0 * away_ms
    assert abs(p.mean() - load / (1.0 + load)) < 4.0 * p.std(ddof=1) / math.sqrt(len(p))


@pytest.mark.parametrize("rate_hz", [10.0, 100.0, 1000.0])
def test_a_pool_object_is_away_from_its_call_to_the_drain_and_one_grace_period(
    rate_hz: float,
) -> None:
    """From t to the tick floor(t)+6 of the drain, and three ticks more: 36 ms less t's phase.

    The object came back on a tick, so the next call's phase is an exponential time modulo a tick.
    """
    scenario = exhausted(
        dict(nr_emergency_objs=1, emergency_at_boot=1),
        dict(arrivals="poisson", rate_hz=rate_hz, free_instructions=0),
        warmup_ms=200.0,
        length_ms=20_000.0,
    )
    runs = replicate(scenario, 12, 0, 30)
    away_ms = runs.of("area", STEADY) / runs.of("pool_hits", STEADY)
    error = 4.0 * away_ms.std(ddof=1) / math.sqrt(len(away_ms))
    calls = rate_hz / 1000.0 * TICK_MS  # in a tick
    phase_ms = TICK_MS * (1.0 / calls - 1.0 / math.expm1(calls))
    assert abs(away_ms.mean() - (DRAIN_MS + GRACE_MS - phase_ms)) < error


@pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])
@pytest.mark.parametrize("objects", [1, 3, 8, 32, 128])
def test_a_pool_filled_at_boot_lets_k_of_every_k_plus_n_calls_wait(
    objects: int, every_call: bool
) -> None:
    """k grace periods fit between the last object's call and the objects' return."""
    scenario = exhausted(
        dict(nr_emergency_objs=objects, emergency_at_boot=objects),
        dict(arrivals="bursts", burst=10, rate_hz=10_000.0, loop="closed", phase="tick"),
        length_ms=30_000.0,
    )
    runs = replicate(scenario, 1, 0, 1, every_call=every_call)
    fill_ms = (objects - 1) / 10.0
    k = math.ceil((DRAIN_MS + GRACE_MS - fill_ms) / GRACE_MS)
    p = runs.of("waits", STEADY)[0] / runs.of("single", STEADY)[0]
    assert p == pytest.approx(k / (k + objects), rel=0.002)


def pages_needed(calls_per_ms: float) -> int:
    """Blocks that fill in a drain interval, and those that fill in the grace period after it."""
    return math.ceil(calls_per_ms * DRAIN_MS / 510) + math.ceil(calls_per_ms * GRACE_MS / 510)


def waits_with_pages(pages: int, calls_per_ms: float) -> float:
    """Waits in 2 s of fixed gaps with that many pages of the channel cached at boot."""
    scenario = exhausted(
        dict(nr_bkv_objs=pages, cache_at_boot=pages),
        dict(
            arrivals="periodic",
            rate_hz=1000.0 * calls_per_ms,
            phase="tick",
            call_instructions=100,
        ),
        length_ms=2000.0,
    )
    return float(replicate(scenario, 1, 0, 1).of("waits", STEADY)[0])


RATES = [0.4, 1.0, 10.0, 20.0, 30.0, 42.0, 50.0, 60.0, 80.0, 100.0, 110.0]


@pytest.mark.parametrize("calls_per_ms", RATES)
def test_the_pages_of_a_drain_interval_and_of_a_grace_period_save_every_wait(
    calls_per_ms: float,
) -> None:
    assert waits_with_pages(pages_needed(calls_per_ms), calls_per_ms) == 0


@pytest.mark.parametrize("calls_per_ms", RATES)
def test_one_page_fewer_than_the_formula_lets_calls_wait(calls_per_ms: float) -> None:
    assert waits_with_pages(pages_needed(calls_per_ms) - 1, calls_per_ms) > 0


def waits_of_one_cpu() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Beginnings and ends, in ticks, of waits of calls at random phases of the tick."""
    scenario = exhausted(
        dict(array_path=False), dict(arrivals="poisson", rate_hz=1000.0), length_ms=20_000.0
    )
    _, log, total = event_log(scenario, 5, events=200_000)
    assert total == len(log)
    begin, end = (log["at"][log["code"] == CODE[f"wait {word}"]] for word in ("begins", "ends"))
    return begin, end


def test_with_one_cpu_a_wait_ends_three_ticks_after_the_tick_before_the_call() -> None:
    begin, end = waits_of_one_cpu()
    assert np.array_equal(end, np.floor(begin) + 3.0)


def test_waits_of_one_cpu_at_250_hz_take_8_to_12_ms() -> None:
    begin, end = waits_of_one_cpu()
    waits_ms = (end - begin) * TICK_MS
    assert 8.0 < waits_ms.min() <= waits_ms.max() <= 12.0


def test_waits_of_one_cpu_at_250_hz_average_10_ms_at_random_phase() -> None:
    begin, end = waits_of_one_cpu()
    waits_ms = (end - begin) * TICK_MS
    error = 4.0 * (TICK_MS / math.sqrt(12.0)) / math.sqrt(len(waits_ms))
    assert abs(waits_ms.mean() - 10.0) < error


def test_crowded_waiters_of_a_fixed_grace_period_wait_one_and_a_half_of_it() -> None:
    """Some grace period always runs, so a caller waits for its rest and for the next."""
    assert mean_wait_ms(rate_hz=3000.0, grace_ms=20.0) == pytest.approx(30.0, rel=0.01)


@pytest.mark.parametrize("rate_hz", [5.0, 25.0, 100.0])
def test_waiters_that_find_no_grace_period_running_shorten_the_mean_wait(rate_hz: float) -> None:
    """Grace periods of length G run on while calls come; only who starts them waits just G."""
    grace_ms = 20.0
    calls = rate_hz / 1000.0 * grace_ms  # in one grace period
    followers = calls * math.exp(calls)  # calls during a busy run of grace periods (Wald)
    expected = grace_ms * (1.0 + 1.5 * followers) / (1.0 + followers)
    assert mean_wait_ms(rate_hz, grace_ms) == pytest.approx(expected, rel=0.02)


def mean_wait_ms(rate_hz: float, grace_ms: float) -> float:
    """Mean wait in an open loop in which every call waits."""
    scenario = exhausted(
        dict(array_path=False),
        dict(arrivals="poisson", rate_hz=rate_hz),
        grace_period=dict(kind="fixed", mean_ms=grace_ms),
        length_ms=60_000.0,
    )
    runs = replicate(scenario, 3, 0, 10)
    return float(runs.of("wait_ms", STEADY).sum() / runs.of("waits", STEADY).sum())
