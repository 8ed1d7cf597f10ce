# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits: forks change nothing, find what the exact chain says, and say when they know
little.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.methods import importance, rare, splitting, sums
from krcsim.methods.construction import impossible
from krcsim.methods.exact import exact_p_wait
from krcsim.methods.weights import weighed
from krcsim.model.remedy import named
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.results.estimate import unseen
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import rare_runs, replicate
from krcsim.studies.ask import ask, asking, close
from tests.quick import mostly_slow
from validation.cases import cases
from validation.scenarios import random_scenario

STEADY = 1
CASES = cases()


def busy(**overrides: Any) -> Scenario:
    """A CPU that makes many calls, with pool and pages, in episodes of pressure."""
    thread = load_scenario("thread-as-posted")
    fields = {
        "machine.cpus": 1,
        "remedy.nr_emergency_objs": 2,
        "remedy.emergency_at_boot": 2,
        "workload.rate_hz": 5000.0,
        "warmup_ms": 500.0,
        "horizon_ms": 3000.0,
    }
    return changed(thread, **{**fields, **overrides})


@pytest.mark.parametrize("number", range(12))
def test_a_run_does_not_know_of_its_forks(number: int) -> None:
    s = random_scenario(number)
    runs, tally, _ = rare_runs(s, 3, 0, 4, importance.bias(s))
    assert np.array_equal(runs.counts, replicate(s, 3, 0, 4).counts)
    assert (tally >= 0.0).all()


def thread(remedy: str) -> Scenario:
    """The scenario of the thread under one of its remedies."""
    posted = load_scenario("thread-as-posted")
    return changed(posted, remedy=named(remedy, posted.remedy))


WHOSE: dict[str, Scenario] = {
    "busy": busy(),
    "thread, B3f": thread("B3f"),
    "thread, B": thread("B"),
    "thread, B8": thread("B8"),
    "pool in episodes": CASES["pool in episodes"],
    "pool, closed loop": CASES["pool, closed loop"],
} | {f"random {n}": random_scenario(n) for n in range(10)}


@pytest.mark.parametrize(
    "name", mostly_slow(WHOSE, "thread, B", "pool in episodes", "pool, closed loop", "random 0")
)
def test_forks_do_not_depend_on_who_runs_them(name: str) -> None:
    """Each replication alone, or after others in the same arrays: the same to the bit."""
    s = WHOSE[name]
    one, three = (rare.extend(s, 5, None, 40, workers=n) for n in (1, 3))
    later = rare.extend(s, 5, rare.extend(s, 5, None, 8), 40)
    for other in (three, later):
        assert np.array_equal(one.tally, other.tally)
        assert np.array_equal(one.runs.counts, other.runs.counts)
        assert np.array_equal(one.runs.wait_hist, other.runs.wait_hist)


@pytest.mark.parametrize("name", ["pages, 6 of 4 entries", "pages, closed loop"])
def test_split_runs_do_not_depend_on_who_runs_them(name: str) -> None:
    s = CASES[name]
    at, _ = splitting.levels(s, 17)
    one, three = (rare.extend(s, 5, None, 40, at, workers=n) for n in (1, 3))
    assert np.array_equal(one.tally, three.tally)


def mean_and_error(forked: importance.CopiedRuns) -> tuple[float, float]:
    y, den = forked.of("waits", STEADY), forked.runs.of("single", STEADY)
    value = float(y.sum() / den.sum())
    return value, math.sqrt(len(y) * float(np.var(y - value * den, ddof=1))) / float(den.sum())


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        [
            "pool of 2",
            "pool of 3, heads seldom fail",
            "pool of 3, half of the pages",
            "pool of 4, most pages",
            "pool of 3, empty at boot",
            "pool of 3, three steps",
            "pool and pages",
            "pool, closed loop",
            "pool, two callers",
            "pool in episodes",
        ],
        "pool of 2",
        "pool in episodes",
    ),
)
def test_forks_find_what_the_exact_chain_says(name: str) -> None:
    s = CASES[name]
    exact = exact_p_wait(s, "steady").value
    value, error = mean_and_error(rare.extend(s, 17, None, 1200))
    assert exact is not None
    assert error < 0.15 * exact
    assert abs(value - exact) < 4.5 * error


