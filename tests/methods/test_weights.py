# SPDX-License-Identifier: GPL-2.0-only
"""What a sum of weights says: never a width of nothing, never sure by luck, and limits that allow
for long tails.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.methods.weights import HEAVY, MARKOV, effective, faint, says_little, tail, weighed
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.studies.ask import ask, close
from krcsim.studies.finding_words import finding_sentences
from krcsim.studies.limits import limits
from krcsim.studies.reserves import with_reserve
from krcsim.studies.size import size
from krcsim.studies.size_words import size_table

POSTED = load_scenario("thread-as-posted")
# One CPU whose calls all come in on periods of 50 ms, one every 20 s: few runs meet one under
# pressure.
GAP = changed(
    POSTED,
    **{
        "remedy": "A1",
        "machine.cpus": 1,
        "workload.arrivals": "onoff",
        "workload.on_ms": 50.0,
        "workload.off_ms": 20_000.0,
    },
)
# Episodes of 5 s, one a minute: most runs of 12 s see none.
LONG = changed(
    POSTED, **{"remedy": "A1", "allocator.episode_ms": 5000.0, "allocator.calm_ms": 60_000.0}
)


# ---- one sum


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=80), st.floats(-250.0, 3.0))
def test_limits_lie_on_both_sides_and_have_a_width(shares: list[float], power: float) -> None:
    y, ones = np.array(shares) * 10.0**power, np.ones(len(shares))
    e = weighed(y, ones, ones, most=1e9)
    assert (e.kind == "none") == (y.sum() == 0.0)
    if e.value is not None:
        assert e.lo is not None
        assert e.hi is not None
        assert e.lo <= e.value <= e.hi
        assert e.lo < e.hi or e.hi == 0.0


def test_replications_that_agree_by_chance_are_no_certainty() -> None:
    same = np.ones(64)
    e = weighed(3.0 * same, same, same)
    assert e.lo is not None
    assert e.hi is not None
    assert e.lo < e.hi


def test_what_one_replication_holds_has_no_limits_of_its_own() -> None:
    y = np.zeros(64)
    y[7] = 1.0
    ones = np.ones(64)
    assert weighed(y, ones, ones).hi is None
    assert weighed(y, ones, ones, most=0.5).hi == 0.5
    assert says_little(weighed(y, ones, ones, most=0.5))


@pytest.mark.parametrize("met", [0, 1, 4])
def test_where_few_replications_met_calls_that_can_wait_nothing_is_sure(met: int) -> None:
    exposed = np.zeros(64)
    exposed[:met] = 10.0
    e = weighed(np.full(64, 1e-9), np.ones(64), exposed, most=0.3)
    assert (e.kind, e.hi) == ("rough", 0.3)


def test_eight_replications_are_never_sure() -> None:
    assert weighed(np.linspace(1.0, 1.1, 8), np.ones(8), np.ones(8), most=1.0).kind == "rough"


def test_the_lower_limit_of_what_is_faint_holds_whatever_the_tail() -> None:
    """A number that is never negative is above 40 times its mean once in 40 times at most: here
    exactly so often.
    """
    draw = np.random.default_rng(3)
    values = np.where(draw.random(100_000) < 1.0 / MARKOV, MARKOV * 1.001, 0.0)
    below = [(faint(v, 100.0).lo or 0.0) <= 1.0 for v in np.unique(values[values > 0.0])]
    assert below == [False]  # but that is met no oftener than it may be
    assert np.mean(values > 0.0) < 1.1 / MARKOV


@pytest.mark.parametrize(("shape", "heavy"), [(0.1, False), (1.2, True)])
def test_a_heavy_tail_is_told_from_a_light_one(shape: float, heavy: bool) -> None:
    draw = np.random.default_rng(4)
    fits = [tail((draw.random(512) ** -shape - 1.0) / shape) for _ in range(50)]
    assert (np.median(fits) > HEAVY) == heavy
    assert np.median(fits) == pytest.approx(shape, abs=0.25)


def test_limits_of_heavy_weights_miss_on_both_sides_and_seldom() -> None:
    """Log-normal weights: the mean of 128 is nearly always too low, and their spread then too
    small.
    """
    draw = np.random.default_rng(5)
    low = high = 0
    for _ in range(1500):
        y = np.exp(1.2 * draw.normal(size=128) - 0.72)
        e = weighed(y, np.ones(128), np.ones(128), most=100.0)
        low += (e.hi or 0.0) < 1.0
        high += (e.lo or 0.0) > 1.0
    assert low + high < 0.07 * 1500
    assert low < 0.05 * 1500


def test_the_effective_number_of_small_numbers_does_not_vanish() -> None:
    assert effective(np.full(7, 1e-200)) == pytest.approx(7.0)
    assert effective(np.zeros(7)) == 0.0


# ---- what is asked


def is_honest(s: Scenario, truth: float, seeds: range, **how: object) -> list[bool]:
    """Whether the answers' limits, if they have any, hold the truth."""
    found = [ask(s, seed=seed, **how).estimate for seed in seeds]
    return [e.kind == "none" or e.hi is None or (e.lo or 0.0) <= truth <= e.hi for e in found]


