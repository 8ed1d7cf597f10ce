# SPDX-License-Identifier: GPL-2.0-only
"""The exact chain against pencil and paper, against the engine, and what it refuses."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.methods import exact
from krcsim.methods.exact import chain_of, exact_p_wait, why_not
from krcsim.model.allocator import Allocator
from krcsim.model.constants import ticks
from krcsim.model.grace_period import GracePeriod
from krcsim.model.machine import Machine
from krcsim.model.remedy import Remedy
from krcsim.model.scenario import Scenario, changed
from krcsim.model.workload import Workload
from krcsim.runs.replications import WINDOWS, replicate
from tests.quick import mostly_slow
from validation.cases import cases, episodes, pages, pool, world

NEVER = 60  # jiffies of a drain delay that is longer than the run
SHORT = dict(warmup_ms=90.0, horizon_ms=240.0, remedy__drain_jiffies=NEVER)


def poisson_above(mean: float, reserve: int) -> float:
    """E[(N - reserve)+] of a Poisson number N, summed term by term."""
    law = (math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) for n in range(400))
    return math.fsum(p * (n - reserve) for n, p in enumerate(law) if n > reserve)


def calls(s: Scenario, until_ms: float) -> float:
    """Mean number of calls up to a time."""
    return s.workload.rate_hz * until_ms / 1000.0


def waits(s: Scenario) -> tuple[float, float]:
    """Mean waits of the windows boot and steady, exact."""
    return exact_p_wait(s, "boot").waits, exact_p_wait(s, "steady").waits


# A reserve that nothing refills: the N-th call and those after it wait, N - reserve in all up to a
# time.


def undrained(spent: Callable[[float], float], s: Scenario) -> tuple[float, float]:
    """Waits of both windows, of those up to a time."""
    boot, end = spent(s.warmup_ms), spent(s.horizon_ms)
    return boot, end - boot


@pytest.mark.parametrize("objects", [0, 1, 4, 15])
def test_of_a_pool_that_is_never_refilled_what_is_left_over_waits(objects: int) -> None:
    """Calls that find no rcu_head are Poisson: the pool serves the first of them."""
    s = pool(objects, 250, 0.3, **SHORT, remedy__expedited_drain=False)
    expected = undrained(lambda t: poisson_above(0.3 * calls(s, t), objects), s)
    assert waits(s) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("count", "entries"), [(1, 16), (2, 3), (5, 4)])
def test_of_pages_that_are_never_refilled_what_is_left_over_waits(count: int, entries: int) -> None:
    s = pages(count, 100, entries=entries, **SHORT)
    expected = undrained(lambda t: poisson_above(calls(s, t), count * entries), s)
    assert waits(s) == pytest.approx(expected, rel=1e-9)


def test_each_channel_spends_the_pages_of_its_own_cache() -> None:
    """The calls of a channel are Poisson, independent of those of the other."""
    own = dict(remedy__cache_shared=False, workload__vmalloc_share=0.3)
    s = pages(2, 100, entries=3, **SHORT | own)
    expected = undrained(lambda t: sum(poisson_above(w * calls(s, t), 6) for w in (0.3, 0.7)), s)
    assert waits(s) == pytest.approx(expected, rel=1e-9)


def test_the_pool_serves_what_pages_do_not() -> None:
    """Of n calls the first 6 go into blocks; of the others those without an rcu_head need the pool,
    which holds 2.
    """
    s = pages(
        2,
        100,
        entries=3,
        **SHORT,
        remedy__head_alloc="atomic",
        allocator__calm__head=0.4,
        remedy__nr_emergency_objs=2,
        remedy__emergency_at_boot=2,
    )

    def spent(t: float) -> float:
        law = [math.exp(-calls(s, t))]
        for n in range(1, 200):
            law.append(law[-1] * calls(s, t) / n)
        short = [
            sum(math.comb(m, k) * 0.4**k * 0.6 ** (m - k) * (k - 2) for k in range(3, m + 1))
            for m in range(190)
        ]
        return math.fsum(law[n] * short[n - 6] for n in range(9, 190))

    assert waits(s) == pytest.approx(undrained(spent, s), rel=1e-9)


def test_double_argument_calls_neither_wait_nor_touch_the_pool() -> None:
    s = pool(3, 250, 0.3, **SHORT, remedy__expedited_drain=False, workload__single_share=0.4)
    expected = undrained(lambda t: poisson_above(0.4 * 0.3 * calls(s, t), 3), s)
    assert waits(s) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("head_alloc", ["none", "atomic", "tryhard", "three_step"])
def test_without_reserves_a_call_waits_when_its_last_request_fails(head_alloc: str) -> None:
    calm = dict(head=0.5, head_atomic=0.3, head_high=0.2, head_reclaim=0.05)
    s = pool(
        0,
        250,
        0.5,
        remedy__head_alloc=head_alloc,
        **{f"allocator__calm__{k}": p for k, p in calm.items()},
    )
    fails = dict(none=1.0, atomic=0.3, tryhard=0.05, three_step=0.05)[head_alloc]
    assert exact_p_wait(s, "steady").value == pytest.approx(fails, rel=1e-9)


def test_without_reserves_a_timetable_of_episodes_counts_by_the_time_in_them() -> None:
    """Calls see time averages: 16 of the first 90 ms, then 64.5 of 150, of the first schedule; none
    of the second.
    """
    plans = [[[7.5, 17.5], [17.5, 20.0], [86.5, 101.0], [180.0, 233.5]], []]
    s = pool(
        0,
        250,
        0.0,
        **SHORT,
        allocator__episodes="schedule",
        allocator__schedules=plans,
        allocator__episode__head=0.5,
    )
    found = [exact_p_wait(s, window).value for window in WINDOWS]
    assert found == pytest.approx([16.0 / 90 / 4, 64.5 / 150 / 4], rel=1e-9)


@pytest.mark.parametrize("start", ["calm", "stationary"])
def test_without_reserves_random_episodes_count_by_the_mean_time_in_them(start: str) -> None:
    """P(episode at t) = share * (1 - exp(-t/tau)) from calm, tau = 1/(1/episode + 1/calm), and
    share if stationary.
    """
    s = pool(0, 250, 0.0, **episodes(30.0, 70.0, 1.0, 0.5), **SHORT, allocator__start=start)
    tau = 21.0

    def in_episodes(t: float) -> float:
        return 0.3 * (t - (tau * -math.expm1(-t / tau) if start == "calm" else 0.0))

    boot, end = in_episodes(90.0), in_episodes(240.0)
    found = [exact_p_wait(s, window).value for window in WINDOWS]
    assert found == pytest.approx([0.5 * boot / 90, 0.5 * (end - boot) / 150], rel=1e-9)


def test_a_page_that_never_fails_leaves_no_wait_at_all() -> None:
    assert exact_p_wait(pool(0, 250, 1.0, page=0.0, remedy__array_path=True), "steady").value == 0.0


def test_a_lone_caller_who_always_waits_calls_as_the_ticks_allow() -> None:
    """A call at phase u of a tick wakes three ticks after its begin; the next is due by then but
    for exp(-l*(3-u)).
    """
    s = pool(0, 400, 1.0, warmup_ms=0.0, workload__loop="closed")
    end, rate = 150, s.workload.rate_hz / s.machine.hz
    idle, due = np.zeros(
        (2, end + 3)
    )  # P(not waiting and nothing due at a tick); P(a call at the tick itself)
    idle[0] = 1.0
    for n in range(end):
        idle[n + 1] += idle[n] * math.exp(-rate)
        idle[n + 3] += idle[n] * rate * math.exp(-3.0 * rate) + due[n] * math.exp(-3.0 * rate)
        due[n + 3] = idle[n] * (-math.expm1(-rate) - rate * math.exp(-3.0 * rate)) - due[
            n
        ] * math.expm1(-3.0 * rate)
    found = exact_p_wait(s, "steady")
    assert found.calls == pytest.approx(
        float((idle * -math.expm1(-rate) + due)[:end].sum()), rel=1e-9
    )
    assert found.waits == pytest.approx(found.calls, rel=1e-12)


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        ["pool of 4, most pages", "pages, 4 of 8 entries, fewer calls"],
        "pages, 4 of 8 entries, fewer calls",
    ),
)
def test_a_small_probability_keeps_its_digits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the exponent of what is left out changes nothing."""
    found = exact_p_wait(cases()[name], "steady").value
    monkeypatch.setattr(exact, "LEFT_OUT", exact.LEFT_OUT**2)
    monkeypatch.setattr(exact, "FORGOTTEN", 0.0)
    assert 0.0 < found < 1e-10
    assert found == pytest.approx(exact_p_wait(cases()[name], "steady").value, rel=1e-10)


