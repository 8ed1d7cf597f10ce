# SPDX-License-Identifier: GPL-2.0-only
"""Blocks with cookies: what the monitor frees itself, and grace periods that others start."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.scenario import Scenario, from_dict
from krcsim.results.quantities import answers
from krcsim.runs.replications import Replications, event_log, replicate

STEADY = 1
MODES = pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])


def world(
    remedy: dict[str, Any] | None = None,
    workload: dict[str, Any] | None = None,
    grace_period: dict[str, Any] | None = None,
    **more: Any,
) -> Scenario:
    """One CPU at HZ=250, double-argument calls, blocks with cookies drained after 5 s."""
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=6000.0,
            machine=dict(cpus=1, hz=250),
            remedy=dict(
                base="E1",
                rearm="unqueued",
                attach_to_pending=False,
                drain_jiffies=1250,
                ready_blocks=True,
                page_return="batch",
            )
            | (remedy or {}),
            allocator=dict(episodes="none", stall_ms=0.0),
            grace_period=dict(kind="fixed", mean_ms=12.0) | (grace_period or {}),
            workload=dict(rate_hz=0.05, arrivals="periodic", phase="tick", single_share=0.0)
            | (workload or {}),
        )
        | more
    )


def mean_and_error(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """The mean, and 4.5 standard errors of it."""
    return float(values.mean()), 4.5 * float(values.std(ddof=1)) / math.sqrt(len(values))


@pytest.mark.parametrize("rate_hz", [0.05, 0.2, 1.0])
def test_a_lone_object_is_ready_if_another_grace_period_fits_before_the_monitor(
    rate_hz: float,
) -> None:
    """The monitor comes at 5120 ms; P = 1 - exp(-rate * (time to it - length))."""
    scenario = world(grace_period=dict(background_hz=rate_hz, mean_ms=500.0))
    ready, error = mean_and_error(replicate(scenario, 5, 0, 3000).of("ready_records", STEADY))
    assert abs(ready - (1.0 - math.exp(-rate_hz * (5.120 - 0.5)))) < error


@pytest.mark.parametrize("kind", ["ticks", "fixed"])
def test_a_cookie_starts_no_grace_period(kind: str) -> None:
    """Up to the monitor there is none; the batch then asks for one."""
    law = dict(kind=kind, mean_ms=None if kind == "ticks" else 12.0)
    before = replicate(world(grace_period=law, horizon_ms=5119.0), 1, 0, 1)
    after = replicate(world(grace_period=law), 1, 0, 1)
    assert before.of("queued", STEADY)[0] == 1
    assert before.of("gps", STEADY)[0] == 0
    assert (after.of("gps", STEADY)[0], after.of("ready_records", STEADY)[0]) == (1, 0)


@pytest.mark.parametrize("rate_hz", [2.0, 40.0])
def test_grace_periods_of_others_come_a_mean_gap_after_the_last_has_ended(rate_hz: float) -> None:
    scenario = world(grace_period=dict(background_hz=rate_hz, mean_ms=30.0), horizon_ms=60_000.0)
    gps, error = mean_and_error(replicate(scenario, 6, 0, 60).of("gps", STEADY))
    assert abs(gps - 60.0 / (1.0 / rate_hz + 0.030)) < error + 1.0


def test_an_object_that_the_monitor_frees_is_held_up_to_the_monitor_and_no_longer() -> None:
    """With cookies and many grace periods of others: no grace period after the drain."""
    scenario = world(grace_period=dict(background_hz=1000.0), workload=dict(free_instructions=0))
    runs = replicate(scenario, 1, 0, 1)
    assert runs.of("ready_records", STEADY)[0] == 1
    assert runs.of("area", STEADY)[0] == pytest.approx(5120.0, abs=0.1)
    assert runs.of("drains", STEADY)[0] == 0
    assert runs.of("rearms", STEADY)[0] == 0


def busy(**remedy: Any) -> Scenario:
    """Calls of both channels of which some find no page, and many grace periods of others."""
    return world(
        remedy=dict(block_entries=5, drain_jiffies=20, nr_bkv_objs=3) | remedy,
        workload=dict(rate_hz=2000.0, arrivals="poisson", vmalloc_share=0.3, single_share=0.5),
        grace_period=dict(background_hz=100.0),
        allocator=dict(episodes="none", stall_ms=0.3, calm=dict(page=0.5)),
    )


MEANS = "queued freed ready_records list_pushes waits drains area gps pages_returned".split()


def test_skipping_and_every_call_say_the_same_of_what_is_ready() -> None:
    scenario = busy()
    skip = replicate(scenario, 7, 0, 120)
    every = replicate(scenario, 8, 0, 120, every_call=True)
    assert skip.of("ready_records", STEADY).mean() > 1000
    for name in MEANS:
        a, b = skip.of(name, STEADY), every.of(name, STEADY)
        error = 4.5 * math.hypot(a.std(ddof=1), b.std(ddof=1)) / math.sqrt(len(a))
        assert abs(a.mean() - b.mean()) <= error, name


@MODES
@pytest.mark.parametrize("page_class", ["nowait", "noretry"])
def test_nothing_is_lost_between_the_monitor_and_the_batches(
    page_class: str, every_call: bool
) -> None:
    """Calls end at half of the run: what was queued is freed at its end."""
    scenario = busy(page_class=page_class)
    quiet = from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=4000.0,
            machine=dict(cpus=1, hz=250),
            remedy=dict(
                base="E1",
                ready_blocks=True,
                page_class=page_class,
                block_entries=5,
                drain_jiffies=20,
            ),
            allocator=dict(episodes="none", stall_ms=0.3, calm=dict(page=0.5, page_noretry=0.2)),
            grace_period=dict(kind="fixed", mean_ms=12.0, background_hz=100.0),
            workload=dict(
                rate_hz=50.0, arrivals="onoff", on_ms=20.0, off_ms=2000.0, single_share=0.5
            ),
        )
    )
    for one in (scenario, quiet):
        runs = replicate(one, 2, 0, 20, every_call=every_call)
        queued, freed = total(runs, "queued"), total(runs, "freed")
        assert np.all(freed <= queued)
        assert np.all(total(runs, "ready_records") <= queued)
    assert (total(runs, "queued") == total(runs, "freed")).sum() >= 10


def total(runs: Replications, name: str) -> np.ndarray[Any, Any]:
    """A counter of both windows."""
    return np.asarray(runs.of(name, 0) + runs.of(name, 1))


def test_the_list_is_ready_if_and_only_if_a_grace_period_began_after_the_last_push() -> None:
    """Of a list alone: every monitor of a run is held against the log of grace periods."""
    scenario = world(
        remedy=dict(array_path=False, cache_at_boot=0, drain_jiffies=20),
        workload=dict(rate_hz=20.0, arrivals="poisson"),
        grace_period=dict(background_hz=20.0),
        horizon_ms=30_000.0,
    )
    _, log, count = event_log(scenario, 3, events=100_000, every_call=True)
    assert count == len(log)

    def times(name: str) -> np.ndarray[Any, Any]:
        return np.asarray(log["at"][log["code"] == CODE[name]])

    pushes = times("own head listed")
    starts, ends = times("grace period starts"), times("grace period ends")
    taken, batched = times("ready objects taken"), times("batch queued")
    assert min(len(taken), len(batched)) > 50

    def was_ready(monitor_at: float) -> bool:
        done = int(np.searchsorted(ends, monitor_at, side="right"))
        return done > 0 and starts[done - 1] > pushes[pushes < monitor_at][-1]

    assert all(was_ready(at) for at in taken)
    assert not any(was_ready(at) for at in batched)


def test_of_full_blocks_the_oldest_are_ready_first() -> None:
    """One call a ms, blocks of 10, a drain of 20 ticks and a grace period of 15 ms now and then."""
    scenario = world(
        remedy=dict(block_entries=10, drain_jiffies=20, nr_bkv_objs=5),
        workload=dict(rate_hz=1000.0, call_instructions=0, slab_instructions=0),
        grace_period=dict(mean_ms=15.0, background_hz=60.0),
    )
    _, log, _ = event_log(scenario, 3, events=200_000)
    taken = log["value"][log["code"] == CODE["ready objects taken"]]
    assert len(taken) > 20
    assert np.all(taken % 10 == 0)  # the head block is never ready here
    assert len(set(taken)) > 2


def test_a_result_says_how_much_was_ready_and_how_many_grace_periods_ended() -> None:
    scenario = busy()
    runs = replicate(scenario, 7, 0, 10)
    found = answers(runs, scenario, STEADY, ["ready_share", "gps_hz"])
    freed, ready = runs.of("freed", STEADY).sum(), runs.of("ready_records", STEADY).sum()
    assert found["ready_share"].value == pytest.approx(ready / freed)
    assert found["gps_hz"].value == pytest.approx(runs.of("gps", STEADY).mean() / 6.0)


@MODES
def test_a_monitor_looks_at_cookies_before_a_grace_period_of_its_tick_ends(
    every_call: bool,
) -> None:
    """The fifth call fills its block and brings the monitor to the second tick. The sixth finds no
    page and waits: its grace period ends there, too, but the block is not ready for the monitor.
    """
    scenario = world(
        remedy=dict(
            drain_full=True,
            block_entries=5,
            head_alloc="none",
            page_class="noretry",
            cache_shared=True,
            nr_bkv_objs=1,
            cache_at_boot=1,
        ),
        workload=dict(
            arrivals="periodic", rate_hz=2000.0, phase="tick", loop="closed", single_share=1.0
        ),
        grace_period=dict(kind="ticks", mean_ms=None),
        allocator=dict(episodes="none", stall_ms=0.0, calm=dict(page=1.0)),
        horizon_ms=9.0,
    )
    _, log, _ = event_log(scenario, 1, events=1000, every_call=every_call)
    second_tick = {int(event["code"]) for event in log if event["at"] == 2.0}
    assert {CODE["grace period ends"], CODE["batch queued"]} <= second_tick
    assert CODE["ready objects taken"] not in second_tick