@pytest.mark.parametrize(
    "name", mostly_slow(["pages, 6 of 4 entries", "pages, 3 of 8 entries"], "pages, 3 of 8 entries")
)
def test_a_split_run_finds_what_the_exact_chain_says(name: str) -> None:
    s = CASES[name]
    exact = exact_p_wait(s, "steady").value
    at, events = splitting.levels(s, 17)
    value, error = mean_and_error(rare.extend(s, 17, None, 1200, at))
    assert len(at) > 1
    assert events > 0.0
    assert exact is not None
    assert error < 0.2 * exact
    assert abs(value - exact) < 4.5 * error


WITH_COOKIES = {
    "remedy.ready_blocks": True,
    "remedy.wake": "gp",
    "remedy.own_cpu": True,
    "grace_period.background_hz": 40.0,
}


@pytest.mark.parametrize("name", ["pool of 2", "pages, 4 of 4 entries"])
def test_forks_and_split_runs_find_what_plain_runs_find_where_blocks_have_cookies(
    name: str,
) -> None:
    s = changed(CASES[name], **WITH_COOKIES)
    is_split = name.startswith("pages")
    runs = replicate(s, 29, 0, 6000)
    waits, calls = runs.of("waits", STEADY), runs.of("single", STEADY)
    plain = waits.sum() / calls.sum()
    spread = (waits - plain * calls).std(ddof=1) * math.sqrt(len(runs)) / calls.sum()
    assert runs.of("ready_records", STEADY).sum() > 1000
    assert spread < 0.1 * plain

    at = splitting.levels(s, 17)[0] if is_split else ()
    assert (len(at) > 1) == is_split
    value, error = mean_and_error(rare.extend(s, 17, None, 1200, at))
    assert error < 0.1 * plain
    assert abs(value - plain) < 4.5 * math.hypot(error, spread)


@pytest.mark.parametrize(
    "other",
    [
        dict(p_hit_biased=0.2),
        dict(p_hit_biased=0.95),
        dict(p_eventful_biased=0.01),
        dict(copies_per_place=3),
        dict(p_copy_at_place=0.3),
    ],
)
def test_any_bias_is_right(other: dict[str, float]) -> None:
    s = CASES["pool of 2"]
    exact = exact_p_wait(s, "steady").value
    runs, tally, _ = rare_runs(s, 23, 0, 600, importance.bias(s) | other)
    value, error = mean_and_error(importance.CopiedRuns(runs, tally))
    assert exact is not None
    assert abs(value - exact) < 4.5 * error


@pytest.mark.parametrize("start", ["calm", "stationary"])
def test_time_under_pressure_has_the_mean_that_takes_variance_away(start: str) -> None:
    s = busy(**{"allocator.start": start})
    runs = replicate(s, 1, 0, 400)
    for window in (0, 1):
        spent, expected = runs.of("episode_ms", window), sums.expected_episode_ms(s, window)
        assert expected is not None
        assert abs(float(spent.mean()) - expected) < 4.5 * float(spent.std()) / math.sqrt(
            len(spent)
        )


def test_what_a_control_explains_does_not_widen_the_interval() -> None:
    r = np.random.default_rng(1)
    control = r.normal(0.0, 1.0, 64)
    y, den = 10.0 + 3.0 * control + r.normal(0.0, 0.1, 64), np.ones(64)
    with_it, without = weighed(y, den, den, control), weighed(y, den, den)
    assert with_it.half_width < 0.25 * without.half_width
    assert with_it.lo is not None
    assert with_it.hi is not None
    assert with_it.lo < 10.0 < with_it.hi


def test_one_replication_with_all_the_weight_is_rough() -> None:
    y = np.full(64, 1e-9)
    y[7] = 1.0
    assert weighed(y, np.ones(64), np.ones(64)).kind == "rough"


def test_auto_takes_what_suits_and_says_why() -> None:
    always = {
        "remedy.nr_emergency_objs": 0,
        "remedy.emergency_at_boot": 0,
        "remedy.head_alloc": "none",
        "remedy.page_class": "nowait",
        "remedy.array_path": False,
        "remedy.cache_at_boot": 0,
    }
    small, common, seldom = CASES["pool of 2"], busy(**always), busy()
    found = [ask(s, max_runs=64, precision=0.3) for s in (small, common, seldom)]
    assert [f.method for f in found] == ["exact", "skipping", "rare"]
    assert all(f.why and f.events > 0 for f in found)


