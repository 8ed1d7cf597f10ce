# SPDX-License-Identifier: GPL-2.0-only
"""What must hold in any world: nothing lost, nothing early, nothing over capacity, all repeatable.

Hypothesis draws the numbers of random scenarios; it is derandomized, so a failure comes back.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krcsim.engine.codes import CODE, EVENTS
from krcsim.engine.records import COUNTERS
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import Replications, event_log, replicate
from validation.scenarios import random_scenario

BOTH = (0, 1)  # windows
NUMBER = st.integers(0, 9999)
SEED = st.integers(0, 2**32 - 1)
ROOM = 1 << 19  # events
# Counters whose means must not depend on whether dull calls are skipped.
MEANS = (
    "single double single_episode double_episode waits queued list_pushes drains drains_due area "
    "pool_hits pool_returned "
    "page_fail".split()
)


def examples(count: int) -> settings:
    """Settings for that many examples under the profile `full`, and a tenth of them under `quick`;
    the same in every run, however slow the machine.
    """
    return settings(
        max_examples=count * settings.default.max_examples // 100,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@cache
def short(number: int) -> Scenario:
    """A random world of half a second, a fifth of it boot."""
    world = random_scenario(number)
    episodes = {"allocator.schedules": [[[30.0, 90.0], [150.0, 400.0]], [[0.0, 1e9]]]}
    return changed(
        world,
        warmup_ms=100.0,
        horizon_ms=500.0,
        **(episodes if world.allocator.episodes == "schedule" else {}),
    )


def total(runs: Replications, counter: str) -> np.ndarray[Any, Any]:
    """A counter over both windows, a value a replication."""
    return np.asarray(sum(runs.of(counter, window) for window in BOTH))


def events_of(scenario: Scenario, seed: int) -> tuple[Replications, list[tuple[str, int, float]]]:
    """One replication and all its events in order: name, CPU and value."""
    runs, log, count = event_log(scenario, seed, events=ROOM)
    assert count == len(log)
    return runs, [(EVENTS[e["code"]], int(e["cpu"]), float(e["value"])) for e in log]


def times(log: np.ndarray[Any, Any], name: str, cpu: int = -1) -> np.ndarray[Any, Any]:
    """When events of one name happened, on one CPU (-1: those of no CPU)."""
    return np.asarray(log["at"][(log["code"] == CODE[name]) & (log["cpu"] == cpu)])


@examples(300)
@given(NUMBER, SEED)
def test_a_pointer_that_was_queued_is_freed_or_still_deferred(number: int, seed: int) -> None:
    runs = replicate(short(number), seed, 0, 2)
    left = total(runs, "queued") - total(runs, "freed")
    assert np.all(left >= 0)
    assert np.all(left <= runs.of("peak", 1))


@examples(300)
@given(NUMBER, SEED)
def test_a_call_that_does_not_stall_queues_its_pointer_or_waits(number: int, seed: int) -> None:
    runs = replicate(changed(short(number), **{"allocator.stall_ms": 0.0}), seed, 0, 2)
    calls = total(runs, "single") + total(runs, "double")
    assert np.array_equal(calls, total(runs, "queued") + total(runs, "waits"))


@examples(300)
@given(NUMBER, SEED)
def test_only_single_argument_calls_wait(number: int, seed: int) -> None:
    runs = replicate(short(number), seed, 0, 2)
    for window in BOTH:
        assert np.all(runs.of("waits", window) <= runs.of("single", window))


@examples(300)
@given(NUMBER, SEED)
def test_an_object_of_the_pool_is_pushed_on_the_list(number: int, seed: int) -> None:
    runs = replicate(short(number), seed, 0, 2)
    for window in BOTH:
        assert np.all(runs.of("pool_hits", window) <= runs.of("list_pushes", window))


@pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])
def test_a_pool_without_bounds_gets_every_wrapper_that_was_freed(every_call: bool) -> None:
    remedy = dict(base="A1", array_path=False, nr_emergency_objs=100_000)
    world = from_dict(dict(remedy=remedy, allocator=dict(episodes="none", calm=dict(head=0.1))))
    runs = replicate(world, 1, 0, 2, every_call=every_call)
    assert np.array_equal(total(runs, "pool_returned"), total(runs, "freed"))


@examples(300)
@given(NUMBER, SEED)
def test_every_wait_has_a_bar_in_the_histogram(number: int, seed: int) -> None:
    runs = replicate(short(number), seed, 0, 2)
    for window in BOTH:
        assert runs.wait_hist[:, window].sum() == runs.of("waits", window).sum()


@examples(300)
@given(NUMBER, SEED)
def test_without_attaching_nothing_is_freed_early(number: int, seed: int) -> None:
    runs = replicate(changed(short(number), **{"remedy.attach_to_pending": False}), seed, 0, 2)
    assert np.all(total(runs, "early_frees") == 0)


@examples(200)
@given(NUMBER, SEED)
def test_without_attaching_a_work_starts_after_a_full_grace_period(number: int, seed: int) -> None:
    world = changed(short(number), **{"remedy.attach_to_pending": False})
    _, log, count = event_log(world, seed, events=ROOM)
    assert count == len(log)
    starts, ends = (times(log, f"grace period {word}") for word in ("starts", "ends"))
    for cpu in range(world.machine.cpus):
        queued, works = (times(log, name, cpu) for name in ("batch queued", "work starts"))
        first = np.searchsorted(starts, queued[: len(works)])  # the first to start afterwards
        assert np.all(first < len(ends))
        assert np.all(ends[first] <= works)


@pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every-call"])
@pytest.mark.parametrize("arrivals", ["poisson", "onoff", "bursts"])
def test_a_wait_that_outlasts_the_run_lets_no_call_in_behind_the_horizon(
    arrivals: str, every_call: bool
) -> None:
    """Grace periods of 1 s in a run of 0.1 s, and tasks that go on calling while one waits."""
    world = from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=100.0,
            machine=dict(cpus=1),
            remedy=dict(base="A1", array_path=False),
            allocator=dict(
                episodes="schedule", schedules=[[0.0, 1e9]], episode=dict(page=0.05, head=0.05)
            ),
            grace_period=dict(kind="fixed", mean_ms=1000.0),
            workload=dict(
                arrivals=arrivals,
                burst=50 if arrivals == "bursts" else 1,
                rate_hz=1000.0,
                loop="closed",
                producers=20,
            ),
        )
    )
    runs = replicate(world, 1, 0, 20, every_call=every_call)
    assert runs.of("waits", 1).sum() > 0
    assert np.array_equal(runs.of("queued", 1), runs.of("peak", 1))  # nothing is freed so soon


@examples(200)
@given(NUMBER, SEED, st.sampled_from([0.0, 15.0, 60.0]))
def test_no_grace_period_starts_that_nobody_asked_for(
    number: int, seed: int, work_delay_ms: float
) -> None:
    """Only a batch that was idle and a call that waits ask; what joins a pending batch does not."""
    world = changed(
        short(number),
        **{
            "machine.work_delay_ms": work_delay_ms,
            "remedy.attach_to_pending": True,
            "grace_period.expedited": False,
        },
    )
    asked = False
    for name, _, _ in events_of(world, seed)[1]:
        if name == "grace period starts":
            assert asked
            asked = False
        asked |= name in ("batch queued", "wait begins")


@examples(100)
@given(NUMBER, SEED, st.sampled_from([5.0, 30.0, 90.0]), st.booleans())
def test_a_wait_belongs_to_the_episode_of_its_call_however_long_that_stalled(
    number: int, seed: int, stall_ms: float, by_episode: bool
) -> None:
    """With stalls of one length the log tells when the call of a wait was made."""
    episodes = [[a, a + 2.0] for a in np.arange(20.0, 470.0, 8.5).tolist()]
    world = changed(
        short(number),
        **{
            "machine.hz": 250,
            "allocator.stall_ms": stall_ms,
            "allocator.stall_sigma": 0.0,
            "allocator.episodes": "schedule",
            "allocator.schedules": [episodes],
            "allocator.calm": {},
            "allocator.episode": dict(page=1.0, head=0.9),
            "memory.pressure": "injected",
            "workload.rate_hz": 2000.0,
            "remedy.head_alloc": "tryhard",
            "remedy.page_class": "nowait",
            "remedy.nr_bkv_objs": 0,
            "remedy.cache_at_boot": 0,
        },
    )
    if by_episode:
        world = changed(world, warmup_ms=0.0)
    count = 3 if by_episode else 0
    runs, log, _ = event_log(world, seed, events=ROOM, by_episode=count)
    made = log["at"][log["code"] == CODE["wait begins"]] * 4.0 - stall_ms
    which = np.unique(np.searchsorted([a for a, _ in episodes], made + 1e-6)) - 1
    begins = np.array([episodes[i][0] for i in which])
    counted = [runs.of("episodes_waited", w).sum() for w in range(4 if by_episode else 2)]
    if by_episode:
        assert counted == [0, *((which == i).sum() for i in (0, 1)), (which >= 2).sum()]
    else:
        assert counted == [(begins < 100.0).sum(), (begins >= 100.0).sum()]


def test_lists_attached_to_a_pending_batch_are_freed_early_and_counted() -> None:
    """Grace periods of 60 ms, drains every 20 ms: the second list joins the first one's batch."""
    world = changed(
        Scenario(),
        **{
            "grace_period.kind": "fixed",
            "grace_period.mean_ms": 60.0,
            "workload.vmalloc_share": 0.5,
            "workload.rate_hz": 200.0,
        },
    )
    runs, log, _ = event_log(world, 1, events=ROOM)
    early = log[log["code"] == CODE["freed before its grace period"]]
    assert len(early) > 0
    assert total(runs, "early_frees")[0] == early["value"].sum()