def test_a_first_look_at_calls_that_come_in_few_on_periods_is_honest() -> None:
    """P(wait) is 1.48e-4 for a pool of 10; three of four first runs meet no call under pressure,
    and say nothing.
    """
    found = is_honest(with_reserve(GAP, 10, 0, "full"), 1.48e-4, range(12), max_runs=16)
    assert sum(found) >= 11


def test_a_run_without_a_call_under_pressure_says_nothing() -> None:
    seldom = changed(POSTED, **{"workload.rate_hz": 0.001, "machine.cpus": 64})
    assert ask(seldom, max_runs=8).estimate.kind == "none"
    found = size(seldom, 1e-6, max_runs=8)
    assert not found.met


@pytest.mark.slow
def test_no_pool_passes_on_a_lucky_first_look() -> None:
    """For one wait in 100,000 calls this world takes a pool of 27 or so."""
    for seed in (1, 4):
        found = size(GAP, 1e-5, at_boot="full", seed=seed, budget=4e6)
        assert all(t.objects >= 24 for t in found.tried if t.verdict == "passes")
        assert all(t.objects <= 28 for t in found.tried if t.verdict == "fails")


def test_rough_limits_decide_only_from_afar_and_none_of_no_width() -> None:
    e = faint(1e-7, 0.01)
    lower, upper = limits(e, 8, 0.99)
    assert lower < 1e-9
    assert upper > 0.01
    assert limits(weighed(np.ones(1), np.ones(1), np.ones(1)), 1, 0.95) == (0.0, float("inf"))


def test_a_steady_window_that_is_not_steady_is_said_to_be_so() -> None:
    """After 2 s of warm-up a world whose episodes last 5 s of each minute has had 26 % less
    pressure than later on.
    """
    assert "26 % less than later on" in finding_sentences(ask(LONG, max_runs=8))
    assert "not steady" in size_table(size(LONG, 1e-3, max_runs=8, most=1))
    assert ask(POSTED, max_runs=8).note == ""
    assert ask(LONG, window="boot", max_runs=8).note == ""
    settled = changed(LONG, **{"allocator.start": "stationary"})
    assert ask(settled, max_runs=8).note == ""


def test_the_warm_up_that_a_warning_names_is_enough() -> None:
    note = ask(LONG, max_runs=8).note
    warmup = float(note.split("warmup_ms = ")[1].split()[0])
    assert ask(changed(LONG, warmup_ms=warmup, horizon_ms=warmup + 10_000.0), max_runs=8).note == ""


def test_an_answer_ends_within_its_budget() -> None:
    s = changed(load_scenario("thread-as-discussed"), remedy="D2-A1")
    assert close(s, budget=3e6).events <= 3e6