def test_the_methods_agree() -> None:
    s = busy(
        **{
            "machine.cpus": 4,
            "allocator.episode.head_reclaim": 0.15,
            "remedy.emergency_at_boot": 0,
            "remedy.nr_emergency_objs": 0,
        }
    )
    plain, forks = (
        ask(s, method=m, precision=0.1, max_runs=4096).estimate for m in ("skipping", "rare")
    )
    assert plain.value is not None
    assert forks.value is not None
    apart = abs(math.log(plain.value / forks.value))
    assert apart < 1.5 * (plain.half_width + forks.half_width)


def test_more_replications_are_asked_for_until_the_interval_is_narrow() -> None:
    runs = [f.runs for f in asking(busy(), precision=0.05, max_runs=512)]
    assert runs == [8 << n for n in range(len(runs))]
    assert 1 < len(runs) <= 7


def test_nothing_seen_is_a_bound_and_never_zero() -> None:
    s = busy(
        **{
            "allocator.episode.head_reclaim": 1e-9,
            "remedy.nr_emergency_objs": 40,
            "remedy.emergency_at_boot": 40,
        }
    )
    *_, f = asking(s, max_runs=16)
    assert f.estimate.kind in ("bound", "rough")
    assert (f.estimate.hi or 0.0) > 0.0


V59 = dict(
    head_alloc="none",
    expedited_drain=False,
    rearm="left",
    cache_shared=True,
    nr_bkv_objs=3,
    cache_at_boot=3,
)


def cached(pages: int, **overrides: Any) -> Scenario:
    fields: dict[str, Any] = {f"remedy.{k}": v for k, v in V59.items()}
    fields |= {
        "remedy.nr_bkv_objs": pages,
        "remedy.cache_at_boot": pages,
        "workload.rate_hz": 1000.0,
    }
    fields |= {"remedy.nr_emergency_objs": 0, "remedy.emergency_at_boot": 0}
    return busy(**{**fields, **overrides})


def test_three_cached_pages_are_enough_by_construction() -> None:
    f = ask(cached(3, **{"machine.cpus": 4}))
    assert f.method == "by construction"
    assert "3 pages a channel" in f.why
    assert f.estimate.kind == "bound"
    assert 0.0 < (f.estimate.hi or 0.0) < 1e-20


def test_two_cached_pages_are_enough_while_a_batch_is_back_before_the_next_drain() -> None:
    quick = impossible(cached(2))
    assert quick is not None
    assert "2 pages a channel" in quick.why
    assert (
        impossible(cached(2, **{"grace_period.kind": "fixed", "grace_period.mean_ms": 30.0}))
        is None
    )


@pytest.mark.parametrize(
    "breaks",
    [
        {"remedy.cache_at_boot": 0},
        {"remedy.cache_at_boot": 1},
        {"workload.rate_hz": 30_000.0},
        {"workload.vmalloc_share": 0.5},
        {"remedy.array_path": False, "remedy.cache_at_boot": 0},
    ],
)
def test_without_one_of_its_conditions_nothing_is_impossible(breaks: dict[str, Any]) -> None:
    assert impossible(cached(2, **breaks)) is None


@pytest.mark.parametrize("seldom", [{"remedy.expedited_drain": True}, {"remedy.refill": True}])
def test_what_only_an_empty_cache_sets_off_does_not_matter_where_none_is_empty(
    seldom: dict[str, Any],
) -> None:
    """A drain is expedited, and the refill worker called, by a call that finds no page; up to the
    first none has.
    """
    s = cached(3, **{"machine.cpus": 4} | seldom)
    assert impossible(s) == impossible(cached(3, **{"machine.cpus": 4}))
    assert impossible(changed(s, **{"remedy.cache_at_boot": 0})) is None


def test_five_preallocated_pages_are_enough_by_construction() -> None:
    f = ask(changed(load_scenario("thread-as-discussed"), remedy="D5-A1"))
    assert f.method == "by construction"
    assert f.estimate.hi == pytest.approx(1.9e-21, rel=0.05)


def test_heads_that_never_fail_leave_nothing_to_wait_for() -> None:
    f = ask(busy(**{"allocator.episode.head_reclaim": 0.0, "remedy.head_alloc": "three_step"}))
    assert (f.method, f.estimate.kind, f.estimate.value) == ("by construction", "exact", 0.0)
    assert "always had" in f.why