@examples(200)
@given(NUMBER, SEED)
def test_no_page_cache_holds_more_than_its_capacity(number: int, seed: int) -> None:
    remedy = short(number).remedy
    _, events = events_of(short(number), seed)
    caches = 1 if remedy.cache_shared else 2
    level: dict[int, int] = defaultdict(lambda: caches * remedy.cache_at_boot)
    for name, cpu, value in events:
        if name in ("page to cache", "page from cache"):
            level[cpu] += 1 if name == "page to cache" else -1
            assert 0 <= value <= remedy.nr_bkv_objs
            assert 0 <= level[cpu] <= caches * remedy.nr_bkv_objs


@examples(200)
@given(NUMBER, SEED)
def test_no_pool_holds_more_than_its_capacity_or_less_than_nothing(number: int, seed: int) -> None:
    remedy = short(number).remedy
    _, events = events_of(short(number), seed)
    level: dict[int, float] = defaultdict(lambda: remedy.emergency_at_boot)
    for name, cpu, value in events:
        if name == "wrapper to pool":
            level[cpu] += value
            assert level[cpu] <= remedy.nr_emergency_objs
        elif name == "rcu_head from pool":
            level[cpu] -= 1
            assert 0 <= level[cpu] == value  # the log tells what is left


@examples(200)
@given(NUMBER, SEED, st.integers(0, 5))
def test_a_replication_depends_on_the_seed_and_its_number_alone(
    number: int, seed: int, replication: int
) -> None:
    among = replicate(short(number), seed, 0, 6).counts[replication]
    alone = replicate(short(number), seed, replication, replication + 1).counts[0]
    assert np.array_equal(among, alone)


