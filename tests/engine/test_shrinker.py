# SPDX-License-Identifier: GPL-2.0-only
"""The shrinker of kfree_rcu(): its count and the back-off, its scan by priority (rules R53, R88 and
R89), and OOM from the refill worker of v5.11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.runs.replications import Replications, replicate

# The guest in which a hog takes all memory, with eight callers and what v6.1 does.
GUEST = changed(
    load_scenario("exhausted-guest"),
    **{
        "remedy.head_alloc": "none",
        "remedy.nr_bkv_objs": 5,
        "remedy.cache_shared": True,
        "remedy.page_class": "noretry",
        "remedy.double_page": False,
        "remedy.rearm": "rest",
        "remedy.refill": "e5",
        "remedy.refill_ms": 0.05,
        "memory.hog": "nowait",
        "workload.producers": 8,
    },
)


def world(**fields: Any) -> Scenario:
    """The guest with fields changed, the dot of a name written as two underscores."""
    return changed(GUEST, **{name.replace("__", "."): value for name, value in fields.items()})


def runs_of(scenario: Scenario, runs: int = 3) -> Replications:
    """A few replications."""
    return replicate(scenario, 5, 0, runs)


def scans(scenario: Scenario) -> float:
    """CPUs that scans have emptied, in all replications."""
    return float(runs_of(scenario).of("scans", 1).sum())


def test_a_back_off_leaves_a_few_refills_of_hundreds() -> None:
    """5 s of back-off: at most one refill on a CPU in 2 s of pressure, whatever misses come."""
    backed_off = runs_of(world(memory__shrinker=True, remedy__refill_backoff_ms=5000.0))
    at_once = runs_of(world(memory__shrinker=True))
    assert np.all(backed_off.of("refill_runs", 1) <= 3)
    assert np.all(at_once.of("refill_runs", 1) >= 100)


def test_a_back_off_without_a_reclaim_pass_delays_nothing() -> None:
    without = world(memory__shrinker=False)
    same, plain = (
        runs_of(scenario)
        for scenario in (changed(without, **{"remedy.refill_backoff_ms": 5000.0}), without)
    )
    assert np.array_equal(same.counts, plain.counts)


@pytest.mark.parametrize(("priority", "are_some"), [(0, True), (2, True), (12, False)])
def test_whether_a_pass_scans_depends_on_its_priority(priority: int, are_some: bool) -> None:
    """Some hundred objects are queued: too few for priority 12, enough for 2."""
    found = scans(
        world(
            memory__shrinker=True,
            memory__priority=priority,
            remedy__drain_jiffies=1250,
            workload__single_share=0.5,
        )
    )
    assert (found > 0) == are_some


def test_a_scan_at_priority_0_runs_the_monitor_of_every_call_that_stalls() -> None:
    """drop_caches all the time: what is queued is in a batch at once, and objects are freed sooner
    than after the drain of 5 s.
    """
    lazy = dict(memory__shrinker=True, remedy__drain_jiffies=1250, remedy__refill_backoff_ms=5000.0)
    often, seldom = (
        runs_of(world(**lazy, memory__priority=priority)).of("area", 1).sum()
        for priority in (0, 12)
    )
    assert often < 0.5 * seldom


def test_a_scan_empties_the_caches_of_kernels_with_a_back_off_only() -> None:
    """Misses of slab objects, while the other channel has pages cached."""
    own = dict(
        memory__shrinker=True,
        memory__priority=0,
        remedy__cache_shared=False,
        remedy__cache_at_boot=5,
        workload__vmalloc_share=0.01,
    )
    freed = [
        runs_of(world(**own, remedy__refill_backoff_ms=backoff_ms)).of("pages_freed", 1).sum()
        for backoff_ms in (0.0, 5000.0)
    ]
    assert freed[1] > freed[0]


def test_the_worker_of_v5_11_invokes_the_oom_killer_and_later_ones_do_not() -> None:
    short = dict(remedy__page_class="cache", remedy__refill_ms=0.0)
    ooms = {
        refill: runs_of(world(**short, remedy__refill=refill)).of("ooms", 1).sum()
        for refill in ("e2", "e3", "e5")
    }
    assert ooms["e2"] == 3
    assert ooms["e3"] == ooms["e5"] == 0


def test_a_cache_that_is_shrunk_without_a_back_off_is_filled_at_once_and_shrunk_again() -> None:
    """The circle: calls with two arguments get pages from the worker only. With the back-off the
    shrinker has less to take, since hardly any of them comes back.
    """
    own = dict(
        machine__cpus=8,
        memory__shrinker=True,
        memory__priority=0,
        memory__hog="none",
        memory__free_mib=10.0,
        memory__file_mib=150.0,
        memory__load_pages_s=300_000.0,
        remedy__shrinks_cache=True,
        workload__single_share=0.5,
        allocator__stall_ms=0.1,
    )
    at_once, backed_off = (
        runs_of(world(**own, remedy__refill_backoff_ms=backoff_ms)) for backoff_ms in (0.0, 5000.0)
    )
    assert at_once.of("pages_shrunk", 1).sum() > 2 * backed_off.of("pages_shrunk", 1).sum() > 0
    assert at_once.of("refill_pages", 1).sum() > 100 * backed_off.of("refill_pages", 1).sum() > 0
    assert np.all(at_once.of("pages_shrunk", 1) <= at_once.of("pages_freed", 1))


def test_without_shrinks_cache_and_back_off_the_shrinker_takes_no_page() -> None:
    found = runs_of(world(memory__shrinker=True, memory__priority=0, workload__single_share=0.5))
    assert found.of("scans", 1).sum() > 0
    assert found.of("pages_shrunk", 1).sum() == 0