# Against the engine, which shares no code with the chain.

BRIEF = dict(warmup_ms=100.0, horizon_ms=300.0)
LONG = {
    "rare": dict(warmup_ms=500.0, horizon_ms=1000.0),
    "timer wheel": dict(warmup_ms=100.0, horizon_ms=700.0),
}
CLOSED = dict(workload__loop="closed")
SOME = dict(remedy__cache_shared=False, remedy__nr_bkv_objs=1, remedy__cache_at_boot=1)
SLOW = dict(grace_period__mean_ms=5.0, remedy__drain_jiffies=1)
SIMULATED: dict[str, Scenario] = {
    "pool full at boot": pool(2, 250, 0.2),
    "pool empty at boot": pool(3, 250, 0.2, remedy__emergency_at_boot=0),
    "pool, patient drain": pool(3, 250, 0.2, remedy__expedited_drain=False),
    "pool, some pages": pool(1, 250, 0.3, 0.4),
    "rare": pool(4, 250, 0.13),
    "pages alone": pages(4, 250),
    "pages, some come": pages(2, 250, 0.3),
    "pages of one entry": pages(4, 100, 0.6, entries=1, remedy__rearm="unqueued"),
    "pages and pool": pages(
        2,
        250,
        remedy__head_alloc="atomic",
        allocator__calm__head=0.3,
        remedy__nr_emergency_objs=1,
        remedy__emergency_at_boot=1,
    ),
    "two channels": pool(1, 300, 0.5, 0.8, entries=3, workload__vmalloc_share=0.4, **SOME),
    "v5.9 in two channels": pages(2, 250, 0.9, entries=3, workload__vmalloc_share=0.4),
    "closed loop": pool(1, 400, 0.3, 0.7, **CLOSED),
    "closed loop of three": pool(2, 400, 0.3, **CLOSED, workload__producers=3),
    "re-arms for the rest": pool(2, 400, 0.3, 0.6, entries=2, remedy__rearm="left"),
    "doubles": pool(2, 500, 0.3, 0.8, workload__single_share=0.6),
    "three steps": pool(
        1,
        250,
        0.6,
        remedy__head_alloc="three_step",
        allocator__calm__head_atomic=0.4,
        allocator__calm__head_reclaim=0.2,
    ),
    "page after reclaim": pool(
        1, 250, 0.5, 0.9, remedy__page_class="noretry", allocator__calm__page_noretry=0.5
    ),
    "random episodes": pool(2, 250, 0.0, **episodes(40.0, 120.0, 0.9, 0.4)),
    "random episodes, stationary": pages(
        3, 250, **episodes(40.0, 120.0, 1.0, 1.0), allocator__start="stationary"
    ),
    "timetables": pool(
        1,
        250,
        0.1,
        0.5,
        allocator__episodes="schedule",
        allocator__episode__page=1.0,
        allocator__schedules=[[[3.0, 50.5], [96.0, 140.0]], [[100.0, 130.0], [130.0, 161.0]]],
    ),
    "long and short grace periods": pool(
        1, 250, 0.3, grace_period__mean_ms=4.4, remedy__drain_jiffies=2
    ),
    "batches joined, no page kept": pool(
        1, 250, 0.5, 0.6, entries=3, **SLOW, remedy__nr_bkv_objs=0
    ),
    "batches not joined, no page kept": pool(
        1, 250, 0.5, 0.6, entries=3, **SLOW, remedy__nr_bkv_objs=0, remedy__attach_to_pending=False
    ),
    "waits delay batches": pool(1, 300, 0.8, **SLOW | dict(grace_period__mean_ms=10.0)),
    "timer wheel": pool(3, 250, 0.2, remedy__expedited_drain=False, remedy__drain_jiffies=65),
    "HZ=1000": pool(2, 250, 0.3, machine__hz=1000),
}