@examples(200)
@given(NUMBER, SEED, st.integers(1, 5))
def test_chunks_of_replications_add_up_to_the_whole(number: int, seed: int, cut: int) -> None:
    whole = replicate(short(number), seed, 0, 6)
    parts = replicate(short(number), seed, 0, cut) + replicate(short(number), seed, cut, 6)
    assert np.array_equal(whole.counts, parts.counts)
    assert np.array_equal(whole.wait_hist, parts.wait_hist)
    assert np.array_equal(whole.late_hist, parts.late_hist)


@examples(100)
@given(NUMBER, SEED)
def test_more_replications_begin_with_the_same_ones(number: int, seed: int) -> None:
    few = replicate(short(number), seed, 0, 5)
    many = replicate(short(number), seed, 0, 10)
    assert np.array_equal(few.counts, many.counts[:5])


@examples(100)
@given(NUMBER, SEED)
def test_writing_events_down_does_not_change_them(number: int, seed: int) -> None:
    logged, _, _ = event_log(short(number), seed, 1, events=100)
    assert np.array_equal(logged.counts, replicate(short(number), seed, 1, 2).counts)


@examples(100)
@given(NUMBER, SEED)
def test_skipping_dull_calls_changes_no_mean(number: int, seed: int) -> None:
    world, n = short(number), 40
    skipping = replicate(world, seed, 0, n)
    every = replicate(world, seed, n, 2 * n, every_call=True)
    for counter in MEANS:
        one, other = total(skipping, counter), total(every, counter)
        error = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / n)
        slack = 0.01 * other.mean() + 0.1
        assert abs(one.mean() - other.mean()) <= 5.0 * error + slack, counter


@examples(60)
@given(NUMBER, SEED)
def test_the_windows_of_the_episodes_cut_the_same_run(number: int, seed: int) -> None:
    """Counters that add up are the same in all windows together, however the run is cut."""
    world = changed(short(number), warmup_ms=0.0)
    whole = replicate(world, seed, 0, 2, every_call=True)
    cut = replicate(world, seed, 0, 2, every_call=True, by_episode=3)
    for name in COUNTERS:
        if name not in ("peak", "area"):
            there = sum(cut.of(name, window).sum() for window in range(4))
            assert there == pytest.approx(sum(whole.of(name, w).sum() for w in BOTH)), name
