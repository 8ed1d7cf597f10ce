# SPDX-License-Identifier: GPL-2.0-only
"""Who has the CPU while kfree_rcu_work() runs: a late caller gets its slices, and who slept for
long comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import event_log, replicate
from tests.quick import mostly_slow

TICK_MS = 4.0
CALL = 1000  # instructions: 100 calls take 0.8 ms, so that who is late catches up slowly
ROOM = 1 << 20  # events


def slow_frees(**overrides: Any) -> Scenario:
    """100 calls each ms on a CPU of 125 MIPS, on which freeing what a drain took lasts for many
    ticks.
    """
    plain = from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=400.0,
            machine=dict(cpus=1, hz=250, instruction_ns=8.0),
            remedy=dict(base="A1", block_entries=16, expedited_drain=False),
            allocator=dict(episodes="none", stall_ms=0.0),
            workload=dict(
                arrivals="bursts",
                rate_hz=100_000.0,
                burst=100,
                loop="open",
                phase="tick",
                call_instructions=CALL,
                list_instructions=0,
                slab_instructions=0,
                free_instructions=1500,
                list_free_instructions=0,
            ),
        )
    )
    return changed(plain, **overrides)


def events_within_works(s: Scenario, what: str) -> tuple[float, float]:
    """The time in ms that works lasted, and how many events of a kind came in it."""
    log = event_log(s, 1, events=ROOM, every_call=True)[1]
    at = log["at"] * TICK_MS
    begins, ends, events = (
        at[log["code"] == CODE[name]] for name in ("work starts", "work ends", what)
    )
    begins = begins[: len(ends)]
    within = np.searchsorted(events, ends) - np.searchsorted(events, begins)
    return float((ends - begins).sum()), float(within.sum())


LISTED = {"allocator.calm.page": 1.0, "remedy.cache_at_boot": 0}


@pytest.mark.parametrize("loop", ["open", "catchup"])
def test_a_caller_far_behind_has_every_other_tick_between_the_blocks_of_a_work(loop: str) -> None:
    ms, pages = events_within_works(slow_frees(**{"workload.loop": loop}), "page allocated")
    calling = pages * 16 * CALL * 8e-6
    assert ms > 200.0
    assert 0.4 < calling / ms < 0.6


@pytest.mark.parametrize("loop", ["open", "catchup"])
def test_a_caller_far_behind_has_every_other_tick_between_the_entries_of_a_list(loop: str) -> None:
    ms, wrappers = events_within_works(
        slow_frees(**LISTED, **{"workload.loop": loop}), "rcu_head allocated"
    )
    calling = wrappers * CALL * 8e-6
    assert ms > 200.0
    assert 0.4 < calling / ms < 0.6


def test_a_caller_in_a_closed_loop_makes_the_rest_of_its_burst_and_one_more() -> None:
    """It then sleeps for a period, and the work has the CPU until the next tick."""
    ms, wrappers = events_within_works(
        slow_frees(**LISTED, **{"workload.loop": "closed"}), "rcu_head allocated"
    )
    assert ms > 150.0
    assert 100.0 < wrappers / (ms / TICK_MS) < 200.0


def test_in_an_open_loop_who_waits_does_not_wait_for_works() -> None:
    """Works last for tens of ms here; a grace period takes 8 to 12 ms, and waking up 0.04 ms a
    task.
    """
    s = slow_frees(**LISTED, **{"allocator.calm.head": 0.02})
    runs = replicate(s, 1, 0, 8)
    mean_ms = runs.of("wait_ms", 1).sum() / runs.of("waits", 1).sum()
    assert runs.of("waits", 1).sum() > 500
    assert 8.0 < mean_ms < 11.0


@pytest.mark.parametrize("loop", ["open", "catchup", "closed"])
@pytest.mark.parametrize("heads", mostly_slow([0.0, 0.02], 0.02))
@pytest.mark.parametrize("pages", mostly_slow([0.0, 0.5, 1.0], 0.5))
@pytest.mark.parametrize("single", [1.0, 0.5])
def test_skipping_is_exact_where_callers_and_works_take_turns(
    loop: str, heads: float, pages: float, single: float
) -> None:
    s = slow_frees(
        **{
            "workload.loop": loop,
            "allocator.calm.head": heads,
            "allocator.calm.page": pages,
            "workload.single_share": single,
            "workload.phase": "random",
            "remedy.nr_emergency_objs": 2,
        }
    )
    n = 100
    skipping, every = replicate(s, 5, 0, n), replicate(s, 6, 0, n, every_call=True)
    for name in (
        "single",
        "waits",
        "wait_ms",
        "list_pushes",
        "drains",
        "freed",
        "area",
        "pool_hits",
    ):
        one, other = skipping.of(name, 1), every.of(name, 1)
        error = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / n)
        assert abs(one.mean() - other.mean()) <= 4.5 * error + 0.002 * other.mean() + 0.1, name