@pytest.mark.parametrize(
    "name", mostly_slow(SIMULATED, "pages and pool", "closed loop of three", "random episodes")
)
def test_the_engine_says_the_same(name: str) -> None:
    s, n = changed(SIMULATED[name], **LONG.get(name, BRIEF)), 16_000 if name == "rare" else 6000
    runs = replicate(s, 1, 0, n)
    for w, window in enumerate(WINDOWS):
        found, waits, calls = exact_p_wait(s, window), runs.of("waits", w), runs.of("single", w)
        gap = waits - found.value * calls
        error = float(gap.std(ddof=1)) / math.sqrt(n)
        assert 1.96 * error < 0.12 * found.waits, f"{window}: too few runs to tell"
        assert abs(float(gap.mean())) < 4.5 * error, f"{window}: P(wait) {found.value:g}"
        assert abs(float(calls.mean()) - found.calls) < 4.5 * float(calls.std(ddof=1)) / math.sqrt(
            n
        ), window


@pytest.mark.parametrize(
    "name", ["pages and pool", "closed loop of three", "random episodes", "timer wheel"]
)
def test_something_follows_every_state_with_certainty(name: str) -> None:
    chain = chain_of(SIMULATED[name])
    for matrix in chain.event, chain.tick:
        assert matrix.sum(axis=0) == pytest.approx(np.ones(len(chain.states)), rel=1e-12)