def test_what_is_impossible_is_not_seen() -> None:
    worlds = [
        cached(3, **{"machine.cpus": 4}),
        cached(2),
        cached(3, **{"workload.arrivals": "periodic"}),
    ]
    for s in worlds:
        assert impossible(s) is not None
        assert replicate(s, 1, 0, 30).of("waits", STEADY).sum() == 0.0


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (dict(method="guess"), "method is 'guess'"),
        (dict(quantity="luck"), "quantity is 'luck'"),
        (dict(quantity=["p_wait"]), "quantity is"),
        (dict(window="later"), "window is 'later'"),
        (dict(method="rare", quantity="peak_objects"), "importance sampling answers p_wait"),
        (dict(method="exact"), "machine.cpus"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(how: dict[str, str], says: str) -> None:
    with pytest.raises(KrcsimError, match=says) as refused:
        ask("thread-as-posted", **how)
    assert "\n" not in str(refused.value)


def test_where_memory_is_counted_in_pages_there_is_no_chance_to_bias() -> None:
    with pytest.raises(KrcsimError, match="no chance to bias"):
        ask("exhausted-guest", method="rare")
    assert ask("exhausted-guest", max_runs=8).method == "skipping"


def test_a_request_that_fails_at_once_may_still_be_had_after_reclaim() -> None:
    """Three steps of which the second seldom fails and the last often does: what must fail is the
    rarer of them.
    """
    s = busy(
        **{
            "machine.cpus": 2,
            "remedy.head_alloc": "three_step",
            "allocator.episode.head": 0.5,
            "allocator.episode.head_atomic": 0.05,
            "allocator.episode.head_high": 0.5,
            "allocator.episode.head_reclaim": 0.3,
            "workload.rate_hz": 20_000.0,
        }
    )
    forks, plain = (
        ask(s, method=m, max_runs=512, precision=0.1).estimate for m in ("rare", "skipping")
    )
    assert abs(math.log((forks.value or 1.0) / (plain.value or 1.0))) < 2.0 * (
        forks.half_width + plain.half_width
    )
    assert plain.kind == "interval"


@pytest.mark.parametrize("loop", mostly_slow(["open", "closed", "catchup"], "closed"))
def test_time_blocked_is_shared_among_the_same_callers_by_both_methods(loop: str) -> None:
    s = busy(
        **{
            "machine.cpus": 4,
            "workload.loop": loop,
            "workload.arrivals": "periodic",
            "remedy.nr_emergency_objs": 0,
            "remedy.emergency_at_boot": 0,
        }
    )
    forks, plain = (
        ask(s, "blocked", method=m, max_runs=512, precision=0.1).estimate
        for m in ("rare", "skipping")
    )
    assert abs(math.log((forks.value or 1.0) / (plain.value or 1.0))) < 2.0 * (
        forks.half_width + plain.half_width
    )


def test_calls_of_a_split_run_are_counted_once() -> None:
    s = changed(CASES["pages, 6 of 4 entries"], warmup_ms=1900.0, horizon_ms=2000.0)
    at, _ = splitting.levels(s, 17)
    calls = rare.extend(s, 17, None, 400, at).runs.of("single", STEADY)
    assert len(at) > 1
    assert abs(float(calls.mean()) - 25.0) < 4.5 * float(calls.std()) / 20.0


@pytest.mark.parametrize(
    "s",
    [
        changed(load_scenario("thread-as-discussed"), remedy="D2-A1"),
        changed(load_scenario("phone"), remedy="B8"),
        busy(),
        CASES["pool of 7, wrappers often fail, few calls"],
    ],
    ids=["pages", "common", "pool", "small"],
)
def test_a_row_is_closed_within_its_budget(s: Scenario) -> None:
    """Counted in events and not by the clock, so that the same question has the same answer
    everywhere.
    """
    found = close(s, budget=2e6)
    assert found == close(s, budget=2e6)
    assert found.events <= 2e6


def test_the_bound_of_a_row_comes_from_the_runs_that_are_there() -> None:
    s = changed(load_scenario("thread-as-discussed"), remedy="D2-A1", horizon_ms=2200.0)
    few, more = close(s, budget=1e5), close(s, budget=1e5, have={s: replicate(s, SEED, 0, 256)})
    assert few.estimate.kind == more.estimate.kind == "bound"
    assert more.replications == 256
    assert (more.estimate.hi or 1.0) < (few.estimate.hi or 0.0)


def test_runs_that_are_there_already_answer() -> None:
    s = busy()
    have = {s: replicate(s, 1, 0, 32)}
    assert ask(s, method="skipping", seed=1, max_runs=16, have=have).replications == 32


def test_the_bound_of_the_unseen_comes_from_all_runs() -> None:
    assert (unseen(64).hi or 0.0) < (unseen(8).hi or 0.0)
