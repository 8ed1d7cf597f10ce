# SPDX-License-Identifier: GPL-2.0-only
"""Sheaves against pencil and paper: who waits, what a barn keeps, what is held and for how long."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from krcsim.model.scenario import Scenario, from_dict
from krcsim.runs.replications import Replications, replicate

STEADY = 1
BOTH_MODES = pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])
C = 60  # pointers in a sheaf of small objects
B = 507  # pointers in a block
NEVER = 1_000_000  # jiffies
# v6.12 and later behind the sheaves: no rcu_head, no reserve here.
BEHIND: dict[str, Any] = dict(
    base="E1",
    page_class="noretry",
    double_page=False,
    page_return="batch",
    nr_bkv_objs=0,
    cache_at_boot=0,
    block_entries=B,
    rearm="rest",
    drain_jiffies=1250,
    drain_full=True,
)


def world(
    remedy: dict[str, Any] | None = None,
    workload: dict[str, Any] | None = None,
    *,
    calm: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
    grace_period: dict[str, Any] | None = None,
    length_ms: float = 3000.0,
) -> Scenario:
    """One CPU with a call a ms, on a timetable, and grace periods of 10 ms."""
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=length_ms,
            machine=dict(cpus=1, hz=250) | (machine or {}),
            remedy=BEHIND | dict(sheaves=True) | (remedy or {}),
            allocator=dict(episodes="none", stall_ms=0.0, calm=calm or {}),
            grace_period=grace_period or dict(kind="fixed", mean_ms=10.0),
            workload=dict(
                arrivals="periodic", rate_hz=1000.0, phase="tick", single_share=0.0, reuse_hz=0.0
            )
            | (workload or {}),
        )
    )


def counted(runs: Replications, *names: str) -> list[float]:
    """Sums over the replications."""
    return [float(runs.of(name, STEADY).sum()) for name in names]


RANDOM: dict[str, Any] = dict(arrivals="poisson", phase="random")


@BOTH_MODES
@pytest.mark.parametrize("single_share", [0.0, 1.0])
def test_where_no_page_is_had_sheaves_take_every_object_and_nobody_waits(
    single_share: float, every_call: bool
) -> None:
    """As measured: 48,596 calls on v7.3, every page request failing, and not one monitor."""
    scenario = world(workload=dict(single_share=single_share), calm=dict(page=1.0))
    runs = replicate(scenario, 1, 0, 1, every_call=every_call)
    assert counted(runs, "sheaf_stored", "waits", "monitors", "list_pushes") == [3000, 0, 0, 0]


@BOTH_MODES
@pytest.mark.parametrize("refused", [dict(vmalloc_share=1.0), dict(sheaf_share=0.0)])
def test_an_object_that_no_sheaf_takes_waits_if_no_page_is_had(
    refused: dict[str, Any], every_call: bool
) -> None:
    scenario = world(workload=dict(single_share=1.0) | refused, calm=dict(page=1.0))
    runs = replicate(scenario, 1, 0, 1, every_call=every_call)
    assert counted(runs, "waits", "waits_kind", "refused_kind") == [3000, 3000, 3000]
    assert counted(runs, "sheaf_stored", "monitors", "waits_memory") == [0, 0, 0]


@BOTH_MODES
def test_without_allocations_a_barn_fills_and_what_comes_then_is_flushed(every_call: bool) -> None:
    """50 sheaves in 3 s: ten go to the barn, each but the first eleven finds the one before it
    empty; the last is under way.
    """
    runs = replicate(world(), 1, 0, 1, every_call=every_call)
    names = ("sheaves_full", "sheaf_requests", "sheaves_to_barn", "sheaves_flushed")
    assert counted(runs, *names) == [50, 12, 10, 39]
    assert counted(runs, "queued", "freed") == [3000, 49 * C]


@BOTH_MODES
def test_what_is_allocated_as_fast_as_it_is_freed_never_asks_for_a_sheaf(every_call: bool) -> None:
    scenario = world(workload=dict(reuse_hz=1000.0))
    runs = replicate(scenario, 1, 0, 1, every_call=every_call)
    names = ("sheaf_requests", "slab_refills", "sheaves_flushed", "sheaves_full")
    assert counted(runs, *names) == [0, 2, 0, 50]


@BOTH_MODES
@pytest.mark.parametrize(
    ("p_fails", "object_bytes", "entries"), [(0.5, 64, 60), (0.9, 64, 60), (0.9, 1024, 12)]
)
def test_a_failed_request_of_a_sheaf_lets_each_further_call_ask_again(
    p_fails: float, object_bytes: int, entries: int, every_call: bool
) -> None:
    """Of p + C*(1 - p) calls p go to the blocks, and there one page, asked for until it is had,
    serves B of them: q = p/(1 - p) waits for q + B calls.
    """
    scenario = world(
        dict(barn_full=0, barn_empty=0, drain_jiffies=NEVER, drain_full=False),
        RANDOM | dict(single_share=1.0, rate_hz=5000.0, object_bytes=object_bytes),
        calm=dict(page=p_fails, sheaf=p_fails),
        length_ms=400_000.0,
    )
    if every_call:
        scenario = from_dict(_shorter(scenario, 20_000.0))
    runs = replicate(scenario, 1, 0, 8, every_call=every_call)

    calls = runs.of("single", STEADY)
    refused = runs.of("refused_memory", STEADY) / calls
    expected = p_fails / (p_fails + entries * (1.0 - p_fails))
    assert abs(refused.mean() - expected) < 4.5 * refused.std(ddof=1) / math.sqrt(len(refused))

    if not every_call:
        waits = runs.of("waits_memory", STEADY) / calls
        q = p_fails / (1.0 - p_fails)
        error = 4.5 * waits.std(ddof=1) / math.sqrt(len(waits))
        assert abs(waits.mean() - expected * q / (q + B)) < error


def _shorter(scenario: Scenario, horizon_ms: float) -> dict[str, Any]:
    from krcsim.model.scenario import as_dict

    return as_dict(scenario) | dict(horizon_ms=horizon_ms)


def test_a_flood_asks_for_what_the_barn_does_not_keep() -> None:
    """4 CPUs of 1e5 calls/s fill 66.7 sheaves in each grace period of 10 ms; 10 come back empty."""
    scenario = world(workload=RANDOM | dict(rate_hz=1e5), machine=dict(cpus=4), length_ms=20_000.0)
    runs = replicate(scenario, 1, 0, 4)
    full, requests = (runs.of(x, STEADY).mean() / 20.0 for x in ("sheaves_full", "sheaf_requests"))
    assert full == pytest.approx(4e5 / C, rel=0.002)
    assert requests == pytest.approx((4e5 * 0.01 / C - 10.0) / 0.01, rel=0.01)


def test_each_node_has_a_barn_of_its_own() -> None:
    """The same flood on two nodes keeps ten empty sheaves on each."""
    scenario = world(
        workload=RANDOM | dict(rate_hz=1e5),
        machine=dict(cpus=4, node_cpus=2),
        length_ms=20_000.0,
    )
    requests = replicate(scenario, 1, 0, 4).of("sheaf_requests", STEADY).mean() / 20.0
    assert requests == pytest.approx((4e5 * 0.01 / C - 20.0) / 0.01, rel=0.01)


@BOTH_MODES
def test_the_last_objects_of_a_cpu_stay_in_its_sheaf_for_ever(every_call: bool) -> None:
    """After 30 calls, no further one for the rest of 3 s: nothing is ever freed."""
    scenario = world(workload=dict(rate_hz=10.0), length_ms=3000.0)
    runs = replicate(scenario, 1, 0, 1, every_call=every_call)
    assert counted(runs, "queued", "freed", "sheaves_full", "gps") == [30, 0, 0, 0]


def test_under_load_an_object_stays_half_a_sheaf_and_one_and_a_half_grace_periods() -> None:
    """(C - 1)/(2r) while its sheaf fills; a call finds a grace period running, on average half
    over, and waits for the next one, too.
    """
    rate, grace_ms = 1e5, 10.0
    scenario = world(workload=RANDOM | dict(rate_hz=rate), length_ms=20_000.0)
    runs = replicate(scenario, 1, 0, 4)
    filling, in_flight = (
        runs.of(x, STEADY).mean() / 20_000.0 for x in ("filling_area", "in_flight_area")
    )
    assert filling == pytest.approx((C - 1) / 2, rel=0.02)
    assert in_flight == pytest.approx(rate / 1000.0 * 1.5 * grace_ms, rel=0.02)
    stored = runs.of("sheaf_stored", STEADY).mean()
    dwell_ms = (filling + in_flight) * 20_000.0 / stored
    assert dwell_ms == pytest.approx((C - 1) / (2 * rate) * 1000.0 + 1.5 * grace_ms, rel=0.02)


@BOTH_MODES
@pytest.mark.parametrize("number", range(6))
def test_sheaves_hold_what_fits_into_them(number: int, every_call: bool) -> None:
    """On average over time no more than C - 1 objects a CPU are in sheaves that are filled."""
    cpus = 1 + number % 3
    scenario = world(
        workload=RANDOM | dict(rate_hz=10.0 * 8**number), machine=dict(cpus=cpus), length_ms=200.0
    )
    runs = replicate(scenario, number, 0, 4, every_call=every_call)
    assert np.all(runs.of("filling_area", STEADY) <= cpus * (C - 1) * 200.0)


@BOTH_MODES
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_every_call_is_taken_refused_for_its_kind_or_for_memory(
    share: float, every_call: bool
) -> None:
    scenario = world(
        workload=RANDOM | dict(sheaf_share=share, vmalloc_share=0.2, single_share=0.5),
        calm=dict(page=0.5, sheaf=0.6),
    )
    runs = replicate(scenario, 1, 0, 4, every_call=every_call)
    calls = sum(counted(runs, "single", "double"))
    assert sum(counted(runs, "sheaf_stored", "refused_kind", "refused_memory")) == calls
    assert sum(counted(runs, "waits_kind", "waits_memory")) == counted(runs, "waits")[0]


@BOTH_MODES
def test_a_lazy_sheaf_asks_later_and_all_of_its_cpu_ask_together(every_call: bool) -> None:
    """Sheaves that are full at 60 ms, 120 ms, ... ask 100 ms after the first of them."""
    lazy = dict(kind="fixed", mean_ms=10.0, lazy_ms=100.0)
    runs = replicate(world(grace_period=lazy), 1, 0, 1, every_call=every_call)
    # Two sheaves ask for one grace period: 60 and 120, 180 and 240, ...; the last two have not.
    assert counted(runs, "sheaves_full", "gps", "freed") == [50, 24, 48 * C]


@BOTH_MODES
def test_a_batch_takes_lazy_sheaves_of_its_cpu_along(every_call: bool) -> None:
    lazy = dict(kind="fixed", mean_ms=10.0, lazy_ms=10_000.0)
    alone = world(grace_period=lazy)
    hurried = world(dict(drain_jiffies=5), RANDOM | dict(sheaf_share=0.9), grace_period=lazy)
    assert counted(replicate(alone, 1, 0, 1, every_call=every_call), "freed") == [0]
    runs = replicate(hurried, 1, 0, 1, every_call=every_call)
    full, to_barn, flushed = counted(runs, "sheaves_full", "sheaves_to_barn", "sheaves_flushed")
    assert to_barn + flushed >= full - 2


@BOTH_MODES
@pytest.mark.parametrize(("refused", "refills"), [(dict(vmalloc_share=1.0), 25), ({}, 1)])
def test_a_caller_that_has_waited_frees_into_the_main_sheaf_if_it_is_of_its_cache(
    refused: dict[str, Any], refills: int, every_call: bool
) -> None:
    """1500 allocations take 60 objects each time the main sheaf is filled from slab pages, unless
    callers bring theirs, two for each allocation.
    """
    scenario = world(
        workload=dict(single_share=1.0, reuse_hz=500.0) | refused, calm=dict(page=1.0, sheaf=1.0)
    )
    runs = replicate(scenario, 1, 0, 1, every_call=every_call)
    assert counted(runs, "slab_refills") == [refills]