def test_calls_of_an_open_loop_come_at_their_rate() -> None:
    s = pages(2, 250, 0.5, warmup_ms=33.3, horizon_ms=121.7)
    found = [exact_p_wait(s, window).calls for window in WINDOWS]
    assert found == pytest.approx([calls(s, 33.3), calls(s, 121.7 - 33.3)], rel=1e-9)


MISFITS: dict[str, Any] = {
    "machine.cpus": 2,
    "machine.work_delay_ms": 1.0,
    "workload.arrivals": "onoff",
    "memory.pressure": "pages",
    "workload.free_instructions": 1,
    "workload.list_free_instructions": 1,
    "remedy.refill": True,
    "remedy.ready_blocks": True,
    "remedy.sheaves": True,
    "remedy.wake": "gp",
    "remedy.own_cpu": True,
    "grace_period.background_hz": 1.0,
    "grace_period.reader_ms": 1.0,
    "grace_period.expedited": True,
}


@pytest.mark.parametrize("field", MISFITS)
def test_what_does_not_fit_is_named(field: str) -> None:
    s = changed(world(250), **{field: MISFITS[field]})
    assert why_not(s).startswith(field)
    with pytest.raises(KrcsimError, match=rf"does not fit: {field}.*by simulation$"):
        exact_p_wait(s, "steady")


