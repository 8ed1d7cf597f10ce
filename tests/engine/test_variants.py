# SPDX-License-Identifier: GPL-2.0-only
"""What the remedies must share with each other, call by call, and where they must differ."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.engine.records import COUNTERS
from krcsim.model.remedy import REMEDIES, Remedy, named, pool
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import Replications, event_log, replicate
from validation.scenarios import random_scenario

BOTH = (0, 1)  # windows
NUMBERS = range(16)  # of random scenarios
PREALLOCATED: dict[str, Any] = dict(cache_shared=False, nr_bkv_objs=1, cache_at_boot=1)
# Where a block's page came from: all that preallocation changes once the first block was had.
PAGE_SOURCES = ("page_ok", "cache_hits")


def warm(number: int, remedy: Remedy, **overrides: Any) -> Scenario:
    """A random world whose CPUs and channels have all made calls before anything can fail."""
    world = random_scenario(number)
    return changed(
        world,
        **{
            "remedy": remedy,
            "allocator.episodes": "schedule",
            "allocator.schedules": [[[400.0, 600.0], [800.0, 1200.0]], [[500.0, 1400.0]]],
            "allocator.calm": {},
            "workload.rate_hz": max(world.workload.rate_hz, 300.0),
        }
        | overrides,
    )


def total(runs: Replications, counter: str) -> float:
    """A counter summed over windows and replications."""
    return float(sum(runs.of(counter, window).sum() for window in BOTH))


def waits_begun(log: np.ndarray[Any, Any]) -> list[tuple[float, int, int]]:
    """Time, CPU and kind of every wait in a log."""
    begun = log[log["code"] == CODE["wait begins"]]
    return [(e["at"], e["cpu"], e["code"]) for e in begun]


def call_by_call(scenario: Scenario) -> tuple[list[Any], np.ndarray[Any, Any], Replications]:
    """Waits begun in two replications, counters but those of page sources, and the runs."""
    kept = [i for i, name in enumerate(COUNTERS) if name not in PAGE_SOURCES]
    waits, runs = [], []
    for replication in (0, 1):
        run, log, n = event_log(scenario, 7, replication, events=100_000, every_call=True)
        assert n == len(log)
        waits.append(waits_begun(log))
        runs.append(run)
    both = runs[0] + runs[1]
    return waits, both.counts[:, :, kept], both


def assert_same_calls(one: Scenario, other: Scenario) -> None:
    """Fails unless the same calls wait and all that happens but the page sources is the same."""
    waits, counts, _ = call_by_call(one)
    other_waits, other_counts, _ = call_by_call(other)
    assert waits == other_waits
    assert np.array_equal(counts, other_counts)


@pytest.mark.parametrize("base", ["A0", "A1"])
@pytest.mark.parametrize("number", NUMBERS)
def test_preallocation_changes_no_call_once_the_first_block_request_succeeded(
    number: int, base: str
) -> None:
    assert_same_calls(warm(number, REMEDIES[base]), warm(number, REMEDIES[f"C-{base}"]))


@pytest.mark.parametrize("number", NUMBERS)
def test_preallocation_changes_no_call_whatever_the_other_switches(number: int) -> None:
    remedy = replace(random_scenario(number).remedy, array_path=True, **PREALLOCATED)
    without = replace(remedy, cache_at_boot=0)
    assert_same_calls(warm(number, without), warm(number, remedy))


@pytest.mark.parametrize("vmalloc_share", [0.0, 0.4, 1.0])
def test_preallocation_saves_one_page_request_for_each_cpu_and_channel_used(
    vmalloc_share: float,
) -> None:
    world = {"workload.vmalloc_share": vmalloc_share, "machine.cpus": 3}
    a1 = replicate(warm(4, REMEDIES["A1"], **world), 7, 0, 2, every_call=True)
    c = replicate(warm(4, REMEDIES["C-A1"], **world), 7, 0, 2, every_call=True)
    used = 2 * 3 * (2 if vmalloc_share == 0.4 else 1)  # two replications, three CPUs
    assert total(a1, "page_ok") - total(c, "page_ok") == used
    assert total(c, "cache_hits") - total(a1, "cache_hits") == used


def test_calls_wait_in_most_worlds_in_which_preallocation_changes_nothing() -> None:
    waited = [total(call_by_call(warm(n, REMEDIES["A1"]))[2], "waits") > 0 for n in NUMBERS]
    assert sum(waited) > len(NUMBERS) / 2


def cold(remedy: Remedy, page: float, head: float) -> Scenario:
    """One CPU under pressure from time 0 on, one call every 10 ms on average."""
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=5000.0,
            machine=dict(cpus=1),
            remedy=asdict(remedy),
            allocator=dict(
                episodes="schedule",
                schedules=[[0.0, math.inf]],
                episode=dict(page=page, head=head),
                stall_ms=0.0,
            ),
            workload=dict(rate_hz=100.0),
        )
    )


@pytest.mark.parametrize("base", ["A0", "A1"])
def test_the_baseline_never_gets_a_page_where_every_request_fails_from_boot(base: str) -> None:
    runs = replicate(cold(REMEDIES[base], 1.0, 1.0), 1, 0, 3)
    assert total(runs, "waits") == total(runs, "single")


@pytest.mark.parametrize("page", [0.9, 1.0])
@pytest.mark.parametrize("base", ["A0", "A1"])
def test_preallocation_saves_waits_where_the_first_block_request_may_fail(
    base: str, page: float
) -> None:
    """C circulates a page more until the baseline has caught up, with its first success."""
    without, preallocated = (
        replicate(changed(cold(remedy, page, 1.0), horizon_ms=1000.0), 1, 0, 60).of("waits", 1)
        for remedy in (REMEDIES[base], REMEDIES[f"C-{base}"])
    )
    saved = without - preallocated
    assert saved.mean() > 4.0 * saved.std(ddof=1) / math.sqrt(len(saved))


@pytest.mark.parametrize("objects", [3, 512])
@pytest.mark.parametrize("number", NUMBERS)
def test_an_empty_pool_saves_no_call_of_a_first_episode_where_everything_fails(
    number: int, objects: int
) -> None:
    """No page request failed before, so nothing was listed and nothing came into the pool."""
    pressure = {"allocator.episode": dict(page=1.0, head=1.0)}
    assert_same_calls(
        warm(number, REMEDIES["A1"], **pressure), warm(number, pool(objects), **pressure)
    )


def test_a_pool_saves_calls_of_an_episode_where_page_requests_failed_before() -> None:
    pressure = {"allocator.episode": dict(page=1.0, head=1.0), "allocator.calm": dict(page=1.0)}
    world = {"workload.rate_hz": 300.0, "workload.single_share": 1.0} | pressure
    without = replicate(warm(4, REMEDIES["A1"], **world), 7, 0, 10)
    pooled = replicate(warm(4, pool(64), **world), 7, 0, 10)
    assert total(pooled, "pool_hits") > 0
    assert total(pooled, "waits") < total(without, "waits")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_pool_of_no_object_is_no_pool(number: int) -> None:
    empty = replicate(changed(random_scenario(number), remedy="B0"), 7, 0, 2)
    none = replicate(changed(random_scenario(number), remedy="A1"), 7, 0, 2)
    assert np.array_equal(empty.counts, none.counts)


@pytest.mark.parametrize("number", NUMBERS)
def test_two_atomic_attempts_are_one_where_both_reserves_are_equally_deep(number: int) -> None:
    pressure = {"allocator.episode": dict(page=0.9, head=0.8, head_atomic=0.6, head_reclaim=0.5)}
    assert_same_calls(
        warm(number, REMEDIES["A1"], **pressure), warm(number, REMEDIES["A1-3step"], **pressure)
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_a_shared_cache_is_the_channels_own_where_only_one_channel_is_used(number: int) -> None:
    own = replace(REMEDIES["D2-A1"], cache_shared=False)
    world = {"workload.vmalloc_share": 0.0}
    shared = replicate(changed(random_scenario(number), remedy="D2-A1", **world), 7, 0, 2)
    apart = replicate(changed(random_scenario(number), remedy=own, **world), 7, 0, 2)
    assert np.array_equal(shared.counts, apart.counts)


def waits_over_sizes(remedies: list[Remedy], page: float) -> list[np.ndarray[Any, Any]]:
    """Waits a replication in an open loop of light traffic, for each remedy."""
    worlds = [changed(cold(r, page, 0.8), **{"workload.rate_hz": 400.0}) for r in remedies]
    return [replicate(world, 5, 0, 240).of("waits", 1) for world in worlds]


@pytest.mark.parametrize("what", ["pages-shared", "pages-of-a-channel", "pool"])
def test_a_larger_reserve_never_lets_more_calls_wait_on_average(what: str) -> None:
    if what == "pool":
        remedies, page = [pool(n) for n in (0, 1, 3, 8, 32)], 0.9
    else:
        shared = what == "pages-shared"
        remedies = [replace(named(f"D{n}-A1"), cache_shared=shared) for n in (0, 1, 2, 3, 5)]
        page = 0.99
    waits = waits_over_sizes(remedies, page)
    for few, many in pairwise(waits):
        error = math.sqrt((few.var(ddof=1) + many.var(ddof=1)) / len(few))
        assert many.mean() <= few.mean() + 3.0 * error
    assert waits[-1].mean() < 0.5 * waits[0].mean()
