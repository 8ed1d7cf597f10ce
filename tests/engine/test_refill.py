# SPDX-License-Identifier: GPL-2.0-only
"""The refill workers of the kernels: what starts them, how many pages they ask for, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.remedy import named
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import Replications, event_log, replicate

HZ = 250
WORKERS = ("any_miss", "e2", "e3", "e5", "e7")


def world(p: float, **remedy: Any) -> Scenario:
    """One CPU, single-argument calls, small blocks: so many pages are on their way that the cache
    is often empty. Page requests fail with probability p, and no stall takes time.
    """
    later = dict(
        base="E5", block_entries=5, refill_ms=0.0, refill_backoff_ms=0.0, drain_ms=0.0, **remedy
    )
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=20_000.0,
            machine=dict(cpus=1, hz=HZ),
            remedy=later,
            allocator=dict(episodes="none", stall_ms=0.0, calm=dict(page=p)),
            grace_period=dict(kind="fixed", mean_ms=30.0),
            workload=dict(rate_hz=2000.0, free_instructions=0),
        )
    )


def sums(scenario: Scenario, *names: str, runs: int = 8) -> list[float]:
    """Counters, over several replications."""
    found = replicate(scenario, 7, 0, runs)
    return [float(found.of(name, 1).sum()) for name in names]


def ran(scenario: Scenario) -> Any:
    """The runs of the worker in one replication."""
    _, log, count = event_log(scenario, 3, events=400_000)
    assert count == len(log)
    return log[log["code"] == CODE["refill worker ran"]]


@pytest.mark.parametrize(("p", "per_page"), [(0.5, 1.0), (0.9, 9.0)])
def test_without_cache_calls_wait_p_by_1_minus_p_times_a_page(p: float, per_page: float) -> None:
    waits, pages, failed, runs = sums(
        world(p, nr_bkv_objs=0, refill="e7"), "waits", "page_ok", "page_fail", "refill_runs"
    )
    assert waits / pages == pytest.approx(per_page, rel=0.04)
    assert waits == failed
    assert runs == 0


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_p_wait_without_cache_follows_from_the_calls_that_a_page_serves(p: float) -> None:
    waits, calls, pages = sums(world(p, nr_bkv_objs=0), "waits", "single", "page_ok")
    served = (calls - waits) / pages
    q = p / (1.0 - p)
    assert waits / calls == pytest.approx(q / (q + served), rel=0.03)


@pytest.mark.parametrize("refill", ["e5", "e7"])
@pytest.mark.parametrize(
    ("p", "tries", "waits_a_page"), [(0.5, 1.9375, 0.508), (0.9, 1.1111, 4.50)]
)
def test_a_refill_that_stops_at_a_failure_halves_the_waits_of_a_page(
    refill: str, p: float, tries: float, waits_a_page: float
) -> None:
    """Tries a run are (1 - (1-p)^5)/p, waits a new page p/((1-p) * (2 - (1-p)^5))."""
    waits, own, filled, runs, tried = sums(
        world(p, refill=refill), "waits", "page_ok", "refill_pages", "refill_runs", "refill_tries"
    )
    assert waits == runs > 2000
    assert tried / runs == pytest.approx(tries, rel=0.03)
    assert waits / (own + filled) == pytest.approx(waits_a_page, rel=0.04)


def test_only_a_call_that_gets_no_page_starts_a_worker_but_in_the_harness() -> None:
    for refill in WORKERS:
        own, failed, runs = sums(world(0.5, refill=refill), "page_ok", "page_fail", "refill_runs")
        assert runs == (own + failed if refill == "any_miss" else failed), refill


@pytest.mark.parametrize(("refill", "tries"), [("e2", 5), ("e3", 5), ("e5", 1), ("e7", 1)])
def test_of_pages_that_are_never_had_each_is_tried_until_v6_0(refill: str, tries: int) -> None:
    runs, tried, filled = sums(
        world(1.0, refill=refill), "refill_runs", "refill_tries", "refill_pages", runs=1
    )
    assert runs > 1000
    assert tried == tries * runs
    assert filled == 0


@pytest.mark.parametrize("refill", ["e3", "e5", "e7"])
def test_a_worker_without_cache_runs_for_nothing_until_v6_4(refill: str) -> None:
    runs, tried = sums(world(1.0, refill=refill, nr_bkv_objs=0), "refill_runs", "refill_tries")
    assert (runs > 0) == (refill != "e7")
    assert tried == 0


def test_a_late_worker_of_v6_1_asks_for_the_whole_cache_that_of_v6_5_for_what_is_missing() -> None:
    """Pages that come back meanwhile fill the cache; one page too many is freed."""
    for refill, is_wasteful in (("e5", True), ("e7", False)):
        scenario = changed(
            world(0.0, refill=refill, page_class="cache"), **{"remedy.refill_ms": 40.0}
        )
        tried, filled = sums(scenario, "refill_tries", "refill_pages")
        assert (tried > filled) == is_wasteful, refill


def test_the_worker_runs_so_much_after_the_miss_and_never_twice_at_a_time() -> None:
    scenario = changed(world(1.0, refill="e7"), **{"remedy.refill_ms": 7.0})
    at_ms = ran(scenario)["at"] * 1000.0 / HZ
    gaps = np.diff(at_ms)
    assert len(gaps) > 1000
    assert gaps.min() > 7.0
    # The next miss comes after an exponential time of mean 0.5 ms: all calls miss.
    assert gaps.mean() == pytest.approx(7.5, rel=0.02)


def pressed(**more: Any) -> Scenario:
    """Memory as pages: a load reads files all the time and keeps kswapd running."""
    return changed(
        world(0.0, refill="e5"),
        **{
            "memory.pressure": "pages",
            "memory.mib": 64.0,
            "memory.free_mib": 8.0,
            "memory.file_mib": 8.0,
            "memory.hog": "none",
            "memory.load_pages_s": 300_000.0,
            "memory.kswapd_pages_s": 20_000.0,
            "memory.shrinker": True,
            "allocator.episodes": "schedule",
            "allocator.schedules": [[[0.0, 1e9]]],
            "remedy.page_class": "cache",
            "horizon_ms": 30_000.0,
        }
        | more,
    )


def test_while_kswapd_runs_a_refill_waits_for_five_seconds_and_asks_for_one_page() -> None:
    scenario = pressed(**{"remedy.refill_backoff_ms": 5000.0})
    runs = ran(scenario)
    first, *others = runs["value"]
    assert first == 5  # before kswapd starts
    assert 4 <= len(others) <= 6
    assert set(others) == {1.0}
    assert np.diff(runs["at"])[1:].min() > 1250
    assert sums(scenario, "waits", runs=1)[0] > 10_000

    often = sums(pressed(), "refill_runs", runs=1)[0]
    assert often > 500
    without = pressed(**{"remedy.refill_backoff_ms": 5000.0, "memory.shrinker": False})
    assert sums(without, "refill_runs", runs=1)[0] == often


@pytest.mark.parametrize("refill", WORKERS)
def test_a_worker_reclaims_as_for_a_page_but_that_of_v5_11_as_for_an_object(refill: str) -> None:
    """Memory is short of the min watermark, and nobody else takes or frees pages: a page is had
    after as many rounds of 32 pages as it takes; GFP_KERNEL makes them all in one run.
    """
    scenario = changed(
        pressed(),
        **{
            "remedy.refill": refill,
            "remedy.refill_ms": 7.0,
            "remedy.nr_bkv_objs": 1,
            "remedy.cache_at_boot": 0,
            "workload.single_share": 0.0,  # calls that ask for nothing
            "remedy.double_page": False,
            "memory.mib": 400.0,
            "memory.free_mib": 1.0,
            "memory.load_pages_s": 0.0,
            "memory.kswapd_pages_s": 0.0,
            "memory.hog": "nowait",  # which begins after the run
            "allocator.schedules": [[[3000.0, 4000.0]]],
            "memory.deferred_counts": False,
            "memory.shrinker": False,
            "horizon_ms": 2000.0,
        },
    )
    _, log, count = event_log(scenario, 3, events=400_000)
    assert count == len(log)
    first_hit = log["at"][log["code"] == CODE["page from cache"]][0]
    runs = np.count_nonzero(log["at"][log["code"] == CODE["refill worker ran"]] <= first_hit)

    missing = scenario.memory.marks().nowait - scenario.memory.pages_at_boot()[0]
    assert missing > 300
    assert runs == (1 if refill == "e2" else missing // 32 + 1)


def test_a_late_refill_is_a_timer_of_so_many_jiffies_and_ends_the_back_off() -> None:
    """One episode of pressure: the first refill after it is late and small, the others are not."""
    scenario = pressed(
        **{
            "remedy.refill_backoff_ms": 5000.0,
            "allocator.schedules": [[[1000.0, 1100.0]]],
            "memory.load_pages_s": 0.0,
            "memory.kswapd_pages_s": 250_000.0,
            "memory.hog": "nowait",
            "memory.hog_pages_s": 1e6,
        }
    )
    runs = ran(scenario)
    at, wanted = runs["at"], runs["value"]
    late = np.flatnonzero(wanted == 1)
    assert late.tolist() == [int(late[0])]
    assert set(wanted) == {1.0, 5.0}

    before, after = at[late[0] - 1], at[late[0]]
    assert before < 1100.0 * HZ / 1000.0
    assert after == after // 64 * 64
    assert 1250 < after - 1000.0 * HZ / 1000.0 <= 1250 + 64 + 100.0 * HZ / 1000.0 + 64
    assert len(at[late[0] :]) > 10


def runs_of(name: str) -> Replications:
    """A kernel that keeps one page, under a flood whose page requests mostly fail."""
    flood = {
        "remedy": name,
        "remedy.nr_bkv_objs": 1,
        "machine.cpus": 1,
        "allocator.episodes": "none",
        "allocator.calm.page": 0.8,
        "workload.rate_hz": 50_000.0,
        "horizon_ms": 4000.0,
    }
    return replicate(changed(Scenario(), **flood), 3, 0, 2)


@pytest.mark.parametrize("name", ["E2", "E3", "E4", "E5"])
def test_each_later_kernel_refills_and_waits(name: str) -> None:
    found = runs_of(name)
    assert found.of("refill_runs", 1).min() > 0
    assert found.of("waits", 1).min() > 0
    remedy = named(name)
    asked = found.of("page_ok", 1).sum() + found.of("page_fail", 1).sum()
    assert (asked == 0) == (remedy.page_class == "cache")