# What of a scenario the chain follows; it must refuse whatever else changes a wait.
FOLLOWED: dict[type, str] = {
    Machine: "hz arch instruction_ns nocb_share node_cpus",
    Remedy: "head_alloc array_path page_class nr_emergency_objs emergency_at_boot cache_shared "
    "nr_bkv_objs "
    "cache_at_boot page_return expedited_drain rearm attach_to_pending drain_jiffies block_entries "
    # What follows refills is of no effect without them, and with them all is refused.
    "drain_ms drain_full double_page refill_ms refill_backoff_ms "
    # The shrinker comes with memory as pages only, which is refused.
    "shrinks_cache wake_work_ms "
    "sheaf_entries sheaf_caches barn_full barn_empty",
    Allocator: "episodes episode_ms calm_ms start schedules stall_sigma calm episode",
    GracePeriod: "mean_ms busy lengths_ms reader_gap_ms lazy_ms expedited_median_ms "
    "expedited_sigma",
    # Callers that allocate need memory as pages, which is refused.
    Workload: "rate_hz burst gap phase on_ms off_ms loop producers single_share vmalloc_share "
    "cpu_shares "  # on one CPU all calls are its own
    "calls "  # of replay, which is refused
    "rate_period_ms "  # of rate_changes, which are refused
    "live_objects growth_pages_s "
    "object_sizes "  # they change bytes, and with sheaves or memory as pages, which are refused
    "object_bytes sheaf_share opted_in_share reuse_hz "
    "call_instructions list_instructions slab_instructions wake_instructions",
}


@pytest.mark.parametrize("section", FOLLOWED, ids=lambda section: section.__name__)
def test_a_new_field_is_followed_or_refused(section: type) -> None:
    """Add its rule to krcsim/methods/chain.py, or what it must be to exact.WANTED."""
    refused = {path.split(".")[1] for path in exact.WANTED}
    names = {f.name for f in dataclasses.fields(section)}
    assert names - refused == set(FOLLOWED[section].split())


@pytest.mark.parametrize(
    ("misfit", "words"),
    [
        (dict(workload__rate_hz=1e5), "in a tick"),
        (dict(remedy__head_alloc="tryhard", allocator__stall_ms=1.0), "stall_ms"),
        (dict(remedy__refill="e7"), "remedy.refill is 'e7'"),
        (dict(remedy__drain_full=True), "remedy.attach_to_pending is true"),
        (
            dict(remedy__drain_full=True, remedy__attach_to_pending=False, remedy__drain_ms=500.0),
            "remedy.drain_full is true with a drain delay of 125 jiffies",
        ),
    ],
)
def test_what_would_need_other_steps_does_not_fit(misfit: dict[str, Any], words: str) -> None:
    assert words in why_not(world(250, **misfit))


def test_a_stall_that_cannot_come_may_have_a_length() -> None:
    assert why_not(world(250, remedy__head_alloc="atomic", allocator__stall_ms=1.0)) == ""


def test_every_small_world_of_the_list_fits() -> None:
    assert {why_not(s) for s in cases().values()} == {""}


@pytest.mark.parametrize(
    ("s", "words"),
    [
        (pool(20, 250, 0.5, 0.5, entries=100), "more than .* states"),
        (pool(3, 250, 0.1, horizon_ms=1e8), "takes too long"),
        (world(250, warmup_ms=600.0), "in the window steady"),
        (world(250, workload__single_share=0.0), "no single-argument call"),
        (world(250, grace_period__mean_ms=10_000.0), "more than .* states"),
    ],
)
def test_what_is_too_large_or_empty_is_refused_in_one_line(s: Scenario, words: str) -> None:
    with pytest.raises(KrcsimError, match=rf"^.*{words}.*;.*$"):
        exact_p_wait(s, "steady")


def test_a_window_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="window is 'night'"):
        exact_p_wait(world(250), "night")


def test_the_work_of_an_answer_is_its_states_and_its_ticks() -> None:
    s = pool(2, 250, 0.1)
    found = exact_p_wait(s, "steady")
    assert (found.states, found.ticks) == (
        len(chain_of(s).states),
        ticks(s.horizon_ms, s.machine.hz),
    )
